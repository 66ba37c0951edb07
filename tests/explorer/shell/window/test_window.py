"""The window: it binds the focused pane, reads its actions as data, and keeps its state."""

from __future__ import annotations

import logging
import math

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QFileDialog, QMenu, QScrollArea

from core.resources import resource
from explorer import theme
from explorer.engine import errors, tasks
from explorer.panes import specs
from explorer.state.actions import Action, Actions
from tests.explorer.demo import broken_spec, spec
from tests.explorer.waiting import until


def test_the_focused_pane_has_transport_and_inspector(make):
    _, window = make()
    pane = window.pane
    assert window.transport.player is pane.player
    assert window.headline.text() == "This is demo."
    pane.player.seek(1)
    assert window.inspector.inspection.step.name == "demo.1"
    other = window.show_pane("other")
    assert window.transport.player is other.player
    assert window.rail.current == "other"
    assert window.inspector.inspection is None
    pane.player.seek(2)
    assert window.inspector.inspection is None
    assert window.show_pane("demo") is pane


def test_the_strip_of_inputs_is_as_high_as_the_shown_pane_needs(make):
    _, window = make()
    usual = window.inputs.height()
    window.pane.extra_input_height = 30
    window.pane.inputHeightChanged.emit()
    assert window.inputs.height() == usual + 30
    window.show_pane("other")
    assert window.inputs.height() == usual
    window.show_pane("demo")
    assert window.inputs.height() == usual + 30


@pytest.mark.parametrize("zoom", [1.0, 1.5, 2.0])
def test_a_headline_of_two_lines_keeps_away_from_the_menu_bar(make, qapp, zoom):
    _, window = make()
    theme.apply(qapp, "light", zoom, "full")
    QTest.qWait(1)
    window.pane.set_headline("Here 0.202 of the attention moves, most of it to another token. " * 3)
    headline = window.headline
    assert headline.text().count("\n") == 1
    free = headline.y() + (headline.height() - 2 * headline.fontMetrics().height()) / 2
    assert free >= 4


def test_panes_are_created_when_first_shown_and_leaving_pauses_the_animation(make):
    _, window = make()
    assert list(window.panes) == ["demo"]
    window.pane.player.play()
    window.show_pane("other")
    assert not window.panes["demo"].player.playing


def test_a_pane_that_cannot_be_built_shows_a_card(make, caplog):
    caplog.set_level(logging.CRITICAL)
    _, window = make(spec(), broken_spec())
    assert window.show_pane("broken") is None
    (card,) = window.notices.cards.values()
    assert "choose another" in card.message
    assert window.pane.objectName() == "demo"
    assert window.show_pane("unknown") is None


def test_keys_move_the_player(make):
    _, window = make()
    player = window.pane.player
    player.set_motion("off")
    for key, position in (
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_End, 2),
        (Qt.Key.Key_Left, 1),
        (Qt.Key.Key_Home, 0),
    ):
        QTest.keyClick(window, key)
        assert player.position == position
    QTest.keyClick(window, Qt.Key.Key_Space)
    assert player.playing
    QTest.keyClick(window, Qt.Key.Key_Space)
    assert not player.playing
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.pane.cancelled


def test_a_text_field_keeps_space_and_arrows(make):
    _, window = make()
    field = window.pane.inputs
    field.setFocus()
    QTest.keyClicks(field, "a b")
    QTest.keyClick(field, Qt.Key.Key_Left)
    assert field.text() == "a b"
    assert (window.pane.player.playing, window.pane.player.position) == (False, 0)


def test_enter_in_a_field_ends_the_typing_and_goes_into_no_step(make, monkeypatch):
    _, window = make()
    entered = []
    monkeypatch.setattr(window.pane.player, "enter", lambda: entered.append(1))
    field = window.pane.inputs
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert entered == []
    field.clearFocus()
    QTest.keyClick(window, Qt.Key.Key_Return)
    assert entered == [1]


def test_every_action_is_in_a_menu_or_the_palette_and_has_one_key(make):
    _, window = make()
    actions = window.actions_list.items
    assert {"app.quit", "app.palette", "edit.undo", "help.keys", "demo.mark", "pane.other"} <= set(
        actions
    )
    keys = [k for a in actions.values() if a.global_key for k in a.shortcut.split("; ") if k]
    assert len(keys) == len(set(keys))
    in_menus = {
        action.objectName()
        for menu in window.menuBar().actions()
        for action in menu.menu().actions()
        if not action.isSeparator()
    }
    assert in_menus == set(actions)


