"""The paper's model on the simulated card, and its plans against what is counted at SDXL's size."""

from functools import partial

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn

from anystory.backends.base import BackendError, Request
from anystory.backends.memory import Planned
from anystory.backends.sdxl import AnyStoryBackend
from anystory.bench import paper, walk
from anystory.bench.card import CARD, Card
from anystory.bench.count import Counter
from anystory.evaluation.size import SDXL
from anystory.model.attention import Bank, SubjectAdapter, attend, transformer_blocks
from anystory.model.memory import CONTEXT, GIB, SPARE, chain
from anystory.model.plans import ALWAYS, CANDIDATES, Footprint, Plan, Work, candidates, layer_shapes, plan, replan
from anystory.story.capabilities import Capabilities
from anystory.story.model import Prompt, Settings
from tests.backends.test_sdxl import _subject

ABOUT = Capabilities("sdxl", "1", Settings(size=paper.SIZE), range(64, 4 * paper.SIZE + 1, 8), 4)

QUERIES = 64


def precision(plan):
    return plan.precision


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    paper.build().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def plans(folder):
    return candidates(Footprint.of(folder), Work((paper.SIZE, paper.SIZE), paper.SUBJECTS))


@pytest.fixture(scope="module")
def walked(folder, plans):
    names = ["/".join(each) for each in CANDIDATES]
    draws = [lambda each=each: paper.frame(paper.loaded(each, folder)) for each in plans]
    return {name: walk.walked(name, each, draw) for name, each, draw in zip(names, plans, draws, strict=True)}


def test_every_plan_finds_its_weights_and_takes_what_it_says(walked):
    for found in walked.values():
        assert found.passed and found.measured >= 0.8 * found.expected, str(found)
    measured = [found.measured for found in walked.values()]
    assert measured == sorted(measured, reverse=True)


def test_plans_of_one_precision_draw_the_same_picture_and_eight_bits_nearly_so(walked):
    whole, model, eight, layer = (torch.frombuffer(bytearray(w.picture), dtype=torch.uint8) for w in walked.values())
    assert torch.equal(whole, model) and torch.equal(whole, layer)
    away = (eight.float() - whole.float()).abs().mean()
    assert 0 < away < 16


def test_models_that_take_turns_are_alone(folder, plans):
    with Card():
        pipeline, seen = paper.loaded(plans[1], folder), []
        parts = {name: part for name, part in pipeline.components.items() if isinstance(part, nn.Module)}
        for name, part in parts.items():
            layer = next(m for m in part.modules() if isinstance(m, nn.Linear | nn.Conv2d))
            layer.register_forward_hook(lambda *_, name=name: seen.append((name, there())))

        def there():
            return {name for name, part in parts.items() if any(p.device == CARD for p in part.parameters())}

        paper.frame(pipeline)
    assert all(those == {name, *ALWAYS} or (name in ALWAYS and len(those) <= 1 + len(ALWAYS)) for name, those in seen)
    assert {name for name, _ in seen} == parts.keys()


@pytest.mark.parametrize(("share", "offloads"), [(0.9, ["model"]), (0.3, ["layer"])])
def test_on_a_card_that_is_full_the_backend_goes_on_under_the_next_plan(folder, plans, share, offloads):
    """Nobody raises here but the card itself."""
    told = []
    ways = [each for each in plans if each.weights == "bf16"]
    with Card(round(share * (ways[0].peak - CONTEXT))):
        memory = Planned("sdxl", partial(paper.loaded, folder=folder), ways, told.append)
        backend = AnyStoryBackend(ABOUT, memory, precision)
        cast = [backend.encode(_subject("Fox", "red"))]
        settings = Settings(size=paper.SIZE, steps=2, guidance=7.5)
        *_, last = backend.denoise(Request(Prompt("a fox", ((0, 5),)), ("Fox",), cast, settings, 7))
    assert last.frame.image.size == (paper.SIZE,) * 2
    assert [each.offload for each in memory.plans][:1] == offloads
    assert told and all("Finished panels are kept; sdxl goes on with weights in bf16" in said for said in told)


def test_a_backend_that_found_no_memory_at_all_goes_on_when_there_is_some(folder, plans):
    with Card() as card:
        memory = Planned("sdxl", partial(paper.loaded, folder=folder), plans[-1:], print)
        backend = AnyStoryBackend(ABOUT, memory, precision)
        card.capacity = 1000
        with pytest.raises(BackendError, match="memory is too short"):
            backend.encode(_subject("Fox", "red"))
        assert backend.about.sizes and backend.layer_shapes(Settings(size=64)) and backend.unread(Prompt("a fox")) == ""
        card.capacity = None
        assert backend.encode(_subject("Fox", "red")).pictures == 1


def test_a_frame_of_many_characters_is_counted_before_it_is_begun(folder, plans):
    told, ways = [], [each for each in plans if each.weights == "bf16"]
    footprint = Footprint.of(folder)
    with Card():
        memory = Planned("sdxl", partial(paper.loaded, folder=folder), ways, told.append)
        card = replan(footprint, Work((paper.SIZE, paper.SIZE), 1), ways[0]).peak / SPARE + 1
        backend = AnyStoryBackend(ABOUT, memory, precision, footprint, card)
        cast = [backend.encode(_subject("Fox", "red"))]
        settings = Settings(size=paper.SIZE, steps=1)
        *_, last = backend.denoise(Request(Prompt("a fox"), ("Fox",), cast, settings, 7))
        assert memory.plan == ways[0] and last.frame and not told
        *_, last = backend.denoise(Request(Prompt("foxes"), tuple("ABCD"), cast * 4, settings, 7))
        assert memory.plan == ways[1] and last.frame
        *_, last = backend.denoise(Request(Prompt("a fox"), ("Fox",), cast, settings, 7))
        assert memory.plan == ways[0] and last.frame
    assert told == [
        f"A frame of 128 pixels with 4 characters takes more memory; sdxl goes on with {ways[1]}.",
        f"A frame of 128 pixels with 1 character takes less memory; sdxl goes on with {ways[0]}.",
    ]


