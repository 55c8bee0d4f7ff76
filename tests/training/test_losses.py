"""The losses of training: what is drawn, dropped, gated, weighed, and what each of them teaches."""

import math
from dataclasses import replace

import pytest
import torch

from anystory.model import routing
from anystory.model.routing import area_maps, hard_maps
from anystory.training import losses as module
from anystory.training.losses import (
    ROUTING_WEIGHT,
    Objective,
    Target,
    TrainingBatch,
    correspondence_loss,
    matching_tokens,
    routing_cross_entropy,
    routing_loss,
    stage_losses,
)
from tests import slow
from tests.tiny import mini_pipeline, sdxl_pipeline

ALL_KEPT = Objective(drop_text=0.0, drop_vision=0.0, drop_references=0.0, drop_all=0.0)
PROMPT = "a fox on the left and a robot"
SPANS = ((0, 5), (22, 29))


@pytest.fixture(scope="module", params=[mini_pipeline, sdxl_pipeline], ids=["mini", "sdxl"])
def pipeline(request):
    return request.param()


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def _batch(pipeline, frames=2, subjects=2):
    """Random frames of 8 x 8 latents whose subjects stand side by side."""
    g = torch.Generator().manual_seed(7)
    channels = pipeline.unet.config.in_channels
    text, mentions = pipeline.encode_text([*[PROMPT] * frames, ""], [*[SPANS[:subjects]] * frames, (None,) * subjects])
    masks = torch.zeros(frames, subjects, 32, 32)
    for subject in range(subjects):
        masks[:, subject, 5:27, 16 * subject + 1 : 16 * subject + 14] = 1
    return TrainingBatch(
        latents=torch.randn(frames, channels, 8, 8, generator=g),
        text=text,
        mentions=mentions[:-1],
        vision=torch.randn(frames, subjects, 17, 16, generator=g),
        no_vision=pipeline.encode_nothing(),
        references=torch.randn(frames, subjects, channels + 1, 8, 8, generator=g),
        masks=masks,
        time_ids=pipeline.time_ids(frames, (64, 64)),
        correspondence=torch.eye(3).expand(frames, subjects, 3, 3).clone(),
    )


class _Spy:
    """What one forward pass of the losses gives to `attend` and to the U-Net."""

    def __init__(self, pipeline, monkeypatch):
        self.pipeline = pipeline

        def attend(unet, adapter, bank, **settings):
            self.bank, self.settings = bank, settings
            self.context = module_attend(unet, adapter, bank, **settings)
            return self

        module_attend = module.attend
        monkeypatch.setattr(module, "attend", attend)

    def __enter__(self):
        self.state = self.context.__enter__()
        return self.state

    def __exit__(self, *error):
        return self.context.__exit__(*error)

    def losses(self, batch, objective, seed=0, prediction="epsilon"):
        def keep(module, args, kwargs, output):
            self.noisy, self.time, self.states = args
            self.kwargs, self.predicted = kwargs, output.sample

        hook = self.pipeline.unet.register_forward_hook(keep, with_kwargs=True)
        generator = torch.Generator().manual_seed(seed)
        self.alphas = self.pipeline.scheduler.alphas_cumprod
        channels = self.pipeline.unet.config.in_channels
        self.channel_weights = torch.linspace(0.5, 1.5, channels)
        target = Target(self.alphas, prediction, self.channel_weights)
        losses = stage_losses(self.pipeline.model, batch, objective, target, generator)
        hook.remove()
        return losses


@pytest.fixture
def spy(pipeline, monkeypatch):
    return _Spy(pipeline, monkeypatch)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@torch.no_grad()
