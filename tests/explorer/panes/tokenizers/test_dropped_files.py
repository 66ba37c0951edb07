"""A file dropped anywhere on the pane: a tokenizer opens as a tokenizer, a text as a text."""

from __future__ import annotations

import os

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from explorer.panes.tokenizers.dropped_files import look_at_files
from tests.explorer.panes.tokenizers.small import saved_bpe


def dropped(*paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.MoveAction, data, buttons, keys)
    event.data = data  # the event does not own it
    return event


@pytest.mark.parametrize("mode", ["compare", "train", "inside", "languages"])
def test_a_dropped_tokenizer_opens_as_a_tokenizer(make_pane, run_async, tmp_path, mode):
    path = saved_bpe(tmp_path / "mine.json")
    pane = make_pane()

    async def body():
        pane.show_mode(mode)
        await pane.settled()
        pane.dropEvent(dropped(path))
        await pane.settled()
        identity = f"file:{path}"
        if mode == "inside":
            assert pane.mode.id == "inside" and pane.mode.chosen == identity
        else:
            assert pane.mode.id == ("languages" if mode == "languages" else "compare")
            assert identity in pane.mode.shown_ones.ids
        assert pane.catalogue.get(identity) is not None

    run_async(body())


def test_a_folder_and_its_own_file_are_one_tokenizer(tmp_path):
    path = saved_bpe(tmp_path / "tokenizer.json")
    assert look_at_files([str(tmp_path), str(path)]).tokenizers == [str(path)]
    assert look_at_files([str(path)]).tokenizers == look_at_files([str(tmp_path)]).tokenizers


def test_a_file_that_has_vanished_is_told_with_the_remedy(tmp_path):
    gone = tmp_path / "gone.txt"
    assert look_at_files([str(gone)]).errors == [f"there is no {gone}: choose another file"]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        assert (
            "a pipe or a device, not a file: put"
            in look_at_files([str(tmp_path / "pipe")]).errors[0]
        )
    unreadable = look_at_files([str(tmp_path)]).errors[0]
    assert "choose" in unreadable and "Errno" not in unreadable


@pytest.mark.parametrize("mode", ["compare", "train", "inside", "languages"])
def test_a_dropped_text_is_a_text(make_pane, run_async, tmp_path, mode):
    path = tmp_path / "story.txt"
    path.write_text("Once upon a time")
    pane = make_pane()

    async def body():
        pane.show_mode(mode)
        await pane.settled()
        pane.dropEvent(dropped(path))
        await pane.settled()
        if mode == "train":
            assert pane.mode.draft.value.corpus == str(path)
        else:
            assert pane.mode.id == ("inside" if mode == "inside" else "compare")
            assert pane.mode.text == "Once upon a time"

    run_async(body())


def test_folders_are_for_the_window_and_other_files_say_what_they_are(
    make_pane, run_async, tmp_path
):
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"PK\x03\x04....")
    pane, said = make_pane(), []
    pane.statusRequested.connect(said.append)

    async def body():
        event = dropped(tmp_path)
        event.accept()
        pane.dropEvent(event)
        assert not event.isAccepted() and event.dropAction() == Qt.DropAction.IgnoreAction
        before = pane.mode.text
        pane.dropEvent(dropped(archive))
        await pane.settled()
        assert "unpack it" in said[-1] and pane.mode.text == before

    run_async(body())


def test_files_are_told_by_what_they_hold(tmp_path):
    good, text, gone = saved_bpe(tmp_path / "a.json"), tmp_path / "b.txt", tmp_path / "gone"
    text.write_bytes("\ufeffna\u00efve\r\nend".encode())
    empty = tmp_path / "empty.txt"
    empty.touch()
    found = look_at_files([str(good), str(text), str(gone), str(empty)])
    assert found.tokenizers == [str(good)] and len(found.errors) == 1
    assert found.texts == [(str(text), "na\u00efve\nend"), (str(empty), "")]


NAIVE = "Na\u00efve caf\u00e9s, \u201cquoted\u201d\n"


@pytest.mark.parametrize("times", [1, 900])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252", "utf-32-be"])
def test_a_text_in_any_usual_encoding_is_a_text(tmp_path, encoding, times):
    text = (NAIVE.replace("\u201c", "'").replace("\u201d", "'")) * times
    path = tmp_path / "notes.txt"
    mark = "\ufeff" if encoding == "utf-32-be" else ""  # the others write it by themselves
    path.write_bytes((mark + text.replace("\n", "\r\n")).encode(encoding))
    found = look_at_files([str(path)])
    assert (found.tokenizers, found.errors) == ([], [])
    assert found.texts == [(str(path), text)]


def test_a_text_of_windows_keeps_its_quotes_and_a_damaged_one_its_letters(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(NAIVE.encode("cp1252"))
    assert look_at_files([str(path)]).texts == [(str(path), NAIVE)]
    path.write_bytes(NAIVE.encode() + b"\xff")
    assert look_at_files([str(path)]).texts == [(str(path), NAIVE + "\ufffd")]


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (NAIVE.encode(), ""),
        (NAIVE.encode("utf-8-sig"), ""),
        ("\ufffd as it is".encode(), ""),
        (NAIVE.encode("utf-16"), "notes.txt was read as UTF-16"),
        (NAIVE.encode("cp1252"), "notes.txt is not UTF-8; as a guess"),
        (NAIVE.encode() + b"\xff", "notes.txt is UTF-8, except in 1 place"),
    ],
)
def test_how_a_file_was_read_is_told_where_its_text_is_shown(
    make_pane, run_async, tmp_path, data, note
):
    path = tmp_path / "notes.txt"
    path.write_bytes(data)
    pane = make_pane()

    async def body():
        pane.dropEvent(dropped(path))
        await pane.settled()
        shown = pane.mode.view.note
        assert shown.text().startswith(note) and shown.isVisible() == bool(note)
        pane.grab()
        pane.mode.set_text("typed since")
        assert not shown.isVisible()

    run_async(body())


def test_a_text_that_is_cut_off_ends_with_a_whole_character(tmp_path, monkeypatch):
    monkeypatch.setattr("explorer.panes.tokenizers.dropped_files.LARGEST", 3)
    path = tmp_path / "notes.txt"
    path.write_bytes("a\u00ef\u00ef".encode())
    assert look_at_files([str(path)]).texts == [(str(path), "a\u00ef")]
    path.write_bytes("\u00efa\u00ef".encode())
    assert look_at_files([str(path)]).texts == [(str(path), "\u00efa")]


def test_web_pages_and_notes_about_a_vocabulary_are_texts(tmp_path):
    for name, content in (
        ("page.html", "<!DOCTYPE html>\n<p>Once upon a time</p>"),
        ("vocab-notes.txt", "What I learned\nabout pieces\n"),
    ):
        (tmp_path / name).write_text(content)
        found = look_at_files([str(tmp_path / name)])
        assert found.texts == [(str(tmp_path / name), content)], name


def test_what_is_no_text_is_not_taken_for_one(tmp_path):
    for content in (
        b"PK\x03\x04....",
        b"\x1f\x8b\x08abc",
        b"%PDF-1.4\n%\xe2\xe3\n\x01\x02",
        b"a\0b",
    ):
        path = tmp_path / "thing"
        path.write_bytes(content)
        found = look_at_files([str(path)])
        assert not found.texts and len(found.errors) == 1
