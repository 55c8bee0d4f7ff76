"""The synthetic world: what it shows is what it says. Runs on a small art folder drawn here."""

import io
import json
import tarfile
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from anystory.sketch import scenery as scenes
from anystory.sketch.scenery import MEDIUMS, PLACES, TIME_PHRASES, WEATHERS, Layer
from anystory.training.art import Art, noun_phrase
from anystory.training.bank import SceneBank, SceneCover
from anystory.training.captions import ACTIONS, Told, caption, colour_names
from anystory.training.world import HIDING, MOST_HIDDEN, World, sheet

SIDE = 48
KINDS = ("animal",)
NAMES = ("fox", "owl", "robot", "apple", "grapes", "cat")


def _drawing(hue: int, kind: int, turn: int = 0) -> bytes:
    image = Image.new("RGBA", (96, 96))
    pen = ImageDraw.Draw(image)
    colour = tuple(Image.new("HSV", (1, 1), (hue, 220, 220)).convert("RGB").getpixel((0, 0)))
    (pen.ellipse, pen.rectangle, pen.rectangle)[kind % 3](
        [(20, 10, 70, 90), (10, 30, 90, 80), (30, 5, 60, 95)][kind % 3], fill=colour
    )
    pen.ellipse((34 + turn, 34, 46 + turn, 46), fill="white")
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("art")
    with ExitStack() as opened:
        names = ("one", "two", "poses")
        _fill(folder, {name: opened.enter_context(tarfile.open(folder / f"{name}.tar", "w")) for name in names})
    return folder


def _fill(folder, tars):
    rows = []

    def put(tar, name, data):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tars[tar].addfile(info, io.BytesIO(data))

    base = {"tags": "cute, small", "group": "animals-nature", "subgroup": "animal-mammal", "licence": "MIT"}
    for k, name in enumerate(NAMES):
        split = "test" if name == "cat" else "train"
        for tar in ("one", "two"):
            put(tar, f"{name}.webp", _drawing(40 * k, k))
            rows.append(
                base
                | {"kind": "subject", "set": tar, "file": f"{name}.webp", "concept": name, "text": name, "split": split}
            )
    for i in range(3):
        put("poses", f"fox/{i}.webp", _drawing(10, 0, 6 * i))
    rows.append(
        base
        | {
            "kind": "poses",
            "set": "moving",
            "file": "fox/",
            "frames": 3,
            "concept": "fox",
            "text": "fox",
            "split": "train",
        }
    )
    put("one", "sunset.webp", _drawing(0, 1))
    rows.append(
        base
        | {
            "kind": "scene",
            "set": "one",
            "file": "sunset.webp",
            "concept": "sunset",
            "text": "sunset",
            "split": "train",
        }
    )
    (folder / "index.jsonl").write_text("\n".join(map(json.dumps, rows)))


@pytest.fixture(scope="module")
def art(folder, tmp_path_factory):
    return Art(folder, tmp_path_factory.mktemp("cache"), split="train", size=SIDE)


@pytest.fixture(scope="module")
def world(art, tmp_path_factory):
    return World(art, tmp_path_factory.mktemp("cache"), size=SIDE, scenes_count=40)


def test_only_the_split_asked_for_is_used(folder, art, tmp_path):
    assert {e.concept for e in art.entries} == set(NAMES) - {"cat"}
    assert sum(len(e.cells) for e in art.entries) == len(art.cells) == 5 * 2 + 3
    held_out = Art(folder, tmp_path, split="test", size=SIDE)
    assert {e.concept for e in held_out.entries} == {"cat"}
    with pytest.raises(ValueError, match="'validation'"):
        Art(folder, tmp_path, split="validation")


def test_the_cache_gives_the_same_art(folder, tmp_path):
    first, second = (Art(folder, tmp_path, split="train", size=SIDE) for _ in range(2))
    assert torch.equal(first.cells, second.cells) and first.entries == second.entries
    assert not list(tmp_path.glob("*.part"))


