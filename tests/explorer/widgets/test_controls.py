"""Transport, inspector, states, cards, palette and the small controls."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QWidget

from explorer import theme
from explorer.state.player import Player
from explorer.state.tracks import ListTrack, LiveTrack
from explorer.theme import icons
from explorer.widgets.base import show_text
from explorer.widgets.callout import Callout
from explorer.widgets.drop_down import DropDown
from explorer.widgets.fields import MenuField
from explorer.widgets.heat_map import HeatMap
from explorer.widgets.live_numbers import Equation, LiveNumbers, Terms
from explorer.widgets.numbers_table import ArrayModel, NumbersTable
from explorer.widgets.palette import CommandPalette, Entry
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.rail import Rail
from explorer.widgets.status_strip import RunStatus, StatusStrip
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.transport import TransportBar
from tests.explorer.waiting import wait_until


def test_a_drop_down_tells_what_a_person_picked_and_keeps_it_where_it_is_filled_again(qtbot):
    layers = DropDown("Layers")
    qtbot.addWidget(layers)
    heard = []
    layers.picked.connect(heard.append)
    layers.fill([("All", ""), ("block 0", "h.0")], "h.0")
    assert layers.currentText() == "block 0" and heard == []
    layers.setFocus()
    qtbot.keyClick(layers, Qt.Key.Key_Up)
    assert heard == [""]
    layers.fill([("All", "")], "h.0")
    assert (layers.count(), layers.currentData()) == (1, "") and heard == [""]


def test_a_menu_tells_what_a_person_chose_and_nothing_that_it_was_told(qtbot):
    field = MenuField("optimizer", "Optimizer", [("sgd", "SGD"), ("adam", "Adam")], "which rule")
    qtbot.addWidget(field)
    heard = []
    field.changed.connect(heard.append)
    field.set_value("adam")
    field.set_value("nothing of the kind")
    assert field.value == "adam" and heard == []
    field.box.setFocus()
    qtbot.keyClick(field.box, Qt.Key.Key_Up)
    assert field.value == "sgd" and heard == ["sgd"]
    assert field.box.accessibleName() == "Optimizer"


def test_a_field_shows_the_beginning_of_its_text_unless_somebody_types_there(qtbot):
    line = QLineEdit()
    qtbot.addWidget(line)
    told = []
    line.textChanged.connect(told.append)
    show_text(line, "Mira whispered")
    assert (line.cursorPosition(), told) == (0, [])
    line.show()
    line.setFocus()
    wait_until(line.hasFocus)
    show_text(line, "Mira sang")
    assert (line.cursorPosition(), told) == (len("Mira sang"), [])


def test_the_transport_steers_a_player_and_shows_where_it_is(qtbot):
    bar, player = TransportBar(), Player()
    qtbot.addWidget(bar)
    player.set_track(ListTrack(["one", "two", "three"]))
    bar.bind(player)
    player.seek(1.0)
    assert bar.scrubber.displayed()["position"] == 1.0
    assert bar.count.text() == "step 2 of 3"
    qtbot.mouseClick(bar.to_end, Qt.MouseButton.LeftButton)
    assert player.position == 2.0
    qtbot.mouseClick(bar.back, Qt.MouseButton.LeftButton)
    assert player.step == 1
    bar.scrubber.seekRequested.emit(0.4)
    assert player.position == 0.4
    bar.speed.speedChosen.emit(math.inf)
    assert player.speed == math.inf
    bar.play_button.click()
    assert bar.play_button.accessibleName() == ("Pause" if player.playing else "Play")
    player.pause()
    bar.bind(None)
    assert not bar.play_button.isEnabled()
    player.seek(0.0)
    assert bar.scrubber.displayed()["length"] == 0
    player.deleteLater()


def test_the_live_edge_says_what_play_means(qtbot):
    state = {"playing": False}
    track = LiveTrack(
        ["a", "b"],
        [1, 2],
        playing=lambda: state["playing"],
        play=lambda: state.update(playing=True),
        pause=lambda: state.update(playing=False),
        step=lambda: None,
    )
    bar, player = TransportBar(), Player()
    qtbot.addWidget(bar)
    bar.bind(player)
    player.set_track(track)
    assert bar.play_button.accessibleName() == "Continue training"
    bar.play_button.click()
    assert state["playing"] and bar.play_button.accessibleName() == "Pause training"
    player.seek(0.0)
    assert bar.play_button.accessibleName() in ("Play", "Pause")
    assert not bar.live.isHidden()
    bar.bind(None)
    player.deleteLater()


def test_live_numbers_read_as_text(qtbot):
    rows = LiveNumbers()
    qtbot.addWidget(rows)
    left = np.array([1.0, 2.0, 3.0, 0.1])
    rows.set_rows([Terms("score", left, left), Equation("scaled", 0.5, note="by 2"), "done"])
    assert rows.text.split("\n") == [
        "score = 1 \u00d7 1 + 2 \u00d7 2 + 3 \u00d7 3 + (1 more = 0.0100) = 14.0",
        "scaled = 0.500 by 2",
        "done",
    ]
    rows.resize(340, rows.height())
    rows.grab()
    assert rows.broken is None


def test_a_big_table_is_virtual_and_copies_at_full_precision(qtbot):
    model = ArrayModel()
    model.set_array(np.zeros((3, 1000, 500), dtype=np.float32))
    assert (model.rowCount(), model.columnCount()) == (3000, 500)
    assert model.headerData(1001, Qt.Orientation.Vertical) == "1, 1"
    assert "the first 400 of 3000 rows" in model.text()
    table = NumbersTable()
    qtbot.addWidget(table)
    table.set_tables({"a": np.array([1 / 3]), "b": np.zeros((2, 2))})
    table.copy()
    assert float(QGuiApplication.clipboard().text()) == 1 / 3
    table.names.setCurrentText("b")
    table.set_tables({"a": np.zeros(3), "b": np.ones((2, 2))})
    assert (table.displayed()["b"] == 1).all()
    model.deleteLater()


def test_the_palette_finds_runs_and_closes(qtbot):
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(800, 600)
    palette = CommandPalette(host)
    host.show()
    entries = [Entry("a", "Play"), Entry("b", "Go to training"), Entry("c", "Off", enabled=False)]
    palette.open(entries)
    chosen = []
    palette.entryChosen.connect(chosen.append)
    qtbot.keyClicks(palette.query, "train")
    assert palette.shown == ["b"]
    qtbot.keyClick(palette.query, Qt.Key.Key_Return)
    assert chosen == ["b"] and not palette.isVisible()
    palette.open(entries)
    qtbot.keyClick(palette.query, Qt.Key.Key_Down)
    qtbot.keyClick(palette.query, Qt.Key.Key_Escape)
    assert not palette.isVisible() and chosen == ["b"]


def test_the_palette_says_that_nothing_is_found(qtbot):
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(800, 600)
    palette = CommandPalette(host)
    host.show()
    palette.open([Entry("a", "Play")])
    assert not palette.nothing.isVisible()
    qtbot.keyClicks(palette.query, "qq")
    assert palette.shown == [] and palette.nothing.isVisible()
    assert "qq" in palette.nothing.text()
    qtbot.keyClick(palette.query, Qt.Key.Key_Return)
    assert palette.isVisible(), "nothing was chosen"
    palette.query.clear()
    assert palette.shown == ["a"] and not palette.nothing.isVisible()


def test_the_prompt_tells_once_after_a_pause_and_keeps_newlines(qtbot):
    line = PromptLine()
    qtbot.addWidget(line)
    told = []
    line.promptEdited.connect(told.append)
    line.set_prompt("one\ntwo")
    assert line.text() == "one\u21b5two" and line.prompt == "one\ntwo"
    qtbot.keyClicks(line, "ab")
    wait_until(lambda: told)
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert told == [line.prompt] and "\n" in told[0]


def test_a_paste_or_a_replaced_selection_is_no_part_of_what_is_typed(qtbot):
    line = PromptLine()
    qtbot.addWidget(line)
    told = []
    line.promptEdited.connect(told.append)
    line.rested.connect(lambda: told.append("|"))
    qtbot.keyClicks(line, "ab")
    line.insert(" pasted")
    assert told == ["ab", "|", "ab pasted", "|"], "at once, and each by itself"
    line.selectAll()
    qtbot.keyClick(line, Qt.Key.Key_Delete)
    assert told[4:] == ["|", "", "|"]
    qtbot.keyClicks(line, "new")
    wait_until(lambda: told[7:])
    assert told[7:] == ["new"]
    wait_until(lambda: told[8:])
    assert told[8:] == ["|"], "nothing more was typed for a while"


def test_what_was_typed_last_is_told_when_the_prompt_is_hidden(qtbot):
    line = PromptLine()
    qtbot.addWidget(line)
    told = []
    line.promptEdited.connect(told.append)
    line.show()
    qtbot.keyClicks(line, "ab")
    line.hide()
    assert told == ["ab"]
    line.show()
    line.hide()
    assert told == ["ab"], "nothing new"


def test_segments_cut_the_longest_text_where_there_is_little_room(qtbot):
    texts = ("Expression", "Network", "Transformer", "Optimizers")
    tabs = SegmentedControl([(text.lower(), text) for text in texts], "Mode")
    tabs.setToolTip("what each is for")
    qtbot.addWidget(tabs)
    whole = tabs.sizeHint()
    for width in (whole.width(), whole.width() - 60, whole.width() // 2):
        tabs.resize(width, whole.height())
        hit = []
        for x in range(2, width - 2):
            qtbot.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=QPoint(x, whole.height() // 2))
            hit.append(texts.index(tabs.current.title()))
        assert set(hit) == {0, 1, 2, 3} and hit == sorted(hit)  # all can be chosen
        tabs.set_current("expression")
        tabs.grab()
        assert tabs.broken is None
    tabs.resize(whole)
    assert tabs.told(whole.width() - 20) == "what each is for"  # nothing is cut
    tabs.resize(whole.width() - 60, whole.height())
    assert tabs.told(tabs.width() - 20) == "Optimizers\nwhat each is for"
    tabs.set_current("optimizers")
    assert tabs.told(tabs.width() - 20) == "what each is for"  # the chosen one is whole


def test_rail_segments_and_status_tell_their_intents(qtbot):
    rail, status = Rail(), StatusStrip()
    tabs = SegmentedControl([("a", "A"), ("b", "B")], "Tabs")
    for widget in (rail, status, tabs):
        qtbot.addWidget(widget)
    chosen = []
    rail.chosen.connect(chosen.append)
    tabs.chosen.connect(chosen.append)
    rail.set_entries([("x", "X", "attention", ""), ("y", "Y", "training", "")])
    qtbot.keyClick(rail, Qt.Key.Key_Down)
    qtbot.keyClick(tabs, Qt.Key.Key_Right)
    assert chosen == ["y", "b"]
    asked = []
    status.pauseRequested.connect(lambda run: asked.append(("pause", run)))
    status.resumeRequested.connect(lambda run: asked.append(("resume", run)))
    status.set_run(RunStatus("stories-3", "running", 8, 10, 1.5, "/runs/3"))
    status.line.pause.click()
    status.set_run(RunStatus("stories-3", "paused", 8, 10, 1.5, "/runs/3"))
    status.line.pause.click()
    assert asked == [("pause", "/runs/3"), ("resume", "/runs/3")]
    with pytest.raises(ValueError, match="no run state"):
        status.set_run(RunStatus("a", "dancing"))


def test_a_long_job_is_cut_before_the_run_and_the_device_are(qapp, qtbot):
    status = StatusStrip()
    qtbot.addWidget(status)
    status.resize(1000, 26)
    status.show()
    status.set_run(RunStatus("a-run", "finished", 6, 6, 7.316))
    status.set_device("cpu, fp32, 1 thread")
    for job in ("measuring", "measuring 204 languages " * 9):
        status.set_jobs(job)
        qapp.processEvents()
        for label in (status.line.text, status.device):
            assert label.width() >= label.sizeHint().width()
        assert status.jobs.whole == job and (status.jobs.text() == job) == (len(job) < 10)
    assert status.width() == 1000


LOOKS = ("warning", "warning"), ("live", "success")


def test_a_run_that_needs_a_person_is_seen_in_the_strip(qtbot):
    status = StatusStrip()
    qtbot.addWidget(status)
    well = RunStatus("stories", "running", 8, 10, 1.5, "/runs/1")
    silent = "rank 1 has given no sign of life for 15 s"
    images = [icons.icon(*look, 14).pixmap(14).toImage() for look in LOOKS]
    status.set_run(well)
    status.set_run(replace(well, alerts=(silent,)))
    assert status.line.text.text().startswith("running, needs attention, step 8/10")
    assert status.line.name.icon().pixmap(14).toImage() == images[0] != images[1]
    assert silent in status.line.name.toolTip() and silent in status.line.name.accessibleName()
    status.set_run(well)
    assert status.line.name.icon().pixmap(14).toImage() == images[1]
    assert "attention" not in status.line.text.text()


def test_every_run_that_trains_is_within_reach_of_the_strip(qtbot):
    status = StatusStrip()
    qtbot.addWidget(status)
    status.resize(1100, 26)
    status.show()
    first = RunStatus("stories", "paused", 8, 10, 1.5, "/runs/1")
    second = RunStatus("stories-2", "running", 3, 10, 2.5, "/runs/2")
    asked = []
    for name in ("pauseRequested", "resumeRequested", "stopRequested", "runClicked"):
        getattr(status, name).connect(lambda run, name=name: asked.append((name, run)))

    status.set_run(second)
    status.set_training([second])
    assert status.more.isHidden()
    status.set_training([second, first])
    assert status.more.text() == "2 runs"
    assert status.more.accessibleName() == "2 runs train: stories-2, stories"
    status.more.setFocus()
    qtbot.keyClick(status.more, Qt.Key.Key_Space)
    runs = status.list
    assert runs.isVisible()
    assert runs.geometry().right() <= status.mapToGlobal(status.rect().topRight()).x()
    assert [line.run.name for line in runs.lines.values()] == ["stories-2", "stories"]
    assert runs.lines["/runs/1"].text.text() == "paused, step 8/10   loss 1.500"

    names = [runs.focusWidget().accessibleName()]
    for _ in range(4):
        qtbot.keyClick(runs.focusWidget(), Qt.Key.Key_Tab)
        names.append(runs.focusWidget().accessibleName())
    assert names == [
        "Pause the run “stories-2”",
        "Stop the run “stories-2”; you can resume it later",
        "The run “stories” is paused. Show it",
        "Resume the run “stories”",
        "Stop the run “stories”; you can resume it later",
    ]
    qtbot.keyClick(runs.focusWidget(), Qt.Key.Key_Space)
    runs.lines["/runs/1"].pause.click()
    runs.lines["/runs/2"].pause.click()
    assert asked == [
        ("stopRequested", "/runs/1"),
        ("resumeRequested", "/runs/1"),
        ("pauseRequested", "/runs/2"),
    ]

    status.set_training([second])  # the first has ended
    assert list(runs.lines) == ["/runs/2"]
    runs.lines["/runs/2"].name.click()
    assert asked[-1] == ("runClicked", "/runs/2")
    assert not runs.isVisible()
    status.open_runs()
    qtbot.keyClick(runs, Qt.Key.Key_Escape)
    assert not runs.isVisible()
    status.open_runs()
    status.set_training([])
    assert not runs.isVisible()


def test_a_callout_stays_inside_its_window(qtbot):
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(400, 300)
    target = QWidget(host)
    target.setGeometry(380, 280, 15, 15)
    host.show()
    tip = Callout("Type here.", "1 of 3", host)
    tip.point_at(target.geometry())
    assert host.rect().contains(tip.geometry())
    tip.grab()


def test_widgets_follow_a_new_theme(qapp, qtbot):
    heat = HeatMap()
    qtbot.addWidget(heat)
    heat.set_values(np.eye(3))
    light = heat.grab().toImage()
    theme.apply(qapp, "dark")
    assert heat.grab().toImage() != light
    theme.apply(qapp, "light")
    assert heat.grab().toImage() == light