def test_diffusion_loss_agrees_with_the_loop(pipeline, spy, prediction):
    batch = _batch(pipeline)
    loss = spy.losses(batch, replace(ALL_KEPT, draws=2, mask_weight=3.0), prediction=prediction)["diffusion"]
    total = weights = 0.0
    for row in range(4):  # each frame again for each draw
        frame, alpha = row % 2, float(spy.alphas[spy.time[row]])
        kept, noised = math.sqrt(alpha), math.sqrt(1 - alpha)
        covered = [slow.shares(slow.numbers(mask), 8, 8) for mask in batch.masks[frame]]
        clean, noisy, predicted = (slow.numbers(x) for x in (batch.latents[frame], spy.noisy[row], spy.predicted[row]))
        for y in range(8):
            for x in range(8):
                weight = 1 + 3.0 * min(1, sum(c[y][x] for c in covered))
                weights += weight
                for c in range(len(clean)):
                    noise = (noisy[c][y][x] - kept * clean[c][y][x]) / noised
                    velocity = kept * noise - noised * clean[c][y][x]
                    target = noise if prediction == "epsilon" else velocity
                    error = (predicted[c][y][x] - target) ** 2 * spy.channel_weights[c].item()
                    total += weight * error / len(clean)
    assert loss.item() == pytest.approx(total / weights, rel=1e-4)
    assert len(set(spy.time.tolist())) == 4


@torch.no_grad()
def test_the_noise_is_noise_of_the_schedule(pipeline, spy):
    batch = _batch(pipeline)
    spy.losses(batch, replace(ALL_KEPT, draws=32))
    alpha = spy.alphas[spy.time][:, None, None, None]
    noise = (spy.noisy - alpha.sqrt() * batch.latents.repeat(32, 1, 1, 1)) / (1 - alpha).sqrt()
    assert abs(noise.mean()) < 0.03 and abs(noise.std() - 1) < 0.03
    assert spy.time.min() < 150 and spy.time.max() > 850


@torch.no_grad()
def test_noise_levels_are_log_normal_where_asked_for(pipeline, spy):
    spy.losses(_batch(pipeline), replace(ALL_KEPT, draws=400, levels=(0.4, 0.5)))
    drawn = ((1 - spy.alphas) / spy.alphas)[spy.time].sqrt().log()
    assert drawn.mean().item() == pytest.approx(0.4, abs=0.08) and drawn.std().item() == pytest.approx(0.5, abs=0.08)
    # What lies beyond the schedule is its noisiest step.
    spy.losses(_batch(pipeline), replace(ALL_KEPT, draws=2, levels=(9.0, 0.1)))
    assert spy.time.tolist() == [len(spy.alphas) - 1] * 4


@torch.no_grad()
def test_what_is_kept_reaches_the_unet(pipeline, spy):
    batch, model = _batch(pipeline), pipeline.model
    spy.losses(batch, ALL_KEPT)
    bank = spy.bank
    assert torch.equal(spy.states, batch.text.states[:2]) and bank.references_active.all()
    assert torch.equal(spy.kwargs["added_cond_kwargs"]["text_embeds"], batch.text.pooled[:2])
    background = model.encode_background(batch.no_vision)
    for row in range(2):
        for subject in range(2):
            encoding = model.encode(batch.vision[row, subject], batch.references[row, subject])
            assert torch.allclose(bank.tokens[row, subject], encoding.tokens, atol=1e-5)
            for layer, feature in zip(bank.references, encoding.references, strict=True):
                assert torch.allclose(layer[row, subject], feature, atol=1e-4)
        assert torch.allclose(bank.tokens[row, -1], background.tokens, atol=1e-5)
    routing = model.routing_qformer(batch.vision[:, 0])[:, 0]
    said = pipeline.adapter.mention(batch.text.states[:2], batch.mentions)[:, 0]
    assert said.abs().max() > 0.01 and torch.allclose(bank.routing[:, 0], routing + said, atol=1e-5)
    assert torch.allclose(bank.routing[:, -1], background.routing.expand(2, -1), atol=1e-5)


@pytest.mark.parametrize("dropped", ["drop_text", "drop_vision", "drop_references", "drop_all"])
@torch.no_grad()
def test_what_is_dropped_does_not(pipeline, spy, dropped):
    batch = _batch(pipeline)
    spy.losses(batch, replace(ALL_KEPT, **{dropped: 1.0}))
    gone = {dropped} if dropped != "drop_all" else {"drop_text", "drop_vision", "drop_references"}
    text, bank = batch.text, spy.bank
    assert torch.equal(spy.states[0], text.states[-1 if "drop_text" in gone else 0])
    assert torch.equal(spy.kwargs["added_cond_kwargs"]["text_embeds"][0], text.pooled[-1 if "drop_text" in gone else 0])
    if text.mask is not None:
        assert torch.equal(spy.kwargs["encoder_attention_mask"][0], text.mask[-1 if "drop_text" in gone else 0])
    unsaid = pipeline.model.routing_qformer(batch.vision[:, 0])[:, 0]
    assert torch.allclose(bank.routing[:, 0], unsaid, atol=1e-5) == ("drop_text" in gone)
    assert torch.equal(bank.tokens[:, 0], bank.tokens[:, -1]) == ("drop_vision" in gone)
    assert bank.references_active.any() != ("drop_references" in gone)


