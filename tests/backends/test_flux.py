"""The flux backend on the authors' tiny weights: frames, maps, LoRAs, and what is said of what cannot be loaded."""

import json
import os
import pickle
import re
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file, save_file

from anystory.__main__ import main
from anystory.backends.base import BackendError, Lora, Request
from anystory.backends.card import fingerprint
from anystory.backends.flux import FluxBackend
from anystory.backends.load import load as load_backend
from anystory.cast.images import square_crop
from anystory.errors import Message
from anystory.maps.diagnosis import diagnose
from anystory.model.flux.pipeline import FluxSettings
from anystory.pages.balloons import Lettering, letter
from anystory.project.folder import Project
from anystory.render.session import Renderer
from anystory.story.model import ATTENTION, BACKGROUND, ROUTING, Line, Panel, Prompt, Script, Settings, Story, Subject

GOLDEN = Path(__file__).parent.parent / "golden" / "flux"
SETTINGS = Settings(size=64, steps=4, guidance=3.5)


@pytest.fixture(scope="module")
def flux():
    return load_backend("flux", model=GOLDEN)


def subject(name, seed=0, edge=255):
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 255, (9, 12, 3), np.uint8)).resize((120, 90), Image.Resampling.BICUBIC)
    mask = Image.new("L", image.size)
    ImageDraw.Draw(mask).ellipse((20, 10, 90, 80), fill=edge)
    return Subject(name, image, mask)


FOX, OWL = subject("Fox", 1), subject("Owl", 2)


def frame(flux, *subjects, seed=7, settings=SETTINGS, text="a fox and an owl"):
    names, cast = [s.name for s in subjects], [flux.encode(s) for s in subjects]
    return list(flux.denoise(Request(Prompt(text), names, cast, settings, seed)))


def test_a_frame_comes_with_a_preview_a_step(flux):
    steps = frame(flux, FOX)
    assert [(step.index, step.total) for step in steps] == [(k, 4) for k in range(1, 5)]
    assert all(step.preview.mode == "RGB" for step in steps)
    assert [step.frame is None for step in steps] == [True, True, True, False]
    assert steps[-1].frame.image.size == (64, 64)
    assert steps[-1].frame.seed == 7


def test_nobody_leaves_the_frame_to_the_background(flux):
    maps = frame(flux)[-1].frame.maps
    assert maps.names == (BACKGROUND,)
    assert (maps.values == 1).all()


def test_one_subject_has_a_share_of_attention_and_not_the_whole_frame(flux):
    made = frame(flux, FOX)[-1].frame
    assert made.maps.measure == ATTENTION
    assert made.maps.names == ("Fox", BACKGROUND)
    fox = made.maps.values[0]
    assert 0 < fox.min() < fox.max() < 1
    np.testing.assert_allclose(made.maps.values.sum(0), 1, atol=1e-5)
    assert made.trace is None
    diagnosis = diagnose(made.maps)
    assert diagnosis.passed
    assert "of the frame's attention" in diagnosis.sentence


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_balloons_keep_off_the_one_character_of_a_frame(flux, seed):
    """Random weights attend to somebody nearly evenly; what differs is stretched to what trained ones show."""
    made = frame(flux, FOX, seed=seed)[-1].frame
    share = made.maps.values[0]
    share = 0.2 * (share - share.min()) / np.ptp(share)
    maps = replace(made.maps, values=np.stack([share, 1 - share]).astype(np.float32))
    image = made.image.resize((512, 512))
    lettered = letter(image, Panel("a fox", ("Fox",), "", (Line("Fox", "Over here!"),)), maps, Lettering())
    ((left, top, right, bottom),) = lettered.boxes
    (fox,) = maps.located(image.size)
    assert fox.any() and not fox[int(top) : int(bottom), int(left) : int(right)].any() and not lettered.warnings


def test_two_subjects_are_routed_softly_and_traced_hard(flux):
    made = frame(flux, FOX, OWL)[-1].frame
    assert made.maps.measure == ROUTING
    assert made.maps.names == ("Fox", "Owl", BACKGROUND)
    values = made.maps.values
    np.testing.assert_allclose(values.sum(0), 1, atol=1e-5)
    assert values[2].max() < 1e-6
    assert len(np.unique(values[0])) > 2  # soft: averages of softmax, not of zeros and ones
    assert made.trace.shapes == flux.layer_shapes(SETTINGS) == ((4, 4),) * 5
    assert set(np.unique(made.trace.holders(made.trace.steps[-1], 1))) <= {0, 1}


