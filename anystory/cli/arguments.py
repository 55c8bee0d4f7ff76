"""What every command takes: the one place where arguments are declared."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from anystory.backends import base as backend
from anystory.cast.segment import MODELS
from anystory.cli import check, films, info, pictures, render, stories
from anystory.cli.report import Report
from anystory.cli.usage import Parser, between, from_sketch, lora, size, vram
from anystory.pages.balloons import CAPTIONS, DIALOGUES, DIRECTIONS, Lettering
from anystory.pages.form import Format
from anystory.pages.paper import PAPERS
from anystory.pages.storyboard import SIZES as SHEETS
from anystory.pages.storyboard import SheetForm
from anystory.pages.webtoon import StripForm
from anystory.render.film import FADES, RATES, FilmForm
from anystory.story.layouts import FIT, LAYOUTS, PAGES
from anystory.story.model import BOUNDS
from anystory.story.size import SHAPES

SCRIPT = "the story: text, YAML, JSON, a storyboard, a screenplay or a shot list"
RENDERED = "what render wrote"
DELEGATED = {
    "app": ("ui.serve", "serve the app in your browser"),
    "evaluate": ("anystory.evaluation.__main__", "measure a trained model: python -m anystory.evaluation"),
    "bench": ("anystory.bench.__main__", "measure what a frame costs: python -m anystory.bench"),
}
"""Commands with a program of their own, which takes the rest of the line."""
SHELLS = ("bash", "zsh", "fish")


def parser() -> argparse.ArgumentParser:
    """Every command with its arguments; `command` is the function that does it, `name` what it is called."""
    top = Parser(prog="anystory", description="Story frames in which each character stays itself.")
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    machine = Parser(add_help=False)
    machine.add_argument("--json", action="store_true", help="tell everything as JSON, an object a line")

    def add(name: str, does: Callable[..., int | None], about: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=about, description=about, parents=[machine])
        command.set_defaults(command=does, name=name)
        return command

    _render(add)
    _stories(add)
    _films(add)
    _pictures(add)
    for name, (_, about) in DELEGATED.items():
        commands.add_parser(name, help=about, add_help=False)
    _program(add, top)
    return top


def _render(add: Callable[..., argparse.ArgumentParser]) -> None:
    command = add("render", render.render, "render a script, or several, to a folder of frames")
    command.add_argument("scripts", type=Path, nargs="+", metavar="SCRIPT", help=SCRIPT)
    out = "where frames go, and are resumed from; several scripts get a folder each in it"
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help=out)
    command.add_argument("--seed", type=between(int, *BOUNDS["seed"]), metavar="N", help="the story's seed")
    command.add_argument(
        "--steps", type=between(int, *BOUNDS["steps"]), metavar="N", help="denoising steps per frame, of a model"
    )
    about = "guidance scale of a model (1 = off)"
    command.add_argument("--guidance", type=between(float, *BOUNDS["guidance"]), metavar="X", help=about)
    _add_frames(command, "of panels without their own (default: the script's, or what the backend was made for)")
    about = 'another layout for these panels than the script has, as in --layout 2 "Mia 0 0.2 0.5 1; strength 0.8"'
    command.add_argument("--layout", nargs=2, action="append", default=[], metavar=("PANELS", "PLACES"), help=about)
    about = "how firmly maps follow every layout, from 0 (not at all) to 1 (default: the script's)"
    command.add_argument("--layout-strength", type=between(float, 0, 1), metavar="X", help=about)
    _add_from_sketch(command)
    _add_how(command)
    _add_engines(command)

    command = add("resume", render.resume, "go on with a rendered story: make the panels that have no frame")
    command.add_argument("folder", type=Path, metavar="DIR", help=RENDERED)
    _add_frames(command, "of panels without their own (default: what the story has)")
    _add_from_sketch(command)
    _add_how(command)
    _add_engines(command)

    def add_panel(name: str, does: Callable[..., int | None], about: str) -> argparse.ArgumentParser:
        command = add(name, does, about)
        command.add_argument("folder", type=Path, metavar="DIR", help=RENDERED)
        command.add_argument("panel", type=between(int, 1, 10**6), metavar="PANEL", help="the panel's number")
        return command

    command = add_panel("variants", render.variants, "make frames of other seeds for a panel, to choose from")
    command.add_argument("--count", type=between(int, 1, 8), default=4, metavar="N", help="how many (%(default)s)")
    command.add_argument("--out", type=Path, metavar="FILE", help="a .png file that shows them side by side")
    _add_engines(command)

    command = add_panel("history", render.history, "tell what was made for a panel, or bring one of it back")
    about = "put the frame of this key, as told without --restore, in the panel's place"
    command.add_argument("--restore", metavar="KEY", help=about)

    command = add_panel("pin", render.pin, "keep a panel's frame whatever changes in the script")
    command.add_argument("--off", action="store_true", help="let it be rendered again")

    command = add("sketch", _sketch, "tell and show at once what every panel of a script will show, without a model")
    command.add_argument("script", type=Path, metavar="STORY", help=SCRIPT)
    command.add_argument("--out", type=Path, required=True, metavar="OUT", help="a folder; they go to sketches in it")
    _add_frames(command, "of all pictures (default: the panel's own, the script's, or 1024)")
    command.add_argument("--panels", metavar="2,4-6", help="only these panels (default: all)")
    command.add_argument("--seed", type=between(int, *BOUNDS["seed"]), metavar="N", help="the story's seed")

    command = add("check", check.check, "tell what is wrong with a script, and what a backend cannot follow")
    command.add_argument("script", type=Path, help=SCRIPT)
    command.add_argument("--backend", choices=backend.BACKENDS, help="also tell what this one cannot read or follow")
    _add_model(command)


def _add_frames(command: argparse.ArgumentParser, whose: str) -> None:
    """How large frames are and what shape they have."""
    command.add_argument("--size", type=size, metavar="N|WxH", help=f"side, or both sides, in pixels {whose}")
    about = f"width to height, at the area of the size: {', '.join(SHAPES)}"
    command.add_argument("--shape", choices=SHAPES, default="", metavar="W:H", help=about)
    about = f"let each frame have the shape of its cell in this layout of pages: {', '.join(LAYOUTS)}"
    command.add_argument("--pages", choices=LAYOUTS, default="", metavar="LAYOUT", help=about)


def _add_from_sketch(command: argparse.ArgumentParser) -> None:
    """What a model takes of the sketches."""
    about = (
        "what a model's frames take of their sketches, but those of panels that say it: off; layout, where everybody "
        "is; reference, to look at (klein); a strength from 0 (the sketch) to 1 (from noise); or several, as in "
        "'layout 0.4' (default: the script's, or what the model does)"
    )
    command.add_argument("--from-sketch", type=from_sketch, metavar="WORDS", help=about)


def _sketch(arguments: argparse.Namespace, report: Report) -> None:
    from anystory.cli.sketch import sketch  # whose painters no other command needs

    sketch(arguments, report)


def _add_how(command: argparse.ArgumentParser) -> None:
    """How a story is rendered."""
    command.add_argument("--panels", metavar="2,4-6", help="only these panels (default: all)")
    about = "rembg model for pictures without transparency or mask (default: the script's, or u2net): %(choices)s"
    command.add_argument("--segmenter", metavar="NAME", choices=MODELS, help=about)
    command.add_argument("--trace", action="store_true", help="keep the routing maps of every layer and step")
    retry = "up to N more seeds for a frame whose diagnosis tells of a problem; the best is kept (default: 0)"
    command.add_argument("--retry", type=between(int, 0, 100), default=0, metavar="N", help=retry)


def _add_engines(command: argparse.ArgumentParser) -> None:
    """What makes the frames, here or on a cluster."""
    add_engine(command, f"{backend.BACKENDS[0]}, or what the story was made with")
    about = "spread the frames over a Ray cluster: one started on this machine (local), running on it (auto), elsewhere"
    command.add_argument("--ray", metavar="local|auto|HOST:PORT", help=about)
    about = "with --ray: how many models are loaded (default: one a GPU; without GPUs one a CPU core)"
    command.add_argument("--workers", type=between(int, 1, 1024), metavar="N", help=about)


def add_engine(command: argparse.ArgumentParser, default: str) -> None:
    """What makes the frames on this machine; `default` says which backend does where none is named."""
    command.add_argument("--backend", choices=backend.BACKENDS, help=f"%(choices)s (default: {default})")
    _add_model(command)
    about = "a LoRA on top of klein or flux, a .safetensors file or a Hub name, with its strength (1); may be repeated"
    command.add_argument("--lora", type=lora, action="append", default=[], metavar="NAME[:STRENGTH]", help=about)
    command.add_argument("--vram", type=vram, metavar="auto|N", help="GB of the GPU that may be used (auto: all free)")
    about = "of a model: exact, or few for fewer steps; flux also: compiled, cached (default: %(default)s)"
    command.add_argument("--speed", choices=backend.SPEEDS, default=backend.SPEEDS[0], help=about)
    about = "klein, flux: make up to N panels at once, as far as memory allows (%(default)s)"
    command.add_argument("--batch", type=between(int, 1, backend.MAX_BATCH), default=1, metavar="N", help=about)
    about = "klein: read who is where, or also close to everybody the references of others (default: %(default)s)"
    command.add_argument("--routing", choices=backend.ROUTINGS, default=backend.ROUTINGS[0], help=about)


def _add_model(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", type=Path, metavar="FOLDER", help="a saved model in place of the embedded one (mini)"
    )
    command.add_argument(
        "--device", metavar="D", help="of a model: cpu, cuda, cuda:1, mps (default: the best there is)"
    )
    about = "klein, flux: download their weights without asking first"
    command.add_argument("--download", action="store_true", help=about)


def _stories(add: Callable[..., argparse.ArgumentParser]) -> None:
    command = add(
        "export", stories.export_story, "letter a rendered story and set it on pages, or write it for other programs"
    )
    about = f"{RENDERED}; for .fountain, .csv and .storyboarder a script will do"
    command.add_argument("folder", type=Path, metavar="DIR", help=about)
    out = (
        "pages: a .pdf, .cbz, .epub or .zip (of PNG files), a .png for a single page, or a folder for PNG files; for "
        "other programs: .fountain, .csv or .storyboarder"
    )
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help=out)
    about = "; ".join(f"{name}: {layout.about}" for name, layout in LAYOUTS.items())
    about += f" (default: the story's, or {Format.layout})"
    command.add_argument("--pages", choices=LAYOUTS, default="", metavar="LAYOUT", help=about)
    sizes = f"{', '.join(PAGES)}, or {FIT} for the layout's shape (default: the layout's own)"
    command.add_argument("--size", choices=(*PAGES, FIT), default="", metavar="SIZE", help=sizes)
    command.add_argument("--dpi", type=int, default=Format.dpi, metavar="N", help="dots per inch (%(default)s)")
    gutter = "between cells (%(default)s)"
    command.add_argument("--gutter", type=float, default=Format.gutter, metavar="MM", help=gutter)
    command.add_argument("--captions", choices=CAPTIONS, default=Lettering.captions, help="%(default)s")
    command.add_argument("--dialogue", choices=DIALOGUES, default=Lettering.dialogue, help="%(default)s")
    _add_font(command)
    about = "panels and pages run from left to right (ltr) or from right to left (rtl); default: as the words do"
    command.add_argument("--direction", choices=DIRECTIONS[1:], default="", help=about)
    about = "the code of the language that the words are in, such as en or zh-CN (default: as their letters tell)"
    command.add_argument("--language", default="", metavar="CODE", help=about)
    about = f"a printed page, once it is cut: {', '.join(PAPERS)}, or as in 8.5x8.5 (inches) or 21x21cm"
    command.add_argument("--trim", default="", metavar="PAPER", help=about)
    about = "with --trim: inches beyond it that are cut off (default: what the paper asks for, else 0)"
    command.add_argument("--bleed", type=float, metavar="INCHES", help=about)
    about = "with --trim: enlarge frames with too few dots by a small network, for sharp outlines"
    command.add_argument("--upscale", action="store_true", help=about)
    about = "a cover with the picture of this panel, the title and the author, and a back"
    command.add_argument("--cover", type=int, default=0, metavar="PANEL", help=about)
    about = "who made the book, for the cover or the title page and the file"
    command.add_argument("--author", default="", metavar="NAME", help=about)

    command = add("look", stories.look, "tell how much the characters of a rendered story look like their pictures")
    command.add_argument("folder", type=Path, metavar="DIR", help=RENDERED)

    command = add("pack", stories.pack_story, "save a story's folder as one ZIP file")
    command.add_argument("folder", type=Path, metavar="DIR", help=RENDERED)
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .zip file")

    command = add("unpack", stories.unpack_story, "open a story that was saved as a ZIP file")
    command.add_argument("file", type=Path, metavar="FILE", help="what pack or the app saved")
    about = "a new folder; resume goes on from there"
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help=about)

    command = add("recover", stories.recover, "bring the story back that a frame's PNG carries")
    command.add_argument("frame", type=Path, metavar="FRAME", help="a frame's PNG file")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .yaml file for the script")


def _add_font(command: argparse.ArgumentParser) -> None:
    about = "a font of your own, .ttf or .otf, whose letters are taken first"
    command.add_argument("--font", default="", metavar="FILE", help=about)


def _films(add: Callable[..., argparse.ArgumentParser]) -> None:
    command = add("storyboard", films.storyboard, "set a story on sheets: number, frame, action, dialogue, duration")
    command.add_argument("folder", type=Path, metavar="DIR", help=RENDERED)
    out = "a .pdf or .zip (of PNG files), a .png for a single sheet, or a folder for PNG files"
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help=out)
    about = "columns and rows of a sheet, 1x1 to 4x4 (%(default)s)"
    command.add_argument("--grid", default="2x3", metavar="CxR", help=about)
    command.add_argument("--size", choices=SHEETS, default=SHEETS[0], help="paper (%(default)s)")
    command.add_argument("--dpi", type=int, default=SheetForm.dpi, metavar="N", help="dots per inch (%(default)s)")
    command.add_argument("--date", default="", metavar="TEXT", help="a date for the head of each sheet")
    _add_font(command)

    command = add("film", films.film, "make an animatic: each frame for its time, moving, its balloons appearing")
    command.add_argument("folder", type=Path, metavar="DIR", help=RENDERED)
    out = "an .mp4 (by the program ffmpeg), a .webp or a .gif; its words alone: .srt or .vtt"
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help=out)
    about = "of its pictures, such as 1280x720 (default: the shape of most frames, 720, 480 or 360 pixels by the file)"
    command.add_argument("--size", type=size, metavar="WxH", help=about)
    about = "pictures a second, 1 to 60 (default: 24, 12 or 10 by the file)"
    command.add_argument("--rate", type=between(int, *RATES), default=0, metavar="N", help=about)
    about = "seconds of the cross-fades, 0 for none (%(default)s)"
    command.add_argument("--fade", type=between(float, *FADES), default=FilmForm.fade, metavar="S", help=about)
    command.add_argument("--still", action="store_true", help="the camera does not move")
    command.add_argument("--wordless", action="store_true", help="no captions and balloons, as for subtitles")
    _add_font(command)

    command = add("webtoon", films.webtoon, "cut a story into slices of one long strip, at most 800 x 1280 pixels each")
    command.add_argument("folder", type=Path, metavar="DIR", help=RENDERED)
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .zip or a folder for PNG files")
    command.add_argument("--gap", type=int, default=StripForm.gutter, metavar="PX", help="between frames (%(default)s)")
    command.add_argument("--captions", choices=CAPTIONS, default=Lettering.captions, help="%(default)s")
    command.add_argument("--dialogue", choices=DIALOGUES, default=Lettering.dialogue, help="%(default)s")
    _add_font(command)

    command = add("layers", films.layers, "take a frame of storybook apart into layers for a painting program")
    command.add_argument("folder", type=Path, metavar="DIR", help=RENDERED)
    command.add_argument("--panel", type=int, required=True, metavar="N", help="whose frame")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="a .ora (OpenRaster) or a .psd")
    _add_font(command)


def _pictures(add: Callable[..., argparse.ArgumentParser]) -> None:
    command = add("maps", pictures.maps, "draw a contact sheet of a rendered story, or all maps of a panel")
    command.add_argument("folder", type=Path, metavar="DIR", help=f"{RENDERED}, with --trace for --panel")
    picture = "a .png file; with --panel also .webp or .gif, an animation over the steps"
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help=picture)
    about = "all maps of this panel (default: a sheet of the story)"
    command.add_argument("--panel", type=int, metavar="N", help=about)
    kinds = "coarse beside refined (the paper's figure 5) or one of them (figure 4); default: %(default)s"
    command.add_argument("--kind", choices=("coarse", "refined", "both"), default="both", help=kinds)
    command.add_argument("--steps", metavar="1,5-9", help="these steps (default: 8 evenly spread; animations: all)")
    rows = "a row for each subject, as in the paper, or for each layer; default: subjects"
    command.add_argument("--rows", choices=("subjects", "layers"), help=rows)
    command.add_argument("--layer", type=int, metavar="N", help="animate this layer (default: how many layers agree)")

    command = add("segment", pictures.segment, "cut a character out of a picture")
    command.add_argument("picture", type=Path, nargs="?", metavar="IN", help="the picture")
    command.add_argument("out", type=Path, nargs="?", metavar="OUT", help="a .png file, its alpha the mask")
    command.add_argument("--mask", type=Path, metavar="FILE", help="a hand-made mask, white where the character is")
    about = "let the routers look for this character in IN; may be given again; OUT is a folder of masks"
    command.add_argument("--by", type=Path, action="append", default=[], metavar="REFERENCE", help=about)
    about = "with --by: whose routers, %(choices)s (%(default)s)"
    command.add_argument("--backend", choices=backend.MODELS, default=backend.MODELS[0], help=about)
    _add_model(command)
    about = "rembg model (default: u2net): %(choices)s"
    command.add_argument("--with", dest="segmenter", metavar="NAME", choices=MODELS, help=about)
    command.add_argument("--list", action="store_true", help="tell what each model is for, its licence and size")


def _program(add: Callable[..., argparse.ArgumentParser], top: argparse.ArgumentParser) -> None:
    command = add("info", info.info, "tell what is installed, or what a story's folder or a frame holds")
    about = "what render wrote, or a frame's PNG file (default: this installation)"
    command.add_argument("what", type=Path, nargs="?", metavar="WHAT", help=about)
    command = add("completion", partial(info.completion, top), "print what a shell needs to complete these commands")
    command.add_argument("shell", choices=SHELLS, help="which shell")