def test_art_that_shows_nothing_is_refused_in_a_sentence(tmp_path):
    buffer = io.BytesIO()
    Image.new("RGBA", (96, 96)).save(buffer, "WEBP", lossless=True)
    info = tarfile.TarInfo("fog.webp")
    info.size = buffer.tell()
    with tarfile.open(tmp_path / "one.tar", "w") as tar:
        tar.addfile(info, io.BytesIO(buffer.getvalue()))
    row = {"kind": "subject", "set": "one", "file": "fog.webp", "split": "train"}
    (tmp_path / "index.jsonl").write_text(json.dumps(row))
    with pytest.raises(ValueError, match=r"None of the 1 drawings in .* shows anything"):
        Art(tmp_path, tmp_path / "cache", split="train", size=SIDE)


def test_cells_are_premultiplied_and_fill_the_square(art):
    assert (art.cells[:, :3] <= art.cells[:, 3:]).all()
    assert torch.allclose(art.extent.max(1).values, torch.tensor(0.92), atol=0.02)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("fox", "a fox"),
        ("owl", "an owl"),
        ("unicorn", "a unicorn"),
        ("grapes", "grapes"),
        ("octopus", "an octopus"),
        ("man: red hair", "a man with red hair"),
        ("woman: bald", "a bald woman"),
        ("Santa Claus", "Santa Claus"),
        ("bread", "some bread"),
        ("man running: facing right", "a man running"),
        ("glass of milk", "a glass of milk"),
    ],
)
def test_noun_phrases(text, phrase):
    assert noun_phrase(text) == phrase


@pytest.mark.parametrize("count", range(5))
def test_masks_are_visible_disjoint_and_never_mostly_hidden(world, count):
    batch = world.batch(24, count, np.random.default_rng(count))
    assert batch.frames.shape == (24, 3, SIDE, SIDE) and batch.frames.dtype == torch.uint8
    assert batch.masks.shape == (24, count, SIDE, SIDE)
    assert batch.references.shape == (24, count, 4, SIDE, SIDE) and batch.references.dtype == torch.uint8
    assert batch.masks.min() >= 0 if count else True
    assert (batch.masks.sum(1) <= 1 + 1e-5).all()
    if count:
        assert (batch.masks.mean((2, 3)) > 0.004).all()


def lay_out(world, count, subjects, seed=0):
    rng = np.random.default_rng(seed)
    return world.stage.lay_out(rng.integers(len(world.bank), size=count), rng.random(count) < 0.5, subjects, rng)


def test_little_of_a_subject_is_hidden_but_of_those_who_hide(world):
    layout = lay_out(world, 200, 3)
    hidden = world.stage.hidden(layout)
    hides = np.isin(layout.action, ("hides behind", "swims", "sits in"))
    assert (hidden[~hides] <= MOST_HIDDEN + 1e-6).mean() > 0.99
    assert (hidden <= HIDING[1] + 0.05).mean() > 0.99


def _centre(mask: torch.Tensor) -> float:
    return float((mask.sum(0) * (torch.arange(SIDE) + 0.5)).sum() / mask.sum() / SIDE)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_captions_are_true_and_their_spans_exact(world, count):
    batch = world.batch(150, count, np.random.default_rng(10 + count))
    said = 0
    for b, text in enumerate(batch.captions):
        assert "  " not in text and " ," not in text
        for s, (start, end) in enumerate(batch.mentions[b]):
            words = text[start:end]
            assert "character" in words or batch.names[b][s][0] in words or words.split()[-1] in KINDS
            assert text[start - 1] == " " if start else True
            assert end == len(text) or text[end] in " ,"
        centres = [_centre(mask) for mask in batch.masks[b]]
        for s, where in enumerate(batch.where[b]):
            if count > 1 and where == "left":
                assert centres[s] == min(centres)
            if count > 1 and where == "right":
                assert centres[s] == max(centres)
            if count == 1 and where:
                assert {"left": centres[s] < 0.48, "right": centres[s] > 0.52, "middle": 0.38 < centres[s] < 0.62}[
                    where
                ]
        if any(word in text for word in (" left", " right", " middle", "centre")):
            said += 1
            if count == 2 and any(f" to the {side} of" in text for side in ("left", "right")):
                (a, b2), first = batch.mentions[b], int(np.argmin([m[0] for m in batch.mentions[b]]))
                assert batch.where[b][first] in text[min(a[1], b2[1]) : max(a[0], b2[0])]
        elif not any(word in text for word in ("behind", "in front of", "partly hidden")):
            order = np.argsort([m[0] for m in batch.mentions[b]])
            xs = [centres[i] for i in order]
            assert all(x < y + 0.06 for x, y in pairwise(xs))
            assert count > 1 or batch.where[b][0] in ("middle", "")
        phrases = [p for t in TIME_PHRASES for p in TIME_PHRASES[t] if p and p in text]
        assert all(p in TIME_PHRASES[batch.time[b]] for p in phrases)
    assert 0.3 < said / len(batch.captions) < 0.95


