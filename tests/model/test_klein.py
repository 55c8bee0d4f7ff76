"""The klein pipeline on tiny random weights of the real topology, against the stock one and a plain computation."""

import json

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKLFlux2, FlowMatchEulerDiscreteScheduler, Flux2KleinPipeline, Flux2Transformer2DModel
from PIL import Image
from safetensors.torch import load_file
from transformers import AutoTokenizer, Qwen3ForCausalLM

from anystory.model.flux.pipeline import Start
from anystory.model.flux.plans import FluxPlan, place
from anystory.model.klein.pipeline import AnyStoryKleinPipeline, KleinSettings
from anystory.model.routing import LEVELS, Guide, Guides
from tests.klein import saved
from tests.klein_by_hand import ByHand


@pytest.fixture(scope="module")
def pipeline():
    return AnyStoryKleinPipeline.from_release(saved())


@pytest.fixture(scope="module")
def stock():
    return stock_pipeline(torch.float32)


def stock_pipeline(dtype):
    folder = saved()
    made = Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler.from_pretrained(folder / "scheduler"),
        vae=AutoencoderKLFlux2.from_pretrained(folder / "vae", dtype=dtype).eval(),
        text_encoder=Qwen3ForCausalLM.from_pretrained(folder / "text_encoder", dtype=dtype).eval(),
        tokenizer=AutoTokenizer.from_pretrained(folder / "tokenizer"),
        transformer=Flux2Transformer2DModel.from_pretrained(folder / "transformer", dtype=dtype).eval(),
        is_distilled=True,
    )
    made.set_progress_bar_config(disable=True)
    return made


def picture(seed, size=64):
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), np.uint8)
    return Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC)


def made(pipeline, cast, settings, text="a fox and an owl", seed=7, guides=(), sketches=()):
    states = pipeline.encode_text(text)
    noise = pipeline.noise(seed, settings.height, settings.width)
    return list(pipeline.denoise_batch(states, [cast], noise, settings, guides, sketches=sketches))


@pytest.mark.parametrize("pictures", [(), (1,), (1, 1), (2, 1)])
@pytest.mark.parametrize("size", [(64, 64), (96, 48)])
def test_reading_alone_is_the_stock_pipeline_to_the_bit(pipeline, stock, pictures, size):
    albums = [[picture(10 * n + k) for k in range(count)] for n, count in enumerate(pictures)]
    cast = [pipeline.encode(album, 64) for album in albums]
    settings = KleinSettings(size[1], size[0])
    steps = made(pipeline, cast, settings)
    theirs = stock(
        image=[one for album in albums for one in album] or None,
        prompt="a fox and an owl",
        width=size[0],
        height=size[1],
        num_inference_steps=4,
        guidance_scale=1.0,
        generator=torch.Generator().manual_seed(7),
        output_type="latent",
    ).images
    assert torch.equal(pipeline._spread(steps[-1].latents, size[1], size[0]), theirs)
    assert all(len(step.logits) == (5 if pictures else 0) for step in steps)


@pytest.mark.parametrize("pictures", [0, 2])
def test_so_it_is_with_a_sketch_for_its_first_picture(pipeline, stock, pictures):
    album, sketch = [picture(k) for k in range(pictures)], picture(8, 128).crop((0, 0, 128, 64))
    settings = KleinSettings(48, 96)
    cast = [pipeline.encode([one], 64) for one in album]
    steps = made(pipeline, cast, settings, sketches=[pipeline.encode_sketch(sketch)])
    theirs = stock(
        image=[sketch, *album],
        prompt="a fox and an owl",
        width=96,
        height=48,
        num_inference_steps=4,
        guidance_scale=1.0,
        generator=torch.Generator().manual_seed(7),
        output_type="latent",
    ).images
    assert torch.equal(pipeline._spread(steps[-1].latents, 48, 96), theirs)
    assert all(len(step.logits) == (5 if pictures else 0) for step in steps)


@pytest.mark.parametrize(
    ("size", "read"),
    [((1024, 1024), (32, 32)), ((1344, 768), (42, 24)), ((2048, 512), (64, 16)), ((512, 768), (26, 39))],
)
def test_a_sketch_has_at_most_the_tokens_of_a_character_s_picture(pipeline, size, read):
    seen = pipeline.encode_sketch(Image.new("RGB", size)).shape[2:]
    assert seen == read[::-1] and seen.numel() <= 32**2
    assert pipeline.encode_sketch(Image.new("RGB", (96, 48))).shape[2:] == (3, 6)


LORA = (
    "transformer_blocks.0.attn.to_q",
    "transformer_blocks.1.attn.to_add_out",
    "single_transformer_blocks.2.attn.to_out",
)


