"""The panes that there are, imported ahead of their first show."""

from __future__ import annotations

import subprocess
import sys

from explorer.panes import specs

PROGRAM = """
import gc, sys, threading
from PySide6.QtCore import QObject, QThread
from PySide6.QtWidgets import QApplication
from explorer import theme  # as the app does first of all
from explorer.panes import specs
from explorer.panes.backprop.modes import MODES
app = QApplication([])
thread = threading.Thread(target=specs.load)
thread.start()
thread.join()
wanted = [spec.module for spec in (*specs.PANES, *MODES)] + ["pyqtgraph"]
print([name for name in wanted if name not in sys.modules])
objects = [one for one in gc.get_objects() if isinstance(one, QObject)]
print([one for one in objects if one.thread() is not QThread.currentThread()])
"""


def test_panes_are_imported_on_another_thread_which_owns_nothing_of_qt_then():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["[]", "[]"], done.stdout


def test_no_collection_looks_through_what_the_panes_have_brought(monkeypatch, run_async):
    calls = []
    monkeypatch.setattr(specs.gc, "freeze", lambda: calls.append("freeze"))

    class Io:
        async def io(self, function):
            calls.append(function)

    run_async(specs.load_ahead(Io()))
    assert calls == [specs.load, "freeze"]
