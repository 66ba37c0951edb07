"""Where the keyboard is after a button that takes itself away."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QMainWindow

from tests.explorer.waiting import until

from .conftest import started, state_of, step_of


def test_start_and_new_run_leave_the_keyboard_at_no_other_button(make_pane, run_async, qtbot):
    """Stop had it when the run before was looked at; Space must not stop the one that begins."""

    async def story():
        pane = make_pane(steps="4000")
        window = QMainWindow()
        qtbot.addWidget(window)
        window.setCentralWidget(pane.widget().window())
        window.show()
        window.activateWindow()
        first = await started(pane, 2)
        pane.view.card.buttons["stop"].setFocus()
        pane.view.card.buttons["stop"].click()
        await until(lambda: state_of(pane) == "stopped", "the stop")
        assert window.focusWidget() is pane.view.card.buttons["continue"]
        pane.new_run()
        assert window.focusWidget() is pane.form
        pane.form.start.setFocus()
        pane.setup.change("steps", "5000")
        pane.form.start.click()
        await until(lambda: pane.workspace.run not in (None, str(first)), "the other run")
        assert window.focusWidget() is pane.view.card
        await until(lambda: step_of(pane) >= 2, "its steps")
        assert window.focusWidget() is pane.view.card
        pane.view.card.asked.emit("stop")
        await until(lambda: state_of(pane) == "stopped", "the second stop")
        for folder in (first, Path(pane.workspace.run)):
            await until(lambda at=folder: not pane.context.runs.running_here(at), "the end")
        window.takeCentralWidget()
        await pane.settled()

    run_async(story())