def test_every_enabled_action_runs_without_an_error(make, monkeypatch):
    session, window = make()
    opened = []
    monkeypatch.setattr(QFileDialog, "open", lambda dialog: opened.append(dialog))
    skipped = {"app.quit", "file.bundled", "run.look", "file.recent"}
    for name, action in list(window.actions_list.items.items()):
        if name not in skipped and action.enabled():
            window.actions_list.run(name)
    window.palette_popover.dismiss()
    assert not errors.reports().problems
    assert opened
    for dialog in [*opened, *window.findChildren(QDialog)]:
        dialog.close()
    assert session.settings.theme == "contrast"


def test_the_palette_finds_and_runs(make):
    _, window = make()
    window.open_palette()
    QTest.keyClicks(window.palette_popover.query, "mark demo")
    assert window.palette_popover.shown[0] == "demo.mark"
    QTest.keyClick(window.palette_popover.query, Qt.Key.Key_Return)
    assert window.pane.marks == [1]
    assert not window.palette_popover.isVisible()


def test_a_key_works_as_soon_as_its_action_can_be_done(make):
    _, window = make()
    can, done = [False], []
    window.actions_list.add(
        [Action("test.late", "Late", lambda: done.append(1), "Ctrl+F9", lambda: can[0], "Run")]
    )
    window.build_menus()
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window)
    QTest.keyClick(window, Qt.Key.Key_F9, Qt.KeyboardModifier.ControlModifier)
    assert done == []
    can[0] = True
    QTest.keyClick(window, Qt.Key.Key_F9, Qt.KeyboardModifier.ControlModifier)
    assert done == [1]
    can[0] = False
    menu = window.findChildren(QMenu, "menu.Run")[-1]
    late = next(action for action in menu.actions() if action.objectName() == "test.late")
    menu.aboutToShow.emit()
    assert not late.isEnabled(), "gray while it is seen"
    menu.aboutToHide.emit()
    assert late.isEnabled()


def test_f6_goes_from_region_to_region(make):
    _, window = make()
    window.activateWindow()
    seen = []
    for _ in range(8):
        window.next_region()
        seen.append(window.focusWidget())
    assert window.rail in seen
    assert window.pane.inputs in seen
    assert any(window.transport.isAncestorOf(widget) for widget in seen)
    assert any(window.inspector.isAncestorOf(widget) for widget in seen)


def test_undo_and_redo_follow_the_workspace(make):
    session, window = make()
    session.workspace.set_prompt("a new prompt")
    assert window.actions_list.run("edit.undo")
    assert session.workspace.prompt != "a new prompt"
    assert window.status.message == "Undone: Change prompt"
    assert not window.actions_list.run("edit.undo")
    assert window.actions_list.run("edit.redo")
    assert session.workspace.prompt == "a new prompt"


def test_a_session_comes_back(make):
    session, window = make()
    window.show_pane("other")
    window.pane.inputs.setText("typed")
    session.workspace.set_prompt("my prompt")
    session.settings.zoom = 1.25
    window.pane.player.set_speed(math.inf)
    window.actions_list.run("view.plain_code")
    window.resize(1333, 777)
    make.end(session)
    again, window = make()
    assert window.pane.objectName() == "other"
    assert window.pane.inputs.text() == "typed"
    assert window.pane.player.speed == math.inf
    assert window.show_pane("demo").player.speed == 1.0, "each pane has its own"
    assert again.workspace.prompt == "my prompt"
    assert again.settings.zoom == 1.25
    assert window.inspector.code_version == "running"


def test_a_session_full_of_nonsense_still_opens(make, tmp_path, caplog):
    caplog.set_level(logging.CRITICAL)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "session.json").write_text(
        '{"window": {"pane": 3, "geometry": "!!", "panes": {"demo": {"no": 1}}}, "workspace": []}'
    )
    _, window = make()
    assert window.pane.objectName() == "demo"