def test_so_is_a_batch_in_half_precision_with_a_lora_on_top():
    ours, theirs = AnyStoryKleinPipeline.from_release(saved(), torch.bfloat16), stock_pipeline(torch.bfloat16)
    generator, state = torch.Generator().manual_seed(3), {}
    for layer in LORA:
        rows, columns = ours.transformer.get_submodule(layer).weight.shape
        state[f"transformer.{layer}.lora_A.weight"] = torch.randn(4, columns, generator=generator)
        state[f"transformer.{layer}.lora_B.weight"] = torch.randn(rows, 4, generator=generator)
    for one in (ours, theirs):
        one.load_lora_weights(dict(state), adapter_name="ink")
        one.set_adapters(["ink"], [0.7])
    pictures, texts = [picture(seed) for seed in range(3)], ["a fox and an owl", "an owl"]
    cast = [ours.encode(pictures[:2], 64), ours.encode(pictures[2:], 64)]
    states = torch.cat([ours.encode_text(text) for text in texts])
    noise = torch.cat([ours.noise(seed, 96, 48) for seed in range(2)])
    *_, last = ours.denoise_batch(states, [cast] * 2, noise, KleinSettings(96, 48))
    expected = theirs(
        image=pictures,
        prompt=texts,
        height=96,
        width=48,
        num_inference_steps=4,
        guidance_scale=1.0,
        generator=[torch.Generator().manual_seed(seed) for seed in range(2)],
        output_type="latent",
    ).images
    assert torch.equal(ours._spread(last.latents, 96, 48), expected) and last.latents.dtype == torch.bfloat16


@pytest.fixture(scope="module")
def by_hand():
    folder = saved() / "transformer"
    config = json.loads((folder / "config.json").read_text())
    return ByHand(load_file(folder / "diffusion_pytorch_model.safetensors"), config)


def boxes(*regions, strength=1.0):
    """A guide of boxes (rows, columns) on a grid of 4 x 4, one for each subject."""
    where = np.zeros((len(regions) + 1, 4, 4), np.float32)
    for entry, region in enumerate(regions):
        where[entry][region] = 1
    return Guide(where, strength)


LEFT, RIGHT = (slice(0, 4), slice(0, 2)), (slice(1, 4), slice(2, 4))

SETTINGS = {
    "nobody": ((), {}, None),
    "one": ((1,), {}, None),
    "two": ((1, 1), {}, None),
    "two, closed": ((1, 1), {"close": True}, None),
    "one, closed": ((1,), {"close": True}, None),
    "three, closed": ((1, 1, 1), {"close": True, "width": 96}, None),
    "several pictures, closed": ((2, 1), {"close": True}, None),
    "four, closed": ((1, 2, 1, 2), {"close": True, "height": 96}, None),
    "pushed and held back": ((1, 1), {"ref_shift": (1.5, -1.0)}, None),
    "pushed, closed": ((1, 1), {"ref_shift": (1.5, -1.0), "close": True}, None),
    "late references": ((1, 1), {"ref_start_at": 0.4, "close": True}, None),
    "early references": ((1, 1), {"ref_end_at": 0.6}, None),
    "a layout": ((1, 1), {}, boxes(LEFT, RIGHT)),
    "half a layout": ((1, 1), {"close": True}, boxes(LEFT, RIGHT, strength=0.5)),
    "one in a place": ((1,), {}, boxes(RIGHT)),
    "a single step": ((1,), {"num_inference_steps": 1, "close": True}, None),
}


