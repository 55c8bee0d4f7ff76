"""The vocabulary of a story: what is asked for, what comes back. numpy and PIL only, no torch."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from anystory.errors import Message
from anystory.story.from_sketch import FROM_NOISE, FromSketch
from anystory.story.shot import Shot
from anystory.story.size import SIDES, Size, ratio, shaped
from anystory.story.steering import UNSTEERED, Steering

BACKGROUND = "background"
"""Name of the last entry of every `RoutingMaps`: the part of a frame that belongs to no subject."""

KINDS = ("coarse", "refined")
"""The routing maps of a layer in the order it makes them. Not every backend has coarse ones."""

MAX_SEED = 2**32 - 1

FACINGS = ("left", "right", "front")
"""Where a character's first picture may look, as one sees it."""

OWN = THINGS, PLACES = "things", "places"
"""The folders beside a script, or in a story's folder, with the story's own drawings of things and pictures of
places."""

MAX_PICTURES = 8
"""Pictures of one character at most; each costs every layer of every step as much as the first."""

MAX_TRACE = 32_000_000
"""Bytes of a frame's trace at most: some 250 steps of SDXL at 1024 pixels with four subjects, unpacked 100 MB."""


LIBRARY = "a drawing from the library (Noto Emoji): "
"""What `Subject.drawn` begins with where no model drew it."""


@dataclass(frozen=True)
class Subject:
    """A character with its cut-out. `image` is RGB, `mask` is L (255 = the character), of one size. `drawn` is the
    sentence a backend drew it from, or `LIBRARY` and what was taken from there; empty for a picture that was handed in.
    `more` are further pictures of the same character, each an image and its mask. `height` in metres and `facing`, one
    of `FACINGS`, are None where nobody said. Raises ValueError for what is not so, or above `MAX_PICTURES`."""

    name: str
    image: Image.Image
    mask: Image.Image
    description: str = ""
    drawn: str = ""
    more: tuple[tuple[Image.Image, Image.Image], ...] = ()
    height: float | None = None
    facing: str | None = None

    def __post_init__(self) -> None:
        if len(self.pictures) > MAX_PICTURES:
            raise ValueError(
                f"{self.name} has {len(self.pictures)} pictures; at most {MAX_PICTURES} are used, leave some out."
            )
        for image, mask in self.pictures:
            if image.mode != "RGB" or mask.mode != "L":
                raise ValueError(
                    f"{self.name}: the image must be RGB and the mask L, got {image.mode} and {mask.mode}."
                )
            if image.size != mask.size:
                raise ValueError(
                    f"{self.name}: the mask is {mask.size} but the image is {image.size}; make them one size."
                )

    @property
    def pictures(self) -> tuple[tuple[Image.Image, Image.Image], ...]:
        """Every picture of the character, an RGB image and its L mask each, the first one in front."""
        return ((self.image, self.mask), *self.more)


@dataclass(frozen=True)
class CastMember:
    """A character as a script names it: the pictures are still paths. `more` are further pictures, each with its mask
    or None. `height` in metres and `facing`, one of `FACINGS`, None where nobody said. `drawing` is the concept of
    the library's drawing that somebody chose for who has no picture, "" where nobody did."""

    name: str
    image: Path | None = None
    mask: Path | None = None
    description: str = ""
    more: tuple[tuple[Path, Path | None], ...] = ()
    height: float | None = None
    facing: str | None = None
    drawing: str = ""


@dataclass(frozen=True)
class Line:
    """One line of dialogue: who says what."""

    who: str
    say: str


@dataclass(frozen=True)
class Panel:
    """One picture of the story. `cast` holds names in the script's cast order; `size` is that of its frame, a whole
    number the side of a square, `shape` one of `SHAPES` at about that area. `seed` and `size` None, `shape` and `style`
    "" = the story's; `steering` is what was asked of its routing by hand. `duration`: seconds a film of the story stays
    at it, None = as long as its words take to read. `shows`: what its picture is told to show besides, in words such as
    "night" or "Mia sits" (`anystory.sketch.shows`).
    `told`: the cast was said apart from the prompt, so wildcards in that change nothing about it; panels that differ in
    this alone are equal, as they ask for the same once their wildcards are filled in."""

    prompt: str
    cast: tuple[str, ...] = ()
    caption: str = ""
    dialogue: tuple[Line, ...] = ()
    seed: int | None = None
    style: str = ""
    steering: Steering = UNSTEERED
    size: Size | None = None
    shape: str = ""
    shows: tuple[str, ...] = ()
    duration: float | None = None
    told: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", None if self.size is None else Size.of(self.size))