def test_dropped_files_are_passed_on(make, tmp_path):
    _, window = make()
    got = []
    window.filesDropped.disconnect()
    window.filesDropped.connect(got.extend)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.txt")), QUrl("https://example.org/x")])
    about = (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    copy, move = Qt.DropAction.CopyAction, Qt.DropAction.MoveAction
    for possible, answer in ((copy | move, copy), (move, Qt.DropAction.IgnoreAction)):
        event = QDropEvent(QPointF(5, 5), possible, data, *about)
        event.setDropAction(move)
        window.dropEvent(event)
        assert got == [str(tmp_path / "a.txt")]
        # After a move the other program would delete the file.
        assert event.isAccepted() and event.dropAction() == answer
        got.clear()
    data.setUrls([QUrl("https://example.org/x")])
    event = QDropEvent(QPointF(5, 5), move, data, *about)
    window.dropEvent(event)
    assert not event.isAccepted() and event.dropAction() == Qt.DropAction.IgnoreAction


def test_the_close_button_only_asks(make):
    _, window = make()
    asked = []
    window.closing.connect(lambda: asked.append(1))
    window.close()
    assert asked == [1]
    assert window.isVisible()


def test_first_tips_come_once(make):
    from explorer.shell import tour

    session, window = make()
    tour.start(window, session.settings)
    seen = []
    for _ in range(5):
        shown = [w for w in window.children() if w.objectName() == "callout" and not w.isHidden()]
        if not shown:
            break
        seen.append(shown[-1].accessibleName())
        shown[-1].dismissed.emit()
    assert len(seen) == 2
    assert session.settings.callouts_seen


def test_the_keys_help_lists_every_key(make):
    from explorer.shell import tour
    from explorer.widgets.base import Label

    _, window = make()
    dialog = tour.show_keys(window)
    assert tour.show_keys(window) is dialog
    scroll = dialog.findChild(QScrollArea)
    assert scroll.viewport().width() >= scroll.widget().sizeHint().width()
    texts = {label.text() for label in dialog.findChildren(Label)}
    assert {a.text for a in window.actions_list.items.values() if a.shortcut} <= texts
    dialog.close()


def test_copy_details_of_an_error(make, caplog):
    caplog.set_level(logging.CRITICAL)
    _, window = make()
    errors.report(ValueError("choose a smaller model"), "a test")
    (card,) = window.notices.cards.values()
    card.actionTriggered.emit("Copy details")
    assert "choose a smaller model" in QGuiApplication.clipboard().text()
    assert not window.notices.cards


def test_what_is_said_of_an_input_ends_where_another_pane_or_mode_is_shown(make, run_async, caplog):
    caplog.set_level(logging.CRITICAL)
    backprop = next(spec for spec in specs.built() if spec.id == "backprop")
    _, window = make(spec(), backprop)

    def misunderstood():
        resource("/etc")

    async def answered():
        misunderstood()

    async def body():
        pane = window.show_pane("backprop")
        for leave in (lambda: pane.show_mode("network"), lambda: window.show_pane("demo")):
            tasks.spawn(answered(), pane)
            errors.report(RuntimeError("a fault of the app"), "a pane")
            errors.report(ValueError("choose another run"), "opening a run")
            await until(lambda: len(window.notices.cards) == 3)
            pane.statusRequested.emit("No step has been recorded yet")
            assert window.status.message == "No step has been recorded yet"
            leave()
            assert window.status.message == ""
            kept = sorted(card.message for card in window.notices.cards.values())
            assert kept == ["a fault of the app", "choose another run"]
        pane.modes["network"].statusRequested.emit("of a mode that nobody sees")
        assert window.status.message == ""

    run_async(body())


def test_clashing_actions_are_refused():
    actions = Actions()
    actions.add([Action("a", "A", print, "Ctrl+K")])
    with pytest.raises(ValueError, match="clashes with a"):
        actions.add([Action("b", "B", print, "Ctrl+K")])
    with pytest.raises(ValueError, match="no action"):
        actions.run("c")


def test_tab_goes_as_the_eye_does(make):
    """Rail, inputs, picture, transport, inspector: also what a pane has added later."""
    _, window = make()
    window.show_pane("other")
    regions = [window.rail, window.inputs, window.stack, window.transport, window.inspector]
    window.rail.setFocus()
    seen = []
    for _ in range(60):
        focus = window.focusWidget()
        seen += [at for at, one in enumerate(regions) if one is focus or one.isAncestorOf(focus)]
        QTest.keyClick(focus, Qt.Key.Key_Tab)
        if window.focusWidget() is window.rail:
            break
    assert seen == sorted(seen) and {0, 3, 4} <= set(seen)


def test_menus_of_before_are_gone_when_they_are_built_again(make):
    _, window = make()

    def menus():
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        return len(window.findChildren(QMenu))

    before = menus()
    window.build_menus()
    assert menus() == before
