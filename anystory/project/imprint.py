"""What a frame's PNG says of its story: the script, the settings and what the characters look like, as one JSON text.

A frame that is dropped in brings its story back, less the characters' pictures. The text may come from anywhere: it is
bounded, parsed as data and checked like a script; it can neither name files nor run anything.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from PIL import Image

from anystory.errors import AnyStoryError, Message
from anystory.project.schema import IMPRINT, SETTINGS, SchemaError, parsed, read_settings, whole
from anystory.script.form import ScriptError
from anystory.script.read import parse_script
from anystory.story.model import BOUNDS, CastMember, Panel, Script, Settings, panel_seed
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
    there = panel.get("cast", looks)  # where wildcards decide who is there, anybody may be
    looks = {name: look for name, look in looks.items() if name in there}
    cast = [member for member in script["cast"] if member["name"] in there or _speaks(member, panel)]
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
    seed = _seed(info)
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
        data = parsed(text)
    except SchemaError as error:
        raise ImprintError(
            Message("{damaged} or from another program; drop a frame as AnyStory saved it.", damaged=damaged)
        ) from error
    try:
        if isinstance(data, dict) and isinstance(data.get("format"), int) and data["format"] > FORMAT:
            raise ImprintError(Message("The frame was made by a newer AnyStory than this one; update AnyStory."))
        IMPRINT(data, "")
        looks = data["looks"]
        script = without_pictures(data["script"], () if data["script"].get("cast") else looks)
        whole(1, len(script.panels))(data["panel"], "panel")
        names = {member.name for member in script.cast}
        return script, read_settings(data["settings"]), data["panel"], {k: v for k, v in looks.items() if k in names}
    except (ScriptError, SchemaError) as error:
        raise ImprintError(Message("{damaged}: {error}", damaged=damaged, error=error)) from error


def _of_one_frame(info: Mapping[str, Any]) -> FrameStory:
    """What a frame tells that was made before frames carried their story: its own prompt."""
    seed = _seed(info)
    try:
        told = parsed(info["settings"])
        SETTINGS(told, "settings")
        settings = read_settings({**told, "seed": seed})
        panel = parse_script({"panels": [{"prompt": info["prompt"], "cast": []}]}).panels[0]
    except (ScriptError, SchemaError) as error:
        damaged = Message("The settings in the picture are damaged")
        raise ImprintError(Message("{damaged}: {error}", damaged=damaged, error=error)) from error
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


def _seed(info: Mapping[str, str]) -> int:
    """The seed that a PNG's text tells. Raises ImprintError."""
    said = info.get("seed", "")
    try:
        whole(*BOUNDS["seed"])(int(said) if said.isascii() and said.isdecimal() and len(said) < 20 else said, "seed")
    except SchemaError as error:
        damaged = Message("The settings in the picture are damaged")
        raise ImprintError(Message("{damaged}: {error}", damaged=damaged, error=error)) from error
    return int(said)