@dataclass(frozen=True)
class Style:
    """A preset: `template` is what a model reads, with `{prompt}` where the panel's sentence goes."""

    name: str
    template: str


@dataclass(frozen=True)
class Script:
    """What a person writes: a title, a style, a cast and panels in order. A style is the name of a preset, of
    `styles` (the story's own) or of those supplied, or else words; see `anystory.story.styles`. `segmenter` names the
    model that cuts the pictures out, "" = the default; see `anystory.cast.segment`. `size` and `shape` are those of
    every panel that has none itself, None and "" = the backend's; `pages` is the layout, of `LAYOUTS`, in whose cells
    such panels are to fit, "" = none. `from_sketch` is what the frames of panels that say nothing of it take of their
    sketches, None = as the backend does. `things` is the folder of the story's own drawings of things, which sketches
    show, `places` that of its pictures of places; None where it has none."""

    panels: tuple[Panel, ...]
    cast: tuple[CastMember, ...] = ()
    title: str = ""
    style: str = ""
    styles: tuple[Style, ...] = ()
    segmenter: str = ""
    size: Size | None = None
    shape: str = ""
    pages: str = ""
    from_sketch: FromSketch | None = None
    things: Path | None = None
    places: Path | None = None

    @property
    def words(self) -> list[str]:
        """What is read of the story: its title, captions and dialogue."""
        said = (word for panel in self.panels for word in (panel.caption, *(line.say for line in panel.dialogue)))
        return [word for word in (self.title, *said) if word]

    def beside(self, folder: Path) -> Script:
        """The script with the own drawings and places that lie in a folder."""
        things, places = ((folder / name).resolve() if (folder / name).is_dir() else None for name in OWN)
        return replace(self, things=things, places=places)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", None if self.size is None else Size.of(self.size))


@dataclass(frozen=True)
class Prompt:
    """The sentence a model reads. `mentions[i]` is the character span [start, end) of `text` that means
    the i-th subject of the frame; None where no words do. `shot` is what the panel shows, for backends that sketch."""

    text: str
    mentions: tuple[tuple[int, int] | None, ...] = ()
    shot: Shot | None = None


@dataclass(frozen=True)
class Settings:
    """Everything a render depends on besides the script, the pictures and the weights.

    `size` is that of the frames, a whole number the side of a square, but for scripts and panels with their own,
    `guidance` the classifier-free guidance scale (1 = off), `eta` the strength η of the CLIP injection (eq 5), `gamma`
    the bias γ on reference tokens (eq 8), `seed` the story's seed, which gives a panel without its own `panel_seed`.
    """

    size: Size
    steps: int = 25
    guidance: float = 3.0
    eta: float = 1.0
    gamma: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", Size.of(self.size))

    @property
    def written(self) -> dict[str, Any]:
        """The settings as files have them, by their names; `Settings(**written)` is the same again."""
        return {**vars(self), "size": self.size.written}


BOUNDS = {
    "size": SIDES,
    "steps": (1, 1000),
    "guidance": (1, 100),
    "eta": (-100, 100),
    "gamma": (-1000, 1000),
    "seed": (0, MAX_SEED),
}
"""The least and the greatest value of each of `Settings`, wherever they come from; of the size, of each side."""


def sides(sizes: range) -> str:
    """The sides of frames that a backend draws, in words."""
    if sizes.step == 1:
        return Message("anything from {low} to {high} a side", low=sizes[0], high=sizes[-1])
    return Message("multiples of {step} from {low} to {high} a side", step=sizes.step, low=sizes[0], high=sizes[-1])


def frame_size(script: Script, number: int, usual: Size, sizes: range, cell: float | None = None) -> Size:
    """The size of panel `number` (from 1), whose backend draws `usual`ly that and sides of `sizes`: its own size, or
    its own shape at about the area of the story's; else the story's size or shape, or the shape of its `cell`."""
    panel = script.panels[number - 1]
    size = panel.size or script.size or usual
    shape = panel.shape or ("" if panel.size else script.shape)
    if shape:
        return shaped(ratio(shape), size.area, sizes)
    return shaped(cell, size.area, sizes) if cell and not panel.size else size


def panel_seed(seed: int, number: int) -> int:
    """The seed of panel `number` (from 1) in a story of `seed`: they count up, and after the greatest comes 0."""
    return (seed + number - 1) % (MAX_SEED + 1)