@torch.no_grad()
def test_shares_of_frames_are_dropped(pipeline, spy):
    batch = _batch(pipeline, frames=4)
    spy.losses(batch, replace(ALL_KEPT, draws=32, drop_references=0.25))
    assert 0.15 < 1 - spy.bank.references_active.float().mean() < 0.35


@pytest.mark.parametrize("truth", [0.0, 1.0])
@torch.no_grad()
def test_gates_are_the_truth_or_the_routers_own(pipeline, spy, truth):
    batch = _batch(pipeline)
    spy.losses(batch, replace(ALL_KEPT, truth=truth))
    logits = torch.randn(2, 3, 4, 4)
    expected = hard_maps(area_maps(batch.masks, (4, 4)) if truth else logits)
    assert torch.equal(spy.settings["gate"](logits), expected)


@pytest.mark.parametrize("joint", [False, True])
@torch.no_grad()
def test_the_routing_term_is_a_mean_over_layers_of_both_maps(pipeline, spy, joint):
    batch = _batch(pipeline)
    losses = spy.losses(batch, replace(ALL_KEPT, joint=joint, correspondence=0.5))
    measure = routing_cross_entropy if joint else routing_loss
    terms = [measure(x, batch.masks).item() for x in (*spy.state.coarse, *spy.state.refined)]
    assert len(terms) == 2 * len(pipeline.adapter.routers)
    assert losses["routing"].item() == pytest.approx(sum(terms) / len(terms), rel=1e-5)
    assert spy.settings["detach"] == joint and ROUTING_WEIGHT == 0.1
    total = losses["diffusion"] + 0.1 * losses["routing"] + 0.5 * losses["correspondence"]
    assert losses["total"].item() == pytest.approx(total.item(), rel=1e-6)


@torch.no_grad()
def test_correspondence_is_sought_where_a_subject_is_by_the_largest_layers(pipeline, spy):
    batch = _batch(pipeline, frames=1)
    batch.correspondence[0, 1] = 0  # unknown
    loss = spy.losses(batch, replace(ALL_KEPT, correspondence=1.0))["correspondence"]
    most = max(query.shape[2] for query, _ in spy.state.queries)
    side = math.isqrt(most)
    reference_side = 4 if pipeline.text_encoder_2 else 8  # SDXL's first level has no attention
    target, known = matching_tokens(batch.correspondence, (side, side), (reference_side, reference_side))
    covered = [slow.shares(slow.numbers(mask), side, side) for mask in batch.masks[0]]
    layers = [(q[0], k[0]) for q, k in spy.state.queries if q.shape[2] == most]
    assert all(key.shape[1] == 2 * reference_side**2 for _, key in layers)
    total, count = 0.0, 0
    for token in range(most):
        y, x = divmod(token, side)
        owner = slow.one_hot([c[y][x] for c in covered] + [1 - sum(c[y][x] for c in covered)]).index(1)
        if owner == 2 or not known[0, owner, token]:
            continue
        count += 1
        for query, key in layers:
            n, scores = key.shape[1] // 2, []
            for row in range(owner * n, owner * n + n):
                heads = zip(slow.numbers(query[:, token]), slow.numbers(key[:, row]), strict=True)
                scores.append(sum(slow.dot(q, k) for q, k in heads) / math.sqrt(query.shape[-1]) / len(query))
            total -= math.log(slow.softmax(scores)[target[0, owner, token]]) / len(layers)
    assert count and loss.item() == pytest.approx(total / count, rel=1e-4)


@torch.no_grad()
def test_closed_references_have_no_correspondence(pipeline, spy):
    objective = replace(ALL_KEPT, correspondence=1.0, drop_references=1.0)
    assert spy.losses(_batch(pipeline), objective)["correspondence"] == 0