@pytest.mark.parametrize(("pictures", "asked", "guide"), SETTINGS.values(), ids=SETTINGS)
def test_every_setting_gives_what_a_plain_computation_gives(pipeline, by_hand, pictures, asked, guide):
    settings = KleinSettings(**{"height": 64, "width": 64, "num_inference_steps": 3} | asked)
    cast = [pipeline.encode([picture(9 * n + k) for k in range(count)], 48) for n, count in enumerate(pictures)]
    states, noise = pipeline.encode_text("a fox")[:, :12], pipeline.noise(5, settings.height, settings.width)
    steps = list(pipeline.denoise_batch(states, [cast], noise, settings, [guide] if guide else []))

    guided = None
    if guide:
        act = Guides([guide], len(cast) + 1, 1, noise.device).at(0, 1)
        guided = lambda layer: act(layer[None], (settings.height // 16, settings.width // 16))[0]  # noqa: E731
    latents, logits, shares = by_hand.denoise(states[0], cast, noise[0], settings, guided)
    torch.testing.assert_close(steps[-1].latents[0], latents, atol=2e-4, rtol=0)
    ours = [layer[0] for step in steps for layer in step.logits]
    assert len(ours) == len(logits)
    for our, plain in zip(ours, logits, strict=True):
        torch.testing.assert_close(our.softmax(0), plain.softmax(0), atol=1e-4, rtol=0)
    for our, plain in zip([share[0] for step in steps for share in step.shares], shares, strict=True):
        torch.testing.assert_close(our, plain, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("pictures", "asked", "guide"),
    [
        ((), {"close": True}, None),
        ((1,), {}, None),
        ((1, 1), {"close": True}, None),
        ((2, 1), {"ref_shift": (1.5, -1.0), "close": True}, None),
        ((1, 1), {"ref_start_at": 0.4, "close": True}, None),
        ((1, 1), {}, boxes(LEFT, RIGHT)),
    ],
    ids=["nobody", "one", "two, closed", "pushed, closed", "late references", "a layout"],
)
def test_a_sketch_is_read_by_all_and_is_nobody_s_reference(pipeline, by_hand, pictures, asked, guide):
    settings = KleinSettings(**{"height": 48, "width": 64, "num_inference_steps": 3} | asked)
    cast = [pipeline.encode([picture(9 * n + k) for k in range(count)], 48) for n, count in enumerate(pictures)]
    states, noise = pipeline.encode_text("a fox")[:, :12], pipeline.noise(5, 48, 64)
    sketch = pipeline.encode_sketch(picture(8).crop((0, 0, 64, 48)))
    guides = [guide] if guide else []
    steps = list(pipeline.denoise_batch(states, [cast], noise, settings, guides, sketches=[sketch]))
    guided = None
    if guide:
        act = Guides([guide], len(cast) + 1, 1, noise.device).at(0, 1)
        guided = lambda layer: act(layer[None], (3, 4))[0]  # noqa: E731
    latents, logits, shares = by_hand.denoise(states[0], cast, noise[0], settings, guided, sketch=sketch[0])
    torch.testing.assert_close(steps[-1].latents[0], latents, atol=2e-4, rtol=0)
    ours = [layer[0] for step in steps for layer in step.logits]
    assert len(ours) == len(logits)
    for our, plain in zip(ours, logits, strict=True):
        torch.testing.assert_close(our.softmax(0), plain.softmax(0), atol=1e-4, rtol=0)
    for our, plain in zip([share[0] for step in steps for share in step.shares], shares, strict=True):
        torch.testing.assert_close(our, plain, atol=1e-4, rtol=0)
    without = list(pipeline.denoise_batch(states, [cast], noise, settings, guides))
    assert not torch.equal(steps[-1].latents, without[-1].latents)


@pytest.mark.parametrize("last", [0, 1, 2])
@pytest.mark.parametrize("asked", [{}, {"close": True, "ref_end_at": 0.6}], ids=["open", "closed"])
def test_from_a_picture_only_the_last_steps_run_as_a_plain_computation_runs_them(pipeline, by_hand, asked, last):
    settings = KleinSettings(64, 48, num_inference_steps=3, **asked)
    cast = [pipeline.encode([picture(seed)], 48) for seed in range(2)]
    states, noise = pipeline.encode_text("a fox")[:, :12], pipeline.noise(5, 64, 48)
    pixels = torch.rand(3, 64, 48, generator=torch.Generator().manual_seed(2)) * 2 - 1
    start = pipeline.encode_picture(pixels)
    assert start.shape == noise.shape
    steps = list(pipeline.denoise_batch(states, [cast], noise, settings, start=Start(start, last)))
    latents, logits, _ = by_hand.denoise(states[0], cast, noise[0], settings, clean=start[0], last=last)
    assert [(step.index, step.total) for step in steps] == [(k + 1, last) for k in range(last)]
    torch.testing.assert_close(steps[-1].latents[0] if last else start[0], latents, atol=2e-4, rtol=0)
    ours = [layer[0] for step in steps for layer in step.logits]
    assert len(ours) == len(logits)
    for our, plain in zip(ours, logits, strict=True):
        torch.testing.assert_close(our.softmax(0), plain.softmax(0), atol=1e-4, rtol=0)


def test_a_picture_is_read_as_a_plain_computation_reads_it(pipeline, by_hand):
    cast = [pipeline.encode([picture(seed)], 48) for seed in range(2)]
    states = pipeline.encode_text("")[:, :12]
    pixels = torch.rand(3, 48, 80, generator=torch.Generator().manual_seed(2)) * 2 - 1
    clean = pipeline._pack_latents(pipeline._encode_pixels(pixels[None]))
    read = list(pipeline.locate(states, cast, pixels, seed=9))
    assert [one.index for one in read] == [1, 2, 3]
    for row, (level, one) in enumerate(zip(LEVELS, read, strict=True)):
        noisy, logits = clean + level * (pipeline.noise(9 + row, 48, 80) - clean), []
        settings = KleinSettings(48, 80)
        velocity = by_hand.velocity(states[0], cast, noisy[0], settings, level, False, None, logits, [])
        torch.testing.assert_close(one.clean[0], noisy[0] - level * velocity, atol=2e-4, rtol=0)
        for our, plain in zip(one.logits, logits, strict=True):
            torch.testing.assert_close(our, plain, atol=1e-3, rtol=0)


def test_references_do_not_read_each_other_when_closed_but_the_text_reads_all(pipeline):
    """Another picture of the second subject changes nothing of what the first one's tokens are, in the first layer, and
    in the rest only what text and frame tell of it."""
    frame, seen = pipeline.frame, []
    block = pipeline.transformer.transformer_blocks[0]
    hook = block.register_forward_hook(lambda _, args, out: seen.append(out))
    try:
        for other in (1, 2):
            cast = [pipeline.encode([picture(seed)], 48) for seed in (0, other)]
            made(pipeline, cast, KleinSettings(64, 64, 1), guides=[boxes(LEFT, RIGHT)])
    finally:
        hook.remove()
    (text, image), (text2, image2) = seen
    own = 16  # tokens of the frame, before the references
    assert torch.equal(image[:, own : own + 9], image2[:, own : own + 9])
    assert not torch.equal(image[:, own + 9 :], image2[:, own + 9 :]) and not torch.equal(text, text2)
    left = torch.arange(16).view(4, 4)[:, :2].flatten()
    assert torch.equal(image[:, left], image2[:, left]) and frame.references == (9, 9)


def test_nothing_is_masked_so_that_attention_stays_fused(pipeline, monkeypatch):
    masks, original = [], torch.nn.functional.scaled_dot_product_attention

    def seen(*args, attn_mask=None, **kwargs):
        masks.append(attn_mask)
        return original(*args, attn_mask=attn_mask, **kwargs)

    cast = [pipeline.encode([picture(seed)], 48) for seed in range(2)]
    states, noise = pipeline.encode_text("a fox"), pipeline.noise(5, 64, 64)
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", seen)
    list(pipeline.denoise_batch(states, [cast], noise, KleinSettings(64, 64, close=True)))
    assert masks and all(mask is None for mask in masks)


def test_a_batch_is_its_frames_one_by_one(pipeline):
    casts = [[pipeline.encode([picture(seed + 2 * row)], 48) for seed in range(2)] for row in range(2)]
    texts, settings = ("a fox", "an owl"), KleinSettings(64, 64, close=True)
    states = torch.cat([pipeline.encode_text(text) for text in texts])
    noise = torch.cat([pipeline.noise(seed, 64, 64) for seed in range(2)])
    *_, both = pipeline.denoise_batch(states, casts, noise, settings)
    for row, one in enumerate(both.frames()):
        alone = made(pipeline, casts[row], settings, texts[row], row)[-1]
        torch.testing.assert_close(one.latents, alone.latents, atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="A batch takes frames with equally many subjects"):
        list(pipeline.denoise_batch(states, [casts[0], []], noise, settings))
    sketches = [pipeline.encode_sketch(picture(row)) for row in range(2)]
    *_, both = pipeline.denoise_batch(states, casts, noise, settings, sketches=sketches)
    for row, one in enumerate(both.frames()):
        alone = made(pipeline, casts[row], settings, texts[row], row, sketches=sketches[row : row + 1])[-1]
        torch.testing.assert_close(one.latents, alone.latents, atol=1e-4, rtol=0)
    with pytest.raises(ValueError, match="A batch takes a sketch of one size for each of its frames"):
        list(pipeline.denoise_batch(states, casts, noise, settings, sketches=sketches[:1]))


def test_a_prompt_is_encoded_once_and_old_ones_are_forgotten(pipeline, monkeypatch):
    asked = []
    original = pipeline.encode_prompt
    monkeypatch.setattr(pipeline, "encode_prompt", lambda text, **more: asked.append(text) or original(text, **more))
    for text in ["first", "first", *(f"text {k}" for k in range(16)), "first"]:
        pipeline.encode_text(text)
    assert asked.count("first") == 2 and len(asked) == 18


@pytest.mark.parametrize("offload", ["model", "block"])
def test_parts_that_take_turns_on_the_card_give_the_same_numbers(pipeline, offload):
    one = AnyStoryKleinPipeline.from_release(saved())
    place(FluxPlan("float32", "float32", offload, 0, 0), one, "cpu")
    settings = KleinSettings(64, 64, 2, close=True)
    ours, theirs = (made(p, [p.encode([picture(seed)], 48) for seed in range(2)], settings) for p in (one, pipeline))
    torch.testing.assert_close(ours[-1].latents, theirs[-1].latents, atol=1e-5, rtol=0)
    assert one.decode(ours[-1].latents, 64, 64).size == (64, 64)
