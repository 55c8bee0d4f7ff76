"""Eq 3: what ReferenceNet records, that it stops early, and how large it is at SDXL's size."""

import pytest
import torch
from diffusers import UNet2DConditionModel

from anystory.evaluation.size import SDXL
from anystory.model.attention import SubjectAdapter, transformer_blocks
from anystory.model.reference import ReferenceNet


def _latents(pipeline, count=2):
    side = pipeline.config.reference_size // pipeline.latent_factor
    channels = pipeline.unet.config.in_channels
    noise = torch.randn(count, channels, side, side, generator=torch.Generator().manual_seed(1))
    mask = torch.zeros(count, 1, side, side)
    mask[..., 1:-1, 2:-2] = 1
    return torch.cat([noise, mask], dim=1)


def _self_attention_inputs(network, run):
    """(layers, inputs) of the self-attention in the order in which `run` executes it."""
    layers, inputs = [], []

    def keep(module, args):
        layers.append(module)
        inputs.append(args[0])

    hooks = [module.attn1.register_forward_pre_hook(keep) for module in network.modules() if hasattr(module, "attn1")]
    run()
    for hook in hooks:
        hook.remove()
    return layers, inputs


@torch.no_grad()
def test_features_are_the_inputs_of_every_self_attention_but_the_first(pipeline):
    network, latents = pipeline.reference_net, _latents(pipeline)
    layers, inputs = _self_attention_inputs(
        network, lambda: network(latents, torch.zeros(2), encoder_hidden_states=None)
    )
    assert layers == [block.attn1 for block in transformer_blocks(network)]
    features = network.features(latents)
    assert len(features) == len(inputs) - 1
    for feature, seen in zip(features, inputs[1:], strict=True):
        assert torch.equal(feature, seen)


@torch.no_grad()
def test_features_are_those_of_the_unet_without_cross_attention(pipeline):
    """With the mask empty, a fresh ReferenceNet is the stock U-Net whose cross-attention and size conditions say 0."""
    unet, latents = pipeline.unet, _latents(pipeline)
    latents[:, -1] = 0
    silent = [*(block.attn2 for block in transformer_blocks(unet)), unet.add_embedding]
    hooks = [module.register_forward_hook(lambda module, args, output: torch.zeros_like(output)) for module in silent]
    size = unet.config.projection_class_embeddings_input_dim - 6 * unet.config.addition_time_embed_dim
    conditions = {"text_embeds": torch.zeros(2, size), "time_ids": torch.zeros(2, 6)}
    states = torch.zeros(2, 1, unet.config.cross_attention_dim)
    _, inputs = _self_attention_inputs(
        unet, lambda: unet(latents[:, :-1], torch.zeros(2), states, added_cond_kwargs=conditions)
    )
    for hook in hooks:
        hook.remove()
    fresh = ReferenceNet.from_unet(unet).eval()
    for feature, seen in zip(fresh.features(latents), inputs[1:], strict=True):
        assert torch.allclose(feature, seen, atol=1e-5)


@torch.no_grad()
def test_the_pass_ends_at_the_last_self_attention_and_leaves_the_network_as_it_was(pipeline):
    network, ran = pipeline.reference_net, []
    processors = dict(network.attn_processors)
    after = transformer_blocks(network)[-1].ff
    hooks = [m.register_forward_hook(lambda *_: ran.append(1)) for m in (after, network.conv_out)]
    first = network.features(_latents(pipeline))
    assert ran == []
    for hook in hooks:
        hook.remove()
    assert {k: id(v) for k, v in network.attn_processors.items()} == {k: id(v) for k, v in processors.items()}
    assert all(torch.equal(a, b) for a, b in zip(first, network.features(_latents(pipeline)), strict=True))
    with pytest.raises(RuntimeError):
        network.features(torch.zeros(1, 1, 8, 8))  # wrong channels
    assert {k: id(v) for k, v in network.attn_processors.items()} == {k: id(v) for k, v in processors.items()}


@torch.no_grad()
def test_it_starts_from_the_unet_and_blind_to_the_mask(pipeline):
    network, unet = ReferenceNet.from_unet(pipeline.unet), pipeline.unet
    stock = unet.state_dict()
    for key, weight in network.state_dict().items():
        if key != "conv_in.weight":
            assert torch.equal(weight, stock[key])
    latents, unmasked = _latents(pipeline), _latents(pipeline)
    unmasked[:, -1] = 0
    pairs = zip(network.features(latents), network.features(unmasked), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    network.conv_in.weight[:, -1].normal_()
    pairs = zip(network.features(latents), network.features(unmasked), strict=True)
    assert not any(torch.equal(a, b) for a, b in pairs)


def test_gradients_flow_through_the_early_stop(pipeline):
    network = ReferenceNet.from_unet(pipeline.unet)
    sum(g.square().sum() for g in network.features(_latents(pipeline))).backward()
    assert network.conv_in.weight.grad.any()


@torch.no_grad()
def test_saved_and_loaded_it_is_the_same_and_still_without_cross_attention(pipeline, tmp_path):
    network = pipeline.reference_net
    network.save_pretrained(tmp_path)
    loaded = ReferenceNet.from_pretrained(tmp_path)
    assert all(block.attn2 is None and block.norm2 is None for block in transformer_blocks(loaded))
    weights = loaded.state_dict()
    assert weights.keys() == network.state_dict().keys()
    assert all(torch.equal(weight, weights[key]) for key, weight in network.state_dict().items())
    latents = _latents(pipeline)
    for a, b in zip(loaded.features(latents), network.features(latents), strict=True):
        # Not to the bit: kernels round by where in memory a weight lies, and a file's weights lie as in the file.
        assert torch.allclose(a, b, atol=1e-5)


def test_sdxl_has_the_papers_sizes():
    """Table 1: 2.57 B parameters become 2.02 B. 70 layers are routed, 69 of them read references."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(**SDXL)
        network = ReferenceNet.from_unet(unet)
        adapter = SubjectAdapter.from_unet(unet, routing_dim=1280, router_dim=64)
    size, reference_size, conditions = (
        sum(p.numel() for p in module.parameters()) for module in (unet, network, unet.add_embedding)
    )
    assert (round(size / 1e9, 2), round(reference_size / 1e9, 2)) == (2.57, 2.02)
    # A reference has no size conditions, and one more input channel of the stem reads the mask.
    assert reference_size + conditions - 320 * 9 == 2_021_626_884
    assert network.conv_in.in_channels == 5  # also where the U-Net's four are diffusers' default
    assert len(adapter.routers) == len(adapter.subject_k) == len(transformer_blocks(unet)) == 70
    assert len(adapter.reference_k) == len(adapter.reference_v) == 69
    assert adapter.subject_k[0].in_features == 2048
    assert {layer.in_features for layer in adapter.reference_k} == {640, 1280}
