"""Sessions are paths of the workspace; those that an older program wrote still open."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from explorer.shell.old_sessions import renewed
from explorer.state.workspace import DEFAULT_PROMPT, Selection

# Written by the program as it was before panes and modes had paths: clicks in every mode.
BEFORE = json.loads(Path(__file__).with_name("session_before_paths.json").read_text("utf-8"))


def test_a_session_of_an_older_program_opens_as_it_was_left(sit):
    panes = BEFORE["window"]["panes"]
    modes = {**panes["backprop"]["modes"], **panes["tokenizers"]["modes"]}

    async def body(session: Any) -> None:
        window, workspace = session.window, session.workspace
        for name in ("attention", "tokenizers", "training", "backprop"):
            await window.show_pane(name).settled()
        backprop, tokenizers = (window.panes[one].modes for one in ("backprop", "tokenizers"))
        assert workspace.prompt == BEFORE["workspace"]["prompt"]
        assert window.panes["attention"].settings.mode == "arcs"
        assert window.panes["backprop"].mode.id == "optimizers"
        assert window.panes["backprop"].player.position == 30
        assert tokenizers["compare"].text == modes["compare"]["text"]
        assert tokenizers["compare"].options.layout == "rows"
        assert tokenizers["inside"].text == modes["inside"]["text"]
        assert tokenizers["languages"].order == "name"
        for path, mode, key in (
            ("backprop.network", "network", "experiment"),
            ("backprop.optimizers", "optimizers", "experiment"),
            ("tokenizers.train", "train", "options"),
        ):
            assert workspace.value(path) == {**workspace.value(path), **modes[mode][key]}
        options = workspace.value("training.options")  # later programs have more of them
        shape = {**panes["training"]["options"]}
        assert shape.pop("size") == "tiny"  # which the shape tells by itself
        assert options == {**options, **shape}
        one = modes["expression"]["experiment"]
        assert workspace.value("backprop.expression") == {**one, "pending": False, "checks": True}
        window.panes["backprop"].show_mode("network")
        await window.panes["backprop"].settled()
        assert backprop["network"].shown_keyframe.step == 4

    sit(body, BEFORE)


@pytest.mark.parametrize(
    "session",
    [
        {},
        {"workspace": [], "window": {"pane": 3, "panes": {"backprop": {"modes": 4}, "x": None}}},
        {"window": {"panes": [], "geometry": 5}, "workspace": {"layer": "x"}},
        {"paths": 3, "geometry": None},
    ],
)
def test_nonsense_is_left_out_of_a_session(session):
    found = renewed(session)
    assert isinstance(found["paths"], dict) and isinstance(found["geometry"], str)


def test_what_had_a_path_of_its_own_goes_to_its_draft(sit):
    chosen = ["model", "known:gpt2"]
    paths = {"tokenizers.text": "Two kites", "tokenizers.chosen": chosen, "tokenizers.compare": 3}

    async def body(session: Any) -> None:
        draft = {"text": "Two kites", "tokenizers": chosen}
        assert session.workspace.value("tokenizers.compare") == draft
        await session.window.show_pane("tokenizers").settled()
        assert session.window.pane.mode.text == "Two kites"
        assert session.workspace.value("tokenizers.compare") == draft
        assert not any(path in session.workspace.state() for path in paths if "compare" not in path)

    sit(body, {"format": 2, "paths": paths, "geometry": ""})


def test_what_a_pane_kept_before_it_had_modes_goes_to_its_mode(sit):
    assert renewed(BEFORE)["paths"]["training.run.scene"]["smoothing"] == 60
    paths = {"training.scene": {"version": 1, "log": True}, "training.speed": 0.25}

    async def body(session: Any) -> None:
        pane = session.window.show_pane("training")
        await pane.settled()
        assert pane.mode.view.charts.log.isChecked() and pane.player.speed == 0.25
        kept = session.workspace.state()
        assert kept["training.run.scene"]["log"] and kept["training.run.speed"] == 0.25
        assert not kept.keys() & paths.keys()

    sit(body, {"format": 2, "paths": paths, "geometry": ""}, computing=False)


def test_a_path_of_nonsense_keeps_no_pane_from_opening(sit):
    strange = {"pane": "nowhere", "backprop.mode": 7, "tokenizers.compare": 3, "selection": [1]}
    for path in ("backprop.network", "backprop.network.scene", "training.options", "prompt"):
        strange[path] = {"learned": "much", "data": 5, "steps": float("nan")}

    async def body(session: Any) -> None:
        assert session.window.pane.objectName() == "attention"
        for name in ("backprop", "training", "tokenizers"):
            await session.window.show_pane(name).settled()
        assert session.window.panes["training"].mode.setup.draft.value.steps == "nan"
        assert session.workspace.prompt == DEFAULT_PROMPT

    sit(body, {"format": 2, "paths": strange, "geometry": ""})


def test_a_file_opens_the_pane_that_it_names_and_a_click_is_no_change(sit):
    async def body(session: Any) -> None:
        window, workspace = session.window, session.workspace
        assert window.pane.objectName() == "training"
        window.show_pane("attention")
        workspace.change("pane", "training", "Show this")
        workspace.change("selection", {"layer": 1, "head": 2}, "Show this")
        assert window.pane.objectName() == "training" and workspace.selection.head == 2
        assert workspace.undo_text == ""
        undo = window.actions_list.items["edit.undo"]
        window.pane.mode.setup.change("learning_rate", "1e-3")
        assert undo.name == "Undo: Learning rate 1e-3"
        window.actions_list.run("edit.undo")
        assert undo.name == "Undo" and window.pane.mode.setup.draft.value.learning_rate == "2e-3"

    sit(body, {"format": 2, "paths": {"pane": "training"}, "geometry": ""}, computing=False)


def test_a_lesson_opens_the_steps_of_a_query_and_a_session_comes_back_to_them(sit):
    text = "Mira saw a kite. Mira saw a bird."
    steps = {"layer": 2, "head": 3, "query": 5, "step": 3}
    lesson = {"pane": "attention", "prompt": text, "attention.scene": {"steps": steps}}

    async def seen(session: Any) -> dict[str, Any]:
        pane = session.window.pane
        await pane.settled()
        stage = pane.view.head.steps
        assert stage.isVisible() and stage.scene.query == 5 and stage.position == 3
        assert session.workspace.selection == Selection(2, 3, 5)
        return json.loads(json.dumps(session.workspace.state()))

    async def play(session: Any) -> dict[str, Any]:
        for path, value in lesson.items():
            session.workspace.change(path, value, "Show this")
        return await seen(session)

    left = sit(play)
    assert left["attention.scene"]["steps"] == steps
    saved = {"format": 2, "paths": left, "geometry": ""}
    assert sit(seen, saved) == left


def test_the_paths_that_contributors_are_told_of_are_those_of_the_workspace(sit):
    text = (Path(__file__).parents[4] / "CONTRIBUTING.md").read_text("utf-8")
    rows = re.findall(
        r"^\| (`.+?) \|", text[text.index("## Paths of the workspace") :], re.MULTILINE
    )
    told = [path for row in rows for path in re.findall(r"`([\w.]+)`", row)]

    async def body(session: Any) -> set[str]:
        for pane in session.window.specs:
            shown = session.window.show_pane(pane.id)
            for mode in getattr(shown, "modes", ()):
                shown.show_mode(mode)
        return set(session.workspace.state())

    known = sit(body, computing=False)
    assert len(told) > 10 and set(told) <= known
