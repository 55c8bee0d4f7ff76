"""What a frame's PNG says of its story: the script, the settings and what the characters look like, as one JSON text.

A frame that is dropped in brings its story back, less the characters' pictures. The text may come from anywhere: it is
bounded, parsed as data and checked like a script; it can neither name files nor run anything.
"""

from __future__ import annotations

import io
import json
import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from PIL import Image

from anystory.errors import AnyStoryError, Message
from anystory.script.form import ScriptError
from anystory.script.read import parse_script
from anystory.story.model import BOUNDS, CastMember, Panel, Script, Settings, panel_seed
from anystory.story.size import Size
from anystory.story.steering import PAINT

KEY = "story"
FORMAT = 1
MAX_BYTES = 30_000_000
MAX_STORY = 250_000
"""Characters of JSON that a frame carries at most: a story of 200 long panels; of longer ones only its own panel."""

OTHERS = {"parameters": "A1111", "workflow": "ComfyUI", "invokeai_metadata": "InvokeAI", "Software": "another program"}
"""PNG text of other programs."""


class ImprintError(AnyStoryError, ValueError):
    """A picture carries no story that can be used. The message is one sentence for the user."""


@dataclass(frozen=True)
class FrameStory:
    """The story a frame brought back. It is panel `panel` (from 1) of `script`, made with `seed` by `backend`, whose
    version was `version`, `made` saying in a few words what the frame is that is no model's from noise; the script
    asks for that seed. `missing` are the characters whose pictures have to be given again, `notes` sentences on
    what else is not as it was; `looks` has what each character looked like, as a hash
    (`anystory.project.folder.content`)."""

    script: Script
    settings: Settings
    panel: int
    seed: int
    backend: str
    version: str
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    looks: Mapping[str, str] = field(default_factory=dict)
    made: str = ""


def imprint(script: Mapping[str, Any], settings: Mapping[str, Any], looks: Mapping[str, str], number: int) -> str:
    """The text for the PNG of panel `number`: `script` as `dump_script` gives it, all settings, and each character's
    look as a hash (`anystory.project.folder.content`)."""

    def text(script: Mapping[str, Any], number: int) -> str:
        data = {"format": FORMAT, "panel": number, "script": script, "settings": settings, "looks": looks}
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    whole = text(script, number)
    if len(whole) <= MAX_STORY:
        return whole
    panel = script["panels"][number - 1]
    seed = panel_seed(settings["seed"], number) if panel.get("seed") is None else panel["seed"]
    looks = {name: look for name, look in looks.items() if name in panel["cast"]}
    cast = [member for member in script["cast"] if member["name"] in panel["cast"] or _speaks(member, panel)]
    return text({**script, "cast": cast, "panels": [{**panel, "seed": seed}]}, 1)


def _speaks(member: Mapping[str, Any], panel: Mapping[str, Any]) -> bool:
    return any(line["who"] == member["name"] for line in panel.get("dialogue", ()))


def story_from_png(data: bytes, looks: Mapping[str, str] = MappingProxyType({})) -> FrameStory:
    """Read the story out of a frame's PNG file. `looks` are the pictures at hand, as hashes by name: whoever looks as
    in the story is not missing. Raises ImprintError with a sentence for whatever is no such file."""
    info = _png_text(data)
    if isinstance(info.get(KEY), str):
        story = _parsed(info[KEY])
    elif {"prompt", "seed", "settings", "backend", "key"} <= info.keys():
        return _of_one_frame(info)
    else:
        other = next((name for key, name in OTHERS.items() if key in info), "")
        whose = (
            Message("its text is from {other}", other=other)
            if other
            else Message("its text was taken away or it is from another program")
        )
        raise ImprintError(
            Message(
                "The picture carries no AnyStory settings ({whose}); drop a frame as AnyStory saved it.", whose=whose
            )
        )
    seed = int(_number(info.get("seed"), "seed"))
    backend, version = (str(info.get(key, ""))[:200] for key in ("backend", "version"))
    script, settings, panel, then = story
    wanted = script.panels[panel - 1]
    if (panel_seed(settings.seed, panel) if wanted.seed is None else wanted.seed) != seed:
        panels = (*script.panels[: panel - 1], replace(wanted, seed=seed), *script.panels[panel:])
        script = replace(script, panels=panels)
    others = [name for name, look in then.items() if name in looks and looks[name] != look]
    notes = [
        Message("{name} has a different picture here from the one in the frame's story.", name=name) for name in others
    ]
    missing = tuple(name for name in then if name not in looks)
    made = str(info.get("made", ""))[:200]
    return FrameStory(script, settings, panel, seed, backend, version, missing, tuple(notes), then, made)


