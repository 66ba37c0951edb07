"""Every mode that waits for its answer: pictures, headline, inspector and buttons show one answer
that belongs to the present inputs, or say what they wait for; and the wait can be canceled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from explorer.panes.base import Context
from explorer.panes.freshness import CANCELED, OLD_STEPS, WAITING
from explorer.runs.sources import BundledSource, FolderSource
from explorer.state.settings import Settings
from explorer.state.workspace import Workspace
from tests.explorer.conftest import dispose
from tests.explorer.demo import eager_runs, save_tiny_model
from tests.explorer.panes.training.step.conftest import recorded  # noqa: F401
from tests.explorer.waiting import Gate, until

PROMPT = "Mira met Tom. One day"
SAYS = WAITING.partition("{")[0]
LONG = "x = 2\ny = " + " + ".join(["x * x"] * 60)  # evaluated on the engine


@dataclass(frozen=True)
class Case:
    """A mode, how its input is changed, and how it is changed back."""

    face: str
    change: Callable[[Any], object]
    back: Callable[[Any], object]
    first: Callable[[Any], object] = lambda face: None  # brings it to its first answer
    differs: bool = True  # False: without a download the answers to both inputs are the same

    @property
    def id(self) -> str:
        return self.face


def prompt(name: str) -> Case:
    """A mode that reads the prompt."""

    def write(text: str) -> Callable[[Any], object]:
        return lambda face: face.workspace.set_prompt(text)

    return Case(name, write("Tom saw Mira"), write(PROMPT))


def draft(name: str, new: dict[str, Any], old: dict[str, Any], first: Any = None) -> Case:
    """A mode with a setup."""

    def change(values: dict[str, Any]) -> Callable[[Any], object]:
        return lambda face: face.draft.change(values, "Change")

    return Case(name, change(new), change(old), first or (lambda face: None))


CASES = (
    prompt("attention"),
    prompt("transformer.map"),
    prompt("transformer.lens"),
    prompt("transformer.generate"),
    prompt("transformer.beams"),
    draft("transformer.translate", {"text": "3 May 1999"}, {"text": "4 June 2001"},
          lambda face: face.draft.change({"text": "4 June 2001"}, "Change")),
    draft("transformer.examples", {"lines": "a -> b\nc -> d"}, {"lines": "e -> f\ng -> h"},
          lambda face: face.draft.change({"lines": "e -> f\ng -> h"}, "Change")),
    prompt("backprop.gpt"),
    draft("backprop.expression", {"text": LONG.replace("x * x", "x + x")}, {"text": LONG},
          lambda face: face.draft.change({"text": LONG}, "Change")),
    draft("backprop.optimizers", {"steps": 20}, {"steps": 30},
          lambda face: face.draft.change({"steps": 30}, "Change")),
    draft("tokenizers.inside", {"text": "another text"}, {"text": "one text"},
          lambda face: face.draft.change({"text": "one text"}, "Change")),
    draft("tokenizers.compare", {"text": "another text"}, {"text": "one text"},
          lambda face: face.draft.change({"text": "one text"}, "Change")),
    Case("tokenizers.languages", lambda face: face.set_scope("all"),
         lambda face: face.set_scope("usual"), differs=False),
    Case("training.step", lambda face: face.choose(step=1), lambda face: face.choose(step=0)),
    draft("finetuning.inside", {"text": "Tom saw Mira"}, {"text": PROMPT},
          lambda face: face.draft.change({"text": PROMPT}, "Change")),
    draft("finetuning.try", {"prompt": "Tom saw Mira"}, {"prompt": PROMPT},
          lambda face: face.draft.change({"prompt": PROMPT}, "Change")),
)  # fmt: skip


@pytest.fixture
def make(torch_engine: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """`await make("transformer.lens")`: the pane, and its mode, which has an answer."""
    runs, panes = eager_runs(torch_engine, tmp_path / "runs"), []

    async def build(name: str, run: Path | None) -> tuple[Any, Any]:
        pane_name, _, mode = name.partition(".")
        workspace = Workspace(torch_engine)
        create = import_module(f"explorer.panes.{pane_name}.pane").create
        pane = create(Context(torch_engine, workspace, Settings(), runs))
        pane.player.set_motion("off")
        pane.resize(900, 560)
        panes.append(pane)
        pane.join_workspace()
        source = FolderSource(torch_engine, save_tiny_model(tmp_path / "model"))
        await source.open()
        workspace.set_prompt(PROMPT)
        workspace.set_model_source(source)
        if run is not None:
            workspace.set_run(str(run))
        pane.shown()
        if mode:
            pane.request_mode(mode, None)
        return pane, getattr(pane, "mode", pane)

    yield build
    for pane in panes:
        pane.hide()
        dispose(pane.input_strip(), pane)
    dispose(runs)


@asynccontextmanager
async def held(engine: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Nothing is computed or read meanwhile."""
    gate, let, io = Gate(), asyncio.Event(), engine.io

    async def waits(*asked: Any) -> Any:
        await let.wait()
        return await io(*asked)

    stands = asyncio.ensure_future(engine.call(gate))
    await gate.reached()
    with monkeypatch.context() as patched:
        patched.setattr(engine, "io", waits)
        try:
            yield
        finally:
            let.set()
            gate.open()
            await stands


