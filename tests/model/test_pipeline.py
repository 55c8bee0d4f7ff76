"""The pipeline: encoding, guided sampling, determinism, saving, on both topologies."""

import copy
import math

import pytest
import torch
from PIL import Image, ImageChops

from anystory.model import pipeline as pipeline_module
from anystory.model.attention import Bank, attend, transformer_blocks
from anystory.model.mention import REACH, SILENT
from anystory.model.pipeline import AnyStoryPipeline, Denoised, MapAverage
from anystory.model.reference import ReferenceNet
from anystory.model.routing import soft_maps
from tests import slow
from tests.model.conftest import cutout

PROMPT = "a small fox on the left and a robot"
FOX, ROBOT = (0, 11), (28, 35)


def _last(pipeline, cast, *, prompts=(PROMPT,), mentions=None, seeds=(0,), **settings):
    mentions = mentions or [(None,) * len(cast)] * len(prompts)
    settings = {"steps": 2} | settings
    *_, last = pipeline.denoise(prompts, mentions, [cast] * len(prompts), seeds, **settings)
    return last


def _calls(modules, run):
    """How often `run` calls each module."""
    counts = [0] * len(modules)

    def counted(k):
        def hook(*_):
            counts[k] += 1

        return hook

    hooks = [module.register_forward_hook(counted(k)) for k, module in enumerate(modules)]
    run()
    for hook in hooks:
        hook.remove()
    return counts


# Encoding.


def test_a_subject_becomes_tokens_a_routing_feature_and_references(pipeline):
    encoding = pipeline.encode(*cutout(0))
    config = pipeline.subject_qformer.config
    assert encoding.tokens.shape == (config.queries, pipeline.unet.config.cross_attention_dim)
    assert encoding.routing.shape == (pipeline.adapter.config.routing_dim,)
    assert [g.shape[-1] for g in encoding.references] == list(pipeline.adapter.config.layer_dims[1:])
    again, other = pipeline.encode(*cutout(0)), pipeline.encode(*cutout(1))
    assert torch.equal(encoding.tokens, again.tokens) and not torch.equal(encoding.tokens, other.tokens)


def test_pixels_are_normalised_and_the_mask_is_the_last_channel(pipeline):
    white, half = Image.new("RGB", (50, 50), "white"), Image.new("L", (50, 50))
    half.paste(255, (0, 0, 25, 50))
    pixels, reference, mask = pipeline.preprocess(white, half)
    expected = [(1 - m) / s for m, s in zip(pipeline.config.image_mean, pipeline.config.image_std, strict=True)]
    assert pixels[:, 3, 3].tolist() == pytest.approx(expected, abs=1e-5)
    assert reference.min() == reference.max() == 1
    assert mask.min() == 0 and mask.max() == 1 and 0.4 < mask.mean() < 0.6
    latents = pipeline.encode_reference(reference[None], mask[None])
    side = pipeline.config.reference_size // pipeline.latent_factor
    assert latents.shape == (1, pipeline.unet.config.in_channels + 1, side, side)
    assert torch.equal(latents[:, :-1], pipeline.encode_image(reference[None]))
    shares = torch.tensor(slow.shares(slow.numbers(mask[0]), side, side))
    assert torch.allclose(latents[0, -1], shares, atol=1e-6)


def test_the_background_is_the_zero_image(pipeline):
    config = pipeline.image_encoder.config
    black = torch.zeros(1, 3, config.image_size, config.image_size)
    assert torch.equal(pipeline.encode_nothing(), pipeline.encode_vision(black)[0])


