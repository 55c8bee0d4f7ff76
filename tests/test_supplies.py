"""What is supplied: ideas, the shelf, the app's words; and the time that is left."""

import ast
import copy
import pickle
import re
import string
from pathlib import Path

import numpy as np
import pytest

from anystory.backends.files import reason
from anystory.backends.load import load
from anystory.cast.shelf import FOLDER, shelf
from anystory.errors import Message, listed, said
from anystory.script.form import ScriptError
from anystory.script.lint import CODES, LETTERS, lint
from anystory.script.wildcards import expand_script
from anystory.story.capabilities import Capabilities
from anystory.story.model import FACINGS, LIBRARY, CastMember, Settings
from anystory.typeset import unwritable
from ui.estimate import TimeLeft, rounded
from ui.ideas import ideas, ideas_for
from ui.strings import LANGUAGES, language, say, sentences, translations

ROOT = Path(__file__).resolve().parent.parent

NAMES = ("Mia", "Old Tom", "Ada")


def test_every_idea_is_a_script_that_names_the_cast():
    from anystory.script.read import parse_script

    assert len(ideas()) >= 20 and len({idea.title for idea in ideas()}) == len(ideas())
    for idea in ideas():
        cast = tuple(CastMember(name, description="a fox") for name in NAMES[: idea.cast])
        text = idea.script(NAMES[: idea.cast])
        assert not [finding for finding in lint(text, cast=cast) if finding.severity != "note"], idea.title
        script = expand_script(parse_script(text, cast=cast), 3)
        assert 2 <= len(script.panels) <= 6 and all(panel.caption for panel in script.panels)
        assert {name for panel in script.panels for name in panel.cast} == set(NAMES[: idea.cast])


def test_there_are_ideas_for_every_cast():
    assert [len(ideas_for(count)) >= least for count, least in ((0, 8), (1, 8), (2, 16), (3, 20), (9, 20))] == [
        True
    ] * 5
    assert all(idea.cast <= 2 for idea in ideas_for(2)) and ideas_for(3)[0].cast == 3
    with pytest.raises(ValueError, match="takes 3"):
        ideas_for(3)[0].script(["Mia"])
    going = next(idea for idea in ideas() if idea.title == "Going home")
    assert "Mia, Tom and Ada walk" in going.script(["Mia", "Tom", "Ada", "Bo"]) and "Mia walk" in going.script(["Mia"])


def test_the_shelf_holds_cut_out_characters_with_their_licences():
    assert len(shelf()) >= 12 and len({example.name for example in shelf()}) == len(shelf())
    for example in shelf():
        subject = example.subject()
        mask = np.asarray(subject.mask)
        assert 0.1 < (mask > 127).mean() < 0.9 and min(subject.image.size) >= 128
        assert subject.facing == example.facing in FACINGS
        assert example.description and example.licence in ("Apache-2.0", "MIT")
        assert example.source in (FOLDER / "LICENSE.md").read_text(encoding="utf-8")
    assert {path.name for path in FOLDER.glob("*.webp")} == {example.image.name for example in shelf()}
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_500_000


def placeholders(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


SIGNS = ("book.page.a4", "chips.language", "chips.none")
"""What is no word."""


def test_all_languages_have_the_same_words_and_placeholders():
    known = translations()
    assert list(known) == list(LANGUAGES) and len(LANGUAGES) == 3
    for key, english in known["en"].items():
        assert re.fullmatch(r"[a-z]+(\.[a-z0-9-]+)+", key)
        for code, words in known.items():
            assert words[key].strip() and placeholders(words[key]) == placeholders(english), (code, key)
            assert unwritable(words[key]) == "", (code, key)
    assert all(re.search(r"[\u4e00-\u9fff]", words) for key, words in known["zh-CN"].items() if key not in SIGNS)
    same = [key for key, words in known["es"].items() if words == known["en"][key] and key not in SIGNS]
    assert len(same) < 3, same


def test_words_are_said_in_the_language_asked_for():
    assert language("zh-TW,zh;q=0.9,en;q=0.8") == "zh-CN" and language("de,es;q=0.5") == "es"
    assert language("en;q=0.2, es;q=0.9") == "es" and language("fr") == language(None) == language(";q=x") == "en"
    assert say("es", "panel.number", number=3) == "Viñeta 3" and say("xx", "frames.stop") == "Stop"
    with pytest.raises(KeyError):
        say("en", "panel.number")


def patterns():
    """The patterns of all sentences that the program tells, by where they are written; of what stands in no source as a
    pattern, the values."""
    found = {LIBRARY: "", **dict.fromkeys(LETTERS.values(), ""), "English": "", "Spanish": ""}
    for path in (path for folder in ("anystory", "ui") for path in (ROOT / folder).rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)):
            called = [call.func, *call.args]
            while called and isinstance(called[0], ast.Name) and called[0].id == "partial":
                called.pop(0)
            if len(called) > 1 and isinstance(called[0], ast.Name) and called[0].id == "Message":
                parts = [node.value for node in ast.walk(called[1]) if isinstance(node, ast.Constant)]
                parts = [part for part in parts if isinstance(part, str)]
                given = sorted(str(keyword.arg) for keyword in call.keywords)
                partly = called[0] is not call.func
                assert partly or all(given == sorted({*placeholders(part)}) for part in parts), (path, call.lineno)
                found |= dict.fromkeys(parts, f"{path}:{call.lineno}")
    return found