def test_a_frame_that_no_plan_has_room_for_is_refused_before_anything_is_loaded(folder, plans):
    footprint = Footprint.of(folder)
    with Card():
        memory = Planned("sdxl", partial(paper.loaded, folder=folder), plans, print)
        card = plans[-1].peak / SPARE + 1
        backend = AnyStoryBackend(ABOUT, memory, precision, footprint, card)
        loaded = memory.model
        with pytest.raises(BackendError, match=r"A frame of 512 pixels with 0 characters needs \d+\.\d GB .* smaller"):
            next(backend.denoise(Request(Prompt("a fox"), (), (), Settings(size=4 * paper.SIZE, steps=1), 7)))
        assert memory.model is loaded


@pytest.fixture(scope="module")
def full():
    """A U-Net and an adapter of SDXL's size, without values, and their footprint."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(**SDXL).to(torch.bfloat16).requires_grad_(False)
        adapter = SubjectAdapter.from_unet(unet, routing_dim=768, router_dim=256).to(torch.bfloat16)
    dims = adapter.config.layer_dims
    shapes = layer_shapes(unet, (64, 64))
    weights = {"unet": 2_567_463_684, "reference_net": 2_016_384_324, "adapter": 854_067_712, "vae": 83_653_863}
    weights |= {"text_encoder": 123_060_480, "text_encoder_2": 694_659_840, "image_encoder": 632_076_800}
    assert sum(p.numel() for p in unet.parameters()) == weights["unet"]
    references = sum(h * w * d for (h, w), d in list(zip(shapes, dims, strict=True))[1:])
    layer = max(sum(p.numel() for p in m.parameters(recurse=False)) for m in unet.modules())
    return unet, adapter, Footprint(weights, layer, references, QUERIES * sum(dims), 320, 8, 256)


@pytest.mark.parametrize(
    "work",
    [Work((1024, 1024)), Work((512, 512)), Work((1024, 1024), 4), Work((1024, 1024), 2, 3), Work((1024, 1024), 0)],
    ids=str,
)
def test_expected_work_is_what_is_counted_at_full_size(full, work):
    unet, adapter, footprint = full
    meta = partial(torch.empty, device="meta", dtype=torch.bfloat16)
    rows, side, many = 2, work.size[0] // 8, work.pictures
    widths = [block.attn1.to_q.in_features for block in transformer_blocks(unet)]
    tokens = [h * w for h, w in layer_shapes(unet, (64, 64))]
    bank = Bank(
        tokens=meta(rows, work.subjects + 1, QUERIES * many, 2048),
        routing=meta(rows, work.subjects + 1, 768),
        references=[
            meta(rows, work.subjects, count * many, width)
            for count, width in list(zip(tokens, widths, strict=True))[1:]
            if work.subjects
        ],
        references_active=torch.empty(rows, dtype=torch.bool, device="meta"),
        latent_shape=(side, side),
        present=torch.empty(rows, work.subjects + 1, many, dtype=torch.bool, device="meta") if many > 1 else None,
    )
    conditions = {"text_embeds": meta(rows, 1280), "time_ids": meta(rows, 6)}
    with torch.no_grad(), attend(unet, adapter, bank), Counter() as cost:
        unet(meta(rows, 4, side, side), meta(()), meta(rows, 77, 2048), added_cond_kwargs=conditions)
    features = sum(2 * x.numel() for x in bank.references)
    expected = footprint.held(work, 2) + footprint.step(work, 2)
    assert expected == pytest.approx(cost.peak + features, rel=0.25)


def test_decoding_is_what_is_counted_at_full_size(full):
    with torch.device("meta"):
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
        ).to(torch.bfloat16)
    with torch.no_grad(), Counter() as cost:
        vae.decode(torch.empty(1, 4, 128, 128, device="meta", dtype=torch.bfloat16))
    assert cost.peak <= full[2].decoding(Work((1024, 1024)), 2) <= 1.6 * cost.peak


def test_cards_that_people_have_get_a_plan_at_1024_pixels(full):
    plans = candidates(full[2], Work((1024, 1024)))
    first = {card: chain(plans, card * GIB, "it")[0] for card in (8, 12, 16, 24)}
    assert {card: f"{each.weights}/{each.offload}" for card, each in first.items()} == {
        8: "bf16/layer",
        12: "bf16/model",
        16: "bf16/model",
        24: "bf16/none",
    }
    peaks = [each.peak for each in plans]
    assert peaks == sorted(peaks, reverse=True)


def test_a_plan_says_what_it_does():
    said = str(Plan("fp8", "model", round(8e9), round(12e9)))
    assert said.startswith("weights in fp8, one model on the card at a time: 8.0 GB on the card and 12.0 GB of the co")
    assert (
        plan(Footprint({"unet": 10, "vae": 1, "adapter": 1}, 1, 1, 1, 1, 8, 1), Work((64, 64)), "float32", "cpu").peak
        == 0
    )
