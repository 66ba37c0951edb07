"""Tokenizers that train in lock step, and the sample that their vocabularies cut."""

import math
from collections.abc import Generator, Sequence
from itertools import pairwise

import pytest

from core.data.stories import story_text
from core.tokenization import AlphabetStep, MergeStep, Tokenizer, train_tokenizer
from core.tokenization.lockstep import (
    CommonStep,
    LanePlan,
    Options,
    Preparing,
    growing,
    lockstep_steps,
    resplit_steps,
)
from core.tokenization.training import KINDS

TEXT = story_text(0, 20_000)
SAMPLES = [
    "Once upon a time, Mira found a red kite.",
    "The the  THE \n\n naïve 漢字 🙂 don't \u2581x 2026",
    "zzzz qqqq aaaaaaaaaa bananas",
    "",
]
WATCHED = [kind for kind in KINDS if kind != "characters"]
VARIANTS = [
    ("bpe", Options()),
    ("bpe", Options(tie="minbpe")),
    ("bpe", Options(tie="rustbpe", pattern="cl100k")),
    ("wordpiece", Options()),
    ("wordpiece", Options(score="likelihood")),
    ("sentencepiece-bpe", Options()),
    ("sentencepiece-bpe", Options(byte_fallback=True, normalizer="identity")),
    ("unigram", Options()),
    ("unigram", Options(byte_fallback=True)),
]


def run(
    steps: Generator[CommonStep | Preparing, None, list[Tokenizer | None]],
) -> tuple[list[CommonStep], list[Tokenizer | None]]:
    common = []
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return common, end.value
        if isinstance(step, CommonStep):
            common.append(step)


def together(plans: Sequence[LanePlan], vocab_size: int, sample: str = "") -> list[CommonStep]:
    return run(lockstep_steps(plans, TEXT, vocab_size, sample))[0]


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize(("kind", "options"), VARIANTS)
def test_the_last_split_is_that_of_the_finished_tokenizer(
    kind: str, options: Options, sample: str
) -> None:
    common, [tokenizer] = run(lockstep_steps([LanePlan(kind, options)], TEXT, 600, sample))
    assert tokenizer is not None
    state, encoding = common[-1].lanes[0], tokenizer.encode(sample, specials=False)
    assert list(state.split.pieces) == encoding.pieces
    assert list(state.split.spans) == encoding.spans
    assert state.done
    assert state.vocab_size == tokenizer.vocab_size


@pytest.mark.parametrize("kind", WATCHED)
def test_a_lane_trains_what_it_would_have_trained_alone(kind: str) -> None:
    plans = [LanePlan("bpe"), LanePlan(kind)]
    _, tokenizers = run(lockstep_steps(plans, TEXT, 500, SAMPLES[0]))
    alone = train_tokenizer(kind, TEXT, 500)
    assert tokenizers[1] is not None
    assert tokenizers[1].vocabulary == alone.vocabulary


def test_every_split_of_bpe_is_that_of_a_smaller_vocabulary() -> None:
    for common in together([LanePlan("bpe")], 320, SAMPLES[0]):
        smaller = train_tokenizer("bpe", TEXT, 257 + common.index)
        assert list(common.lanes[0].split.pieces) == smaller.encode(SAMPLES[0]).pieces


def test_a_piece_that_two_merges_lead_to_is_joined_on() -> None:
    # Where "abc" can be made in two ways, the second lets an earlier merge be done after it.
    text = "xabc " * 9 + "abc " * 8 + "bc " * 7 + "ab " * 20 + "xab xab"
    sample = "xabc abc bcab xab abcx"
    common, [tokenizer] = run(lockstep_steps([LanePlan("bpe")], text, 275, sample))
    assert tokenizer is not None
    assert list(common[-1].lanes[0].split.pieces) == tokenizer.encode(sample).pieces