def test_every_sentence_of_the_program_is_known_in_every_language():
    told, known = patterns(), sentences()
    assert {pattern: where for pattern, where in told.items() if pattern not in known} == {}, "write them down"
    assert [pattern for pattern in known if pattern not in told and pattern != "{text}"] == [], "nobody tells them"
    for pattern, words in known.items():
        assert list(words) == [code for code in LANGUAGES if code != "en"]
        for code, other in words.items():
            assert placeholders(other) == placeholders(pattern) or {*placeholders(other)} == {*placeholders(pattern)}
            assert other.strip() and unwritable(other) == "", (code, pattern)


TOLD = {"tell", "BackendError", "DownloadError", "PlanError", "CheckpointError", "NotFiniteError"}
"""What is called with a sentence of a model's: of what it refuses and of how it is kept."""


def translatable(given, names):
    """Whether an argument is a `Message`: written there, of an error that has one, or under one of the `names`."""
    if isinstance(given, ast.IfExp):
        return translatable(given.body, names) and translatable(given.orelse, names)
    if isinstance(given, ast.Call) and isinstance(given.func, ast.Name):
        return given.func.id in ("Message", "said")
    return isinstance(given, ast.Name) and given.id in names


def test_what_a_model_says_can_be_told_in_every_language():
    """But for what cluster.py says, which is English: it is the command line's alone, and the page does not know it."""
    assert all("backends.cluster" not in path.read_text("utf-8") for path in (ROOT / "ui").rglob("*.py"))
    wrong, seen = [], set()
    for path in (path for room in ("backends", "model") for path in (ROOT / "anystory" / room).rglob("*.py")):
        if path.name == "cluster.py":
            continue
        tree = ast.parse(path.read_text("utf-8"))
        given = [(node.targets[0], node.value) for node in ast.walk(tree) if isinstance(node, ast.Assign)]
        named = [(target.id, value) for target, value in given if isinstance(target, ast.Name)]
        words = {name for name, _ in named} - {name for name, value in named if not translatable(value, ())}
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = getattr(call.func, "id", getattr(call.func, "attr", None))
            if name in TOLD:
                seen.add(name)
                if len(call.args) != 1 or not translatable(call.args[0], words):
                    wrong.append(f"{path}:{call.lineno}")
    assert wrong == [] and seen == TOLD


def test_what_an_error_says_stays_translatable_in_whoever_passes_it_on():
    sentence = Message("{name} does", name="klein")
    for error in (ValueError(sentence), ScriptError(sentence), KeyError(sentence)):
        assert said(error) is sentence and reason(error) is sentence
        assert Message("{damaged}: {error}", damaged="x", error=error).values["error"] is sentence
    assert said(OSError(2, "gone")) == "[Errno 2] gone" and reason(ValueError("")) == "ValueError."


def test_a_sentence_is_told_with_the_sentences_in_it():
    names = listed(["Mia", "Tom", Message("nothing")])
    sentence = Message("Nobody is named {name}{hint}; {there}.", name="'Mi'", hint="", there=names)
    assert (
        sentence == "Nobody is named 'Mi'; Mia, Tom and nothing." and copy.deepcopy(sentence).values == sentence.values
    )
    assert pickle.loads(pickle.dumps(sentence)).pattern == sentence.pattern
    error = ScriptError(sentence, (3, 1))
    assert str(error) == f"Line 3: {sentence}"
    assert say("es", error) == "Línea 3: Nadie se llama 'Mi'; Mia, Tom y nada."
    assert say("zh-CN", error) == "第 3 行：没有人叫 'Mi'；Mia、Tom和空。"
    assert say("es", ValueError("somebody else's")) == "somebody else's"


