"""What the embedded model stands on, trained on a small art folder: autoencoder, text encoder, vision encoder."""

from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F
from transformers import CLIPVisionModelWithProjection

from anystory.model.autoencoder import PatchAutoencoder
from anystory.training import autoencoder, text
from anystory.training.art import Art
from anystory.training.autoencoder import (
    CHUNK,
    JOINT,
    pictures,
    psnr,
    shows,
    standardise,
    start_from_principal_components,
    train_autoencoder,
)
from anystory.training.loop import Loop, replace_folder, warm_up_and_decay
from anystory.training.vision import (
    SIDE,
    Drawings,
    contrastive_loss,
    hue_turn,
    look,
    retrieval,
    sentences,
    train_vision,
)
from anystory.training.world import World
from tests.training.test_world import folder  # noqa: F401 (a fixture)


def test_the_start_is_the_best_linear_codec():
    torch.manual_seed(0)
    images = F.interpolate(torch.randn(16, 3, 8, 8), size=64, mode="bicubic")
    images -= images.mean((0, 2, 3), keepdim=True)
    model = PatchAutoencoder(latent_channels=8, width=8)
    start_from_principal_components(model, images)
    with torch.no_grad():
        latents = model.encode(images).latents
        error = (model.decode(latents).sample - images).square().sum()
    patches = F.pixel_unshuffle(images, 8).permute(0, 2, 3, 1).flatten(0, 2)
    best = torch.linalg.svdvals(patches - patches.mean(0))[8:].square().sum()
    offset = (patches.mean(0) - patches.mean(0).view(3, -1).mean(1).repeat_interleave(64)).square().sum() * len(patches)
    assert best * 0.999 <= error <= (best + offset) * 1.001
    assert torch.allclose(latents.var((0, 2, 3), correction=0), torch.ones(8), atol=1e-2)


def test_a_latent_channel_spreads_as_the_root_of_what_it_shows():
    torch.manual_seed(0)
    images = F.interpolate(torch.randn(16, 3, 8, 8), size=64, mode="bicubic")
    model = PatchAutoencoder(latent_channels=8, width=8)
    start_from_principal_components(model, images)
    with torch.no_grad():
        latents = model.encode(images).latents
        # Of a linear codec it is the length of the channel's patch, over the root of the numbers in it.
        lengths = model.linear_decoder.weight.flatten(1).norm(dim=1) / (3 * 8 * 8) ** 0.5
        assert torch.allclose(shows(model, latents), lengths, rtol=0.05)
        before = model(images).sample
        standardise(model, images)
        latents = model.encode(images).latents
        expected = (lengths / lengths.max()).sqrt()
        assert expected.min() < 0.9 and torch.allclose(latents.std((0, 2, 3)), expected, rtol=0.05)
        assert latents.mean((0, 2, 3)).abs().max() < 1e-4 and torch.allclose(model(images).sample, before, atol=1e-4)


def test_autoencoder_learns_and_its_latents_are_final_before_its_decoder(folder, tmp_path, monkeypatch):  # noqa: F811
    run = {"batch": 8, "seed": 3}
    monkeypatch.setattr(autoencoder, "POOL", 8 * CHUNK)
    world = World(Art(folder, tmp_path, split="train", size=48), tmp_path, size=48, scenes_count=19, seed=3)
    images, _ = pictures(world, 32, np.random.default_rng(0))
    assert images.shape == (32, 3, 48, 48) and images.min() >= -1 and images.max() <= 1

    start = PatchAutoencoder(patch=4, latent_channels=8, width=64)
    start_from_principal_components(start, pictures(world, 256, np.random.default_rng(1))[0])
    model = train_autoencoder(world, tmp_path / "out", steps=40, **run)
    with torch.no_grad():
        assert psnr(model(images).sample, images).mean() > psnr(start(images).sample, images).mean()
        latents = model.encode(images).latents
    assert model.config.patch == 4 and latents.mean((0, 2, 3)).abs().max() < 0.5
    assert 0.6 < latents.std((0, 2, 3)).max() < 1.4 and latents.std((0, 2, 3)).min() < 0.6

    # Prolonged, it goes on and leaves the latents as they are.
    assert JOINT > 40 / 60
    again = train_autoencoder(world, tmp_path / "out", steps=60, **run)
    with torch.no_grad():
        assert torch.equal(again.encode(images).latents, latents)
        assert not torch.equal(again.decode(latents).sample, model.decode(latents).sample)
        saved = PatchAutoencoder.from_pretrained(tmp_path / "out" / "vae")
        assert torch.equal(saved.decode(latents).sample, again.decode(latents).sample)