@dataclass(frozen=True)
class Story:
    """A script whose characters have pictures. `subjects` follow the script's cast order."""

    script: Script
    subjects: tuple[Subject, ...]
    settings: Settings


ROUTING, ATTENTION, SEEN = "routing", "share of attention", "what is seen"
"""What maps can measure: whose features each place gets; or, where nobody competes, how much of the attention of each
place its one subject gets; or, of a sketch, whom each place shows, which is 1 for one and 0 for all others."""

MADE = {SEEN: "painted place, your cut-outs"}
"""What a frame is that is no model's drawing, by what its maps measure."""

FROM_A_SKETCH, PLACED_BY_A_SKETCH = "from a sketch", "placed by a sketch"
SHOWN_A_SKETCH = "with its sketch to look at"
"""What a model's frame is that begins with its panel's sketch; or takes the places of those in it; or neither, while
the model saw it as one more reference."""


@dataclass(frozen=True)
class RoutingMaps:
    """Who is where in a frame: `values` float32 (S+1, H, W) in [0, 1], all finite, summing to 1 over `names`, whose
    last is `BACKGROUND`. `measure` says what they are, `ROUTING`, `ATTENTION` or `SEEN`."""

    names: tuple[str, ...]
    values: np.ndarray
    measure: str = ROUTING

    def __post_init__(self) -> None:
        if self.measure not in (ROUTING, ATTENTION, SEEN):
            raise ValueError(f"Maps show the {ROUTING}, the {ATTENTION} or {SEEN}, not {self.measure!r}.")
        if self.values.ndim != 3 or len(self.names) != len(self.values):
            raise ValueError(f"{len(self.names)} names do not fit maps of shape {self.values.shape}.")
        if not self.names or self.names[-1] != BACKGROUND:
            raise ValueError(f"The last routing map must be {BACKGROUND!r}, got {self.names[-1:]}.")
        if not np.isfinite(self.values).all():
            raise ValueError(f"The maps of {', '.join(self.names)} are not finite numbers.")

    def located(self, size: tuple[int, int]) -> list[np.ndarray]:
        """Where each subject is: a bool array (height, width) of `size` (width, height), True where its map, brought to
        that size, is the largest. A share of attention, which nobody competes for, counts where it is at least half
        its greatest value."""
        fields = [Image.fromarray(np.ascontiguousarray(field, np.float32)) for field in self.values]
        soft = np.stack([np.asarray(field.resize(size, Image.Resampling.BILINEAR)) for field in fields])
        if self.measure == ATTENTION:
            return [values >= values.max() / 2 for values in soft[:-1]]
        held = soft.argmax(axis=0)
        return [held == index for index in range(len(soft) - 1)]


Shape = tuple[int, int]
"""Rows and columns (h, w) of a layer's tokens."""


