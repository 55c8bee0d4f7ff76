"""Storybook: frames of sketches, the same in whatever process, and nothing heavy on their way."""

import hashlib
import json
import pickle
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from anystory.backends import crew, storybook
from anystory.backends.base import BACKENDS, BackendError, Batcher, Locator, Lora, Request
from anystory.backends.cluster import Worker
from anystory.backends.load import chosen, load
from anystory.cast.segment import Segmenter
from anystory.maps.diagnosis import diagnose
from anystory.project.folder import Project
from anystory.render.portraits import draw_cast, with_drawn
from anystory.render.session import Renderer, RenderError
from anystory.sketch import read
from anystory.story.model import BACKGROUND, LIBRARY, SEEN, CastMember, Line, Panel, Prompt, Script, Settings
from anystory.story.shot import Role, Shot
from anystory.story.steering import Layout, Place, Steering
from tests import stories

ROOT = Path(__file__).resolve().parents[2]
SMALL = Settings(size=96, steps=1, guidance=1.0)
CAST = ("Fox", "Owl")


@pytest.fixture(scope="module")
def backend():
    return load("storybook")


@pytest.fixture(scope="module")
def cast(backend):
    return [backend.encode(stories.subject(name)) for name in CAST]


def order(cast, number=0, place="beach", names=CAST, **settings):
    shot = Shot(place, f"{place} 1", roles=tuple(map(Role, names)))
    return Request(Prompt("", shot=shot), tuple(names), tuple(cast[: len(names)]), replace(SMALL, **settings), number)


def made(backend, asked):
    *steps, last = backend.denoise(asked)
    return steps, last.frame


def equal(one, other):
    traces = [
        (trace.steps, {key: array.tobytes() for key, array in trace.packed.items()})
        for trace in (one.trace, other.trace)
    ]
    same = one.image.tobytes() == other.image.tobytes() and np.array_equal(one.maps.values, other.maps.values)
    return same and traces[0] == traces[1] and (one.seed, one.notes) == (other.seed, other.notes)


def story(*panels, **settings):
    return stories.story(panels, **settings)


# frames


def test_a_frame_tells_whom_it_shows_and_how_it_was_put_together(backend, cast):
    steps, frame = made(backend, order(cast, size=1024))
    assert frame.image.size == (1024, 1024) and frame.image.mode == "RGB"
    assert frame.maps.names == (*CAST, BACKGROUND) and frame.maps.measure == SEEN
    assert frame.maps.values.shape == (3, storybook.MAPS, storybook.MAPS)
    assert set(np.unique(frame.maps.values)) == {0, 1} and (frame.maps.values.sum(axis=0) == 1).all()
    assert frame.maps.values.sum(axis=(1, 2)).min() > 0
    assert [step.index for step in steps] == sorted({step.index for step in steps})
    assert steps[0].index == 1 and all(step.index < step.total and not step.frame for step in steps)
    assert max(steps[0].preview.size) <= 2 * storybook.PREVIEW
    said = diagnose(frame.maps)
    assert said.passed and said.sentence.startswith("Fox fills ") and " and Owl " in said.sentence


def test_the_trace_shows_one_layer_after_the_other_being_put_down(backend, cast):
    _, frame = made(backend, order(cast, size=512))
    trace = frame.trace
    assert trace.shapes == backend.layer_shapes(SMALL) == ((64, 64),) and trace.kinds == ("refined",)
    assert trace.steps == tuple(range(1, trace.total + 1)) and trace.total >= 3
    nobody = [(trace.holders(step, 1) == 2).mean() for step in trace.steps]
    assert nobody[0] == 1 and nobody[-1] < 1
    final = np.argmax(frame.maps.values, axis=0)[4::8, 4::8]
    assert (trace.holders(trace.total, 1) == final).mean() > 0.98  # but for where a field's middle lies between pixels


def test_a_frame_is_its_own_orders_alone(backend, cast):
    first = made(backend, order(cast, 3))[1]
    made(backend, order(cast, 4, "forest"))
    assert equal(first, made(load("storybook"), order(cast, 3))[1])
    assert not equal(first, made(backend, order(cast, 5))[1])
    assert not equal(first, made(backend, order(cast, 3, seed=1))[1])  # another story's beach