@torch.no_grad()
def test_frames_without_subjects_are_only_drawn(pipeline, spy):
    losses = spy.losses(_batch(pipeline, subjects=0), Objective(joint=True, correspondence=0.1))
    assert losses["total"] == losses["diffusion"] and losses["diffusion"].isfinite() and losses["routing"] == 0
    assert spy.bank.references == [] and spy.bank.tokens.shape[1] == 1


@torch.no_grad()
def test_the_generator_is_the_only_source_of_chance(pipeline, spy):
    batch = _batch(pipeline)
    totals = [spy.losses(batch, Objective(), seed)["total"].item() for seed in (0, 0, 1)]
    assert totals[0] == totals[1] != totals[2]


def _taught(losses, model):
    """Modules of the model that a loss reaches."""
    model.zero_grad(set_to_none=True)
    losses.backward(retain_graph=True)
    names = [name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()]
    return {".".join(name.split(".")[: 2 if name.startswith("adapter") else 1]) for name in names}


DRAWING = {
    "unet",
    "reference_net",
    "subject_qformer",
    "adapter.subject_k",
    "adapter.subject_v",
    "adapter.reference_k",
    "adapter.reference_v",
}
ROUTING = {"routing_qformer", "adapter.routers", "adapter.mention"}


@pytest.mark.parametrize(
    ("objective", "diffusion", "routing"),
    [
        (replace(ALL_KEPT, joint=True), DRAWING, ROUTING),
        (replace(ALL_KEPT, truth=0.0, joint=True), DRAWING, ROUTING),
        (replace(ALL_KEPT, truth=0.0, temperature=0.7), DRAWING | ROUTING, None),
    ],
    ids=["joint, true gates", "joint, own gates", "router"],
)
def test_which_loss_teaches_what(objective, diffusion, routing):
    """Through hard gates the frame does not move the routers, and detached routers do not move the U-Net; Gumbel
    gates let the frame teach them."""
    pipeline = mini_pipeline()
    model = pipeline.model.requires_grad_(True)
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    target = Target(pipeline.scheduler.alphas_cumprod, "v_prediction", torch.ones(4))
    losses = stage_losses(model, _batch(pipeline), objective, target, generator)
    assert _taught(losses["diffusion"], model) == diffusion
    if routing is not None:
        assert _taught(losses["routing"], model) == routing


# The terms by themselves, each against a loop.


def test_routing_loss_is_the_mean_square_distance_of_subject_maps():
    logits, masks = torch.randn(2, 3, 4, 4), torch.rand(2, 2, 8, 8)
    total = 0.0
    for b in range(2):
        truth = [slow.shares(slow.numbers(masks[b, i]), 4, 4) for i in range(2)]
        for y in range(4):
            for x in range(4):
                maps = slow.softmax(slow.numbers(logits[b, :, y, x]))
                total += sum((maps[i] - truth[i][y][x]) ** 2 for i in range(2))
    assert routing_loss(logits, masks).item() == pytest.approx(total / (2 * 2 * 16), abs=1e-6)


def test_routing_cross_entropy_agrees_with_the_loop():
    logits, masks = torch.randn(2, 3, 4, 4), torch.rand(2, 2, 4, 4) * 0.5
    total = weights = 0.0
    for b in range(2):
        tokens = [(y, x) for y in range(4) for x in range(4)]
        truth = {}
        for y, x in tokens:
            first, second = slow.numbers(masks[b, :, y, x])
            truth[y, x] = first, second, 1 - first - second
        areas = [sum(truth[token][i] for token in tokens) / 16 for i in range(3)]
        for y, x in tokens:
            maps = slow.softmax(slow.numbers(logits[b, :, y, x]))
            for i in range(3):
                weight = truth[y, x][i] / math.sqrt(areas[i])
                total -= weight * math.log(maps[i])
                weights += weight
    assert routing_cross_entropy(logits, masks).item() == pytest.approx(total / weights, abs=1e-5)


def test_routing_cross_entropy_is_least_at_the_truth():
    masks = torch.zeros(2, 2, 4, 4)
    masks[:, 0, :2, :2] = masks[:, 1, 2:, 3] = 1
    truth = (routing.area_maps(masks, (4, 4)) + 1e-6).log()
    wrong = truth + 0.5 * torch.randn_like(truth)
    assert routing_cross_entropy(truth, masks) < routing_cross_entropy(wrong, masks)
    assert routing_loss(truth, masks) < 1e-10