@dataclass(frozen=True)
class AskedStory:
    """What was asked for when a frame was made: panel `panel` (from 1) of `script` with `settings`, of a backend and
    its version; `looks` are the characters' pictures, as hashes by name, `prompt` the sentence that was composed."""

    script: Script
    settings: Settings
    panel: int
    looks: Mapping[str, str]
    backend: str
    version: str
    prompt: str


def asked_in_png(data: bytes) -> AskedStory:
    """What a frame's PNG file tells of what was asked for. Raises ImprintError where it tells nothing."""
    info = _png_text(data)
    if not isinstance(info.get(KEY), str):
        raise ImprintError(Message("The frame does not tell its story; it is from an older AnyStory."))
    backend, version = (str(info.get(key, ""))[:200] for key in ("backend", "version"))
    return AskedStory(*_parsed(info[KEY]), backend, version, str(info.get("prompt", "")))


def _png_text(data: bytes) -> dict[str, Any]:
    """The text chunks in front of a PNG's pixels, which are not decoded."""
    if len(data) > MAX_BYTES:
        raise ImprintError(
            Message(
                "The file has {count} MB; a frame has at most {max_bytes}.",
                count=len(data) // 1000000,
                max_bytes=MAX_BYTES // 1000000,
            )
        )
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ImprintError(
            Message("The file is not a PNG, and only a frame's PNG carries its settings; drop the downloaded file.")
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # nothing is decompressed
            with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
                return {str(key): value for key, value in picture.info.items()}
    except Exception as error:  # a damaged file raises anything
        raise ImprintError(Message("The PNG file is damaged; download the frame again.")) from error


def _parsed(text: str) -> tuple[Script, Settings, int, dict[str, str]]:
    damaged = Message("The settings in the picture are damaged")
    if len(text) > 2 * MAX_STORY:
        raise ImprintError(
            Message("{damaged}: {count} characters are more than a frame carries.", damaged=damaged, count=len(text))
        )
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or not _whole(data.get("format")):
            raise ImprintError(Message("{damaged}: they do not say which format they have.", damaged=damaged))
        if data["format"] > FORMAT:
            raise ImprintError(Message("The frame was made by a newer AnyStory than this one; update AnyStory."))
        looks = data["looks"]
        if not isinstance(looks, dict) or not all(isinstance(look, str) for look in looks.values()):
            raise ImprintError(Message("{damaged}: the looks of its characters cannot be read.", damaged=damaged))
        bare = isinstance(data["script"], dict) and not data["script"].get("cast")
        script = without_pictures(data["script"], looks if bare else ())
        names = {member.name for member in script.cast}
        panel = data["panel"]
        if not _whole(panel) or not 1 <= panel <= len(script.panels):
            raise ImprintError(
                Message("{damaged}: the frame is of a panel that the story does not have.", damaged=damaged)
            )
        return script, read_settings(data["settings"]), panel, {k: v for k, v in looks.items() if k in names}
    except ScriptError as error:
        raise ImprintError(Message("{damaged}: {error}", damaged=damaged, error=error)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, ImprintError):
            raise
        raise ImprintError(
            Message("{damaged} or from another program; drop a frame as AnyStory saved it.", damaged=damaged)
        ) from error


def _of_one_frame(info: Mapping[str, Any]) -> FrameStory:
    """What a frame tells that was made before frames carried their story: its own prompt."""
    try:
        seed = int(_number(info["seed"], "seed"))
        settings = read_settings({**json.loads(info["settings"]), "seed": seed})
        panel = parse_script({"panels": [{"prompt": info["prompt"], "cast": []}]}).panels[0]
    except ImprintError:
        raise
    except (ValueError, TypeError, RecursionError) as error:  # ScriptError too
        raise ImprintError(
            Message("The settings in the picture are damaged; drop a frame as AnyStory saved it.")
        ) from error
    note = Message(
        "An older AnyStory made this frame, which tells only its own prompt: add the characters and the other panels."
    )
    panel = Panel(panel.prompt, seed=seed)
    backend, version = (str(info.get(key, ""))[:200] for key in ("backend", "version"))
    return FrameStory(Script((panel,)), settings, 1, seed, backend, version, notes=(note,))


def unlisted(script: Any, names: Iterable[str]) -> list[CastMember]:
    """Those of `names` whom the cast of a script, as data, lacks: a program may have given them beside a script that
    lists nobody."""
    listed = script.get("cast") if isinstance(script, Mapping) else None
    members = listed if isinstance(listed, list | tuple) else ()
    there = [member.get("name") for member in members if isinstance(member, Mapping)]
    return [CastMember(name) for name in names if name not in there]


def without_pictures(script: Any, subjects: Iterable[str] = ()) -> Script:
    """A script from anywhere, as data: what it says of files is left out. `subjects` that its cast lacks are members
    too. Raises ScriptError."""

    def without_files(panel: Any) -> Any:
        if not isinstance(panel, Mapping) or not isinstance(panel.get("layout"), Mapping):
            return panel
        places = {k: v for k, v in panel["layout"].items() if not isinstance(v, str) or v.startswith(PAINT)}
        return {**panel, "layout": places}

    if isinstance(script, Mapping) and isinstance(script.get("cast"), list | tuple):
        cast = [
            {key: value for key, value in member.items() if key not in ("image", "mask")}
            if isinstance(member, Mapping)
            else member
            for member in script["cast"]
        ]
        script = {**script, "cast": cast}
    if isinstance(script, Mapping) and isinstance(script.get("panels"), list | tuple):
        script = {**script, "panels": [without_files(panel) for panel in script["panels"]]}
    if not isinstance(script, Mapping):
        raise ScriptError(Message("There is no script."))
    return parse_script(script, cast=unlisted(script, subjects))


def read_settings(data: Any) -> Settings:
    """Settings from anywhere; what a newer version added is left out. Raises ImprintError for a value out of bounds."""
    if not isinstance(data, Mapping):
        raise ImprintError(Message("The settings are damaged: they are not a mapping."))
    values: dict[str, Any] = {}
    for each in fields(Settings):
        if each.name == "size" and each.name in data:
            try:
                values[each.name] = Size.asked(data[each.name])
            except ValueError as error:
                raise _beyond(each.name, data[each.name]) from error
        elif each.name in data:
            whole = each.type == "int"
            values[each.name] = (int if whole else float)(_number(data[each.name], each.name, whole))
        elif each.default is MISSING:
            raise ImprintError(Message("The settings are damaged: there is no {name}.", name=each.name))
    return Settings(**values)


def _beyond(name: str, value: Any) -> ImprintError:
    low, high = BOUNDS.get(name, (-math.inf, math.inf))
    return ImprintError(
        Message(
            "The settings are damaged: {name} is {value}, not between {low} and {high}.",
            name=name,
            value=repr(str(value)[:40]),
            low=low,
            high=high,
        )
    )


def _number(value: Any, name: str, whole: bool = True) -> float:
    """A number within its bounds; PNG text has it as a string."""
    low, high = BOUNDS.get(name, (-math.inf, math.inf))
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    kind = int if whole else int | float
    if isinstance(value, bool) or not isinstance(value, kind) or not math.isfinite(value) or not low <= value <= high:
        raise _beyond(name, value)
    return value


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