def test_every_kind_of_finding_is_told_in_every_language(tmp_path):
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "things.yaml").write_text("none.svg: zog")
    text = """title: a
title: b
[Mai] walks
Mia sits
Mia sits
she sleeps
Mai runs
Mia reads#later
[style: Lime art] [size: 70] Mia {|} __plac__
[layout: Mia 2 0 1 1] Mia 看书
> Mia
[layout: Mia 0 0 1 1] [eta: Mia 2] Mia and Tom and Ann and Mi and Mo
the sea
1. no"""
    kinds = set()
    for backend in (None, load("storybook"), Reader()):
        for names in ((), ("Mia", "mia"), ("Mia", "Tom", "Ann", "Mi", "Mo")):
            cast = tuple(map(CastMember, names))
            dropped = "1. Mia walks\n2. Mia runs\n\nHope this helps!"
            for source in (text, "panels: [", "cast: Bob\nBob walks", "Tom sees no Mia", dropped):
                for finding in lint(source, cast=cast, backend=backend, folder=tmp_path):
                    kinds.add(finding.code)
                    assert say("en", finding.message) == finding.message
                    for code in ("zh-CN", "es"):
                        assert say(code, finding.message) != finding.message, finding
    assert kinds == set(CODES)


class Reader:
    """A backend that reads little, as the linter asks one."""

    about = Capabilities(
        "tiny", "1", languages=("English",), max_subjects=2, sizes=range(64, 129, 8), follows_style=False,
        draws_characters=False, sketches=False, defaults=Settings(64),
    )  # fmt: skip

    def unread(self, prompt, pictures=()):
        return prompt.text[12:]


def test_gradio_takes_the_words():
    import gradio as gr

    assert gr.I18n(**translations()).translations_dict["es"]["frames.stop"] == "Parar"


def run(panels, steps, each, besides=0.0, upset=()):
    """What is told to be left after every step, and what was left in truth."""
    clock, told, ends = 100.0, [], []
    timer = TimeLeft(panels, steps)
    timer.start(clock)
    for panel in range(panels):
        for index in range(1, steps + 1):
            clock += each + (besides if index == 1 else 0) + (30 if (panel, index) in upset else 0)
            timer.step(clock, index, steps)
            told.append(timer.left())
            ends.append(clock)
    return told, [ends[-1] - end for end in ends]


def test_the_time_left_is_right_for_even_steps_and_what_a_frame_needs_besides():
    told, truth = run(4, 10, 0.5, 3.0)
    assert told[0] is None and told[-1] == 0
    assert told[5:] == pytest.approx(truth[5:])


def test_one_slow_step_does_not_upset_it_but_a_slower_machine_does():
    told, truth = run(4, 10, 0.5, upset={(1, 5)})
    assert told[20] == pytest.approx(truth[20])
    timer = TimeLeft(10, 20)
    timer.start(0)
    clock = 0.0
    for k in range(120):
        clock += 1.0 if k < 60 else 3.0
        timer.step(clock, k % 20 + 1, 20)
    assert timer.left() == pytest.approx(80 * 3, rel=0.1)


def test_skipped_reused_and_further_frames_count():
    timer = TimeLeft(3, 10)
    timer.start(0)
    timer.skip()  # reused
    for k in range(1, 5):
        timer.step(float(k), k, 10)
    assert timer.left() == pytest.approx(16)
    timer.skip(4, 10)
    assert timer.left() == pytest.approx(10)
    timer.more()
    assert timer.left() == pytest.approx(20)


def test_the_time_left_in_words():
    said = [rounded(seconds) for seconds in (0, 4.9, 12, 54, 58, 89, 200, 5300, 9000)]
    assert said == [
        ("time.soon", 0), ("time.soon", 0), ("time.seconds", 10), ("time.seconds", 55), ("time.minute", 1),
        ("time.minute", 1), ("time.minutes", 3), ("time.minutes", 88), ("time.hours", 2.5),
    ]  # fmt: skip
    assert all(say(code, key, count=count) for code in LANGUAGES for key, count in said)


def test_no_word_is_kept_that_nobody_says():
    files = (path for folder in ("anystory", "ui") for path in (ROOT / folder).rglob("*"))
    said = "".join(path.read_text(encoding="utf-8") for path in files if path.suffix in {".py", ".js"})
    quoted = set(re.findall(r"""["']([a-z]+(?:\.[a-z0-9-]+)*(?:\.\{)?)""", said))
    known = translations()["en"]
    assert [key for key in known if key not in quoted and key.rpartition(".")[0] + ".{" not in quoted] == []
