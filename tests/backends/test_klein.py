"""The klein backend on tiny random weights: frames, maps, memory, LoRAs, and what is said of what cannot be loaded.
What it computes is checked in tests/model/test_klein.py."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file

from anystory.__main__ import main
from anystory.backends.base import BackendError, Lora, Request
from anystory.backends.card import references
from anystory.backends.klein import KleinBackend, told
from anystory.backends.load import load
from anystory.maps import diagnosis
from anystory.project.folder import Project
from anystory.project.imprint import story_from_png
from anystory.render.session import Renderer
from anystory.story.from_sketch import FromSketch, Underdrawing
from anystory.story.model import (
    ATTENTION,
    BACKGROUND,
    ROUTING,
    SHOWN_A_SKETCH,
    Panel,
    Prompt,
    Script,
    Settings,
    Story,
    Subject,
)
from anystory.story.steering import Layout, Place, Steering
from tests.backends.test_from_sketch import drawn
from tests.backends.test_layout import BOXES, CAST, overlap
from tests.klein import loaded, saved

SETTINGS = Settings(size=64, steps=2, guidance=1.0)
PROMPT = Prompt("a fox and an owl", ((0, 5), (10, 16)))


def subject(name, seed):
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 255, (9, 12, 3), np.uint8)).resize((120, 90), Image.Resampling.BICUBIC)
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).ellipse((20, 10, 90, 80), fill=255)
    return Subject(name, image, mask)


FOX, OWL = subject("Fox", 1), subject("Owl", 2)
STORY = Story(
    Script(panels=(Panel("Fox sleeps.", ("Fox",)), Panel("Fox meets Owl.", ("Fox", "Owl")))), (FOX, OWL), SETTINGS
)


@pytest.fixture(scope="module")
def klein():
    return loaded()


@pytest.fixture(scope="module")
def closing():
    return loaded(routing="close")


def asked(klein, *subjects, prompt=PROMPT, settings=SETTINGS, seed=7, steering=Steering()):
    prompt = replace(prompt, mentions=prompt.mentions[: len(subjects)])
    names, cast = tuple(s.name for s in subjects), tuple(klein.encode(s) for s in subjects)
    return Request(prompt, names, cast, settings, seed, steering)


def frame(klein, *subjects, **how):
    *_, last = klein.denoise(asked(klein, *subjects, **how))
    return last.frame


def pixels(made):
    return np.asarray(made.image, int)


@pytest.fixture(scope="module")
def both(klein):
    return frame(klein, FOX, OWL)


def test_a_story_has_frames_maps_and_traces(klein, tmp_path):
    list(Renderer(klein).render(STORY, tmp_path, trace=True))
    project = Project(tmp_path)
    alone, together = (project.frame(number) for number in (1, 2))
    assert (alone.maps.measure, together.maps.measure) == (ATTENTION, ROUTING)
    assert together.maps.names == ("Fox", "Owl", BACKGROUND) and together.maps.values.shape == (3, 4, 4)
    assert together.trace.shapes == klein.layer_shapes(SETTINGS) == ((4, 4),) * 5 and together.trace.total == 2
    assert [p.reused for p in Renderer(klein).render(STORY, tmp_path)] == [True, True]


def test_a_frame_that_does_not_pass_is_tried_anew_with_its_words_and_pictures_encoded_once(tmp_path, monkeypatch):
    klein = loaded()
    read, encoded, original = [], [], klein.pipeline.encode_prompt
    monkeypatch.setattr(diagnosis, "MIN_SHARE", 2)  # nobody ever passes
    monkeypatch.setattr(
        klein.pipeline, "encode_prompt", lambda *args, **more: read.append(args) or original(*args, **more)
    )
    klein.pipeline.vae.encoder.register_forward_hook(lambda *_: encoded.append(None))
    steps = [progress.step for progress in Renderer(klein).render(STORY, tmp_path, panels=[2], retry=2)]
    made = [step.frame for step in steps if step.frame]
    assert len(made) == 3 and Project(tmp_path).entries[2].tries == 3
    assert len(read) == 1 and len(encoded) == 2
    assert list(Renderer(klein).render(STORY, tmp_path, panels=[2], retry=2))[-1].reused


def test_whoever_is_named_first_the_frame_is_the_same_and_its_maps_change_places(klein, both):
    turned = frame(klein, OWL, FOX, prompt=Prompt(PROMPT.text, PROMPT.mentions[::-1]))
    assert np.array_equal(pixels(turned), pixels(both)) and turned.maps.names == ("Owl", "Fox", BACKGROUND)
    assert np.array_equal(turned.maps.values, both.maps.values[[1, 0, 2]])
    first, last = (made.trace.votes(2).values for made in (both, turned))
    assert np.array_equal(first, last[[1, 0, 2]])


def test_so_it_is_of_two_who_look_the_same(klein):
    twin = replace(FOX, name="Twin")
    one = frame(klein, FOX, twin)
    other = frame(klein, twin, FOX, prompt=Prompt(PROMPT.text, PROMPT.mentions[::-1]))
    assert np.array_equal(pixels(one), pixels(other)) and other.maps.names == ("Twin", "Fox", BACKGROUND)
    assert np.array_equal(one.maps.values, other.maps.values[[1, 0, 2]])


def test_a_layout_of_subjects_in_another_order_is_the_same_layout(klein):
    layout = Steering(Layout((Place("Fox", (0, 0, 0.5, 1)), Place("Owl", (0.5, 0, 1, 1)))))
    one = frame(klein, FOX, OWL, steering=layout)
    turned = frame(klein, OWL, FOX, prompt=Prompt(PROMPT.text, PROMPT.mentions[::-1]), steering=layout)
    assert np.array_equal(one.maps.values, turned.maps.values[[1, 0, 2]])
    assert (one.maps.values[0, :, :2] > 0.99).all() and (one.maps.values[1, :, 2:] > 0.99).all()


def test_closing_changes_a_frame_and_without_the_router_nothing_is_closed(klein, closing, both):
    assert (pixels(frame(closing, FOX, OWL)) != pixels(both)).any()
    assert np.array_equal(pixels(frame(closing, FOX, OWL, steering=Steering(router=False))), pixels(both))
    assert frame(closing, FOX).maps.measure == ROUTING and closing.about.version != klein.about.version


def test_a_prompt_says_which_pictures_are_whose():
    assert told(PROMPT, [1, 2]) == "a fox from image 1 and an owl from images 2 and 3"
    assert told(Prompt("They sleep.", (None, None)), [2, 1]) == (
        "They sleep. Also in the picture: the character from images 1 and 2 and the character from image 3."
    )
    assert told(Prompt("A hill"), []) == "A hill"
    assert told(Prompt("", (None,)), [1]) == "Also in the picture: the character from image 1."
    assert told(Prompt("Two foxes, in ink", (None,)), [1]) == (
        "Two foxes, in ink. Also in the picture: the character from image 1."
    )


def test_a_sketch_is_the_first_picture_and_told_of_last():
    assert told(PROMPT, [1, 2], sketch=True) == (
        "a fox from image 2 and an owl from images 3 and 4. "
        "Image 1 is a sketch of the whole picture: everything is where it shows it."
    )
    assert told(Prompt("A hill."), [], sketch=True).startswith("A hill. Image 1 is a sketch")


@pytest.mark.parametrize("mark", ["'", "’"])
def test_an_owner_is_told_of_behind_the_sentence(mark):
    prompt = Prompt(f"A fox{mark}s tail and an owl, in ink", ((0, 5), (17, 23)))
    assert prompt.text[slice(*prompt.mentions[1])] == "an owl"
    assert told(prompt, [1, 1]) == f"A fox{mark}s tail and an owl from image 2, in ink. Image 1 shows a fox."
    assert told(prompt, [2, 1]).endswith("an owl from image 3, in ink. Images 1 and 2 show a fox.")


def test_frames_of_a_batch_are_what_they_are_alone(klein, both):
    album = replace(FOX, more=OWL.pictures)
    orders = [asked(klein, FOX, OWL), asked(klein, album, OWL), asked(klein, OWL, FOX, seed=8)]
    batcher = replace(klein, batch=2)
    made = {}
    for steps in batcher.denoise_batch(orders):
        made |= {place: step.frame for place, step in steps.items() if step.frame}
    assert sorted(made) == [0, 1, 2] and abs(pixels(made[0]) - pixels(both)).max() <= 2
    for place in (1, 2):
        *_, alone = klein.denoise(orders[place])
        assert abs(pixels(made[place]) - pixels(alone.frame)).max() <= 2
        assert np.allclose(made[place].maps.values, alone.frame.maps.values, atol=1e-3)


def test_what_makes_no_frame_is_refused(klein):
    for how, words in (
        ({"settings": replace(SETTINGS, size="2048x1024")}, "has 2.1 megapixels and FLUX.2 .klein. draws up to 1.6"),
        ({"settings": replace(SETTINGS, size=72)}, "The height is 72; it must be a multiple of 16"),
        ({"settings": replace(SETTINGS, steps=0)}, "The number of steps is 0; it must be at least 1"),
    ):
        with pytest.raises(BackendError, match=words):
            frame(klein, **how)
    crowd = [replace(FOX, name=str(number)) for number in range(5)]
    with pytest.raises(BackendError, match="at most 4 characters, this panel has 5"):
        frame(klein, *crowd, prompt=Prompt("a crowd"))


def test_what_the_text_encoder_does_not_read_is_told_by_whole_words(klein):
    assert klein.unread(Prompt("A short prompt.")) == ""
    unread = klein.unread(Prompt("moon " * 120))
    assert unread and set(unread.split()) == {"moon"}
    assert 0 < len(klein.unread(Prompt("月" * 400))) < 400  # who writes no spaces loses no more


LONG = Prompt("a fox " + "far away " * 60 + "and an owl's tail, in ink", ((0, 5), (550, 556)))


def test_whatever_is_too_long_the_words_on_pictures_are_read(klein):
    """Of a long prompt the user's own words make room, exactly as many as it takes and as are told of; a letter is a
    token here."""
    assert LONG.text[slice(*LONG.mentions[1])] == "an owl"
    for pictures in ([1, 1], [3, 2]):
        lost = klein.unread(LONG, pictures)
        kept = klein._read(LONG, pictures)
        assert LONG.text == kept.text + LONG.text[len(kept.text) :] and LONG.text.endswith(lost)
        assert kept.mentions == ((0, 5), None)  # who is named behind that is still told of by pictures
        said = told(kept, pictures, sketch=True)
        assert "a fox from image" in said and "Also in the picture: the character from image" in said
        assert klein._fits(said) and not klein._fits(
            told(replace(kept, text=f"{kept.text} far"), pictures, sketch=True)
        )
    assert len(klein.unread(LONG, [3, 2])) > len(klein.unread(LONG, [1, 1])) > len(klein.unread(Prompt(LONG.text)))


def test_what_the_text_encoder_is_given_is_what_was_said_to_be_read(klein, monkeypatch):
    read, original = [], klein.pipeline.encode_text
    monkeypatch.setattr(klein.pipeline, "encode_text", lambda text: read.append(text) or original(text))
    *_, _ = klein.denoise(replace(asked(klein, FOX, OWL), prompt=LONG))
    lost = klein.unread(LONG, [1, 1])
    assert read == [told(klein._read(LONG, [1, 1]), [1, 1])] and lost not in read[0]


def sketched(klein, *subjects, taken=FromSketch(reference=True), seed=0):
    """A request with a sketch beneath it in which nobody is anywhere."""
    picture = subject("sketch", 5 + seed).image.resize((64, 64))
    request = asked(klein, *subjects)
    holders = np.full((64, 64), len(subjects), np.uint8)
    return replace(request, underdrawing=Underdrawing(taken, picture, holders, request.names))


def test_a_sketch_for_a_reference_changes_the_frame_whose_maps_are_the_cast_s(klein, both):
    *_, last = klein.denoise(sketched(klein, FOX, OWL))
    *_, other = klein.denoise(sketched(klein, FOX, OWL, seed=1))
    assert (pixels(last.frame) != pixels(both)).any() and (pixels(last.frame) != pixels(other.frame)).any()
    assert last.frame.maps.names == ("Fox", "Owl", BACKGROUND)
    *_, off = klein.denoise(sketched(klein, FOX, OWL, taken=FromSketch()))
    assert np.array_equal(pixels(off.frame), pixels(both))
    *_, alone = klein.denoise(sketched(klein))
    assert (pixels(alone.frame) != pixels(frame(klein))).any()


def test_the_places_in_a_sketch_that_is_looked_at_can_be_the_layout_too(klein):
    beneath = drawn(FromSketch(True, reference=True))
    request = replace(asked(klein, *CAST), underdrawing=beneath)
    *_, last = klein.denoise(replace(request, prompt=Prompt("a fox and a robot")))
    assert overlap(last.frame.maps, Layout(BOXES)) >= 0.9
    *_, other = klein.denoise(replace(request, underdrawing=drawn(FromSketch(True))))
    assert (pixels(last.frame) != pixels(other.frame)).any()


def test_a_frame_with_a_sketch_to_look_at_takes_the_room_of_one_more_picture(klein):
    album = replace(FOX, more=OWL.pictures)
    assert references(asked(klein, album, OWL)) == 3 and references(sketched(klein, album, OWL)) == 4
    assert references(sketched(klein, OWL, taken=FromSketch(True, 0.5))) == 1


def test_a_story_asks_for_its_sketches_as_references_and_its_frames_tell_of_it(klein, tmp_path):
    told = FromSketch(reference=True)
    story = replace(STORY, script=replace(STORY.script, from_sketch=told))
    list(Renderer(klein).render(story, tmp_path))
    project = Project(tmp_path)
    assert [project.frame(number).from_sketch for number in (1, 2)] == [told, told]
    assert project.frame(2).made == SHOWN_A_SKETCH and project.story().script.from_sketch == told
    again = story_from_png((tmp_path / "frames" / "002.png").read_bytes())
    assert (again.made, again.script.from_sketch) == (SHOWN_A_SKETCH, told)
    assert [p.reused for p in Renderer(klein).render(story, tmp_path)] == [True, True]
    assert not any(p.reused for p in Renderer(klein).render(STORY, tmp_path))
    batched = [p.step.frame for p in Renderer(replace(klein, batch=2)).render(story) if p.done]
    for number, one in enumerate(batched, 1):
        *_, alone = (p.step.frame for p in Renderer(klein).render(story, panels=[number]) if p.done)
        assert abs(pixels(one) - pixels(alone)).max() <= 2


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU here")
def test_without_a_gpu_nothing_is_downloaded():
    words = r"FLUX.2 \[klein\] needs a GPU and there is none here; take --backend mini, or give --device cpu"
    with pytest.raises(BackendError, match=words):
        load("klein")


def test_a_model_that_is_not_whole_is_one_sentence(tmp_path):
    with pytest.raises(BackendError, match=r"There is no FLUX.2 \[klein\] model in "):
        KleinBackend.load(tmp_path / "nowhere")
    folder = shutil.copytree(saved(), tmp_path / "model")
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(BackendError, match="cannot be loaded"):
        KleinBackend.load(folder)
    os.rename(weights, weights.with_suffix(".bin"))  # which could run code
    with pytest.raises(BackendError, match="is not complete: transformer lacks its config"):
        KleinBackend.load(folder)
    shutil.rmtree(folder / "text_encoder")
    with pytest.raises(BackendError, match="it has no folder text_encoder"):
        KleinBackend.load(folder)


def test_where_memory_runs_out_a_story_goes_on_under_the_next_plan(tmp_path):
    said = []
    klein = loaded(tell=said.append)

    def runs_out(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    assert "transformer in float32" in said[0]
    for progress in Renderer(klein).render(STORY, tmp_path):
        if progress.panel == 1 and progress.step.frame:
            klein.pipeline.transformer.single_transformer_blocks[0].register_forward_pre_hook(runs_out)
    assert klein.pipeline.transformer.dtype == torch.bfloat16 and (tmp_path / "frames" / "002.png").is_file()
    assert said[1].startswith("Memory ran out with transformer in float32") and "FLUX.2 [klein] goes on" in said[1]


def ink(name):
    """A LoRA of the first layer that reads the frame, in the names of diffusers or of those who trained it."""
    generator = torch.Generator().manual_seed(3)
    down, up = torch.randn(4, 32, generator=generator), torch.randn(96, 4, generator=generator)
    if name == "diffusers":
        prefix = "transformer.transformer_blocks.0.attn.to_q"
        return {f"{prefix}.lora_A.weight": down, f"{prefix}.lora_B.weight": up[:32]}
    prefix = "diffusion_model.double_blocks.0.img_attn.qkv"
    return {f"{prefix}.lora_A.weight": down, f"{prefix}.lora_B.weight": up}


@pytest.mark.parametrize(("names", "layers"), [("diffusers", 1), ("comfy", 3)])
def test_a_lora_is_the_base_with_its_product_added(klein, tmp_path, names, layers):
    save_file(ink(names), tmp_path / "ink.safetensors")
    folder, said = shutil.copytree(saved(), tmp_path / "model"), []
    file = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    weights, (down, up) = load_file(file), ink(names).values()
    for layer, part in zip("qkv"[:layers], up.split(32), strict=True):
        weights[f"transformer_blocks.0.attn.to_{layer}.weight"] += 0.5 * part @ down
    save_file(weights, file)
    merged, on_top = loaded(folder), loaded(loras=[Lora(str(tmp_path / "ink.safetensors"), 0.5)], tell=said.append)
    assert abs(pixels(frame(on_top, FOX)) - pixels(frame(merged, FOX))).max() <= 2
    assert (pixels(frame(on_top, FOX)) != pixels(frame(klein, FOX))).any()
    assert said[1].endswith(f"{layers} of the {layers} layers in its file are loaded.")
    assert len({klein.about.version, merged.about.version, on_top.about.version}) == 3


def test_a_lora_of_another_model_is_refused(tmp_path):
    save_file({"unet.down.weight": torch.zeros(2, 2)}, tmp_path / "ink.safetensors")
    with pytest.raises(BackendError, match=r"has nothing for FLUX.2 \[klein\]; it was made for another model"):
        loaded(loras=[Lora(str(tmp_path / "ink.safetensors"))])


def test_the_command_line_takes_it_and_says_what_it_does_not_do(tmp_path, capsys):
    (tmp_path / "story.txt").write_text("from_sketch: reference\n\nA hill at night. [NC]\n", encoding="utf-8")
    command = ["render", str(tmp_path / "story.txt"), "--out", str(tmp_path / "out"), "--model", str(saved())]
    command += ["--backend", "klein", "--device", "cpu", "--size", "64", "--steps", "1"]
    assert main([*command, "--routing", "close"]) == 0 and (tmp_path / "out" / "frames" / "001.png").is_file()
    assert "panel 1: rendered, with its sketch to look at, seed 0." in capsys.readouterr().out
    for more, words in (
        (["--speed", "few"], "The backend klein takes no --speed few; flux does."),
        (["--backend", "mini", "--routing", "close"], "The backend mini takes no --routing close; klein does."),
    ):
        assert main([*command, *more]) == 2
        assert words in capsys.readouterr().err
