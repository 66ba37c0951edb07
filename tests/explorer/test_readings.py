"""What is on screen, by name: a quantity that two views show is the same in both, and a headline
says only what its view shows.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from explorer.panes.base import Pane
from explorer.panes.readings import plain
from explorer.shell.session import Session
from explorer.shell.window import MainWindow
from tests.explorer.conftest import dispose
from tests.explorer.demo import close, spec
from tests.explorer.shown_numbers import Shown, disagreements, not_shown, numbers_in, occurrences
from tests.explorer.waiting import HANGS

# Views that show the same models, texts or runs are compared in one walk.
WALKS = {
    "models": ("attention", "transformer", "backprop-gpt"),
    "tokenizers": ("tokenizers",),
    "backprop": ("backprop-expression", "backprop-network", "backprop-optimizers"),
    "estimates": (
        *("transformer-map", "training-plan", "training-run-setup", "training-precision-example"),
        *("training-ranks-computed", "training-ranks-pipeline", "training-step-empty"),
        *("finetuning-tune-first", "finetuning-tune-values", "finetuning-tune-refused"),
        *("finetuning-inside-first", "finetuning-inside-product", "finetuning-inside-backward"),
        "finetuning-try",
    ),
    "a run": ("training-run", "training-step", "training-plan"),
    "runs": ("training", "finetuning"),  # trains for minutes
}
LONG = ("a run", "runs")


async def walk(session: Session, window: MainWindow, wanted: tuple[str, ...]) -> dict[str, Shown]:
    """Shows the states of a snapshot whose names begin like one of `wanted`; returns headline and
    readings of each.
    """
    found = {}
    await session.begin()
    for name in dict.fromkeys(one.partition("-")[0] for one in wanted):
        pane = window.show_pane(name)
        assert pane is not None
        await pane.settled()
        for view, bring in pane.views().items():
            if f"{name}-{view}".startswith(wanted):
                await _show(pane, bring)
                await session.follower.look()
                await pane.settled()
                readings = [(name, plain(value)) for name, value in window.quantities()]
                found[f"{name}-{view}"] = Shown(pane.headline, readings)
                json.dumps(window.readings(), allow_nan=False)
    return found


async def _show(pane: Pane, bring: Any) -> None:
    result = bring()
    if inspect.isawaitable(result):
        await result


@pytest.mark.parametrize(
    "name",
    [pytest.param(one, marks=pytest.mark.full) if one in LONG else one for one in WALKS],
)
def test_views_agree_and_headlines_say_what_is_shown(
    qapp, run_async, tmp_path: Path, name: str
) -> None:
    session = Session(folder=tmp_path / "config", runs_folder=tmp_path / "runs")
    session.settings.callouts_seen, session.settings.motion = True, "off"
    session.runs.process_launcher.niceness = 0
    window = session.open()
    window.show()
    try:
        found = run_async(walk(session, window, WALKS[name]))
    finally:
        run_async(session.close(HANGS))
        run_async(close(session.runs))
        dispose(session)
    assert disagreements(found) == []
    lost = {view: not_shown(*shown) for view, shown in found.items()}
    assert {view: numbers for view, numbers in lost.items() if numbers} == {}
    # The walk has something to compare, and the comparison can fail.
    repeated = [one for one in occurrences(found).values() if len(one) > 1]
    assert len(repeated) >= 20
    view, (headline, readings) = next(one for one in found.items() if numbers_in(one[1].headline))
    assert not_shown(headline, []) == numbers_in(headline)
    for at, (quantity, value) in enumerate(readings):
        if type(value) is float and len(occurrences(found)[_name(view, quantity)]) > 1:
            changed = [*readings[:at], (quantity, 2 * value + 1), *readings[at + 1 :]]
            assert disagreements({**found, view: Shown(headline, changed)})
            break


def _name(view: str, quantity: str) -> str:
    return f"{view}: {quantity}" if quantity.startswith("view/") else quantity


def test_numbers_of_a_sentence_are_found_and_compared_as_they_are_written() -> None:
    said = (
        "Of 1,234 tokens, “went 3” has 47\u2009% (\u22120.31 nats) after 2 h 5 min in gpt3-175b, "
        "fp16: 57.1 MB, 1.24\u2009M parameters, v1, <0.01\u2009%."
    )
    numbers = ["1,234", "47\u2009%", "\u22120.31", "2 h 5 min", "57.1 MB", "1.24\u2009M"]
    assert numbers_in(said) == [*numbers, "<0.01\u2009%"]
    readings = [("tokens", 1234), ("share", 0.4712), ("loss", -0.3051), ("seconds", 7502.0)]
    readings += [("bytes", 57_061_234), ("parameters", 1_238_000), ("least", 3e-5)]
    assert not_shown(said, readings) == []
    readings[1:3] = [("share", 0.4812), ("loss", -0.3151)]
    assert not_shown(said, readings) == ["47\u2009%", "\u22120.31"]
    assert not_shown("Step 3 of 5", [("view/step.title", "Step 3 of 5")]) == ["3", "5"]


def test_a_difference_counts_from_the_digits_that_are_shown() -> None:
    def told(*values: float, name: str = "loss") -> list[str]:
        walk = {f"view {at}": Shown("", [(name, one)]) for at, one in enumerate(values)}
        return disagreements(walk)

    assert not told(2.3456, 2.3459) and told(2.34, 2.35)
    assert not told(0.4712, 0.4741, name="probability:went")
    assert told(0.4712, 0.4812, name="probability:went")
    assert told(12, 13) and not told(True, True) and told("paused", "running")
    assert not told(1, 2, name="view/step")  # each view has its own cursor
    twice = {"view": Shown("", [("view/step", 1), ("view/step", 2)])}
    assert len(disagreements(twice)) == 1


def test_a_window_reads_its_pane_and_its_status_bar(qapp, run_async, tmp_path: Path) -> None:
    session = Session(folder=tmp_path, runs_folder=tmp_path / "runs", specs=(spec("demo"),),
                      with_torch=False)  # fmt: skip
    window = session.open()
    window.show_pane("demo").player.seek(1)
    try:
        shown = window.readings()
    finally:
        run_async(session.close(HANGS))
        dispose(session)
    assert shown["view/step"] == 1 and shown["view/steps"] == 3
    assert shown["view/step.title"] == "title 1" and shown["view/step.name"] == "demo.1"
