"""The embedded model's autoencoder: diffusers' interface and standardised latents."""

import pytest
import torch

from anystory.model.autoencoder import PatchAutoencoder


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = PatchAutoencoder(latent_channels=8, width=16, encoder_depth=1, decoder_depth=1)
    for parameter in model.parameters():  # the networks' last layers start at zero: wake them
        torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


@pytest.mark.parametrize("size", [(64, 64), (128, 96), (256, 256)])
@torch.no_grad()
def test_eight_pixels_a_latent(model, size):
    latents = model.encode(torch.rand(2, 3, *size) * 2 - 1).latents
    assert latents.shape == (2, 8, size[0] // 8, size[1] // 8)
    assert model.decode(latents).sample.shape == (2, 3, *size)
    assert model.vae_scale_factor == 8 and model.config.scaling_factor == 1


@torch.no_grad()
def test_standardising_moves_latents_and_not_pictures(model):
    pictures = torch.rand(8, 3, 64, 64) * 2 - 1
    before = model(pictures).sample
    for _ in range(2):  # a second time on top of the first
        latents = model.encode(pictures).latents
        model.set_statistics(latents.mean((0, 2, 3)), latents.std((0, 2, 3)))
        assert model.is_standardised
    latents = model.encode(pictures).latents
    assert torch.allclose(latents.mean((0, 2, 3)), torch.zeros(8), atol=1e-4)
    assert torch.allclose(latents.std((0, 2, 3)), torch.ones(8), atol=1e-4)
    assert torch.allclose(model(pictures).sample, before, atol=1e-4)


@torch.no_grad()
def test_saved_and_loaded_it_is_the_same(model, tmp_path):
    model.set_statistics(torch.full((8,), 0.3), torch.full((8,), 2.0))
    pictures = torch.rand(1, 3, 64, 64) * 2 - 1
    model.save_pretrained(tmp_path)
    loaded = PatchAutoencoder.from_pretrained(tmp_path)
    assert torch.equal(loaded.encode(pictures).latents, model.encode(pictures).latents)
    assert torch.equal(loaded(pictures).sample, model(pictures).sample)


@torch.no_grad()
def test_half_precision_is_close(model):
    pictures = torch.rand(1, 3, 64, 64) * 2 - 1
    exact = model(pictures).sample
    rough = model.to(torch.bfloat16)(pictures.bfloat16()).sample
    assert rough.dtype == torch.bfloat16
    assert (rough.float() - exact).abs().max() < 0.05 * exact.abs().max()


def test_refuses_sides_it_cannot_divide(model):
    with pytest.raises(ValueError, match="60 x 64"):
        model.encode(torch.zeros(1, 3, 64, 60))
    with pytest.raises(ValueError, match="even"):
        PatchAutoencoder(patch=7)
