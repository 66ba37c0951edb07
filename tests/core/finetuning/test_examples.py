"""Examples: what is learned of a line, which lines are broken, and in which order they come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import core
from core.data.batches import NO_TOKEN
from core.finetuning.example_files import FileExamples, read_examples_steps
from core.finetuning.examples import Example, ExampleBatches, StoryExamples, answered, padded
from core.finetuning.settings import FinetuningSettings
from core.inference.loading import LoadedModel
from core.inference.usage import Usage
from core.jobs import to_the_end
from core.tokenization import CharacterTokenizer

START, END = "<|im_start|>", "<|im_end|>"
LETTERS = sorted(set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .?!:<|>_\n"))
CHAT = (
    "{% for one in messages %}<|im_start|>{{ one.role }}\n{{ one.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def stories() -> Any:
    return core.load("stories")


@pytest.fixture(scope="module")
def chatty() -> Any:
    """A tokenizer of letters that knows the tokens of a chat template."""
    specials = {START: len(LETTERS), END: len(LETTERS) + 1}
    tokenizer = CharacterTokenizer([*LETTERS, START, END], special_tokens=specials)
    usage = Usage((specials[END],), CHAT)
    return LoadedModel(None, tokenizer, None, "chatty", usage)  # type: ignore[arg-type]


def _read(lm: Any, path: Path, context: int = 200, **settings: Any) -> FileExamples:
    return to_the_end(
        read_examples_steps(lm, FinetuningSettings(data=str(path), **settings), context)
    )


def _file(folder: Path, *lines: object) -> Path:
    path = folder / "mine.jsonl"
    path.write_text(
        "".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in lines)
    )
    return path


def _learned(lm: Any, example: Example) -> str:
    return lm.tokenizer.decode(example.answer)


# -- what is learned


def test_only_the_answer_is_learned(stories: Any) -> None:
    example = answered(stories.tokenizer, "Who?", " Mira", stories.usage.end_ids)
    assert stories.tokenizer.decode(example.prompt) == "Who?"
    assert stories.tokenizer.decode(example.answer[:-1]) == " Mira"
    assert example.answer[-1] == stories.usage.end_ids[0]
    longer = answered(stories.tokenizer, "Who is it, then?", " Ben")
    ids, targets = padded([example, longer])
    assert ids.shape == targets.shape == (2, max(len(one.ids) for one in (example, longer)) - 1)
    places = np.flatnonzero(targets[0] != NO_TOKEN)
    assert targets[0][places].tolist() == example.answer
    assert ids[0, : places[0] + 1].tolist() == example.prompt


def test_of_a_conversation_what_the_assistant_says_is_learned_and_to_end_its_turn(
    chatty: Any, tmp_path: Path
) -> None:
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!"},
        {"role": "user", "content": "Bye <|im_end|>"},
        {"role": "assistant", "content": "See you."},
    ]
    examples = _read(chatty, _file(tmp_path, *[{"messages": messages}] * 2))
    example = examples.example("train", 0)
    assert _learned(chatty, example) == f"Hello!{END}See you.{END}"
    assert chatty.tokenizer.decode(example.prompt).endswith(f"Hi{END}\n{START}assistant\n")
    assert examples.have_prompts
    typed = [chatty.tokenizer.special_tokens[END]] * 5  # those of the template: it was typed once
    assert [one for one in example.ids.tolist() if one == typed[0]] == typed


def test_a_prompt_is_a_turn_where_the_model_chats_and_a_line_where_it_does_not(
    chatty: Any, stories: Any, tmp_path: Path
) -> None:
    path = _file(tmp_path, *[{"prompt": "Who is it?", "answer": "Mira"}] * 2)
    asked = _read(chatty, path).example("train", 0)
    assert chatty.tokenizer.decode(asked.ids.tolist()) == (
        f"{START}user\nWho is it?{END}\n{START}assistant\nMira{END}\n"
    )
    assert _learned(chatty, asked) == f"Mira{END}"
    plain = _read(stories, path).example("train", 0)
    assert stories.tokenizer.decode(plain.prompt) == "Who is it?\n"
    assert _learned(stories, plain) == "Mira<|endoftext|>"


def test_all_of_a_text_is_learned_and_the_class_of_one_that_has_a_label(
    stories: Any, tmp_path: Path
) -> None:
    whole = _read(stories, _file(tmp_path, *[{"text": "What a day!"}] * 2))
    assert whole.example("train", 0).learned.all() and not whole.have_prompts
    lines = [{"text": "What a day!", "label": label} for label in ("glad", "sad", "glad")]
    path = _file(tmp_path, *lines)
    with pytest.raises(ValueError, match="no classes are set: name them"):
        _read(stories, path, broken_lines="skip")  # labels are never left out without a word
    labelled = _read(stories, path, classes=("sad", "glad"))
    assert [labelled.example("train", index).label for index in (0, 1)] == [1, 0]
    assert stories.tokenizer.decode(labelled.example("train", 0).ids.tolist()) == "What a day!"
    numbers = _file(tmp_path, *[{"text": "a", "label": number} for number in (0, 1)])
    assert _read(stories, numbers, classes=("0", "1")).example("validation", 0).label == 1


def test_the_first_nine_tenths_are_trained_on(stories: Any, tmp_path: Path) -> None:
    lines = [{"prompt": f"Line {number}", "answer": "Yes"} for number in range(20)]
    examples = _read(stories, _file(tmp_path, *lines))
    assert (examples.count("train"), examples.count("validation")) == (18, 2)
    assert "Line 18" in stories.tokenizer.decode(examples.example("validation", 0).prompt)
    assert "20 examples, 2 of them held out" in examples.describe()
    with pytest.raises(ValueError, match="no split 'test'"):
        examples.count("test")


# -- broken lines

GOOD = {"prompt": "Who?", "answer": "Mira"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"prompt": "Who', "it is not valid JSON"),
        ("[1, 2]", r"the line must be a JSON object, not \[1, 2\]"),
        ({"prompt": "Who?"}, "it holds 'prompt'; write"),
        ({"prompt": 3, "answer": "x"}, "its prompt is no text but 3"),
        ({"messages": "Hi"}, "its messages are no list but 'Hi'"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "the assistant says nothing in it"),
        ({"messages": [{"role": "user"}]}, ".* is no message"),
        ({"messages": [{"role": "nobody", "content": "Hi"}]}, "the role 'nobody' is unknown"),
        ({"prompt": "Who?", "answer": "Mira" * 60}, "it takes 2[0-9]+ tokens, and 201 fit"),
        ({"text": ""}, "its text is empty"),
        ('{"text": "' + "x" * (1 << 20) + '"}', "it is longer than 1,048,576 bytes"),
        ("[" * 10_000, "it is (nested|not valid JSON)"),
    ],
)
def test_a_broken_line_is_counted_and_told_or_skipped(
    chatty: Any, tmp_path: Path, line: Any, said: str
) -> None:
    path = _file(tmp_path, GOOD, line, GOOD, "", "oh no", GOOD)
    with pytest.raises(ValueError, match=f"2 of 6 lines of mine.jsonl are broken; .* 2: {said}"):
        _read(chatty, path)
    examples = _read(chatty, path, broken_lines="skip")
    assert examples.count("train") + examples.count("validation") == 3
    assert examples.broken == 2 and "the first is line 2: " in examples.first
    assert "2 broken lines skipped" in examples.describe()


def test_a_label_that_is_none_of_the_classes_is_a_broken_line(stories: Any, tmp_path: Path) -> None:
    path = _file(tmp_path, {"text": "a", "label": "glad"}, {"text": "a", "label": "odd"}, GOOD)
    with pytest.raises(ValueError, match="2 of 3 .* its class 'odd' is none of 'sad' or 'glad'"):
        _read(stories, path, classes=("sad", "glad"))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "mine.jsonl is empty: choose a file with text in it"),
        ([""], "holds 0 of at least 2 examples"),
        ([GOOD], "holds 1 of at least 2 examples, one to train on and one to validate on"),
        (["oh", "no"], "no line of mine.jsonl can be used here; .* line 1: .*Correct the file"),
    ],
)
def test_a_file_with_too_few_examples_is_refused(
    stories: Any, tmp_path: Path, lines: list[Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        _read(stories, _file(tmp_path, *lines), broken_lines="skip")


def test_a_conversation_needs_a_model_that_chats(stories: Any, tmp_path: Path) -> None:
    talk = {"messages": [{"role": "assistant", "content": "Hi"}]}
    with pytest.raises(ValueError, match=r"stories has no chat template: .* such as smollm2"):
        _read(stories, _file(tmp_path, talk, talk), broken_lines="skip")
    with pytest.raises(ValueError) as refused:
        _read(stories, _file(tmp_path, talk, talk))
    assert "broken" not in str(refused.value)


def test_a_file_may_begin_with_a_byte_order_mark(stories: Any, tmp_path: Path) -> None:
    path = _file(tmp_path, GOOD, GOOD)
    path.write_text(path.read_text(), "utf-8-sig")
    assert _read(stories, path).count("train") == 1


# -- batches


def test_every_example_comes_once_before_one_comes_again(stories: Any) -> None:
    examples = StoryExamples("questions", stories.tokenizer, stories.usage.end_ids)
    batches = ExampleBatches(examples, "validation", 40, 2, seed=3)

    def drawn(*steps: int) -> list[bytes]:
        rows = [one for step in steps for half in (0, 1) for one in batches.batch(step, half)]
        return [one.ids.tobytes() for one in rows]

    first = drawn(0, 1, 2, 3, 4)
    assert len(first) == 400 == len(set(first))
    again = drawn(5, 6)
    assert set(again) <= set(first) and again != first[:160]
    assert drawn(3) == first[240:320]
    assert [len(one) for one in batches.in_order(0)] == [40] * 10
    assert [len(one) for one in batches.in_order(2)] == [40] * 2