def test_vision_tokens_are_the_penultimate_layers(pipeline):
    encoder, pixels = pipeline.image_encoder, pipeline.preprocess(*cutout(0))[0][None]
    with torch.no_grad():
        states = encoder(pixels, output_hidden_states=True).hidden_states
    tokens = pipeline.encode_vision(pixels)
    assert torch.equal(tokens, states[-2]) and len(states) == encoder.config.num_hidden_layers + 1
    assert tokens.shape == (1, 1 + (encoder.config.image_size // encoder.config.patch_size) ** 2, 16)


def test_mentions_are_told_by_the_distance_of_each_word(pipeline):
    """By the offsets of each token, written as a loop."""
    prompts, spans = [PROMPT, "a robot"], [(FOX, ROBOT, None), ((2, 7), None, (0, 7))]
    _, distances = pipeline.encode_text(prompts, spans)
    tokenizer = pipeline.tokenizer_2 or pipeline.tokenizer
    for prompt, row, found in zip(prompts, spans, distances.tolist(), strict=True):
        offsets = tokenizer(prompt, return_offsets_mapping=True)["offset_mapping"]
        for span, told in zip(row, found, strict=True):
            expected = [SILENT] * len(told)
            if span is not None:
                own = [i for i, (start, end) in enumerate(offsets) if start < span[1] and span[0] < end > start]
                for i, (start, end) in enumerate(offsets):
                    if end > start:
                        away = i - own[0] if i < own[0] else i - own[-1] if i > own[-1] else 0
                        expected[i] = max(-REACH, min(REACH, away))
            assert told == expected


def test_words_beyond_the_longest_prompt_mean_nobody(pipeline):
    prompt = "a small fox and " * 30 + "a robot"
    text, distances = pipeline.encode_text([prompt], [((0, 11), (len(prompt) - 7, len(prompt)))])
    assert (distances < SILENT).any(-1)[0].tolist() == [True, False]
    features = pipeline.adapter.routing_features(torch.ones(1, 3, 16), text.states, distances)
    assert features.isfinite().all() and torch.equal(features[:, 1:], torch.ones(1, 2, 16))


@torch.no_grad()
def test_a_prompt_means_the_same_in_longer_company(pipeline):
    alone, _ = pipeline.encode_text(["a fox"], [()])
    company, masks = pipeline.encode_text(["a fox", PROMPT], [(), ()])
    count = int(alone.mask.sum()) if alone.mask is not None else alone.states.shape[1]
    assert torch.allclose(company.states[:1, :count], alone.states[:, :count], atol=1e-5)
    assert torch.allclose(company.pooled[:1], alone.pooled, atol=1e-5)
    assert masks.shape[:2] == (2, 0)
    width = (
        pipeline.unet.config.projection_class_embeddings_input_dim - 6 * pipeline.unet.config.addition_time_embed_dim
    )
    assert alone.pooled.shape == (1, width)
    assert alone.states.shape[-1] == pipeline.unet.config.cross_attention_dim


# Sampling.


@pytest.mark.parametrize("subjects", [0, 1, 2, 4])
def test_any_number_of_subjects(pipeline, cast, subjects):
    average = MapAverage()
    steps = list(pipeline.denoise([PROMPT], [(None,) * subjects], [cast[:subjects]], [0], steps=3))
    assert [(s.index, s.total) for s in steps] == [(1, 3), (2, 3), (3, 3)]
    for step in steps:
        average.add(step)
    maps = average.maps()
    assert maps.dtype == torch.float32 and maps.shape == (1, subjects + 1, 8, 8)
    assert maps.min() >= 0 and torch.allclose(maps.sum(1), torch.ones(1, 8, 8))
    assert len(steps[0].refined) == len(steps[0].coarse) == len(pipeline.adapter.routers)
    (image,) = pipeline.decode(steps[-1].latents)
    assert image.size == (64, 64) and image.mode == "RGB"
    assert len(image.getcolors(64 * 64)) > 16


@pytest.mark.parametrize("size", [(48, 48), (72, 72), (104, 40), (40, 72)])
def test_other_sizes(pipeline, cast, size):
    """Also those whose levels are odd, and wide and tall ones."""
    last = _last(pipeline, cast[:2], size=size)
    rows, columns = size[1] // pipeline.latent_factor, size[0] // pipeline.latent_factor
    assert last.latents.shape[-2:] == (rows, columns) and last.latents.isfinite().all()
    assert pipeline.decode(last.latents)[0].size == size
    assert pipeline.time_ids(2, size).tolist() == [[size[1], size[0], 0, 0, size[1], size[0]]] * 2


def test_the_same_seed_gives_the_same_bits(pipeline, cast):
    a, b, other = (_last(pipeline, cast[:2], seeds=[seed]) for seed in (3, 3, 4))
    assert torch.equal(a.latents, b.latents)
    assert all(torch.equal(x, y) for x, y in zip(a.refined, b.refined, strict=True))
    assert not torch.allclose(a.latents, other.latents, atol=1e-2)


def test_a_batch_holds_the_frames_each_seed_gives_alone(pipeline, cast):
    """Within 1e-4 of latents of order 1: kernels round by the batch. And whatever the order."""
    prompts, seeds = [PROMPT, "a fox at night"], [5, 6]
    mentions = [(FOX, ROBOT), ((2, 5), None)]
    casts = [cast[:2], cast[2:]]
    *_, both = pipeline.denoise(prompts, mentions, casts, seeds, steps=3)
    *_, turned = pipeline.denoise(prompts[::-1], mentions[::-1], casts[::-1], seeds[::-1], steps=3)
    for row in range(2):
        *_, alone = pipeline.denoise(prompts[row : row + 1], [mentions[row]], [casts[row]], [seeds[row]], steps=3)
        assert torch.allclose(both.latents[row], alone.latents[0], atol=1e-4)
        assert torch.allclose(turned.latents[1 - row], alone.latents[0], atol=1e-4)
        for a, b in zip(both.refined, alone.refined, strict=True):
            assert torch.allclose(a[row], b[0], atol=1e-3)


def test_permuting_the_cast_permutes_the_maps_and_leaves_the_frame(pipeline, cast):
    there = _last(pipeline, cast[:2], mentions=[(FOX, ROBOT)], steps=3)
    back = _last(pipeline, cast[1::-1], mentions=[(ROBOT, FOX)], steps=3)
    assert torch.allclose(there.latents, back.latents, atol=1e-4)
    for a, b in zip(there.refined, back.refined, strict=True):
        assert torch.allclose(a[:, [1, 0, 2]], b, atol=1e-3)


def test_subjects_and_words_matter(pipeline, cast):
    one, other = _last(pipeline, cast[:1]), _last(pipeline, cast[1:2])
    said = _last(pipeline, cast[:1], mentions=[(FOX,)])
    assert not torch.allclose(one.latents, other.latents, atol=1e-3)
    assert not torch.allclose(one.refined[0], said.refined[0], atol=1e-3)


class _Sampler:
    """One Euler step in numbers, for either kind of prediction."""

    def __init__(self, pipeline, steps):
        self.scheduler = pipeline.scheduler.from_config(pipeline.scheduler.config)
        self.scheduler.set_timesteps(steps)
        self.sigmas = self.scheduler.sigmas.tolist()
        self.velocity = pipeline.scheduler.config.prediction_type == "v_prediction"

    def start(self, shape, seed):
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
        return noise[None] * self.scheduler.init_noise_sigma

    def scaled(self, x, k):
        return x / math.sqrt(self.sigmas[k] ** 2 + 1)

    def step(self, x, predicted, k):
        sigma = self.sigmas[k]
        if self.velocity:
            clean = x / (sigma**2 + 1) - predicted * sigma / math.sqrt(sigma**2 + 1)
        else:
            clean = x - sigma * predicted
        return clean, x + (x - clean) / sigma * (self.sigmas[k + 1] - sigma)


@pytest.mark.parametrize("size", [(64, 64), (96, 40), (40, 72)])
@torch.no_grad()
def test_guidance_sets_the_subjects_against_the_background(pipeline, cast, size):
    """One step by hand, of a square, a wide and a tall frame: the branch with the prompt, and one with the empty
    prompt, E_{N+1} for every subject and no references."""
    eta, gamma, guidance = 0.7, 0.5, 4.0
    spans, subjects = (FOX, None), cast[:2]
    how = {"steps": 4, "guidance": guidance, "eta": eta, "gamma": gamma}
    done = next(pipeline.denoise([PROMPT], [spans], [subjects], [9], size=size, **how))
    width, height = size
    assert done.latents.shape[2:] == (height // pipeline.latent_factor, width // pipeline.latent_factor)

    sampler = _Sampler(pipeline, 4)
    x = sampler.start(done.latents.shape[1:], 9)
    text, said = pipeline.encode_text([PROMPT, ""], [spans, (None, None)])
    background = pipeline.model.encode_background(pipeline.encode_nothing())
    routing = torch.stack([s.routing for s in (*subjects, background)])[None]
    references = [torch.stack(g)[None] for g in zip(*(s.references for s in subjects), strict=True)]

    def predict(row, entries, references):
        bank = Bank(
            tokens=torch.stack([s.tokens for s in entries])[None],
            routing=pipeline.adapter.routing_features(routing, text.states[row : row + 1], said[row : row + 1]),
            references=references,
            references_active=torch.ones(1, dtype=torch.bool),
            latent_shape=x.shape[-2:],
        )
        with attend(pipeline.unet, pipeline.adapter, bank, eta=eta, gamma=gamma) as state:
            predicted = pipeline.unet(
                sampler.scaled(x, 0),
                sampler.scheduler.timesteps[0],
                text.states[row : row + 1],
                encoder_attention_mask=None if text.mask is None else text.mask[row : row + 1],
                added_cond_kwargs={
                    "text_embeds": text.pooled[row : row + 1],
                    "time_ids": torch.tensor([[height, width, 0.0, 0, height, width]]),
                },
            ).sample
        return predicted, state.refined

    conditional, maps = predict(0, (*subjects, background), references)
    unconditional, _ = predict(1, (background,) * 3, [])
    clean, latents = sampler.step(x, unconditional + guidance * (conditional - unconditional), 0)
    assert torch.allclose(done.latents, latents, atol=1e-4)
    assert torch.allclose(done.clean, clean, atol=1e-4)
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(done.refined, maps, strict=True))


def _karras(scheduler, steps):
    """The noise levels of EDM's steps, in numbers: rho 7, from the training's largest level to its least, then none."""
    levels = [math.sqrt((1 - a) / a) for a in scheduler.alphas_cumprod.double().tolist()]
    high, low = max(levels) ** (1 / 7), min(levels) ** (1 / 7)
    return [(high + k / (steps - 1) * (low - high)) ** 7 for k in range(steps)] + [0.0]


@pytest.mark.parametrize("last", [1, 3, 4])
@torch.no_grad()
def test_from_latents_only_the_last_steps_run(pipeline, cast, last):
    """By hand: the latents noised to the level of the first step that runs, then a pass of the U-Net and a line of
    Euler's for each. The window of the references is of all steps."""
    window, total = (0.0, 0.75), 4
    start = torch.randn(1, pipeline.unet.config.in_channels, 16, 16, generator=torch.Generator().manual_seed(5))
    start = start[..., : 64 // pipeline.latent_factor, : 64 // pipeline.latent_factor]
    how = {"steps": total, "guidance": 1.0, "reference": window, "start": start, "last": last}
    done = list(pipeline.denoise([PROMPT], [(FOX,)], [cast[:1]], [9], **how))
    assert [(step.index, step.total) for step in done] == [(k + 1, last) for k in range(last)]

    sampler = _Sampler(pipeline, total)
    assert sampler.sigmas == pytest.approx(_karras(pipeline.scheduler, total), rel=1e-4)
    first = total - last
    noise = torch.randn(start.shape[1:], generator=torch.Generator().manual_seed(9))[None]
    x = start + sampler.sigmas[first] * noise if first else noise * sampler.scheduler.init_noise_sigma
    text, said = pipeline.encode_text([PROMPT], [(FOX,)])
    background = pipeline.model.encode_background(pipeline.encode_nothing())
    routing = torch.stack([cast[0].routing, background.routing])[None]
    for k in range(first, total):
        bank = Bank(
            tokens=torch.stack([cast[0].tokens, background.tokens])[None],
            routing=pipeline.adapter.routing_features(routing, text.states, said),
            references=[g[None, None] for g in cast[0].references],
            references_active=torch.tensor([k < 3]),
            latent_shape=x.shape[-2:],
        )
        with attend(pipeline.unet, pipeline.adapter, bank):
            predicted = pipeline.unet(
                sampler.scaled(x, k),
                sampler.scheduler.timesteps[k],
                text.states,
                encoder_attention_mask=text.mask,
                added_cond_kwargs={"text_embeds": text.pooled, "time_ids": torch.tensor([[64, 64, 0.0, 0, 64, 64]])},
            ).sample
        clean, x = sampler.step(x, predicted, k)
        assert torch.allclose(done[k - first].clean, clean, atol=1e-3)
    assert torch.allclose(done[-1].latents, x, atol=1e-3)


def test_with_all_steps_nothing_of_the_latents_is_used_and_with_none_nothing_runs(pipeline, cast):
    side = 64 // pipeline.latent_factor
    start = torch.ones(1, pipeline.unet.config.in_channels, side, side)
    assert torch.equal(_last(pipeline, cast[:2]).latents, _last(pipeline, cast[:2], start=start, last=2).latents)
    assert list(pipeline.denoise([PROMPT], [()], [[]], [0], steps=2, start=start, last=0)) == []


@pytest.mark.parametrize(("guidance", "branches"), [(1.0, 1), (1, 1), (3.0, 2), (0.0, 2)])
def test_without_guidance_there_is_one_branch(pipeline, cast, monkeypatch, guidance, branches):
    banks = []

    def spy(unet, adapter, bank, **settings):
        banks.append(bank)
        return attend(unet, adapter, bank, **settings)

    monkeypatch.setattr(pipeline_module, "attend", spy)
    _last(pipeline, cast[:2], guidance=guidance)
    (bank,) = banks
    assert bank.references_active.tolist() == [True, False][:branches]
    assert torch.equal(bank.tokens[0, 1], cast[1].tokens)
    assert len(bank.tokens) == branches
    if branches == 2:
        assert all(torch.equal(bank.tokens[1, i], bank.tokens[0, -1]) for i in range(3))


@torch.no_grad()
def test_with_eta_zero_and_no_subjects_it_is_plain_sampling(pipeline):
    done = _last(pipeline, [], eta=0.0, guidance=1.0, steps=3)
    sampler = _Sampler(pipeline, 3)
    x = sampler.start(done.latents.shape[1:], 0)
    text, _ = pipeline.encode_text([PROMPT], [()])
    for t in sampler.scheduler.timesteps:
        predicted = pipeline.unet(
            sampler.scheduler.scale_model_input(x, t),
            t,
            text.states,
            encoder_attention_mask=text.mask,
            added_cond_kwargs={"text_embeds": text.pooled, "time_ids": pipeline.time_ids(1, (64, 64))},
        ).sample
        x = sampler.scheduler.step(predicted, t, x).prev_sample
    assert torch.equal(done.latents, x)


def test_a_frame_projects_its_subjects_once_and_encodes_none(pipeline, cast):
    adapter = pipeline.adapter
    once = [*adapter.reference_k, *adapter.reference_v, *adapter.subject_k, *adapter.subject_v]
    once += [pipeline.subject_qformer, pipeline.image_encoder]  # for the background
    each_step = [*adapter.routers, pipeline.unet]  # both branches in one batch
    never = [pipeline.reference_net.conv_in, pipeline.vae.encoder]
    counts = _calls([*once, *each_step, *never], lambda: _last(pipeline, cast[:2], steps=3))
    assert counts == [1] * len(once) + [3] * len(each_step) + [0] * len(never)


def test_leaving_early_takes_the_processors_out(pipeline, cast):
    processors = dict(pipeline.unet.attn_processors)
    steps = pipeline.denoise([PROMPT], [(None,)], [cast[:1]], [0], steps=5)
    next(steps)
    assert any(pipeline.unet.attn_processors[key] is not p for key, p in processors.items())
    steps.close()
    assert all(pipeline.unet.attn_processors[key] is p for key, p in processors.items())


def test_the_call_is_encode_and_denoise(pipeline, cast):
    out = pipeline(PROMPT, [cutout(0), cutout(1)], mentions=(FOX, ROBOT), seed=2, steps=3)
    average = MapAverage()
    for step in pipeline.denoise([PROMPT], [(FOX, ROBOT)], [cast[:2]], [2], steps=3):
        average.add(step)
    assert torch.equal(out.maps, average.maps())
    assert ImageChops.difference(out.images[0], pipeline.decode(step.latents)[0]).getbbox() is None


@pytest.mark.parametrize(("total", "counted"), [(1, [0]), (2, [1]), (4, [2, 3]), (5, [2, 3, 4])])
def test_maps_are_averaged_over_layers_and_the_later_half_of_the_steps(total, counted):
    torch.manual_seed(0)
    steps = [[torch.randn(1, 3, 2, 2), torch.randn(1, 3, 4, 4)] for _ in range(total)]
    average = MapAverage()
    for index, refined in enumerate(steps, 1):
        average.add(Denoised(index, total, torch.empty(0), torch.empty(0), (), tuple(refined), tuple(refined), None))
    maps = average.maps()
    for y in range(4):
        for x in range(4):
            columns = []
            for small, large in (steps[k] for k in counted):
                grids = [slow.bilinear(grid, 4, 4) for grid in slow.numbers(small[0])]
                columns += [slow.softmax([g[y][x] for g in grids]), slow.softmax(slow.numbers(large[0, :, y, x]))]
            expected = [sum(c[i] for c in columns) / len(columns) for i in range(3)]
            assert maps[0, :, y, x].tolist() == pytest.approx(expected, abs=1e-6)
    assert torch.allclose(maps.sum(1), torch.ones(1, 4, 4))


def test_half_precision_runs_close_to_full(pipeline, cast):
    half = copy.deepcopy(pipeline).to(torch.bfloat16)
    encoding = half.encode(*cutout(0))
    assert encoding.tokens.dtype == encoding.references[0].dtype == torch.bfloat16
    assert torch.allclose(encoding.tokens.float(), cast[0].tokens, atol=0.1)
    done = next(half.denoise([PROMPT], [(FOX,)], [[encoding]], [0], steps=3))
    full = next(pipeline.denoise([PROMPT], [(FOX,)], [cast[:1]], [0], steps=3))
    assert done.latents.dtype == torch.float32
    assert torch.allclose(soft_maps(done.refined[0]), soft_maps(full.refined[0]), atol=0.05)
    assert half.decode(done.latents)[0].size == (64, 64)


# Saving.


def test_saved_and_loaded_it_draws_the_same_bits(pipeline, tmp_path):
    pipeline.save_pretrained(tmp_path / "first")
    first = AnyStoryPipeline.from_pretrained(tmp_path / "first")
    first.save_pretrained(tmp_path / "second")
    second = AnyStoryPipeline.from_pretrained(tmp_path / "second")
    assert type(second.reference_net) is ReferenceNet
    assert all(block.attn2 is None for block in transformer_blocks(second.reference_net))
    for name, component in pipeline.components.items():
        assert type(getattr(second, name)) is type(component), name
        if isinstance(component, torch.nn.Module):
            weights = getattr(second, name).state_dict()
            assert all(torch.equal(weights[key], value) for key, value in component.state_dict().items())
    for key in ("frame_size", "reference_size", "guidance", "image_mean", "image_std"):
        assert second.config[key] == pipeline.config[key]
    frames = []
    for loaded in (first, second):
        loaded.set_progress_bar_config(disable=True)
        frames.append(_last(loaded, [loaded.encode(*cutout(k)) for k in range(2)], mentions=[(FOX, ROBOT)]))
    assert torch.equal(frames[0].latents, frames[1].latents)
    assert all(torch.equal(a, b) for a, b in zip(frames[0].refined, frames[1].refined, strict=True))
