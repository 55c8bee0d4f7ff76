"""Models for the comparisons that need a training of their own: those that are compared from the same start, with the
same frames, noise and number of steps.

Branches (`clip`, `reference`, `both`) go on from the given model by the paper's stage 1, the other branch switched off.
Routers (`decoupled`, `coupled`) begin with new routing QFormers and routers of one random state on the given model, all
else frozen, and learn beside it as in joint training: eq 4 teaches next to nothing to routers that know nothing. Those
models are for comparing: so few steps make no good one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from anystory.evaluation.switches import BOTH, CLIP, COUPLED, REFERENCE, Switch
from anystory.model.attention import SubjectAdapter
from anystory.model.pipeline import AnyStoryPipeline
from anystory.model.qformer import QFormer
from anystory.training.loop import replace_folder
from anystory.training.losses import Objective
from anystory.training.stages import STAGES, TrainingStage, train_stage
from anystory.training.world import World

SCENES = 300
"""Painted scenes that the trainings know: enough for so few steps."""

FRAMES = 4
"""Composed frames of a step."""

FROM_NOTHING = 2
"""How many times as many steps routers take, which begin from nothing."""

ROUTERS = replace(
    STAGES["router"],
    learning_rate=1e-3,  # the paper's rate is for many more steps
    objective=Objective(draws=4, joint=True, levels=(0.4, 1.1), drop_text=0.0, drop_references=0.0, drop_all=0.0),
)
"""How routers learn from random weights."""

DECOUPLED = "decoupled"


@dataclass(frozen=True)
class Variant:
    """A model that is trained with a switch thrown: how, and whether from new routers."""

    switch: Switch
    stage: TrainingStage
    new_routers: bool = False


SUBJECT = STAGES["subject"]
VARIANTS: Mapping[str, Variant] = {
    CLIP: Variant(Switch(branches=CLIP), replace(SUBJECT, objective=replace(SUBJECT.objective, drop_references=1.0))),
    REFERENCE: Variant(Switch(branches=REFERENCE), SUBJECT),
    BOTH: Variant(Switch(), SUBJECT),
    DECOUPLED: Variant(Switch(), ROUTERS, new_routers=True),
    COUPLED: Variant(Switch(router=COUPLED), ROUTERS, new_routers=True),
}


def train(name: str, model: Path, world: World, out: Path, steps: int, seed: int = 0) -> Path:
    """Train the variant `name` of the AnyStory in the folder `model` for so many steps, new routers for `FROM_NOTHING`
    times as many; returns its folder in `out`. One that is finished stays, one that is not goes on."""
    variant = VARIANTS[name]
    out.mkdir(parents=True, exist_ok=True)
    start = model
    if variant.new_routers:
        start = out / f"{name}-start"
        if not start.is_dir():
            with_new_routers(model, start, coupled=name == COUPLED, seed=seed)
    train_stage(
        name,
        start,
        world,
        out / name,
        steps=steps * FROM_NOTHING if variant.new_routers else steps,
        frames=FRAMES,
        seed=seed,
        stage=variant.stage,
        within=variant.switch.on,
    )
    return out / name


def with_new_routers(model: Path, out: Path, *, coupled: bool, seed: int) -> None:
    """Write the AnyStory in `model` to `out` with routers and a routing QFormer that know nothing yet; coupled: one
    that reads the subject's tokens in place of its picture."""
    torch.manual_seed(seed)
    pipeline = AnyStoryPipeline.from_pretrained(model, dtype=torch.float32)
    fresh = SubjectAdapter.from_config(pipeline.adapter.config)
    pipeline.adapter.routers.load_state_dict(fresh.routers.state_dict())
    config = dict(pipeline.routing_qformer.config)
    if coupled:
        config["vision_dim"] = pipeline.subject_qformer.config.output_dim
    pipeline.register_modules(routing_qformer=QFormer.from_config(config))
    replace_folder(out, lambda folder: pipeline.save_pretrained(folder))
