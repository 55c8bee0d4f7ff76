"""Keeps the house in order: the commands the README promises, the import arrows, lint, and file sizes."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APP_COMMAND = "pip install -r requirements.txt && python app.py"
TEST_COMMAND = "pip install -r requirements.txt && python -m pytest"

ARROWS = {
    "anystory.steering": set(),
    "anystory.shot": set(),
    "anystory.story": {"shot", "steering"},
    "anystory.filenames": {"errors"},
    "anystory.colours": set(),
    "anystory.images": {"colours", "errors", "filenames"},
    "anystory.script": {
        "errors",
        "filenames",
        "images",
        "prompt",
        "segment",
        "steering",
        "story",
        "storyboard",
        "styles",
    },
    "anystory.errors": set(),
    "anystory.storyboard": {"filenames", "prompt", "story"},
    "anystory.styles": {"errors", "story"},
    "anystory.lint": {"prompt", "script", "sketch", "steering", "story", "styles", "wildcards"},
    "anystory.edits": {"prompt", "script", "story"},
    "anystory.transparency": {"images"},
    "anystory.segment": {"errors", "images", "story", "transparency"},
    "anystory.masks": {"images"},
    "anystory.diagnosis": {"story"},
    "anystory.maps": {"diagnosis", "overlay", "story"},
    "anystory.consistency": {"evaluation", "maps", "story"},
    "anystory.prompt": {"story"},
    "anystory.overlay": {"story"},
    "anystory.imprint": {"errors", "script", "steering", "story"},
    "anystory.project": {"diagnosis", "errors", "imprint", "script", "story"},
    "anystory.drafts": {"errors", "images", "imprint", "project", "script", "story"},
    "anystory.archive": {"drafts", "errors", "images", "imprint", "project", "script", "story"},
    "anystory.lettering": {"errors", "story"},
    "anystory.pages": {"errors", "lettering", "project", "story"},
    "anystory.wildcards": {"errors", "prompt", "script", "story"},
    "anystory.ideas": set(),
    "anystory.shelf": {"images", "story"},
    "anystory.locating": {"backend", "images", "maps", "overlay", "project", "story"},
    "anystory.previews": {"steering"},
    "anystory.estimate": set(),
    "anystory.limits": {"strings"},
    "anystory.strings": {"errors"},
    "anystory.turnstile": set(),
    "anystory.backend": {"backends", "errors", "steering", "story"},
    "anystory.render": {
        *("backend", "batch", "diagnosis", "errors", "project", "prompt", "shot", "sketch", "steering", "story"),
        "styles",
    },
    "anystory.batch": {"story"},
    "anystory.drawing": {"backend", "project", "prompt", "render", "segment", "sketch", "story", "styles"},
    "anystory.jobs": {"backend", "drawing", "errors", "render", "segment", "story"},
    "anystory.cluster": {"backend", "errors", "steering", "story"},
    "anystory.model": {"model"},
    "anystory.sketch": {"errors", "images", "prompt", "shot", "sketch", "steering", "story", "styles"},
    "anystory.bench": {
        *("api", "backends", "bench", "commands", "evaluation", "images", "model", "project", "script", "segment"),
        *("shelf", "shot", "sketch", "story", "training"),
    },
    "anystory.backends": {"backend", "backends", "images", "model", "shot", "sketch", "steering", "story"},
}
"""Which parts of `anystory` each part may import; a part not listed is free, but for `ui` see below."""

HEAVY = {"torch", "torchvision", "diffusers", "transformers", "accelerate"}
WITH_TORCH = (
    *("anystory.bench", "anystory.model", "anystory.training", "anystory.evaluation"),
    *("anystory.backends.flux", "anystory.backends.lora", "anystory.backends.memory", "anystory.backends.sdxl"),
)


def tracked_files() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name]


def modules() -> dict[str, Path]:
    found = [*ROOT.glob("anystory/**/*.py"), *ROOT.glob("ui/**/*.py")]
    return {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in found}


def imports(path: Path) -> set[str]:
    """Absolute names of everything a file imports, at whatever depth."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full, not relative to the file."
            module = node.module or ""
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def part(name: str) -> str | None:
    """The part of `anystory` a dotted name belongs to: anystory.model.router -> model."""
    pieces = name.split(".")
    return pieces[1] if pieces[0] == "anystory" and len(pieces) > 1 else None


def test_readme_holds_the_two_commands_and_ci_runs_the_tests_with_the_same_one():
    commands = [line.strip() for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()]
    assert APP_COMMAND in commands
    assert TEST_COMMAND in commands
    assert TEST_COMMAND in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_every_folder_the_readme_names_is_there():
    named = re.findall(r"^\| `([\w/.]+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(named) >= 8
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("arguments", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_ruff(arguments):
    run = subprocess.run([sys.executable, "-m", "ruff", *arguments, "."], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_import_arrows():
    wrong = []
    for module, path in modules().items():
        head = ".".join(module.split(".")[:2])
        allowed = ARROWS.get(head)
        for name in imports(path):
            heavy = name.split(".")[0] in HEAVY and not module.startswith(WITH_TORCH)
            other = allowed is not None and part(name) is not None and part(name) not in allowed
            leak = module.split(".")[0] == "ui" and part(name) in {"model", "backends", "training", "evaluation"}
            if heavy or other or leak:
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_the_parts_without_torch_load_without_torch():
    light = [name for name in modules() if not name.startswith(WITH_TORCH) and not name.endswith("__main__")]
    program = f"import sys; [__import__(name) for name in {light}]; print(sorted({HEAVY} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"


def test_no_tracked_file_is_over_50_mb():
    assert {p.name: p.stat().st_size for p in tracked_files() if p.is_file() and p.stat().st_size > 50e6} == {}