@pytest.mark.parametrize("size", [(112, 48), (32, 80)])
def test_wide_and_tall_frames_have_maps_and_traces_of_their_shape(flux, size):
    """Numbers against the slow second truth are in tests/model/test_flux.py."""
    width, height = size
    settings = replace(SETTINGS, size=f"{width}x{height}", steps=2)
    steps = frame(flux, FOX, OWL, settings=settings)
    made, tokens = steps[-1].frame, (height // 16, width // 16)
    assert made.image.size == size and steps[0].preview.size == (width // 2, height // 2)
    assert made.maps.values.shape[1:] == tokens
    assert made.trace.shapes == flux.layer_shapes(settings) == (tokens,) * 5
    prompt, names = Prompt("a fox and an owl"), ("Fox", "Owl")
    order = Request(prompt, names, tuple(map(flux.encode, (FOX, OWL))), settings, 7)
    *_, both = replace(flux, batch=2).denoise_batch([order, replace(order, seed=8)])
    assert np.abs(np.asarray(both[0].frame.image, int) - np.asarray(made.image, int)).max() <= 2


def test_attention_shares_are_kept_as_what_they_are_in_a_folder(flux, tmp_path):
    script = Script(panels=(Panel("Fox sleeps.", ("Fox",)),))
    list(Renderer(flux).render(Story(script, (FOX,), SETTINGS), tmp_path))
    assert Project(tmp_path).frame(1).maps.measure == ATTENTION


def test_the_same_seed_gives_the_same_frame_and_another_does_not(flux):
    one, same, other = (np.asarray(frame(flux, FOX, OWL, seed=s)[-1].frame.image) for s in (7, 7, 8))
    assert (one == same).all()
    assert (one != other).any()


def test_strengths_change_the_frame(flux):
    plain = np.asarray(frame(flux, FOX)[-1].frame.image)
    for change in ({"eta": 0.0}, {"gamma": 3.0}, {"guidance": 8.0}):
        assert (np.asarray(frame(flux, FOX, settings=replace(SETTINGS, **change))[-1].frame.image) != plain).any()


def test_a_subject_is_encoded_in_a_square_with_a_definite_edge(flux):
    encoded = flux.encode(FOX)
    expected = flux.pipeline.encode(*square_crop(FOX.image, FOX.mask))
    torch.testing.assert_close(encoded.redux, expected.redux)
    soft = subject("Fox", 1, edge=150)  # fainter than the authors' bound: taken all the same
    assert flux.encode(soft).ref_mask.any()


def test_every_picture_of_a_character_counts_and_frames_with_other_numbers_are_made_all_the_same(flux):
    album = replace(FOX, more=OWL.pictures)
    encoded, single = flux.encode(album), flux.encode(FOX)
    assert encoded.pictures == 2 and torch.equal(encoded.ref[:1], single.ref)
    assert torch.allclose(encoded.router, (single.router + flux.encode(OWL).router) / 2, atol=1e-6)
    alone = [frame(flux, fox)[-1].frame for fox in (FOX, album, FOX)]
    assert (np.asarray(alone[0].image) != np.asarray(alone[1].image)).any() and len(alone[1].maps.names) == 2
    prompt = Prompt("a fox and an owl")
    orders = [Request(prompt, ("Fox",), (cast,), SETTINGS, 7) for cast in (single, encoded, single)]
    made = {}
    for steps in replace(flux, batch=2).denoise_batch(orders):
        made |= {place: step.frame for place, step in steps.items() if step.frame}
    for place, one in enumerate(alone):
        away = np.asarray(made[place].image, float) - np.asarray(one.image, float)
        assert abs(away).max() <= 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size": 72}, "The height is 72; it must be a multiple of 16 from 16."),
        ({"steps": 0}, "The number of steps is 0; it must be at least 1."),
    ],
)
def test_settings_that_make_no_frame_are_refused(flux, change, said):
    with pytest.raises(BackendError) as error:
        frame(flux, settings=replace(SETTINGS, **change))
    assert str(error.value) == said and isinstance(error.value.said, Message)


def test_a_crowd_is_refused(flux):
    with pytest.raises(BackendError, match="at most 4 characters, this panel has 5"):
        frame(flux, *[subject(str(k), k) for k in range(5)])