@pytest.mark.parametrize("step", [7, 9])
def test_an_autoencoder_broken_off_ends_where_it_would_have(folder, tmp_path, monkeypatch, step):  # noqa: F811
    """Before the latents are measured and in the middle of a chunk's use; after both."""
    run = {"steps": 12, "batch": 4, "seed": 3}
    world = World(Art(folder, tmp_path, split="train", size=48), tmp_path, size=48, scenes_count=2, seed=3)
    monkeypatch.setattr(autoencoder, "MEASURED", 2)
    monkeypatch.setattr(autoencoder, "POOL", 2 * CHUNK)
    monkeypatch.setattr(autoencoder, "REUSE", 3)
    whole = train_autoencoder(world, tmp_path / "whole", **run).state_dict()

    steps = iter(range(step))

    def stop(*arguments):
        if next(steps, None) is None:
            raise KeyboardInterrupt
        return warm_up_and_decay(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(autoencoder, "warm_up_and_decay", stop)
        patch.setattr(autoencoder, "Loop", partial(Loop, save_every=0.0))
        with pytest.raises(KeyboardInterrupt):
            train_autoencoder(world, tmp_path / "broken", **run)
    assert torch.load(tmp_path / "broken" / "state-autoencoder.pt", weights_only=True)["step"] == step
    broken = train_autoencoder(world, tmp_path / "broken", **run).state_dict()
    assert all(torch.equal(weight, broken[key]) for key, weight in whole.items())


def test_loop_resumes_where_it_stopped(tmp_path):
    layer, published = torch.nn.Linear(1, 1), []

    def loop(steps):
        return Loop("test", tmp_path / "state.pt", {"layer": layer}, lambda: published.append(1), steps=steps)

    assert list(loop(4)) == [0, 0.25, 0.5, 0.75]
    weight = layer.weight.detach().clone()
    torch.nn.init.zeros_(layer.weight)
    resumed = loop(8)
    assert torch.equal(layer.weight, weight)
    assert list(resumed) == [0.5, 0.625, 0.75, 0.875]
    assert len(published) == 2
    with pytest.raises(ValueError, match="either steps or minutes"):
        Loop("test", tmp_path / "state.pt", {}, lambda: None, steps=1, minutes=1)


@pytest.mark.parametrize(
    ("bound", "seconds"), [({"steps": 9}, 300), ({"minutes": 240}, 300), ({"minutes": 20}, 120), ({"minutes": 1}, 60)]
)
def test_a_short_training_saves_oftener(tmp_path, bound, seconds):
    assert Loop("test", tmp_path / "state.pt", {}, lambda: None, save_every=300, **bound).save_every == seconds


def test_learning_rate_rises_stays_and_falls():
    assert 0 < warm_up_and_decay(0) < 0.1
    assert warm_up_and_decay(0.5) == 1
    assert warm_up_and_decay(0.85) == pytest.approx(0.5)
    assert warm_up_and_decay(1) == 0


def test_a_folder_is_replaced_whole(tmp_path):
    target = tmp_path / "vae"

    def write(name):
        def fill(part):
            part.mkdir()
            (part / name).write_text(name)

        return fill

    def fail(part):
        part.mkdir()
        raise OSError("disk full")

    replace_folder(target, write("a"))
    with pytest.raises(OSError, match="disk full"):
        replace_folder(target, fail)
    assert [p.name for p in target.iterdir()] == ["a"]
    replace_folder(target, write("b"))
    assert [p.name for p in target.iterdir()] == ["b"] and [p.name for p in tmp_path.iterdir()] == ["vae"]


@pytest.fixture(scope="module")
def foundations(tmp_path_factory):
    out = tmp_path_factory.mktemp("foundations")
    text.install_text_encoder(out)
    return out


def test_the_text_encoder_is_small_and_knows_meanings(foundations):
    tensors = load_file(foundations / "text_encoder" / "model.safetensors")
    assert {t.dtype for t in tensors.values()} == {torch.float16}
    tokenizer, encoder = text.load_text_encoder(foundations)
    assert tokenizer.model_max_length == 77
    dog, puppy, plane, long = text.embed_sentences(
        tokenizer, encoder, ["a dog on the beach", "puppy at the seashore", "an airplane", "word " * 500]
    )
    assert dog @ puppy > dog @ plane + 0.2
    assert long.norm() == pytest.approx(1, abs=1e-3)


def test_sentences_name_no_colour_of_a_recoloured_drawing():
    assert sentences("red apple", ("fruit", "red", "apple"), True)[0] == "red apple"
    said = " ".join(sentences("red apple", ("fruit", "red", "apple", "coloured pencil"), False))
    assert "red" not in said and "apple" in said and "pencil" in said
    assert sentences("orange", (), False)[0] == "a thing"


def test_hue_turn_keeps_greys_and_comes_round():
    grey, colour = torch.full((3,), 0.4), torch.tensor([0.8, 0.2, 0.1])
    third = hue_turn(torch.tensor([2 * torch.pi / 3]))[0]
    assert torch.allclose(third @ grey, grey, atol=1e-6)
    assert torch.allclose(third @ third @ third @ colour, colour, atol=1e-6)
    assert not torch.allclose(third @ colour, colour, atol=0.1)


def test_a_look_is_on_white_and_never_the_same_twice():
    cells = torch.zeros(10, 4, 64, 64, dtype=torch.uint8)
    cells[:, 0, 24:40, 24:40], cells[:, 3, 24:40, 24:40] = 200, 255
    generator = torch.Generator().manual_seed(0)
    first, second = (look(cells, torch.zeros(10), generator) for _ in range(2))
    assert first.shape == (10, 3, SIDE, SIDE) and first.min() >= -1 and first.max() <= 1
    assert torch.allclose(first[:, :, 0, 0], torch.ones(10, 3), atol=1e-5)
    assert (first - second).abs().flatten(1).amax(1).min() > 0.1
    assert (first[:, 0] > first[:, 1] + 0.5).flatten(1).any(1).all()  # red stays red without a turn of hue


def test_contrastive_loss_does_not_push_the_same_apart():
    a = F.normalize(torch.randn(4, 8, generator=torch.Generator().manual_seed(0)), dim=-1)
    a[1] = a[0]
    same = torch.eye(4, dtype=torch.bool)
    scale = torch.tensor(3.0)
    punished = contrastive_loss(a, a, scale, same)
    same[0, 1] = same[1, 0] = True
    assert contrastive_loss(a, a, scale, same) < punished - 0.2


def test_vision_encoder_learns_names_and_identity(folder, foundations, tmp_path):  # noqa: F811
    art = Art(folder, tmp_path, split="train", size=64)
    train_vision(art, foundations, steps=40, batch=8, seed=1)
    trained = CLIPVisionModelWithProjection.from_pretrained(foundations / "image_encoder").eval()
    assert trained.config.image_mean == [0.5, 0.5, 0.5] and trained.config.image_size == SIDE
    drawings = Drawings.load(art, foundations)
    assert drawings.words.shape == (2, 3, len(drawings.art), 384)
    found = retrieval(trained, drawings, torch.Generator().manual_seed(0), count=11)
    assert found["name_top5"] == 1 and 0 <= found["look_top1"] <= 1  # five names are all there are
    assert found["name_top1"] > 0.4


def test_vision_encoder_learns_from_fewer_drawings_than_a_batch_has(folder, foundations, tmp_path):  # noqa: F811
    art = Art(folder, tmp_path, split="train", size=64)
    train_vision(art, foundations, steps=1, batch=4 * len(art), seed=1)
