"""Eq 5-8 in a whole U-Net, layer by layer against a loop, and that what is installed can be taken out again."""

import pytest
import torch

from anystory.model.attention import (
    Bank,
    ReferenceSelfAttention,
    SubjectAdapter,
    attend,
    attention,
    given_gate,
    transformer_blocks,
)
from anystory.model.routing import area_maps, gumbel_maps, hard_maps, layer_shape, positions
from tests import slow
from tests.tiny import mini_pipeline

SHAPE = (8, 8)


def _noise(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _bank(pipeline, subjects, rows=1, shape=SHAPE, active=None):
    """Random subjects for `rows` frames."""
    unet, network = pipeline.unet, pipeline.reference_net
    references = []
    if subjects:
        with torch.no_grad():
            features = network.features(_noise(rows * subjects, network.config.in_channels, 8, 6, seed=3))
        references = [g.unflatten(0, (rows, subjects)) for g in features]
    return Bank(
        tokens=_noise(rows, subjects + 1, 3, unet.config.cross_attention_dim, seed=4),
        routing=_noise(rows, subjects + 1, pipeline.adapter.config.routing_dim, seed=5),
        references=references,
        references_active=torch.ones(rows, dtype=torch.bool) if active is None else torch.tensor(active),
        latent_shape=shape,
    )


def _permuted(bank, order):
    """Subjects in another order; the background stays last."""
    entries = [*order, len(order)]
    return Bank(
        bank.tokens[:, entries],
        bank.routing[:, entries],
        [g[:, order] for g in bank.references],
        bank.references_active,
        bank.latent_shape,
    )


def _run(unet, rows=1, shape=SHAPE):
    """One forward pass on fixed noise; the last text token is padding."""
    config = unet.config
    pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
    mask = torch.ones(rows, 5)
    mask[:, -1] = 0
    return unet(
        _noise(rows, config.in_channels, *shape, seed=1),
        500,
        _noise(rows, 5, config.cross_attention_dim, seed=2),
        encoder_attention_mask=mask,
        added_cond_kwargs={"text_embeds": torch.ones(rows, pooled), "time_ids": torch.ones(rows, 6)},
    ).sample


class _Watch:
    """The attention layers of one forward pass in the order of execution: (module, inputs, output)."""

    def __init__(self, unet):
        self.calls = []
        layers = [layer for m in unet.modules() if hasattr(m, "attn1") for layer in (m.attn1, m.attn2)]
        self.hooks = [layer.register_forward_hook(self._keep, with_kwargs=True) for layer in layers]

    def _keep(self, module, args, kwargs, output):
        self.calls.append((module, args[0], kwargs.get("encoder_hidden_states"), output))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for hook in self.hooks:
            hook.remove()


def _gates(logits, shape):
    """Slow sigma(M) at `shape`: for each token the number of its entry."""
    grids = [slow.bilinear(grid, *shape) for grid in slow.numbers(logits)]
    scores = [[grid[y][x] for grid in grids] for y in range(shape[0]) for x in range(shape[1])]
    return [slow.one_hot(s).index(1) for s in scores]


def _slow_self_attention(attn, tokens, logits, references, to_k, to_v, gamma, shape):
    """Eq 6-8 for one frame; references: rows of tokens a subject."""
    queries, keys, values = (slow.linears(to, tokens) for to in (attn.to_q, attn.to_k, attn.to_v))
    owners = _gates(logits, shape)
    reference_keys = [slow.linears(to_k, rows) for rows in references]
    reference_values = [slow.linears(to_v, rows) for rows in references]
    out = []
    for query, owner in zip(queries, owners, strict=True):
        seen_keys, seen_values, bias = list(keys), list(values), [0.0] * len(keys)
        if owner < len(references):  # the others stand at minus infinity
            seen_keys += reference_keys[owner]
            seen_values += reference_values[owner]
            bias += [gamma] * len(reference_keys[owner])
        out.append(slow.attention(query, seen_keys, seen_values, attn.heads, bias))
    return slow.linears(attn.to_out[0], out)


def _slow_cross_attention(attn, tokens, text, logits, entries, to_k, to_v, eta, shape):
    """Eq 5 for one frame; text: rows that count; entries: rows of CLIP tokens an entry, the background last."""
    keys, values = slow.linears(attn.to_k, text), slow.linears(attn.to_v, text)
    subject_keys = [slow.linears(to_k, rows) for rows in entries]
    subject_values = [slow.linears(to_v, rows) for rows in entries]
    out = []
    for row, owner in zip(tokens, _gates(logits, shape), strict=True):
        query = slow.linear(attn.to_q, row)
        said = slow.attention(query, keys, values, attn.heads)
        shown = slow.attention(query, subject_keys[owner], subject_values[owner], attn.heads)
        out.append([s + eta * e for s, e in zip(said, shown, strict=True)])
    return slow.linears(attn.to_out[0], out)


@pytest.mark.parametrize("subjects", [1, 2])
@torch.no_grad()
def test_every_layer_of_a_forward_pass_agrees_with_the_loop(pipeline, subjects):
    eta, gamma = 0.6, 0.8
    unet, adapter, bank = pipeline.unet, pipeline.adapter, _bank(pipeline, subjects)
    with attend(unet, adapter, bank, eta=eta, gamma=gamma) as state, _Watch(unet) as watch:
        _run(unet)
    self_layers, cross_layers = watch.calls[::2], watch.calls[1::2]
    assert len(cross_layers) == len(state.refined) == len(adapter.routers)
    owners, resized = set(), 0
    for layer, ((attn, tokens, _, out), (cross, cross_tokens, text, cross_out)) in enumerate(
        zip(self_layers, cross_layers, strict=True)
    ):
        shape = tuple(state.refined[layer].shape[-2:])
        assert shape[0] * shape[1] == tokens.shape[1]
        owners |= set(_gates(state.refined[layer][0], shape))
        expected = _slow_cross_attention(
            cross,
            slow.numbers(cross_tokens[0]),
            slow.numbers(text[0])[:-1],
            state.refined[layer][0],
            slow.numbers(bank.tokens[0]),
            adapter.subject_k[layer],
            adapter.subject_v[layer],
            eta,
            shape,
        )
        assert torch.allclose(cross_out[0].double(), torch.tensor(expected, dtype=torch.double), atol=1e-5)
        if layer == 0:
            assert torch.equal(out, attn(tokens))  # taken out: the stock layer
            continue
        resized += state.refined[layer - 1].shape[-2:] != shape
        expected = _slow_self_attention(
            attn,
            slow.numbers(tokens[0]),
            state.refined[layer - 1][0],
            slow.numbers(bank.references[layer - 1][0]),
            adapter.reference_k[layer - 1],
            adapter.reference_v[layer - 1],
            gamma,
            shape,
        )
        assert torch.allclose(out[0].double(), torch.tensor(expected, dtype=torch.double), atol=1e-5)
    assert owners == set(range(subjects + 1)) and resized == 2  # once down and once up: nothing above was idle


@pytest.mark.parametrize("bias", [False, True])
def test_attention_written_out_for_training_is_the_fused_one(bias):
    query, key, value = (_noise(2, 3, n, 4, seed=n) for n in (5, 7, 7))
    closed = torch.zeros(2, 1, 5, 7)
    closed[:, :, :3, 2:] = -torch.inf
    trained = query.clone().requires_grad_()
    out = attention(trained, key, value, closed if bias else None)
    assert torch.allclose(out, attention(query, key, value, closed if bias else None), atol=1e-6)
    expected = slow.attention(
        *(slow.numbers(x) for x in (query[1, 2, 0], key[1, 2], value[1, 2])),
        1,
        closed[1, 0, 0].tolist() if bias else None,
    )
    assert out[1, 2, 0].tolist() == pytest.approx(expected, abs=1e-6)
    out.square().sum().backward()
    assert trained.grad.isfinite().all() and (trained.grad != 0).any(-1).all()


@torch.no_grad()
def test_layers_count_in_the_order_of_execution(pipeline):
    """Not in that of registration, where the middle block is the last."""
    unet = pipeline.unet
    with _Watch(unet) as watch:
        _run(unet)
    executed = [call[0] for call in watch.calls]
    assert executed == [layer for block in transformer_blocks(unet) for layer in (block.attn1, block.attn2)]
    assert executed != [layer for m in unet.modules() if hasattr(m, "attn1") for layer in (m.attn1, m.attn2)]


@torch.no_grad()
def test_maps_are_the_routers_for_the_tokens_of_their_layer(pipeline):
    unet, adapter, bank = pipeline.unet, pipeline.adapter, _bank(pipeline, 2, rows=2)
    with attend(unet, adapter, bank) as state, _Watch(unet) as watch:
        _run(unet, rows=2)
        _run(unet, rows=2)  # a second step starts afresh
    calls = watch.calls[len(watch.calls) // 2 :][1::2]
    assert len(calls) == len(state.refined) == len(state.coarse)
    for router, call, coarse, refined in zip(adapter.routers, calls, state.coarse, state.refined, strict=True):
        where = positions(layer_shape(call[1].shape[1], *bank.latent_shape), call[1])
        expected = router(bank.routing, call[1], where)
        assert torch.equal(coarse.flatten(2), expected[0]) and torch.equal(refined.flatten(2), expected[1])


@torch.no_grad()
def test_taking_the_processors_out_is_exact(pipeline):
    unet = pipeline.unet
    processors, plain = dict(unet.attn_processors), _run(unet)
    with attend(unet, pipeline.adapter, _bank(pipeline, 2)):
        assert not torch.allclose(_run(unet), plain, atol=1e-3)
    assert all(unet.attn_processors[key] is processor for key, processor in processors.items())
    assert torch.equal(_run(unet), plain)


@torch.no_grad()
def test_an_error_inside_takes_the_processors_out_too(pipeline):
    unet = pipeline.unet
    processors, plain = dict(unet.attn_processors), _run(unet)
    with pytest.raises(ValueError, match="fit no level"), attend(unet, pipeline.adapter, _bank(pipeline, 2)):
        _run(unet, shape=(20, 20))  # the bank is for another size
    assert all(unet.attn_processors[key] is processor for key, processor in processors.items())
    assert torch.equal(_run(unet), plain)


@pytest.mark.parametrize("subjects", [0, 1, 2])
@torch.no_grad()
def test_without_eta_and_references_it_is_the_plain_model(pipeline, subjects):
    bank = _bank(pipeline, subjects)
    bank.references.clear()
    with attend(pipeline.unet, pipeline.adapter, bank, eta=0.0) as state:
        out = _run(pipeline.unet)
    assert torch.equal(out, _run(pipeline.unet))
    assert len(state.refined) == len(pipeline.adapter.routers)


@torch.no_grad()
def test_closed_references_are_as_none(pipeline):
    """Within rounding: a kernel sums more keys, of weight zero."""
    unet, adapter = pipeline.unet, pipeline.adapter
    with attend(unet, adapter, _bank(pipeline, 2, active=[False]), eta=0.0):
        closed = _run(unet)
    assert torch.allclose(closed, _run(unet), atol=1e-5)


@torch.no_grad()
def test_rows_do_not_see_each_others_references(pipeline):
    unet, adapter = pipeline.unet, pipeline.adapter
    results = []
    for active in ([True, True], [True, False], [False, False]):
        with attend(unet, adapter, _bank(pipeline, 2, rows=2, active=active)):
            results.append(_run(unet, rows=2))
    both, first, none = results
    assert torch.allclose(first[0], both[0], atol=1e-5) and torch.allclose(first[1], none[1], atol=1e-5)
    assert not torch.allclose(both[1], none[1], atol=1e-3)


@pytest.mark.parametrize("order", [[1, 0], [2, 0, 1], [3, 1, 0, 2]])
@torch.no_grad()
def test_permuting_subjects_permutes_the_maps_and_leaves_the_frame(pipeline, order):
    unet, adapter, bank = pipeline.unet, pipeline.adapter, _bank(pipeline, len(order))
    with attend(unet, adapter, bank) as state:
        out = _run(unet)
    with attend(unet, adapter, _permuted(bank, order)) as permuted:
        assert torch.allclose(_run(unet), out, atol=1e-4)
    for kind in ("coarse", "refined"):
        for a, b in zip(getattr(state, kind), getattr(permuted, kind), strict=True):
            assert torch.allclose(a[:, [*order, len(order)]], b, atol=1e-4)


@pytest.mark.parametrize("shape", [(9, 9), (9, 14), (6, 10)])
@torch.no_grad()
def test_odd_and_oblong_latents_run(pipeline, shape):
    with attend(pipeline.unet, pipeline.adapter, _bank(pipeline, 2, shape=shape)) as state:
        assert _run(pipeline.unet, shape=shape).isfinite().all()
    sizes = {tuple(x.shape[-2:]) for x in state.refined}
    levels = [shape]
    for _ in pipeline.unet.config.down_block_types[1:]:
        levels.append(tuple(-(-side // 2) for side in levels[-1]))
    assert sizes == set(levels[-2:])


@torch.no_grad()
def test_an_entry_that_claims_nothing_gives_no_nan(pipeline):
    bank = _bank(pipeline, 3)
    bank.routing = bank.routing[:, :1].expand(-1, 4, -1)  # all alike: the first claims every token of every layer
    with attend(pipeline.unet, pipeline.adapter, bank) as state:
        assert _run(pipeline.unet).isfinite().all()
    assert all(hard_maps(x)[:, 0].all() for x in state.coarse)
    assert all(x.isfinite().all() for x in state.refined)


@torch.no_grad()
def test_subjects_are_projected_once_whatever_the_number_of_steps(pipeline):
    adapter, counts = pipeline.adapter, {}
    watched = [*adapter.subject_k, *adapter.subject_v, *adapter.reference_k, *adapter.reference_v, *adapter.routers]
    hooks = [m.register_forward_hook(lambda m, *_: counts.update({m: counts.get(m, 0) + 1})) for m in watched]
    with attend(pipeline.unet, adapter, _bank(pipeline, 2)):
        for _ in range(3):
            _run(pipeline.unet)
    for hook in hooks:
        hook.remove()
    assert [counts[m] for m in watched] == [3 if m in set(adapter.routers) else 1 for m in watched]


@pytest.mark.parametrize("detach", [False, True])
def test_detached_routers_learn_without_moving_the_unet(detach):
    pipeline = mini_pipeline()
    unet, adapter = pipeline.unet.requires_grad_(True), pipeline.adapter.requires_grad_(True)
    with attend(unet, adapter, _bank(pipeline, 2), detach=detach) as state:
        _run(unet)
    sum(x.square().sum() for x in state.refined).backward()
    assert all(router.refined_key.weight.grad.any() for router in adapter.routers)
    assert (unet.conv_in.weight.grad is None) == detach


def test_gumbel_gates_let_the_frame_teach_the_routers():
    pipeline = mini_pipeline()
    unet, adapter = pipeline.unet, pipeline.adapter
    adapter.routers.requires_grad_(True)
    torch.manual_seed(0)
    for gate, taught in ((hard_maps, False), (lambda logits: gumbel_maps(logits, 1.0), True)):
        with attend(unet, adapter, _bank(pipeline, 2), gate=gate):
            out = _run(unet)
        assert out.requires_grad == taught
    out.square().mean().backward()
    assert all(router.refined_query.weight.grad.any() for router in adapter.routers)


@torch.no_grad()
def test_a_given_gate_shows_the_truth_in_the_rows_asked_for():
    masks, logits = torch.rand(2, 2, 8, 8) * 0.5, torch.randn(2, 3, 4, 4)
    gate = given_gate(masks, torch.tensor([True, False]))
    assert torch.equal(gate(logits)[0], hard_maps(area_maps(masks, (4, 4)))[0])
    assert torch.equal(gate(logits)[1], hard_maps(logits)[1])


@torch.no_grad()
def test_queries_are_kept_when_asked_for(pipeline):
    blocks = transformer_blocks(pipeline.unet)
    with attend(pipeline.unet, pipeline.adapter, _bank(pipeline, 2)) as state, _Watch(pipeline.unet) as watch:
        state.queries = []
        _run(pipeline.unet)
    for (query, key), call, layer in zip(state.queries, watch.calls[2::2], range(1, len(blocks)), strict=True):
        attn, tokens = call[:2]
        assert isinstance(attn, type(blocks[layer].attn1))
        assert torch.equal(query.transpose(1, 2).flatten(2), attn.to_q(tokens))
        assert key.shape[1:2] == query.shape[1:2] and key.shape[3] == query.shape[3]
        assert key.shape[2] % 2 == 0


@torch.no_grad()
def test_a_fresh_adapter_is_the_papers_router_with_the_unets_keys_and_values(pipeline):
    adapter = SubjectAdapter.from_unet(pipeline.unet, routing_dim=16, router_dim=8)
    routing, text = _noise(1, 3, 16, seed=0), _noise(1, 4, adapter.config.text_dim, seed=1)
    assert torch.equal(adapter.routing_features(routing, text, torch.zeros(1, 2, 4).long()), routing)
    blocks = transformer_blocks(pipeline.unet)
    for layer, block in enumerate(blocks):
        assert torch.equal(adapter.subject_k[layer].weight, block.attn2.to_k.weight)
        assert torch.equal(adapter.subject_v[layer].weight, block.attn2.to_v.weight)
    for layer, block in enumerate(blocks[1:]):
        assert torch.equal(adapter.reference_k[layer].weight, block.attn1.to_k.weight)
        assert torch.equal(adapter.reference_v[layer].weight, block.attn1.to_v.weight)


@torch.no_grad()
def test_the_first_self_attention_reads_no_reference(pipeline):
    blocks = transformer_blocks(pipeline.unet)
    with attend(pipeline.unet, pipeline.adapter, _bank(pipeline, 1)):
        reads = [isinstance(block.attn1.processor, ReferenceSelfAttention) for block in blocks]
    assert reads == [False] + [True] * (len(blocks) - 1)