@dataclass(frozen=True)
class RoutingTrace:
    """Who holds every token in every layer at every step of a frame: the hard maps σ(M) that steered it.

    `names` are those of `RoutingMaps`, `total` the frame's steps, `steps` the numbers (from 1) of those at which the
    routers ran, `shapes` the (h, w) of each layer in the order of execution. `packed` keeps layers of different size
    apart: under (kind, shape) a uint8 array (bits, steps, layers of that shape, ceil(h · w / 8)) whose b-th plane is
    bit b of every token's index into `names`, eight tokens a byte. Raises ValueError for what is not so.
    """

    names: tuple[str, ...]
    total: int
    steps: tuple[int, ...]
    shapes: tuple[Shape, ...]
    packed: Mapping[tuple[str, Shape], np.ndarray]

    def __post_init__(self) -> None:
        if not self.names or self.names[-1] != BACKGROUND:
            raise ValueError(f"The last name of a trace must be {BACKGROUND!r}, got {self.names[-1:]}.")
        if not self.steps or list(self.steps) != sorted({s for s in self.steps if 1 <= s <= self.total}):
            raise ValueError(f"The steps of a trace must rise within 1 and {self.total}, got {self.steps[:9]}.")
        if not self.shapes or min(min(shape) for shape in self.shapes) < 1:
            raise ValueError(f"The layers of a trace need one token each at least, got {self.shapes[:9]}.")
        if set(self.packed) != {(kind, shape) for kind in self.kinds for shape in self.shapes}:
            raise ValueError(f"The maps of a trace do not fit its layers: {sorted(self.packed)[:9]}.")
        for (kind, shape), array in self.packed.items():
            wanted = (_bits(self.names), len(self.steps), self.shapes.count(shape), -(-shape[0] * shape[1] // 8))
            if array.dtype != np.uint8 or array.shape != wanted:
                raise ValueError(f"The {kind} maps of {shape} are {array.dtype} {array.shape}, not uint8 {wanted}.")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Those of `KINDS` there are; "refined" always is."""
        return tuple(kind for kind in KINDS if kind == "refined" or any(key[0] == kind for key in self.packed))

    def holders(self, step: int, layer: int, kind: str = "refined") -> np.ndarray:
        """The index into `names` of who holds each token: uint8 (h, w) of `layer` (from 1) at `step` (from 1).
        Raises ValueError for a step, layer or kind that is not in the trace."""
        if step not in self.steps:
            raise ValueError(f"There are no maps of step {step}; there are those of {_listed(self.steps)}.")
        if not 1 <= layer <= len(self.shapes):
            raise ValueError(f"There is no layer {layer}; the layers are 1 to {len(self.shapes)}.")
        if kind not in self.kinds:
            raise ValueError(f"There are no {kind} maps; there are: {', '.join(self.kinds)}.")
        shape = self.shapes[layer - 1]
        planes = self.packed[kind, shape][:, self.steps.index(step), self.shapes[: layer - 1].count(shape)]
        bits = np.unpackbits(planes, axis=-1, count=shape[0] * shape[1])
        weights = np.left_shift(1, np.arange(len(bits)))
        held = np.minimum(np.tensordot(weights, bits, 1), len(self.names) - 1)  # of damaged bits, the background
        return held.astype(np.uint8).reshape(shape)

    def votes(self, step: int, layer: int | None = None, kind: str = "refined") -> RoutingMaps:
        """The share of layers that give each token to each name, at the size of the largest layer; of one `layer`
        its own hard map. Steps, layers and errors as in `holders`."""
        if layer is not None:
            return RoutingMaps(self.names, _one_hot(self.holders(step, layer, kind), len(self.names)))
        shape = max(self.shapes, key=lambda s: s[0] * s[1])
        total = np.zeros((len(self.names), *shape), np.float32)
        for number, (h, w) in enumerate(self.shapes, 1):
            rows, columns = (np.arange(big) * small // big for big, small in zip(shape, (h, w), strict=True))
            total += _one_hot(self.holders(step, number, kind)[rows][:, columns], len(self.names))
        return RoutingMaps(self.names, total / len(self.shapes))


class TraceRecorder:
    """Packs the maps of a frame step by step into a `RoutingTrace`."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._steps: list[int] = []
        self._shapes: tuple[Shape, ...] = ()
        self._packed: dict[tuple[str, Shape], list[np.ndarray]] = {}

    def add(self, step: int, refined: Sequence[np.ndarray], coarse: Sequence[np.ndarray] = ()) -> None:
        """Take in the maps of `step` (from 1): for each layer the index of every token's holder, uint8 (h, w)."""
        self._steps.append(step)
        self._shapes = tuple(tuple(layer.shape) for layer in refined)
        for kind, layers in zip(KINDS, (coarse, refined), strict=True):
            for shape in dict.fromkeys(layer.shape for layer in layers):
                held = np.stack([layer.ravel() for layer in layers if layer.shape == shape])
                planes = np.arange(_bits(self._names), dtype=np.uint8)[:, None, None]
                bits = (held.astype(np.uint8) >> planes) & 1
                self._packed.setdefault((kind, shape), []).append(np.packbits(bits, axis=-1))

    def trace(self, total: int) -> RoutingTrace | None:
        """The trace of a frame of `total` steps; None where no routers ran."""
        if not self._steps:
            return None
        packed = {key: np.stack(steps, axis=1) for key, steps in self._packed.items()}
        return RoutingTrace(self._names, total, tuple(self._steps), self._shapes, packed)


def trace_size(steps: int, shapes: Sequence[Shape], subjects: int, kinds: int = len(KINDS)) -> int:
    """Bytes that a frame's trace takes on disk at most: a bit for each of ceil(log2(subjects + 1)) planes, each
    kind of map, step and token, and the file's frame around them."""
    tokens = sum(-(-h * w // 8) for h, w in shapes)
    content = subjects.bit_length() * kinds * steps * tokens
    return content + content // 1000 + 8 * steps + 16 * len(shapes) + 16_384


def dump_trace(trace: RoutingTrace, key: str) -> bytes:
    """The trace as an npz file (no pickle): names, total, steps, shapes, `key`, and an array for every kind and size
    under, for example, "refined 16x16"."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {f"{kind} {h}x{w}": array for (kind, (h, w)), array in sorted(trace.packed.items())}
    np.savez_compressed(
        buffer,
        names=np.array(trace.names),
        total=trace.total,
        steps=np.array(trace.steps, np.int32),
        shapes=np.array(trace.shapes, np.int32),
        key=key,
        **arrays,
    )
    return buffer.getvalue()


def read_trace(file: str | Path, key: str | None = None) -> RoutingTrace:
    """Read a trace that `dump_trace` wrote. With `key` it must be the one it was written with. Nothing in the file is
    executed or unpacked beyond `MAX_TRACE`. Raises ValueError for any other content, OSError where there is no file."""
    with open(file, "rb") as source:
        try:
            with zipfile.ZipFile(source) as archive:
                unpacked = sum(entry.file_size for entry in archive.infolist())
            if unpacked > 2 * MAX_TRACE:
                raise ValueError(f"it unpacks to {unpacked} bytes, more than {2 * MAX_TRACE}")
            source.seek(0)
            with np.load(source, allow_pickle=False) as arrays:
                data = dict(arrays)
            written = str(data.pop("key"))
            if key is not None and written != key:
                raise ValueError("it belongs to another frame")
            names, total = tuple(data.pop("names").tolist()), int(data.pop("total"))
            steps, shapes = (data.pop(name).tolist() for name in ("steps", "shapes"))
            packed: dict[tuple[str, Shape], np.ndarray] = {}
            for name, array in data.items():
                kind, _, size = name.partition(" ")
                height, width = (int(side) for side in size.split("x"))
                packed[kind, (height, width)] = array
            return RoutingTrace(names, total, tuple(steps), tuple((h, w) for h, w in shapes), packed)
        except Exception as error:  # a damaged archive raises anything: BadZipFile, EOFError, zlib.error, KeyError, …
            raise ValueError(f"{Path(file).name} is not a routing trace ({error}).") from error


def _bits(names: Sequence[str]) -> int:
    """Bits that tell `names` apart; none for the background alone."""
    return (len(names) - 1).bit_length()


def _one_hot(held: np.ndarray, entries: int) -> np.ndarray:
    """Indices (h, w) -> float32 (entries, h, w)."""
    return (held == np.arange(entries)[:, None, None]).astype(np.float32)


def _listed(numbers: Sequence[int]) -> str:
    first, last = numbers[0], numbers[-1]
    return f"{first} to {last}" if len(numbers) == last - first + 1 else ", ".join(map(str, numbers))


@dataclass(frozen=True)
class Frame:
    """A finished panel: RGB `image`, its routing maps, the seed it came from, every layer's maps at every step where
    they were kept, and sentences for the user on what is not as it should be. `version` is that of the backend as it
    drew the frame, "" where a backend has but one; `from_sketch` is what a model's frame took of its panel's sketch."""

    image: Image.Image
    maps: RoutingMaps
    seed: int
    trace: RoutingTrace | None = None
    notes: tuple[str, ...] = ()
    version: str = ""
    from_sketch: FromSketch = FROM_NOISE

    @property
    def is_sketch(self) -> bool:
        """Whether no model had a part in it."""
        return self.maps.measure in MADE and not self.from_sketch

    @property
    def made(self) -> str:
        """What it is, in a few words, but a model's drawing from noise; "" for such."""
        if self.from_sketch:
            if self.from_sketch.strength < 1:
                return FROM_A_SKETCH
            return PLACED_BY_A_SKETCH if self.from_sketch.layout else SHOWN_A_SKETCH
        return MADE.get(self.maps.measure, "")

    def named(self, names: tuple[str, ...]) -> Frame:
        """The same frame whose maps are called `names`, in their order."""
        trace = self.trace and replace(self.trace, names=names)
        return replace(self, maps=replace(self.maps, names=names), trace=trace)


@dataclass(frozen=True)
class Step:
    """Progress of one panel: step `index` of `total` (from 1) is done, `preview` shows the frame so far
    (small, RGB, or None). The last step of a panel carries the `frame`."""

    index: int
    total: int
    preview: Image.Image | None = None
    frame: Frame | None = field(default=None)

    @property
    def finished(self) -> Frame:
        """The frame of a last step. Raises ValueError for any other."""
        if self.frame is None:
            raise ValueError(f"Step {self.index} of {self.total} has no frame yet; go on to the last one.")
        return self.frame
