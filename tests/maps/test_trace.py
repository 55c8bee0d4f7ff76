"""Laws of the trace: what goes in comes out, in the least bits, within the stated size, from any file or a refusal."""

import io
import zipfile

import numpy as np
import pytest

from anystory.story import model as story_module
from anystory.story.model import BACKGROUND, RoutingTrace, TraceRecorder, dump_trace, read_trace, trace_size

UNET = ((8, 8), (4, 4), (4, 4), (8, 8), (3, 5))
"""Layers of three sizes, one of them not a multiple of eight tokens."""


def random_maps(subjects, shapes, steps, seed=0):
    rng = np.random.default_rng(seed)
    return [[rng.integers(0, subjects + 1, shape).astype(np.uint8) for shape in shapes] for _ in range(steps)]


def recorded(subjects, refined, coarse=None, steps=None, total=None):
    names = (*(f"s{k}" for k in range(subjects)), BACKGROUND)
    steps = steps or range(1, len(refined) + 1)
    recorder = TraceRecorder(names)
    for index, step in enumerate(steps):
        recorder.add(step, refined[index], coarse[index] if coarse else ())
    return recorder.trace(total or max(steps))


def kept(trace, tmp_path, key="k"):
    (tmp_path / "trace.npz").write_bytes(dump_trace(trace, key))
    return read_trace(tmp_path / "trace.npz", key)


@pytest.mark.parametrize("subjects", [0, 1, 2, 3, 4, 7, 8, 20])
def test_what_is_recorded_is_what_is_read(tmp_path, subjects):
    refined, coarse = random_maps(subjects, UNET, 3), random_maps(subjects, UNET, 3, seed=1)
    trace = recorded(subjects, refined, coarse)
    for one in (trace, kept(trace, tmp_path)):
        assert (one.names, one.total, one.steps, one.shapes) == (trace.names, 3, (1, 2, 3), UNET)
        assert one.kinds == ("coarse", "refined")
        for step in (1, 2, 3):
            for layer in range(1, len(UNET) + 1):
                assert np.array_equal(one.holders(step, layer), refined[step - 1][layer - 1])
                assert np.array_equal(one.holders(step, layer, "coarse"), coarse[step - 1][layer - 1])
                assert one.holders(step, layer).dtype == np.uint8


def test_other_layer_sets_fit_oblong_grids_no_coarse_maps_and_steps_without_routing(tmp_path):
    grid = ((16, 24),) * 5
    refined = random_maps(2, grid, 3)
    trace = kept(recorded(2, refined, steps=(3, 4, 7), total=25), tmp_path)
    assert trace.kinds == ("refined",) and trace.steps == (3, 4, 7) and trace.total == 25
    assert np.array_equal(trace.holders(7, 5), refined[2][4])
    for wrong, says in (
        ((1, 1), "no maps of step 1; there are those of 3, 4, 7"),
        ((3, 0), "no layer 0; the layers are 1 to 5"),
        ((3, 6), "no layer 6"),
        ((3, 1, "coarse"), "no coarse maps; there are: refined"),
    ):
        with pytest.raises(ValueError, match=says):
            trace.holders(*wrong)
    assert TraceRecorder(("a", BACKGROUND)).trace(25) is None


@pytest.mark.parametrize(("subjects", "bits"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4)])
def test_a_token_takes_the_least_bits_and_sizes_are_kept_apart(subjects, bits):
    trace = recorded(subjects, random_maps(subjects, UNET, 2))
    assert {key: array.shape for key, array in trace.packed.items()} == {
        ("refined", (8, 8)): (bits, 2, 2, 8),
        ("refined", (4, 4)): (bits, 2, 2, 2),
        ("refined", (3, 5)): (bits, 2, 1, 2),
    }


@pytest.mark.parametrize("subjects", [1, 4])
def test_a_file_is_never_larger_than_was_said(subjects):
    """Random maps, which nothing compresses, in the layers of SDXL at 512 pixels."""
    shapes = ((32, 32),) * 10 + ((16, 16),) * 60
    trace = recorded(subjects, random_maps(subjects, shapes, 4), random_maps(subjects, shapes, 4, seed=1))
    size, bound = len(dump_trace(trace, "0" * 64)), trace_size(4, shapes, subjects)
    assert 0.8 * (bound - 20_000) < size <= bound
    assert trace_size(8, shapes, subjects) > 1.5 * bound and trace_size(4, shapes, subjects, kinds=1) < 0.8 * bound


