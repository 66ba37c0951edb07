"""Few-shot: what the model reads, and how likely the right answer is after it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import core
from core.data.few_shot_tasks import FORMS, TASKS, example_counts, lines_of, pairs_of
from core.inference.few_shot import answer_probability

PAIRS = [("hot", "cold"), ("big", "small"), ("up", "down")]


@pytest.fixture(scope="module")
def stories() -> core.LoadedModel:
    return core.load("stories")


def test_the_model_reads_the_examples_and_the_question_in_one_text(
    stories: core.LoadedModel,
) -> None:
    texts = [one.text for one in core.few_shot(stories, PAIRS, "day", "night", (0, 2))]
    assert texts == ["day: night", "hot: cold\nbig: small\nday: night"]
    dialog = core.few_shot(stories, PAIRS, "day", "night", (1,), FORMS["dialog"])
    assert dialog[0].text == "Q: hot\nA: cold\n\nQ: day\nA: night"


def test_the_probability_is_the_product_over_the_answers_tokens_one_at_a_time(
    stories: core.LoadedModel,
) -> None:
    (shot,) = core.few_shot(stories, PAIRS, "day", "a very dark night", (3,))
    product = 1.0
    for at in range(shot.answer_at, len(shot.ids)):
        with torch.no_grad():
            logits = stories.model(torch.tensor([shot.ids[:at]]))[0, -1].double()
        product *= float(torch.softmax(logits, dim=-1)[shot.ids[at]])
    assert len(shot.log_probabilities) == len(shot.ids) - shot.answer_at > 3
    assert shot.probability == pytest.approx(product, rel=1e-4)
    piece = stories.tokenizer.decode(shot.ids[shot.answer_at :])
    assert piece == " a very dark night"


def test_what_it_says_is_its_greedy_answer_to_the_end_of_the_line(
    stories: core.LoadedModel,
) -> None:
    (shot,) = core.few_shot(stories, PAIRS, "day", "night", (2,))
    written = core.generate(stories.model, shot.ids[: shot.answer_at], 12, temperature=0.0)
    said = stories.tokenizer.decode(written[shot.answer_at :])
    assert shot.said and said.lstrip().startswith(shot.said) and "\n" not in shot.said
    (right,) = core.few_shot(stories, PAIRS, "day", shot.said, (2,))
    assert right.is_right and not shot.is_right


def test_a_trace_has_a_step_for_each_number_of_examples(stories: core.LoadedModel) -> None:
    shots = core.few_shot(stories, PAIRS, "day", "night", (0, 1, 3))
    trace = core.trace_few_shot(shots)
    counts = ["Without examples", "After 1 example", "After 3 examples"]
    assert [step.title.partition(",")[0] for step in trace] == counts
    for step, shot in zip(trace, shots, strict=True):
        assert np.exp(step.value("log_probabilities").sum()) == pytest.approx(shot.probability)


@pytest.mark.parametrize(
    ("question", "answer", "count", "why"),
    [
        (" ", "night", 1, "type a question"),
        ("day", "", 1, "type a question"),
        ("day", "night", 4, "there are 3"),
        ("day " * 600, "night", 1, "shorten the text"),
    ],
)
def test_what_cannot_be_asked_says_why(
    stories: core.LoadedModel, question: str, answer: str, count: int, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        core.few_shot(stories, PAIRS, question, answer, (count,))


@pytest.mark.parametrize("at", [0, 2, 5])
def test_an_answer_needs_a_token_before_it_and_one_in_it(
    stories: core.LoadedModel, at: int
) -> None:
    with pytest.raises(ValueError, match="at least one before it"):
        answer_probability(stories.model, [5, 6], at)


def test_tasks_are_lines_of_question_and_answer() -> None:
    assert pairs_of("a -> b\n\n c d => e\nf\u2192g") == [("a", "b"), ("c d", "e"), ("f", "g")]
    for task in TASKS.values():
        assert len(task) == 9 and pairs_of(lines_of(task.items())) == list(task.items())
    for lines, why in (("a -> b\nnothing", "nothing"), ("a ->", "is no example"), ("\n", "France")):
        with pytest.raises(ValueError, match=why):
            pairs_of(lines)
    assert [example_counts(most) for most in (0, 1, 3, 8)] == [
        [0],
        [0, 1],
        [0, 1, 2, 3],
        [0, 1, 2, 4, 8],
    ]