def test_each_common_step_is_one_merge_of_each() -> None:
    common = together([LanePlan("bpe"), LanePlan("bpe", Options(tie="minbpe"))], 300)
    assert [step.index for step in common] == list(range(300 - 257 + 1))
    assert all(isinstance(state.step, AlphabetStep) for state in common[0].lanes)
    for step in common[1:]:
        for state in step.lanes:
            assert isinstance(state.step, MergeStep)
            assert state.step.rank == step.index - 1
            assert state.vocab_size == 257 + step.index
            assert state.number == step.index + 1


def test_a_lane_that_is_done_waits_for_the_others() -> None:
    special = Options(special_tokens=tuple(f"<{place}>" for place in range(30)))
    common = together([LanePlan("bpe"), LanePlan("bpe", special)], 320)
    ends = [[step.lanes[lane].done for step in common].index(True) for lane in (0, 1)]
    assert ends == [63, 34]
    assert common[40].lanes[1] is common[34].lanes[1]


@pytest.mark.parametrize("size", [150, 300, 600, 900])
def test_unigram_ends_with_the_last_of_the_others(size: int) -> None:
    plans = [LanePlan("sentencepiece-bpe"), LanePlan("unigram"), LanePlan("wordpiece")]
    common = together(plans, size)
    numbers = [step.lanes[1].number for step in common]
    assert numbers[0] == 1
    assert all(after - before in (0, 1) for before, after in pairwise(numbers))
    ends = [[step.lanes[lane].done for step in common].index(True) for lane in range(3)]
    assert abs(ends[1] - max(ends[0], ends[2])) <= 1, ends


def test_what_is_expected_comes_true() -> None:
    """Merging adds a piece a step, so the end is known from the start; each lane's share of its
    steps never falls behind that of the common ones, but for the last that is not due yet.
    """
    common = together([LanePlan("bpe"), LanePlan("unigram"), LanePlan("wordpiece")], 500)
    last = len(common) - 1
    assert {step.expected for step in common} == {last}
    for step in common:
        state = step.lanes[1]
        steps = max(1, state.number - 1 + state.ahead)
        assert state.done or step.index / last - state.progress < 1 / steps + 1e-9
        merging = step.lanes[2]
        assert merging.progress == pytest.approx(step.index / last)
    assert all(state.progress == 1.0 and state.ahead == 0 for state in common[-1].lanes)


def test_an_end_that_comes_early_is_expected_once_it_is_known() -> None:
    """A text that yields fewer pieces than are asked for: nobody knows before no pair is left."""
    plans = [LanePlan("bpe"), LanePlan("wordpiece")]
    common, _ = run(lockstep_steps(plans, "low lower lowest " * 9, 280))
    assert common[0].expected > common[-1].expected == common[-1].index


def test_unigram_alone_expects_less_as_rare_pieces_go() -> None:
    common = together([LanePlan("unigram")], 300)
    expected = [step.expected for step in common]
    assert expected == sorted(expected, reverse=True) and expected[-1] == len(common) - 1


def test_a_lane_that_cannot_go_on_tells_why_and_the_others_go_on() -> None:
    many = Options(special_tokens=tuple(f"<{place}>" for place in range(100)))
    common, tokenizers = run(
        lockstep_steps([LanePlan("bpe", many), LanePlan("bpe")], TEXT, 300, SAMPLES[0])
    )
    assert tokenizers[0] is None
    assert tokenizers[1] is not None
    assert common[0].lanes[0].done
    assert "choose at least 356" in common[0].lanes[0].error
    assert common[-1].lanes[1].error == ""


@pytest.mark.parametrize("options", [Options(), Options(("<|end|>",), byte_fallback=True)])
def test_unigrams_pieces_are_counted_with_those_that_need_no_training(options: Options) -> None:
    plan = LanePlan("unigram", options)
    common, [tokenizer] = run(lockstep_steps([plan], TEXT, 400))
    assert tokenizer is not None
    untrained = tokenizer.vocab_size - common[-1].lanes[0].step.vocab_size
    assert untrained == (3 if options == Options() else 3 + 1 + 256)
    for step in common:
        state = step.lanes[0]
        assert state.vocab_size == state.step.vocab_size + untrained
    assert common[-1].lanes[0].vocab_size == tokenizer.vocab_size == 400