def test_what_t5_does_not_read_is_told_by_whole_words(flux):
    assert flux.unread(Prompt("A short prompt.")) == ""
    text = "moon " * 120
    unread = flux.unread(Prompt(text))
    assert unread
    assert text.strip().endswith(unread)
    assert set(unread.split()) == {"moon"}


def test_checking_a_script_while_a_frame_is_made_changes_no_encoding(flux):
    """The frame's tokenizer is set to pad and cut, the check's not: of one tokenizer for both some prompts came out as
    long as they were."""
    lengths, stop = set(), threading.Event()

    def check():
        while not stop.is_set():
            flux.unread(Prompt("a fox and an owl " * 3))

    checking = threading.Thread(target=check)
    checking.start()
    try:
        for number in range(60):
            lengths.add(flux.pipeline._get_t5_prompt_embeds(f"a fox {number}").shape[1])
    finally:
        stop.set()
        checking.join()
    assert lengths == {512}


def test_a_mask_counts_wholly_where_it_is_more_than_nothing(flux):
    """As in the release, whose masks are compared with 0 on every grid."""
    faint = FOX.mask.point([0] + [1] * 255)
    soft, hard = (flux.pipeline.encode(FOX.image, mask) for mask in (faint, FOX.mask))
    for name in ("redux", "router", "ref_mask"):
        where = [getattr(one, name).abs().sum(-1) > 0 for one in (soft, hard)]
        assert torch.equal(*where) and 0 < where[0].sum() <= where[0].numel()
    assert set(soft.ref_mask.unique().tolist()) == {0.0, 1.0}


def test_a_version_tells_tokenizers_weights_of_every_form_and_the_packages_in_use(folder):
    def version(*packages):
        return fingerprint([folder], "", packages)

    first = version()
    seen = {first, version("peft")}
    for name in ("transformer/flux.gguf", "tokenizer/merges.txt", "tokenizer_2/spiece.model", "tokenizer/vocab.json"):
        (folder / "base" / name).write_bytes(b"1")
        seen.add(version())
        (folder / "base" / name).write_bytes(b"2")
        seen.add(version())
    assert len(seen) == 2 + 2 * 4
    (folder / "base" / "README.md").write_text("notes")
    assert version() in seen


# What cannot be loaded.


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(GOLDEN, tmp_path / "flux"))


def refusal(folder, **more):
    with pytest.raises(BackendError) as error:
        load_backend("flux", model=folder, **more)
    return str(error.value)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("write", [torch.save, lambda value, file: file.write_bytes(pickle.dumps(value))])
def test_a_file_that_would_run_code_is_refused_and_not_run(folder, tmp_path, write):
    write({"ref": Bomb(tmp_path / "ran"), "redux": {}, "router": {}}, folder / "anystory_flux_tiny.bin")
    assert "anystory_flux_tiny.bin is not the AnyStory checkpoint: it does not hold weights alone." in refusal(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"<html>Sign in</html>"])
def test_any_other_file_in_place_of_the_checkpoint(folder, content):
    (folder / "anystory_flux_tiny.bin").write_bytes(content)
    assert "anystory_flux_tiny.bin is not the AnyStory checkpoint" in refusal(folder)


def test_half_a_checkpoint(folder):
    file = folder / "anystory_flux_tiny.bin"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert "is not the AnyStory checkpoint, or not all of it: download it again." in refusal(folder)


def test_other_weights_in_place_of_the_checkpoint(folder):
    file = folder / "anystory_flux_tiny.bin"
    parts = torch.load(file, weights_only=True)
    torch.save({"state_dict": parts["ref"]}, file)
    assert "that holds the three parts ref, redux, router" in refusal(folder)
    name = "transformer.transformer_blocks.0.attn.to_q.lora_A.weight"
    torch.save(parts | {"ref": parts["ref"] | {name: torch.zeros(4, 7)}}, file)
    assert "does not fit this transformer: layer attn.to_q maps 32 to 32, its branch 7 to 32" in refusal(folder)
    torch.save(parts | {"router": {}}, file)
    assert "The checkpoint " in refusal(folder)


def test_a_weight_file_that_is_cut_short(folder):
    file = folder / "base" / "transformer" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    said = refusal(folder)
    assert said.startswith(f"The model in {str(folder)!r} cannot be loaded: ")
    assert said.endswith("Get a file anew that is cut short.")


