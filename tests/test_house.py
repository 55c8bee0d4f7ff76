"""Keeps the house in order: the commands the README promises, the import arrows, lint, types, and file sizes."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import SLOW

ROOT = Path(__file__).resolve().parent.parent
APP_COMMAND = "pip install -r requirements.txt && python app.py"
TEST_COMMAND = "pip install -r requirements.txt && python -m pytest"

EVERYWHERE = {"errors", "heap", "supplies"}
"""What any part may import beside its arrows."""

ARROWS = {
    "errors": set(),
    "heap": set(),
    "supplies": set(),
    "fonts": set(),
    "typeset": {"fonts"},
    "story": set(),
    "cast": {"story"},
    "script": {"cast", "sketch", "story"},
    "sketch": {"cast", "story"},
    "model": {"cast"},
    "maps": {"cast", "model", "story", "typeset"},
    "backends": {"cast", "model", "sketch", "story"},
    "project": {"cast", "maps", "script", "story"},
    "pages": {"fonts", "project", "sketch", "story", "typeset"},
    "render": {"backends", "cast", "maps", "pages", "project", "sketch", "story"},
    "api": {"backends", "cast", "maps", "project", "render", "script", "story"},
    "cli": {*("api", "backends", "cast", "maps", "pages", "project", "render", "script", "sketch", "story"), "typeset"},
    "__main__": {"backends", "cli"},
    "training": {"backends", "cast", "model", "script", "sketch", "story"},
    "evaluation": {"backends", "cast", "cli", "maps", "model", "project", "sketch", "story", "training"},
    "bench": {
        *("api", "backends", "cast", "cli", "evaluation", "model", "project", "render", "script", "sketch", "story"),
        *("fonts", "training", "typeset"),
    },
    "ui": {
        "api",
        "backends",
        "cast",
        "cli",
        "fonts",
        "maps",
        "pages",
        "project",
        "render",
        "script",
        "sketch",
        "story",
    },
}
"""Which parts each part may import: a room of `anystory`, one of its few modules, or `ui`."""

WORKSHOP = {"training", "evaluation", "bench"}
"""Where models are made and measured: no part that makes stories needs it."""

HEAVY = {"torch", "torchvision", "diffusers", "transformers", "accelerate"}
WITH_TORCH = (
    *("anystory.bench", "anystory.model", "anystory.training", "anystory.evaluation"),
    *("anystory.backends.card", "anystory.backends.flux", "anystory.backends.klein", "anystory.backends.lora"),
    *("anystory.backends.memory", "anystory.backends.models"),
    "anystory.backends.sdxl",
)
UI_BACKENDS = ("anystory.backends.base", "anystory.backends.load")
"""What the app may import of the backends."""


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
    """The part a dotted name belongs to: anystory.model.router -> model, ui.app -> ui; None of other packages."""
    pieces = name.split(".")
    if pieces[0] == "ui":
        return "ui"
    return pieces[1] if pieces[0] == "anystory" and len(pieces) > 1 else None


def test_readme_holds_the_two_commands_and_ci_runs_the_tests_with_the_same_one():
    commands = [line.strip() for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()]
    assert APP_COMMAND in commands
    assert TEST_COMMAND in commands
    assert TEST_COMMAND in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def parts_of_the_program() -> set[str]:
    """The rooms and modules right in `anystory`, as folders and files."""
    kept = {path.relative_to(ROOT).parts for path in tracked_files() if path.suffix == ".py"}
    return {parts[1] for parts in kept if parts[0] == "anystory" and not parts[1].startswith("__")}


def test_the_readme_draws_the_rooms_as_they_are():
    named = re.findall(r"^\| `([\w/.]+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [name for name in named if not (ROOT / name).exists()] == []
    rooms = {f"anystory/{name}" + "/" * (ROOT / "anystory" / name).is_dir() for name in parts_of_the_program()}
    assert rooms - {*named} == set()


@pytest.mark.parametrize("arguments", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_ruff(arguments):
    run = subprocess.run([sys.executable, "-m", "ruff", *arguments, "."], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_mypy():
    """Types hold, and every backend is a `Backend` by the place that loads it. What is unchanged is not read again."""
    run = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_import_arrows():
    wrong = []
    for module, path in modules().items():
        home = part(module)
        for name in imports(path):
            other = part(name)
            heavy = name.split(".")[0] in HEAVY and not module.startswith(WITH_TORCH)
            if heavy or (home and other and other not in {home, *EVERYWHERE, *ARROWS[home]}):
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_no_public_class_name_is_there_twice():
    homes: dict[str, list[str]] = {}
    for module, path in modules().items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)
    assert {name: there for name, there in homes.items() if len(there) > 1} == {}


def test_the_arrows_have_no_circle():
    TopologicalSorter(ARROWS).prepare()


def test_no_module_imports_itself_by_way_of_others():
    known = modules()
    arrows: dict[str, set[str]] = {}
    for module, path in known.items():
        arrows[module] = {name if name in known else name.rpartition(".")[0] for name in imports(path)} & known.keys()
        arrows[module].discard(module)
    TopologicalSorter(arrows).prepare()


def test_the_app_and_the_script_reach_no_deeper_than_they_may():
    wrong = []
    for module, path in modules().items():
        for name in imports(path):
            deep = module.startswith("ui") and part(name) == "backends" and not name.startswith(UI_BACKENDS)
            commands = module.startswith("ui") and part(name) == "cli" and module != "ui.serve"
            asking = module in ("anystory.script.lint", "anystory.script.panels", "anystory.script.pronouns")
            asks = part(module) == "script" and part(name) == "sketch" and not asking
            if deep or commands or asks:
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_what_backends_offer_is_known_without_any_of_them():
    known = imports(ROOT / "anystory" / "backends" / "base.py")
    assert [name for name in known if part(name) == "backends"] == []


def test_the_parts_without_torch_load_without_torch():
    light = [name for name in modules() if not name.startswith(WITH_TORCH) and not name.endswith("__main__")]
    program = f"import sys; [__import__(name) for name in {light}]; print(sorted({HEAVY} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"


def test_the_runtime_needs_no_training(tmp_path):
    """Without `WORKSHOP` every module loads, frames are made, drawn by the model too, and looked at."""
    (tmp_path / "anystory").mkdir()
    rooms = [path for path in (ROOT / "anystory").iterdir() if path.name not in {*WORKSHOP, "__pycache__"}]
    for path in [*rooms, ROOT / "ui", ROOT / "assets"]:
        (tmp_path / path.relative_to(ROOT)).symlink_to(path)
    (tmp_path / "story.txt").write_text("cast: Luna\nimage: assets/shelf/luna.webp\n[size: 64] Luna walks on the beach")
    names = [name for name in modules() if part(name) not in WORKSHOP and not name.endswith("__main__")]
    program = f"""