def test_a_place_by_hand_is_where_somebody_is(backend, cast):
    layout = Layout((Place("Owl", (0, 0.3, 0.4, 0.9)),))
    _, frame = made(backend, replace(order(cast), steering=Steering(layout)))
    ys, xs = np.nonzero(frame.maps.values[1])
    assert len(xs) and xs.max() / 96 <= 0.42 and ys.min() / 96 >= 0.28 and ys.max() / 96 <= 0.92


def test_nobody_is_in_an_empty_place_and_a_frame_can_be_of_any_size(backend, cast):
    for size in (64, 97, 333):
        _, frame = made(backend, order(cast, names=(), size=size))
        assert frame.image.size == (size, size) and frame.maps.names == (BACKGROUND,)
        assert (frame.maps.values == 1).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"settings": replace(SMALL, size=15)}, "The frame size is 15; storybook draws anything from 16 to 4096"),
        ({"settings": replace(SMALL, size=4097)}, "The frame size is 4097"),
        ({"names": tuple(str(k) for k in range(13))}, "at most 12 characters, this panel has 13"),
        ({"prompt": Prompt("a fox")}, "nobody read this one"),
    ],
)
def test_what_is_no_frame_is_refused(backend, cast, change, words):
    with pytest.raises(BackendError, match=words):
        next(backend.denoise(replace(order(cast), **change)))


def test_closing_ends_the_work(backend, cast, monkeypatch):
    ended = []

    def watched(*asked, work=storybook.sketching, **how):
        try:
            yield from work(*asked, **how)
        finally:
            ended.append(asked)

    monkeypatch.setattr(storybook, "sketching", watched)
    with closing(backend.denoise(order(cast))) as steps:
        assert next(steps).index == 1 and not ended
    assert len(ended) == 1


# several at once


@pytest.fixture
def cores(monkeypatch):
    """Two processes, on whatever machine."""
    monkeypatch.setattr(storybook, "CORES", 2)
    monkeypatch.setattr(crew, "CORES", 2)


def test_frames_by_several_processes_are_the_same_and_in_order(backend, cast, cores):
    asked = [
        order(cast, k, place, CAST[: k % 3]) for k, place in enumerate(("beach", "forest", "meadow", "castle", "beach"))
    ]
    told = list(backend.denoise_batch(asked))
    assert [list(steps) for steps in told] == [[place] for place in range(5)]
    assert all(equal(steps[place].frame, made(backend, asked[place])[1]) for place, steps in enumerate(told))
    few = list(backend.denoise_batch(asked[:2]))  # here, step by step
    assert len(few) > 2 and equal(few[-1][1].frame, told[1][1].frame)


def test_a_process_that_is_gone_costs_no_frame_and_an_error_is_told(backend, cast, cores):
    asked = order(cast)
    with crew.Crew(backend) as hands:
        for hand in hands._hands:
            hand._process.kill()
        assert equal(hands.begin(asked).result(), made(backend, asked)[1])
    with crew.Crew(backend) as hands:
        wrong = hands.begin(order(cast, size=12))
        with pytest.raises(BackendError, match="The frame size is 12"):
            wrong.result()
        assert equal(hands.begin(asked).result(), made(backend, asked)[1])


def test_frames_are_made_where_no_process_can_be_started(backend, cast, cores, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(ROOT / "no-python-here"))
    asked = [order(cast, k) for k in range(4)]
    told = list(backend.denoise_batch(asked))
    assert len(told) == 4 and equal(told[3][3].frame, made(backend, asked[3])[1])


def test_stopping_ends_the_processes(backend, cast, cores, monkeypatch):
    started = []
    monkeypatch.setattr(crew, "_Hand", lambda backend, hand=crew._Hand: started.append(hand(backend)) or started[-1])
    with closing(backend.denoise_batch([order(cast, k) for k in range(6)])) as steps:
        next(steps)
        assert [hand._process.poll() for hand in started] == [None, None]
    assert None not in [hand._process.poll() for hand in started]


@pytest.fixture
def crews(cores, monkeypatch):
    """Those that were started."""
    started = []
    monkeypatch.setattr(storybook, "Crew", lambda backend: started.append(crew.Crew(backend)) or started[-1])
    return started


def test_only_one_story_at_a_time_has_processes(backend, cast, crews):
    asked = [order(cast, k) for k in range(4)]
    with closing(backend.denoise_batch(asked)) as one:
        first = next(one)[0].frame
        other = [step.frame for steps in backend.denoise_batch(asked) for step in steps.values() if step.frame]
        assert len(crews) == 1 and len(other) == 4 and equal(first, other[0])
    list(backend.denoise_batch(asked))
    assert len(crews) == 2