def test_half_of_the_subjects_are_only_a_character(world):
    batch = world.batch(200, 2, np.random.default_rng(4))
    spans = [text[a:b] for text, row in zip(batch.captions, batch.mentions, strict=True) for a, b in row]
    assert 0.35 < np.mean(["character" in s for s in spans]) < 0.65


def test_empty_scenes(world):
    batch = world.batch(20, 0, np.random.default_rng(0))
    assert all(batch.captions) and batch.mentions == [[]] * 20
    assert set(batch.place) <= set(PLACES)


def test_the_same_seed_gives_the_same_batch(world):
    a, b, c = (world.batch(6, 2, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(a.frames, b.frames) and torch.equal(a.masks, b.masks) and torch.equal(a.references, b.references)
    assert a.captions == b.captions and a.mentions == b.mentions
    assert not torch.equal(a.frames, c.frames)


def test_reference_and_target_have_one_colour(world):
    """A recoloured subject wears its new colour in both pictures: direction of the chroma, away from grey."""
    batch = world.batch(400, 1, np.random.default_rng(3))
    agree = recoloured = 0
    for b in range(400):
        if (
            batch.time[b] not in ("day", "")
            or batch.weather[b] not in ("clear", "")
            or np.allclose(batch.identities[b, 0], np.eye(3))
        ):
            continue
        inside = batch.masks[b, 0] > 0.99
        opaque = batch.references[b, 0, 3] > 252
        target = batch.frames[b][:, inside].float().mean(1)
        look = batch.references[b, 0, :3][:, opaque].float().mean(1)
        recoloured += 1
        agree += torch.cosine_similarity(target - target.mean(), look - look.mean(), dim=0) > 0.9
    assert recoloured > 15 and agree / recoloured > 0.95


def test_reference_is_not_a_copy_of_the_target(world):
    batch = world.batch(60, 1, np.random.default_rng(8))
    layout = lay_out(world, 200, 1)
    moving = world.stage.casting.count[layout.entry] > 1
    assert moving.any() and (layout.cell != layout.look)[moving].all()
    alone = batch.frames.float() * batch.masks
    assert ((alone - batch.references[:, 0, :3].float()).abs().mean((1, 2, 3)) > 5).all()


def test_a_sheet_shows_the_batch(world):
    assert sheet(world.batch(3, 2, np.random.default_rng(0)), columns=2).size == (SIDE * 4 * 2, (SIDE + 30) * 2)


def test_too_many_subjects_are_refused(world):
    with pytest.raises(ValueError, match="0 to 4 subjects, not 5"):
        world.batch(1, 5, np.random.default_rng(0))


def test_every_action_is_drawn_and_the_pictures_show_it(world):
    seen = set()
    for seed in range(3):
        batch = world.batch(120, 1, np.random.default_rng(seed))
        layout = lay_out(world, 120, 1, seed)
        turned = np.abs((np.rad2deg(layout.angle) + 180) % 360 - 180)
        for action, low, high in (
            ("lies", 75, 105),
            ("stands on its head", 165, 181),
            ("falls", 120, 175),
            ("stands", 0, 9),
        ):
            chosen = turned[layout.action == action]
            assert ((chosen >= low) & (chosen <= high)).all(), action
        in_the_air = np.isin(layout.action, ("jumps", "flies", "floats", "falls"))
        assert (layout.foot - layout.base)[in_the_air].min() > 0.04
        assert np.abs(layout.foot - layout.base)[layout.action == "stands"].max() < 1e-9
        seen |= set(layout.action.ravel())
        for b, text in enumerate(batch.captions):
            said = [a for a, ways in ACTIONS.items() for w in ways if (w.partition("{}")[0] in text and len(w) > 5)]
            if said and batch.action[b][0] not in ("stands", "dives", "swims", "floats"):
                assert batch.action[b][0] in said, text
    assert {"stands", "lies", "jumps", "flies", "falls", "sits in", "stands on its head"} <= seen


class Pond:
    """A bank of one place with a bush to hide behind and water to swim in, of which every pixel is known."""

    def __init__(self, world, water, bush):
        self.bank = world.bank
        self.ground = replace(self.bank.grounds[0], place="lake", water=water, ground=(0.7, 0.8))
        pixels = torch.zeros(4, SIDE, SIDE, dtype=torch.uint8)
        if bush:
            pixels[1, 30:, 14:34] = 200
            pixels[3, 30:, 14:34] = 255
        probe = torch.nn.functional.adaptive_avg_pool2d(pixels[3:].float() / 255, 32)[0]
        self.cover = SceneCover(pixels, 0, 0, 0.95, "a bush", probe)

    def __enter__(self):
        self.before = self.bank.grounds, self.bank.covers
        self.bank.grounds = [self.ground] * len(self.bank.grounds)
        self.bank.covers = [[self.cover]] * len(self.bank.covers)
        return self

    def __exit__(self, *_):
        self.bank.grounds, self.bank.covers = self.before


def test_who_hides_is_partly_behind_and_the_mask_shows_only_the_rest(world):
    with Pond(world, None, bush=True):
        batch = world.batch(60, 1, np.random.default_rng(5))
    hiding = [b for b in range(60) if batch.action[b][0] == "hides behind"]
    assert len(hiding) >= 5
    covered = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    covered[30:, 14:34] = True
    for b in hiding:
        assert batch.masks[b, 0][covered].max() < 1e-6
        assert batch.masks[b, 0].mean() > 0.004
        green = batch.frames[b][:, 32:, 16:32].float().mean((1, 2))
        assert green[1] > 2 * green[0]
    said = [batch.captions[b] for b in hiding if "behind a bush" in batch.captions[b]]
    assert len(said) > len(hiding) / 2


def test_who_swims_shows_nothing_below_the_water_line(world):
    with Pond(world, (0.5, 0.75), bush=False):
        batch = world.batch(60, 1, np.random.default_rng(6))
    swims = [b for b in range(60) if batch.action[b][0] == "swims"]
    assert len(swims) >= 10
    for b in swims:
        rows = np.flatnonzero((batch.masks[b, 0] > 0.5).any(1).numpy())
        assert rows.max() < 0.75 * SIDE + 2
    assert any("swim" in batch.captions[b] for b in swims)


def test_a_layer_far_in_front_is_never_left_to_hide_most_of_someone(world):
    with Pond(world, None, bush=True):
        layout = lay_out(world, 80, 1)
        hidden = world.stage.hidden(layout)
    stands = ~np.isin(layout.action, ("hides behind", "sits in"))
    assert (hidden[stands] <= MOST_HIDDEN + 1e-6).mean() > 0.97


def test_masks_are_the_pixels_that_show_the_subject(world):
    """The same frame with the subject in another colour differs where the mask is, and nowhere else."""
    rng = np.random.default_rng(0)
    scene, mirrored = np.arange(12) % len(world.bank), np.zeros(12, bool)
    layout = world.stage.lay_out(scene, mirrored, 2, rng)
    layout.identity[:] = np.eye(3)
    plain, masks = world.compositor.compose(scene, mirrored, layout, np.random.default_rng(1))
    layout.identity[:, 0] = np.eye(3)[[2, 0, 1]] * 0.5
    other, again = world.compositor.compose(scene, mirrored, layout, np.random.default_rng(1))
    assert torch.equal(masks, again)
    changed = (plain.float() - other.float()).abs().amax(1)
    assert changed[masks[:, 0] == 0].max() <= 1
    assert changed[masks[:, 0] > 0.9].mean() > 20


def test_subjects_wear_the_light_of_their_scene(world):
    shape = (len(world.bank),)
    scene, mirrored = np.arange(*shape), np.zeros(shape, bool)
    layout = world.stage.lay_out(scene, mirrored, 1, np.random.default_rng(0))
    before = world.bank.grounds
    world.bank.grounds = [replace(g, light=(1.0, 1.0, 1.0)) for g in before]
    light, slant = world.compositor.light(scene, mirrored, layout)
    world.bank.grounds = [replace(g, light=(0.3, 0.4, 0.7)) for g in before]
    night, _ = world.compositor.light(scene, mirrored, layout)
    world.bank.grounds = before
    ratio = (night / light)[:, 0, :, 0]
    assert (ratio[:, :2] < 0.9).all() and (ratio[:, 0] < ratio[:, 2]).all()
    assert np.abs(slant).max() <= 0.14


def test_describing_words_name_the_colours_that_are_there():
    def solid(*colours):
        return np.concatenate([np.tile([[r], [g], [b], [1.0]], (1, n)) for (r, g, b), n in colours], 1)

    assert colour_names(solid(((0.9, 0.1, 0.1), 80), ((0.1, 0.1, 0.9), 20))) == ("red",)
    assert set(colour_names(solid(((0.95, 0.95, 0.95), 50), ((0.1, 0.8, 0.2), 50)))) == {"white", "green"}
    assert colour_names(solid(((0.45, 0.25, 0.12), 90))) == ("brown",)
    rainbow = [((1, 0, 0), 25), ((0, 1, 0), 25), ((0, 0, 1), 25), ((1, 1, 0), 25)]
    assert colour_names(solid(*rainbow)) == ()
    assert colour_names(np.zeros((4, 9))) == ()


def test_a_name_that_speaks_of_a_colour_is_not_used_for_a_subject_in_another(world):
    entry = replace(world.art.entries[0], text="red fox", concept="red-fox")
    told = Told(entry, "", "", "stands", "", "", ("blue",), True, 0.5)
    rng = np.random.default_rng(0)
    texts = [caption(world.bank.grounds[0], [told], None, rng)[0] for _ in range(60)]
    assert not any("red" in text.split() for text in texts)
    assert any("blue animal" in text for text in texts)


def test_pairs_of_one_kind_are_common_and_not_one_and_the_same(world):
    batch = world.batch(200, 2, np.random.default_rng(11))
    kinds = [[world.art.entries[i].text for i in row] for row in batch.entries]
    pairs = [b for b in range(200) if kinds[b][0] == kinds[b][1]]
    doubles = [b for b in pairs if batch.entries[b][0] == batch.entries[b][1]]
    one = [b for b in doubles if np.allclose(batch.identities[b, 0], batch.identities[b, 1])]
    assert len(pairs) > 40 and len(doubles) > 10
    assert len(one) < len(pairs) / 6  # by chance, as this art has few entries


def test_scenes_say_weather_and_medium(world):
    batch = world.batch(40, 1, np.random.default_rng(0))
    assert set(batch.weather) <= {"", *WEATHERS} and set(batch.medium) <= set(MEDIUMS)


def test_the_bank_keeps_layers_as_the_scene_has_them(tmp_path, monkeypatch):
    render = scenes.Painting.render

    def layered(painting, *size, **how):
        scene = render(painting, *size, **how)
        pixels = np.zeros((*scene.background.shape[:2], 4), np.uint8)
        pixels[20:30, 5:15] = (10, 200, 30, 128)
        return replace(scene, layers=[Layer(pixels, 0.9, "a bush", (5, 20, 15, 30))])

    monkeypatch.setattr(scenes.Painting, "render", layered)
    fresh = SceneBank(tmp_path, count=2, size=SIDE, seed=0)
    monkeypatch.setattr(scenes, "paint", None)  # the second time it is read, not painted
    for bank in (fresh, SceneBank(tmp_path, count=2, size=SIDE, seed=0)):
        (cover,) = bank.covers[1]
        assert (cover.x, cover.y, cover.depth, cover.name) == (5, 20, 0.9, "a bush")
        assert cover.pixels.shape == (4, 10, 10)
        assert cover.pixels[:, 0, 0].tolist() == [5, 100, 15, 128]
        assert cover.probe.max() > 0.4


def test_verbs_agree_with_names_that_mean_several(world):
    entry = replace(next(e for e in world.art.entries if e.text == "grapes"), tags=())
    told = Told(entry, "", "", "flies", "", "", (), False, 0.5)
    rng = np.random.default_rng(0)
    texts = [caption(world.bank.grounds[0], [told], None, rng)[0] for _ in range(80)]
    plural = [t for t in texts if "grapes" in t]
    assert any("grapes fly" in t for t in plural)
    assert not any("grapes flies" in t or "grapes is" in t for t in plural)
    assert any("a character flies" in t for t in texts)