def shown(pane: Any, face: Any) -> str:
    """The numbers of all pictures of a face, and its headline."""

    numbers = {
        name: {key: repr(value) for key, value in picture.displayed().items()}
        for name, picture in face.pictures().items()
        if hasattr(picture, "displayed")
    }
    return repr((pane.headline, numbers))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_an_answer_belongs_to_the_present_inputs_or_says_what_it_waits_for(
    case: Case, make: Any, run_async: Any, monkeypatch: Any, torch_engine: Any, recorded: Path,  # noqa: F811
) -> None:  # fmt: skip
    async def body() -> None:
        pane, face = await make(case.face, recorded if case.face == "training.step" else None)
        told: list[Any] = []
        pane.inspection.connect(told.append)
        picture = face.view.body
        await pane.settled()
        case.first(face)

        async def answered() -> str:
            await until(lambda: face.is_current, "an answer")
            await pane.settled()
            face.inspect()
            assert picture.state == "ready" and not pane.headline.startswith(SAYS)
            assert told[-1] is not None and not told[-1].stale
            assert OLD_STEPS not in [track.caption for track in pane.player.tracks]
            return shown(pane, face)

        before = await answered()
        async with held(torch_engine, monkeypatch):
            case.change(face)
            assert not face.is_current, "no button may act on the old answer"
            await until(lambda: picture.state == "stale")
            await until(lambda: pane.headline.startswith(SAYS) and picture.message)
            assert picture.message in pane.headline
            assert told[-1] is None or told[-1].stale
            face.inspect()
            assert told[-1] is None or told[-1].stale
            captions = {track.caption for track in pane.player.tracks}
            assert captions <= {OLD_STEPS}
            assert picture.cancellable
            picture.cancelRequested.emit()
            face.inspect()
            assert picture.state == "error" and picture.message == CANCELED == pane.headline
            assert face.is_current and not pane.player.length
            assert told[-1] is None or not (told[-1].rows or told[-1].table)
        picture.retryRequested.emit()
        after = await answered()
        assert (after != before) is case.differs
        case.back(face)
        assert await answered() == before

    run_async(body())


def test_after_a_change_of_models_the_old_answer_keeps_its_words(
    make: Any, run_async: Any, monkeypatch: Any, torch_engine: Any
) -> None:
    async def body() -> None:
        pane, lens = await make("transformer.lens", None)
        await pane.settled()
        source = BundledSource(torch_engine)
        await source.open()

        def words() -> list[Any]:
            return lens.view.next.displayed()["token"].tolist()

        before, likeliest = words(), lens.view.table.displayed()["words"].tolist()
        async with held(torch_engine, monkeypatch):
            pane.workspace.set_model_source(source)
            await until(lambda: lens.view.body.state == "stale")
            lens.on_position(pane.player.position)  # a repaint, a step, a resize
            assert words() == before and source.name in pane.headline
            assert lens.view.table.displayed()["words"].tolist() == likeliest
            lens.explain(0)
            assert lens.token is None, "the old answer's tokens cannot be chosen"
        await pane.settled()
        assert words() != before and lens.view.body.state == "ready"
        assert not pane.headline.startswith(SAYS)

    run_async(body())


def test_no_token_is_taken_from_an_old_answer(
    make: Any, run_async: Any, monkeypatch: Any, torch_engine: Any
) -> None:
    async def body() -> None:
        pane, mode = await make("transformer.generate", None)
        await pane.settled()
        button = mode.view.buttons["next"]
        (action,) = (one for one in mode.actions() if one.id.endswith(".next"))
        assert button.isEnabled() and action.enabled()
        async with held(torch_engine, monkeypatch):
            pane.workspace.set_prompt("Tom saw Mira " * 50)
            await until(lambda: mode.view.body.state == "stale")
            assert not button.isEnabled() and not action.enabled()
            action.run()
            mode.view.bars.picked.emit(0)
            mode.toggle_writing()
            assert not mode.tree.here and mode.begun is None
        await pane.settled()
        assert button.isEnabled() and action.enabled()
        action.run()
        await pane.settled()
        assert len(mode.tree.here) == 1

    run_async(body())
