"""Ways to render faster: with the same numbers, or with a picture that is a stated distance away."""

from __future__ import annotations

from dataclasses import dataclass

from diffusers import FluxTransformer2DModel, TaylorSeerCacheConfig


@dataclass(frozen=True)
class Speed:
    """A way to denoise.

    `steps` are its own number of steps, None = the release's. With `interval` the transformer runs on one step in
    `interval` only, after two at the start of every window, and a line through the last two velocities stands in for
    it in between. `compiled` has the blocks compiled, which takes minutes once and is for GPUs.
    `distance` is how far the final latents may be from the full picture's, relative to their norm, on the tiny golden
    weights: what the tests hold it to.
    """

    distance: float
    steps: int | None = None
    interval: int | None = None
    compiled: bool = False

    @property
    def exact(self) -> bool:
        """Whether it gives the full picture's numbers, up to rounding."""
        return self.steps is None and self.interval is None


SPEEDS = {
    "exact": Speed(1e-4),
    "compiled": Speed(1e-4, compiled=True),
    "cached": Speed(0.12, interval=4),
    "few": Speed(0.15, steps=8),
}
"""By the names users know. The distances of real weights are for `python -m anystory.bench flux` to tell."""


def hasten(transformer: FluxTransformer2DModel, speed: Speed) -> None:
    """Prepare a transformer for a speed, once."""
    if speed.compiled:
        transformer.compile_repeated_blocks(dynamic=True)
    if speed.interval:
        transformer.enable_cache(
            TaylorSeerCacheConfig(
                cache_interval=speed.interval, disable_cache_before_step=2, max_order=1, use_lite_mode=True
            )
        )