def test_frames_that_are_there_do_not_start_the_processes_anew(backend, tmp_path, crews):
    panels = [Panel(f"Fox walks {number}", ("Fox",), size=64) for number in range(8)]
    list(Renderer(backend).render(story(*panels), tmp_path))
    changed = [replace(panel, seed=9) if number % 2 else panel for number, panel in enumerate(panels)]
    done = list(Renderer(backend).render(story(*changed), tmp_path))
    assert [progress.reused for progress in done] == [True, False] * 4 and len(crews) == 2


def test_a_script_without_a_main_guard_has_its_story_made(tmp_path):
    program = (
        "import anystory\n"
        "backend = anystory.load_backend()\n"
        "story = anystory.load_story(anystory.parse_script('\\n'.join(['[NC] a beach'] * 5)), backend)\n"
        "for frame in anystory.render_story(story, backend, 'out'): print(frame.panel, frame.image.size)\n"
    )
    (tmp_path / "program.py").write_text(program)
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    run = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [f"{number} (1024, 1024)" for number in range(1, 6)] and not run.stderr


def test_neither_ctrl_c_nor_a_users_folder_reaches_the_processes(backend, cast, tmp_path):
    """Ctrl-C goes to everybody in the group of who has the terminal."""
    (tmp_path / "queue.py").write_text("raise RuntimeError('shadowed')")
    program = (
        "import os, signal, subprocess, sys\n"
        "from anystory.backends.load import load\n"
        "from anystory.backends import crew\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "started, popen = [], subprocess.Popen\n"
        "subprocess.Popen = lambda *a, **k: started.append(popen(*a, **k)) or started[-1]\n"
        "with crew.Crew(load('storybook')) as hands:\n"
        "    os.killpg(0, signal.SIGINT)\n"
        "    order = __import__('pickle').load(sys.stdin.buffer)\n"
        "    print(hands.begin(order).result().image.size, [hand.poll() for hand in started])\n"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    command, how = [sys.executable, "-P", "-c", program], {"cwd": tmp_path, "env": environment, "process_group": 0}
    run = subprocess.run(command, input=pickle.dumps(order(cast)), capture_output=True, **how)
    assert not run.stderr and run.stdout.startswith(b"(96, 96) [None"), (run.stdout, run.stderr.decode())


# stories


def test_a_story_is_read_once_and_made_like_any_other(backend, tmp_path, monkeypatch):
    reading, whole = [], read.read_story
    monkeypatch.setattr(read, "read_story", lambda *asked: reading.append(asked) or whole(*asked))
    told = story(Panel("Fox at the beach at night", ("Fox",)), Panel("Fox and Owl", CAST), seed=4)
    done = [p for p in Renderer(backend).render(told, tmp_path, trace=True) if p.done]
    assert len(reading) == 1 and [p.panel for p in done] == [1, 2]
    project = Project(tmp_path)
    assert project.made_with == ("storybook", backend.about.version) and project.trace(2).total >= 3
    text = Image.open(tmp_path / "frames" / "001.png").info
    assert text["backend"] == "storybook" and text["made"] == "painted place, your cut-outs"
    again = list(Renderer(backend).render(told, tmp_path, trace=True))
    assert all(p.reused for p in again) and equal(again[1].step.frame, done[1].step.frame)


def test_stories_of_frames_that_are_outdated_are_not_read_again(backend, tmp_path, monkeypatch):
    told = [story(Panel("Fox at the beach", ("Fox",)), Panel(words, ()), seed=4) for words in ("a forest", "a town")]
    for number, each in enumerate(told, 1):
        list(Renderer(backend).render(each, tmp_path, [number]))
    reading, whole = [], read.read_story
    monkeypatch.setattr(read, "read_story", lambda *asked: reading.append(asked) or whole(*asked))
    later = replace(told[1], settings=replace(told[1].settings, seed=5))
    assert not any(p.reused for p in Renderer(backend).render(later, tmp_path))
    assert len(reading) == 1, "their frames say themselves that nothing was put otherwise"


def keys(backend, *panels, **settings):
    return Renderer(backend).keys(story(*panels, **settings))


def test_a_key_says_all_that_a_sketch_depends_on_and_nothing_else(backend):
    one, two = Panel("Fox at the beach", ("Fox",)), Panel("Owl sits", ("Owl",))
    before = keys(backend, one, two, seed=2)
    assert before == keys(backend, one, two, seed=2, steps=50, guidance=7.0, eta=0.5, gamma=1.0)
    strengths = Steering(eta=(("Fox", 2.0),), gamma=(("Fox", 1.0),), reference=(0, 0.5), router=False)
    assert before == keys(backend, replace(one, caption="So far", steering=strengths), two, seed=2)
    place = Steering(Layout((Place("Fox", (0, 0, 0.5, 1)),)))
    for changed in (
        replace(one, steering=place),
        replace(one, seed=9),
        replace(one, size=128),
        replace(one, dialogue=(Line("Fox", "Oh!"),)),
    ):
        now = keys(backend, changed, two, seed=2)
        assert now[0] != before[0] and now[1] == before[1]
    said = [keys(backend, replace(one, dialogue=(Line("Fox", words),)), two) for words in ("Oh!", "Ah!")]
    assert said[0] == said[1]
    assert all(a != b for a, b in zip(before, keys(backend, one, two, seed=3), strict=True))
    # How a panel was read is nothing to be seen: guessed where it is the first one, carried over where it is not.
    walks = Panel("Fox walks", ("Fox",), seed=9)
    alone, after = (read.read_story(story(*panels).script)[-1] for panels in ((walks,), (two, walks)))
    assert alone.guessed and after.carried and alone.carried != after.carried
    assert keys(backend, walks)[0] == keys(backend, two, walks)[1]
    # The second panel is where the first one was.
    moved = keys(backend, replace(one, prompt="Fox in the forest"), two, seed=2)
    assert moved[0] != before[0] and moved[1] != before[1]


def test_two_with_one_picture_look_each_where_it_is_said(backend, tiny_backend):
    fox = stories.subject("Fox")
    told = stories.story((Panel("Fox and Owl walk", CAST, size=96), Panel("Owl walks", ("Owl",), size=96)))

    def facing(*ways):
        subjects = (fox, replace(fox, name="Owl"))
        cast = tuple(CastMember(name, facing=way) for name, way in zip(CAST, ways, strict=True))
        return replace(told, script=replace(told.script, cast=cast), subjects=subjects)

    ways = [("left", "right"), ("right", "left"), (None, "left")]
    for way in ways:
        asked = Renderer(backend).asked(facing(*way))[0].request.prompt.shot
        assert [role.facing for role in asked.roles] == [each or "" for each in way]
    by_ways = [Renderer(backend).keys(facing(*way)) for way in ways]
    assert len({keys[0] for keys in by_ways}) == 3 and by_ways[1][1] == by_ways[2][1] != by_ways[0][1]
    assert len({tuple(Renderer(tiny_backend).keys(facing(*way))) for way in ways}) == 1, "a model's frames stay"


def test_one_renderer_makes_what_is_said_by_now(backend):
    """Pictures are encoded once; the fox on its left half looks the other way where it is said to."""
    look = Image.new("L", (64, 64))
    look.paste(255, (8, 8, 40, 60))
    fox = replace(stories.subject("Fox"), mask=look)
    renderer, images = Renderer(backend), []
    for way in ("left", "right", "left"):
        script = Script((Panel("Fox walks on the left", ("Fox",), size=96),), (CastMember("Fox", facing=way),))
        made = stories.Story(script, (fox,), SMALL)
        *_, last = renderer.render(made)
        *_, alone = Renderer(backend).render(made)
        assert last.step.frame.image.tobytes() == alone.step.frame.image.tobytes()
        images.append(last.step.frame.image.tobytes())
    assert images[0] == images[2] != images[1]


def test_the_keys_of_a_models_frames_are_what_they_were(tiny_backend):
    told = stories.story()
    panel, prompt = told.script.panels[0], "a fox walks"
    settings = {name: value for name, value in told.settings.written.items() if name != "seed"}
    look = stories.looks(told)["Fox"]
    parts = [
        prompt,
        [[0, 5]],
        [look],
        settings,
        told.settings.seed,
        tiny_backend.about.name,
        tiny_backend.about.version,
    ]
    wanted = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    asked = Renderer(tiny_backend).asked(told)[0]
    assert asked.request.prompt == Prompt(prompt, ((0, 5),)) and panel.cast == ("Fox",)
    assert asked.key == wanted


def test_the_keys_of_its_own_frames_are_what_they_were(backend):
    """Steps and guidance never counted, the story's seed always did, by another name than the frame's."""
    told = story(Panel("Fox walks", ("Fox",), seed=5), seed=3, steps=9)
    asked = Renderer(backend).asked(told)[0]
    shot = asdict(replace(asked.request.prompt.shot, carried=(), guessed=(), unread=()))
    settings = {"size": 64, "story seed": 3, "shot": shot}
    prompt, look = asked.request.prompt, stories.looks(told)["Fox"]
    parts = [prompt.text, prompt.mentions, [look], settings, 5, backend.about.name, backend.about.version]
    assert asked.key == hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def test_who_is_only_told_of_is_in_all_panels_as_the_same_drawing(backend):
    told = story(Panel("Fox meets Ghost", ("Fox", "Ghost")), Panel("Ghost flies", ("Ghost",)))
    whole = with_drawn(told, [event.subject for event in draw_cast(told, backend, Segmenter())])
    assert [subject.name for subject in whole.subjects] == ["Fox", "Owl", "Ghost"]
    ghost = whole.subjects[-1]
    assert ghost.drawn == LIBRARY + "ghost"
    (later,) = draw_cast(told, backend, Segmenter(), panels=[2])
    assert later.subject.image.tobytes() == ghost.image.tobytes()
    frames = [event.step.frame for event in Renderer(backend).render(whole) if event.step.frame]
    assert all(frame.maps.values[frame.maps.names.index("Ghost")].mean() > 0.01 for frame in frames)


def test_who_has_no_picture_and_is_not_in_the_library_is_refused(backend):
    told = story(Panel("Fox meets Ghost", ("Fox", "Ghost")))
    cast = tuple(replace(member, description="a gloop") for member in told.script.cast)
    told = replace(told, script=replace(told.script, cast=cast))
    with pytest.raises(
        RenderError, match="storybook shows pictures you give; give Ghost one or take one from the shelf"
    ):
        list(draw_cast(told, backend, Segmenter()))
    with pytest.raises(RenderError, match=r"Ghost is in panel 1 but has no picture; add one for Ghost\.$"):
        Renderer(backend).render(told)


# what it is


def test_which_backend_is_meant(tmp_path):
    assert BACKENDS[0] == "storybook" == load().about.name == chosen(None, None)
    assert chosen(None, tmp_path) == "mini" and chosen("flux", tmp_path) == "flux"
    assert (
        chosen(None, None, "flux") == "flux" == chosen(None, tmp_path, "flux")
        and chosen(None, tmp_path, "storybook") == "mini"
    )
    with pytest.raises(BackendError, match="There is no AnyStory model"):
        load(model=tmp_path)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"model": "folder"}, "takes no --model; mini, klein and flux do"),
        ({"device": "cuda"}, "takes no --device; mini, klein and flux do"),
        ({"speed": "few"}, "takes no --speed few; mini, klein and flux do"),
        ({"loras": [Lora("somebody/ink")]}, "takes no LoRAs; klein and flux do"),
        ({"vram": 8}, "takes no --vram; mini, klein and flux do"),
        ({"batch": 2}, "takes no --batch; klein and flux do"),
    ],
)
def test_what_is_for_models_is_refused(given, words):
    with pytest.raises(BackendError, match=f"^The backend storybook {words}"):
        load("storybook", **given)