def test_a_folder_that_is_no_flux_model(folder, tmp_path):
    shutil.rmtree(folder / "redux" / "image_embedder")
    assert refusal(folder) == f"There is no FLUX model in {str(folder)!r}: it has no folder redux/image_embedder."
    assert "There is no FLUX model" in refusal(tmp_path / "nowhere")


def test_a_folder_that_lacks_files(folder):
    (folder / "base" / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert refusal(folder).startswith(f"The model in {str(folder)!r} is not complete: base/vae lacks its config, its ")


def test_without_text_encoders_it_says_what_is_missing(folder):
    shutil.rmtree(folder / "base" / "text_encoder_2")
    assert "it has no folder base/text_encoder_2" in refusal(folder)


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU here")
def test_without_a_gpu_nothing_is_downloaded():
    with pytest.raises(BackendError, match="FLUX needs a GPU and there is none here; take --backend mini, or give"):
        load_backend("flux")


# LoRAs.


def lora_state(scale=1.0):
    generator = torch.Generator().manual_seed(3)
    down, up = torch.randn(4, 32, generator=generator), torch.randn(32, 4, generator=generator) * scale
    prefix = "transformer.transformer_blocks.0.attn.to_q"
    return {f"{prefix}.lora_A.weight": down, f"{prefix}.lora_B.weight": up}


@pytest.fixture
def lora(tmp_path):
    save_file(lora_state(), tmp_path / "ink.safetensors")
    return tmp_path / "ink.safetensors"


def latents(flux):
    generator = torch.Generator().manual_seed(0)
    states, pooled = torch.randn(1, 12, 32, generator=generator), torch.randn(1, 32, generator=generator)
    cast = [flux.encode(FOX), flux.encode(OWL)]
    settings = FluxSettings(height=64, width=64, num_inference_steps=3, enable_router=True)
    *_, last = flux.pipeline.denoise(states, pooled, cast, flux.pipeline.noise(1, 64, 64), settings)
    return last.latents


def test_a_lora_is_the_base_with_its_product_added(flux, folder, lora):
    file = folder / "base" / "transformer" / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    down, up = lora_state().values()
    weights["transformer_blocks.0.attn.to_q.weight"] += 0.5 * up @ down
    save_file(weights, file)
    merged = FluxBackend.load(folder)
    on_top = FluxBackend.load(GOLDEN, loras=[Lora(str(lora), 0.5)])
    torch.testing.assert_close(latents(on_top), latents(merged), atol=2e-4, rtol=0)
    assert (latents(merged) - latents(flux)).abs().max() > 0.01
    assert len({flux.about.version, merged.about.version, on_top.about.version}) == 3


def test_loras_that_cannot_be_loaded(lora, tmp_path):
    def said(name):
        return refusal(GOLDEN, loras=[Lora(str(name))])

    assert "There is no LoRA file" in said(tmp_path / "none.safetensors")
    (tmp_path / "ink.bin").write_bytes(b"")
    assert "must be a .safetensors file; other files could run code" in said(tmp_path / "ink.bin")
    save_file({"unet.down.weight": torch.zeros(2, 2)}, lora)
    assert "has nothing for FLUX.1-dev" in said(lora)
    save_file({k.replace("to_q", "to_z"): v for k, v in lora_state().items()}, lora)
    assert "FLUX.1-dev" in said(lora)
    for told in (
        "{",
        '{"transformer.lora_alpha": 8, "transformer.alpha_pattern": {"(": 8}}',
        '{"transformer.lora_alpha": []}',
    ):
        save_file(lora_state(), lora, {"format": "pt", "lora_adapter_metadata": told})
        assert "does not fit FLUX.1-dev" in said(lora)
    lora.write_bytes(b"ink")
    assert "cannot be read" in said(lora)


def test_the_strength_in_a_files_metadata_counts(flux, lora, tmp_path):
    """PEFT's alpha of 16 at rank 4 is four times the product, also where a pattern says it of the layer only."""
    prefix = {"transformer.r": 4, "transformer.lora_alpha": 16}
    told = [prefix, {**prefix, "transformer.lora_alpha": 4, "transformer.alpha_pattern": {"attn.to_q": 16}}]
    plain = FluxBackend.load(GOLDEN, loras=[Lora(str(lora), 2.0)])
    for metadata in told:
        file = tmp_path / "told.safetensors"
        save_file(lora_state(), file, {"format": "pt", "lora_adapter_metadata": json.dumps(metadata)})
        told_of = FluxBackend.load(GOLDEN, loras=[Lora(str(file), 0.5)])
        torch.testing.assert_close(latents(told_of), latents(plain), atol=2e-4, rtol=0)


def test_keys_of_other_trainers_and_what_is_loaded_is_told(flux, lora, tmp_path):
    plain = latents(FluxBackend.load(GOLDEN, loras=[Lora(str(lora))]))
    for old, new in (
        ("transformer.transformer", "diffusion_model.transformer"),
        ("transformer.transformer", "transformer"),
    ):
        said: list[str] = []
        file = tmp_path / "other.safetensors"
        state = {key.replace(old, new, 1): value for key, value in lora_state().items()}
        state |= {key.replace("to_q", "to_z"): value.clone() for key, value in state.items()}
        save_file(state, file)
        assert torch.equal(latents(FluxBackend.load(GOLDEN, loras=[Lora(str(file))], tell=said.append)), plain)
        assert any("1 of the 2 layers" in words for words in said)


@pytest.mark.parametrize(
    ("layer", "down", "up", "words"),
    [
        (
            "transformer_blocks.0.attn.to_q",
            (4, 64),
            (64, 4),
            "made for another model: its layer .* maps 64 numbers to 64",
        ),
        ("x_embedder", (4, 1000), (32, 4), "is a control LoRA"),
    ],
)
def test_loras_of_other_widths_are_one_sentence(lora, layer, down, up, words):
    state = {
        f"transformer.{layer}.lora_A.weight": torch.zeros(down),
        f"transformer.{layer}.lora_B.weight": torch.zeros(up),
    }
    save_file(state, lora)
    assert re.search(words, refusal(GOLDEN, loras=[Lora(str(lora))]))


def test_two_loras_on_one_layer_add_up(lora):
    twice = FluxBackend.load(GOLDEN, loras=[Lora(str(lora), 0.25), Lora(str(lora), 0.25)])
    once = FluxBackend.load(GOLDEN, loras=[Lora(str(lora), 0.5)])
    torch.testing.assert_close(latents(twice), latents(once), atol=2e-4, rtol=0)


def test_a_lora_in_another_programs_keys_for_another_model_is_one_sentence(lora):
    prefix = "lora_unet_single_blocks_0_linear1"
    state = {f"{prefix}.lora_down.weight": torch.zeros(4, 40), f"{prefix}.lora_up.weight": torch.zeros(70, 4)}
    save_file({**state, f"{prefix}.alpha": torch.tensor(4.0)}, lora)
    assert "was made for another model" in refusal(GOLDEN, loras=[Lora(str(lora))])


def test_names_and_strengths_are_read():
    assert Lora.parse("somebody/ink:0.8") == Lora("somebody/ink", 0.8)
    assert Lora.parse("somebody/ink") == Lora("somebody/ink")
    assert Lora.parse(r"C:\loras\ink.safetensors") == Lora(r"C:\loras\ink.safetensors")
    for text in ("", ":1", "ink:9", "ink:nan"):
        with pytest.raises(ValueError, match=r"LoRA|strength"):
            Lora.parse(text)


def test_other_backends_take_no_loras():
    with pytest.raises(BackendError, match="The backend mini takes no LoRAs"):
        load_backend("mini", loras=[Lora("somebody/ink")])


# A whole story.


def test_a_storyboard_without_pictures_runs_whole(tmp_path, capsys):
    story = GOLDEN.parent / "storyboard_sample.json"
    asked = {"--backend": "flux", "--model": GOLDEN, "--steps": 2, "--out": tmp_path}
    arguments = [str(word) for option in asked.items() for word in option]
    assert main(["render", str(story), *arguments]) == 0, capsys.readouterr().err
    assert [path.name for path in sorted((tmp_path / "frames").glob("*.png"))] == ["001.png", "002.png", "003.png"]
    drawn = sorted((tmp_path / "drawn").glob("*.png"))
    assert len(drawn) == 2  # the fox and the turtle, once each
    project = Project(tmp_path)
    assert [len(project.frame(n).maps.names) - 1 for n in (1, 2, 3)] == [1, 2, 0]
