"""The mention reader against a loop, and what it must not depend on."""

import pytest
import torch

from anystory.model.mention import REACH, SILENT, MentionReader, mention_distances
from tests import slow

TEXT, ROUTING, HEADS, DIM = 6, 5, 2, 3


@pytest.fixture
def reader():
    torch.manual_seed(3)
    reader = MentionReader(TEXT, ROUTING, HEADS, DIM)
    torch.nn.init.normal_(reader.to_out.weight)
    return reader


@pytest.fixture
def states():
    return torch.randn(2, 7, TEXT, generator=torch.Generator().manual_seed(4))


@torch.no_grad()
def test_it_agrees_with_the_loop(reader, states):
    distances = torch.tensor([[[SILENT, -1, 0, 0, 1, 2, SILENT]], [[-REACH, -2, -1, 0, 1, SILENT, SILENT]]])
    found = reader(states, distances)
    query, near = slow.numbers(reader.query), slow.numbers(reader.distance.weight)
    for row in range(2):
        pooled = []
        words = [t for t in range(7) if distances[row, 0, t] < SILENT]
        keys = slow.linears(reader.to_k, slow.numbers(states[row]))
        values = slow.linears(reader.to_v, slow.numbers(states[row]))
        for head in range(HEADS):
            part = slice(head * DIM, (head + 1) * DIM)
            scores = [
                slow.dot(query[head], slow.add(keys[t][part], near[int(distances[row, 0, t]) + REACH][part]))
                for t in words
            ]
            weights = slow.softmax(scores)
            pooled += [sum(w * values[t][part][d] for w, t in zip(weights, words, strict=True)) for d in range(DIM)]
        assert found[row, 0].tolist() == pytest.approx(slow.linear(reader.to_out, pooled), abs=1e-5)


@torch.no_grad()
def test_a_subject_without_a_word_gets_nothing_and_finite(reader, states):
    distances = torch.full((2, 2, 7), SILENT)
    distances[0, 0, 2] = 0
    found = reader(states, distances)
    assert found[0, 0].abs().sum() > 0
    assert torch.equal(found[0, 1], torch.zeros(ROUTING)) and torch.equal(found[1], torch.zeros(2, ROUTING))


@torch.no_grad()
def test_silent_tokens_change_nothing(reader, states):
    distances = torch.tensor([[[SILENT, -1, 0, 1, 2, SILENT, SILENT]]]).expand(2, 1, 7)
    changed = states.clone()
    changed[:, [0, 5, 6]] = 100.0
    assert torch.equal(reader(states, distances), reader(changed, distances))


@torch.no_grad()
def test_before_and_after_are_not_the_same(reader, states):
    before = torch.tensor([[[SILENT, -2, -1, 0, SILENT, SILENT, SILENT]]]).expand(2, 1, 7)
    after = torch.tensor([[[SILENT, 2, 1, 0, SILENT, SILENT, SILENT]]]).expand(2, 1, 7)
    assert not torch.allclose(reader(states, before), reader(states, after), atol=1e-3)


def test_it_starts_at_zero():
    reader = MentionReader(TEXT, ROUTING)
    assert torch.equal(reader(torch.randn(1, 3, TEXT), torch.zeros(1, 1, 3).long()), torch.zeros(1, 1, ROUTING))


def test_far_words_count_as_far_as_reach():
    offsets = torch.tensor([[(2 * i, 2 * i + 1) for i in range(30)]])
    (row,) = mention_distances(offsets, [((20, 25),)])[0].tolist()
    assert row[:10] == [-8, -8, -8, -7, -6, -5, -4, -3, -2, -1] and row[10:13] == [0, 0, 0]
    assert row[13:] == [1, 2, 3, 4, 5, 6, 7] + [8] * 10