def test_it_can_do_what_the_others_are_asked_for(backend):
    assert isinstance(backend, Batcher) and not isinstance(backend, Locator)
    assert backend.unread(Prompt("word " * 999)) == "" and backend.about.languages == ("English", "Chinese", "Spanish")


def test_a_worker_of_a_cluster_makes_the_same_frame(backend, cast):
    worker = Worker()
    facts, _ = worker.open({"name": "storybook"})
    assert facts.about == backend.about
    asked = pickle.loads(pickle.dumps(replace(order(cast), cast=())))
    looks = [worker.encode(stories.subject(name)) for name in asked.names]
    *_, last = worker.denoise("job", asked, *looks)
    assert equal(last.frame, made(backend, order(cast))[1])


def test_nothing_heavy_is_on_its_way(tmp_path):
    program = (
        "import sys, anystory\n"
        "backend = anystory.load_backend()\n"
        "cast = [anystory.CastMember('Fern', 'assets/example/fern.png')]\n"
        "story = anystory.load_story(anystory.parse_script('Fern at the beach', cast=cast), backend)\n"
        f"list(anystory.render_story(story, backend, {str(tmp_path)!r}, trace=True))\n"
        "print(sorted({'torch', 'diffusers', 'transformers', 'gradio'} & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout == "[]\n"