def test_a_text_that_yields_less_ends_early() -> None:
    common, [tokenizer] = run(lockstep_steps([LanePlan("bpe")], "low lower lowest", 1000))
    assert tokenizer is not None
    assert common[-1].lanes[0].done
    assert common[-1].lanes[0].vocab_size == tokenizer.vocab_size < 300


@pytest.mark.parametrize(
    ("plans", "text", "size", "message"),
    [
        ([], TEXT, 300, "choose 1 to 4"),
        ([LanePlan("bpe")] * 5, TEXT, 300, "choose 1 to 4"),
        ([LanePlan("characters")], TEXT, 300, "cannot be watched: choose one of bpe"),
        ([LanePlan("bpe")] * 2, "", 300, "the text is empty"),
        ([LanePlan("bpe")], TEXT, 100, "choose at least 257"),
    ],
)
def test_what_cannot_be_trained_is_refused(plans, text, size, message) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        run(lockstep_steps(plans, text, size))
    assert str(refused.value).count(message) == 1


def test_closing_closes_every_trainer() -> None:
    steps = lockstep_steps([LanePlan("bpe")] * 3, TEXT, 400, SAMPLES[0])
    for step in steps:
        if isinstance(step, CommonStep) and step.index == 5:
            break
    steps.close()
    with pytest.raises(StopIteration):
        next(steps)


@pytest.mark.parametrize(("kind", "options"), VARIANTS)
def test_another_sample_is_cut_as_if_it_had_been_the_first(kind: str, options: Options) -> None:
    plan = LanePlan(kind, options)
    watched = together([plan], 400, SAMPLES[1])
    steps = {step.lanes[0].number: step.lanes[0].step for step in watched}
    recorded = [step for step in steps.values() if step is not None]
    again = resplit_steps(growing(plan, SAMPLES[1]), recorded)
    while True:
        try:
            next(again)
        except StopIteration as end:
            splits = end.value
            break
    assert [splits[step.lanes[0].number - 1] for step in watched] == [
        step.lanes[0].split for step in watched
    ]


def test_the_number_of_common_steps_is_known_beforehand() -> None:
    common = together([LanePlan("bpe")], 300)
    assert [step.expected for step in common] == [43] * 44


@pytest.mark.parametrize(("kind", "options"), VARIANTS)
def test_the_tokens_at_the_end_are_those_of_the_finished_tokenizer(kind, options) -> None:
    texts = [story_text(seed, 9_000) for seed in range(3)]
    common, made = run(lockstep_steps([LanePlan(kind, options)], texts, 400))
    last, tokenizer = common[-1].lanes[0], made[0]
    assert last.done and tokenizer is not None
    assert last.tokens == sum(len(tokenizer.encode_ids(one, specials=False)) for one in texts)


def test_a_plan_may_have_a_size_of_its_own() -> None:
    plans = [LanePlan("bpe"), LanePlan("wordpiece", vocab_size=80)]
    common, _ = run(lockstep_steps(plans, TEXT, 300))
    assert [state.vocab_size for state in common[-1].lanes] == [300, 80]


def test_what_the_ids_do_not_give_back_is_told_at_the_end() -> None:
    """WordPiece makes capitals small; SentencePiece has no piece for what is rare."""
    text = "The cat. " * 300 + "\u6771"
    plans = [LanePlan(kind) for kind in ("bpe", "wordpiece", "sentencepiece-bpe")]
    common, _ = run(lockstep_steps(plans, text, 262))
    assert all(math.isnan(state.lost) for state in common[0].lanes)
    letters = 300 * 7 + 3
    lost = [round(state.lost * letters) for state in common[-1].lanes if not state.error]
    assert lost[:2] == [0, 300]