def test_the_stated_sizes_are_true():
    """Those in docs/maps.md: 25 steps."""
    sdxl = ((64, 64),) * 10 + ((32, 32),) * 60
    assert [round(trace_size(25, sdxl, subjects) / 1e6, 1) for subjects in (1, 3, 4)] == [0.7, 1.3, 1.9]
    mini = ((16, 16),) + ((8, 8),) * 4 + ((16, 16),) * 2
    assert [round(trace_size(25, mini, subjects) / 1e3) for subjects in (1, 3, 4)] == [23, 30, 36]


def test_votes_are_shares_of_layers_and_one_layer_is_its_own_map():
    half = np.zeros((4, 4), np.uint8)
    half[:, 2:] = 1  # the right half is nobody's
    whole, none = np.zeros((8, 8), np.uint8), np.ones((2, 2), np.uint8)
    trace = recorded(1, [[half, whole, none]])
    votes = trace.votes(1)
    assert votes.names == ("s0", BACKGROUND) and votes.values.shape == (2, 8, 8)
    assert np.allclose(votes.values.sum(0), 1)
    assert np.allclose(votes.values[0, :, :4], 2 / 3) and np.allclose(votes.values[0, :, 4:], 1 / 3)
    assert np.array_equal(trace.votes(1, layer=1).values[0], 1 - half)


def rewritten(trace, **change):
    with np.load(io.BytesIO(dump_trace(trace, "k")), allow_pickle=False) as arrays:
        data = {**arrays, **change}
    buffer = io.BytesIO()
    np.savez(buffer, **{name: value for name, value in data.items() if value is not None})
    return buffer.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        {"names": np.array(["s0", "s1"])},
        {"names": np.array(["s0", BACKGROUND], object)},
        {"total": 0},
        {"steps": np.array([2, 1])},
        {"steps": np.array([1, 9])},
        {"steps": np.array([], np.int32)},
        {"shapes": np.array([[8, 8]])},
        {"shapes": np.array([[0, 8]])},
        {"shapes": np.array([[8, 8, 8]])},
        {"shapes": np.array([[10**9, 10**9]])},
        {"refined 8x8": np.zeros((1, 2, 2, 7), np.uint8)},
        {"refined 8x8": np.zeros((1, 2, 2, 8), np.int64)},
        {"refined 8x8": None},
        {"sideways 8x8": np.zeros((1, 2, 2, 8), np.uint8)},
        {"refined": np.zeros(1, np.uint8)},
        {"key": None},
    ],
    ids=lambda change: "-".join(map(str, change)),
)
def test_a_file_with_other_content_is_refused(tmp_path, change):
    trace = recorded(1, random_maps(1, UNET, 2))
    (tmp_path / "t.npz").write_bytes(rewritten(trace, **change))
    with pytest.raises(ValueError, match=r"t\.npz is not a routing trace"):
        read_trace(tmp_path / "t.npz")


def test_a_damaged_or_foreign_file_is_refused(tmp_path):
    data = dump_trace(recorded(1, random_maps(1, UNET, 2)), "k")
    path = tmp_path / "t.npz"
    for damaged in (b"", b"not a zip", data[:-30], data[: len(data) // 2], b"\x93NUMPY"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="not a routing trace"):
            read_trace(path)
    path.write_bytes(data)
    with pytest.raises(ValueError, match="belongs to another frame"):
        read_trace(path, "another")
    with pytest.raises(FileNotFoundError):
        read_trace(tmp_path / "none.npz")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(story_module.np, "load", None)  # never reached
    monkeypatch.setattr(story_module, "MAX_TRACE", 1000)
    with zipfile.ZipFile(tmp_path / "t.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("refined 8x8.npy", bytes(2001))
    with pytest.raises(ValueError, match="it unpacks to 2001 bytes, more than 2000"):
        read_trace(tmp_path / "t.npz")


def test_the_same_trace_is_the_same_file():
    refined = random_maps(3, UNET, 2)
    assert dump_trace(recorded(3, refined), "k") == dump_trace(recorded(3, refined), "k")


def test_a_trace_that_does_not_fit_together_is_refused():
    trace = recorded(1, random_maps(1, UNET, 2))
    with pytest.raises(ValueError, match="last name of a trace must be"):
        RoutingTrace(("a", "b"), 2, trace.steps, trace.shapes, trace.packed)
    with pytest.raises(ValueError, match="do not fit its layers"):
        RoutingTrace(trace.names, 2, trace.steps, trace.shapes[:1], trace.packed)