def test_a_router_that_cannot_see_puts_a_subject_where_it_most_likely_is():
    # Ten frames: the subject holds a column of four, in four of them the left one, in two each of the others.
    masks = torch.zeros(10, 1, 4, 4)
    for b, column in enumerate([0, 0, 0, 0, 1, 1, 2, 2, 3, 3]):
        masks[b, 0, :, column] = 1
    logits = torch.zeros(1, 2, 4, 4, requires_grad=True)
    optimiser = torch.optim.Adam([logits], lr=0.1)
    for _ in range(200):
        optimiser.zero_grad()
        routing_cross_entropy(logits.expand(10, -1, -1, -1), masks).backward()
        optimiser.step()
    assert routing.hard_maps(logits)[0, 0].bool().tolist() == [[True, False, False, False]] * 4


def _projective():
    """From frame to reference: one that scales, shifts and turns; one with perspective; one unknown."""
    turn = torch.tensor([[0.613, -0.787, 0.311], [0.787, 0.613, -0.207], [0.0, 0.0, 1.0]])
    perspective = torch.tensor([[1.413, 0.107, 0.013], [0.029, 1.217, 0.211], [0.307, -0.911, 0.703]])
    return torch.stack([turn, perspective, torch.zeros(3, 3)])[None]


@pytest.mark.parametrize(("shape", "reference"), [((6, 6), (6, 6)), ((4, 7), (5, 3))])
def test_matching_tokens_agrees_with_the_loop(shape, reference):
    matrices = _projective()
    tokens, known = matching_tokens(matrices, shape, reference)
    assert tokens.shape == known.shape == (1, 3, shape[0] * shape[1])
    for subject in range(3):
        for u in range(shape[0] * shape[1]):
            y, x = (2 * (u // shape[1]) + 1) / shape[0] - 1, (2 * (u % shape[1]) + 1) / shape[1] - 1
            px, py, depth = (slow.dot(row, (x, y, 1.0)) for row in slow.numbers(matrices[0, subject]))
            match = None
            if depth > 1e-3:
                column = math.floor((px / depth + 1) / 2 * reference[1])
                row = math.floor((py / depth + 1) / 2 * reference[0])
                if 0 <= column < reference[1] and 0 <= row < reference[0]:
                    match = row * reference[1] + column
            assert (tokens[0, subject, u].item() if known[0, subject, u] else None) == match
    assert known[0, :2].any(-1).all() and not known[0, :2].all() and not known[0, 2].any()
    assert tokens.min() >= 0 and tokens.max() < reference[0] * reference[1]


def test_the_identity_matches_every_token_with_itself():
    tokens, known = matching_tokens(torch.eye(3)[None, None], (5, 7), (5, 7))
    assert known.all() and tokens.flatten().tolist() == list(range(35))


def test_correspondence_loss_agrees_with_the_loop():
    heads, size, subjects, n = 2, 3, 2, 5
    query, key = torch.randn(1, heads, 4, size, requires_grad=True), torch.randn(1, heads, subjects * n, size)
    target = torch.randint(n, (1, subjects, 4))
    counts = torch.tensor([[[True, False, True, False], [False, True, False, False]]])
    total = 0.0
    for subject, token in ((0, 0), (0, 2), (1, 1)):
        scores = [0.0] * n  # the mean over heads
        for head in range(heads):
            keys = slow.numbers(key[0, head, subject * n : subject * n + n])
            query_row = slow.numbers(query[0, head, token])
            scores = slow.add(scores, [slow.dot(query_row, k) / math.sqrt(size) / heads for k in keys])
        total -= math.log(slow.softmax(scores)[target[0, subject, token]])
    loss = correspondence_loss(query, key, target, counts)
    assert loss.item() == pytest.approx(total / 3, abs=1e-5)
    loss.backward()
    assert (query.grad.abs().sum((0, 1, 3)) > 0).tolist() == [True, True, True, False]


def test_correspondence_loss_without_a_match_is_zero():
    query, key = torch.randn(1, 2, 4, 3), torch.randn(1, 2, 5, 3)
    none = torch.zeros(1, 1, 4, dtype=torch.bool)
    assert correspondence_loss(query, key, torch.zeros(1, 1, 4, dtype=torch.long), none) == 0