import sys
from importlib import import_module
from anystory.__main__ import main
for name in {names}: import_module(name)
for backend, more in ("storybook", []), ("mini", ["--steps", "1"]):
    assert main(["render", "story.txt", "--out", backend, "--backend", backend, *more]) == 0
assert main(["look", "storybook"]) == 0
assert [main([name]) for name in ("evaluate", "bench")] == [2, 2]
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "anystory.bench.__main__ is not installed" in run.stderr


def test_every_file_marked_slow_is_there():
    assert [name for name in SLOW if not (ROOT / "tests" / name).is_file()] == []


def test_what_shares_fixtures_runs_in_one_process(request):
    """Or each process of the suite would have an app and a Chromium of its own, which takes three times as long."""
    if not hasattr(request.config, "workerinput"):
        pytest.skip("the suite runs in one process")
    assert request.node.nodeid.endswith("@test_house.py"), "pytest-xdist has not read the groups of tests/conftest.py"


def test_no_tracked_file_is_over_50_mb():
    assert {p.name: p.stat().st_size for p in tracked_files() if p.is_file() and p.stat().st_size > 50e6} == {}


TOOLS = {
    "anystory.sketch.language.emoji",
    "anystory.sketch.language.traditional",
    "anystory.sketch.language.wordnet",
    "anystory.sketch.scenery.__main__",
    "anystory.sketch.things.__main__",
    "anystory.sketch.things.build",
}
"""What writes files of this repository."""


def written(path: Path) -> set[str]:
    """The functions of a file that write a file under its own name, of which a kill or a full disk leaves half."""
    found = set()
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    modes = [word.value for word in node.args[:2] if isinstance(word, ast.Constant)]
                    if name in ("write_bytes", "write_text") or (name == "open" and {"w", "wb"} & {*modes}):
                        found.add(function.name)
    return found


def test_files_get_their_names_when_they_are_whole():
    """By `write_atomic`, or beside their place by what is named here."""
    whole = {
        "anystory.__main__": {"_open_streams"},  # to nowhere
        "anystory.project.archive": {"pack", "unpack"},
        "anystory.project.folder": {"linked", "write_atomic"},
        "ui.scratch": {"__init__"},  # a mark, which says nothing until it is whole
    }
    program = {name: path for name, path in modules().items() if part(name) not in WORKSHOP and name not in TOOLS}
    assert {name: found for name, path in program.items() if (found := written(path))} == whole
