"""The consistency of finished frames: laws on frames composed by hand, and what the command says."""

import json

import numpy as np
import pytest
from PIL import Image

from anystory.__main__ import main
from anystory.cast.shelf import shelf
from anystory.maps.consistency import Consistency, Look, consistency
from anystory.render.session import Renderer
from anystory.story.model import ATTENTION, BACKGROUND, CastMember, Frame, Panel, RoutingMaps, Script, Settings, Story

NAMES = ("Luna", "Drake")


@pytest.fixture(scope="module")
def cast():
    shown = {example.name: example for example in shelf()}
    return tuple(shown[name].subject() for name in NAMES)


def frame(shown, names=NAMES, turn=0, measure=None):
    """Characters pasted beside each other, held by the names in order; None leaves a place empty."""
    image, values = Image.new("RGB", (128, 64), "#88bbee"), np.zeros((len(names) + 1, 64, 128), np.float32)
    for place, subject in enumerate(shown):
        if subject is not None:
            box = subject.mask.getbbox()
            picture, mask = (side.crop(box).rotate(turn).resize((56, 56)) for side in (subject.image, subject.mask))
            image.paste(picture, (4 + 64 * place, 4), mask)
            held = np.asarray(mask, np.float32) / 255
            values[place, 4:60, 4 + 64 * place : 60 + 64 * place] = held if measure is None else held / 5
    values[-1] = 1 - values[:-1].sum(0)
    maps = RoutingMaps((*names, BACKGROUND), values, *([measure] if measure else []))
    return Frame(image, maps, 0)


def story(cast):
    return Story(Script((Panel("x"),)), cast, Settings(64))


def test_the_right_characters_are_like_themselves_and_swapped_ones_are_not(cast):
    found = consistency(story(cast), {2: frame(cast[::-1]), 1: frame(cast)})
    assert list(found.panels) == [1, 2] and [look.name for look in found.panels[1]] == list(NAMES)
    for right, wrong in zip(found.panels[1], found.panels[2], strict=True):
        assert right.likeness > 0.8 and right.likeness > wrong.likeness + 0.2
        assert right.copied > 0.8
    assert found.weakest == 2 and found.of_panel(1) > found.likeness > found.of_panel(2)


def test_a_turned_character_is_less_of_a_copy(cast):
    found = consistency(story(cast), {1: frame(cast), 2: frame(cast, turn=90)})
    assert all(a.copied > b.copied + 0.1 for a, b in zip(found.panels[1], found.panels[2], strict=True))


def test_who_is_not_there_counts_nothing_and_who_has_no_picture_is_left_out(cast):
    found = consistency(story(cast), {1: frame((cast[0], None)), 2: frame((), ())})
    assert found.panels[1][1] == Look("Drake", None, None) and found.panels[2] == ()
    assert found.of_panel(1) == pytest.approx(found.panels[1][0].likeness / 2, abs=1e-3)
    assert found.of_panel(2) is None and found.weakest == 1
    assert found.of_subject("Drake") == Look("Drake", 0.0, None)
    alone = consistency(story(cast[:1]), {1: frame(cast)})
    assert [look.name for look in alone.panels[1]] == ["Luna"]
    nobody = Consistency({})
    assert nobody.likeness is None and nobody.weakest is None and nobody.names == ()


def test_a_share_of_attention_is_cut_at_half_its_height(cast):
    shown = frame(cast[:1], NAMES[:1], measure=ATTENTION)
    (look,) = consistency(story(cast), {1: shown}).panels[1]
    assert look.likeness > 0.8


def test_the_command_names_the_weakest_panel(cast, tiny_backend, tmp_path, capsys):
    panels = (*(Panel(f"{name} walks", (name,)) for name in NAMES), Panel("the sea"))
    made = Story(Script(panels, tuple(CastMember(n) for n in NAMES)), cast, Settings(64, steps=1))
    list(Renderer(tiny_backend).render(made, tmp_path))
    assert main(["look", str(tmp_path), "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (told,) = [event for event in events if event["event"] == "consistency"]
    assert set(told["panels"]) == {"1", "2", "3"} and told["weakest"] in (1, 2)
    assert main(["look", str(tmp_path)]) == 0
    assert f"the weakest is panel {told['weakest']}." in capsys.readouterr().out
    assert main(["look", str(tmp_path / "none")]) == 2
