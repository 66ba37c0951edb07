"""What loads what, and whether this Qt is one that can be used at all."""

import sys

CORE = """
import sys
import core
import core.resources, core.trace
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"torch", "PySide6", "shiboken6", "pyqtgraph", "qasync", "explorer"}))
"""

HEADLESS = """
import importlib, pkgutil, sys
import core
for module in pkgutil.walk_packages(core.__path__, "core."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"PySide6", "shiboken6", "pyqtgraph", "qasync", "explorer"}))
"""


def test_importing_core_loads_neither_torch_nor_qt(run_python):
    result = run_python("-c", CORE)
    assert result.stdout.strip() == "[]", result.stderr


def test_the_whole_of_core_needs_no_qt(run_python):
    result = run_python("-c", HEADLESS)
    assert result.stdout.strip() == "[]", result.stderr


def test_this_pyside_steals_no_references(qapp):
    """PySide6 6.12.0 takes one reference to None with every call of a function that returns
    nothing; Python 3.11 aborts when none are left. This must hold before the cap is lifted."""
    from PySide6.QtGui import QImage, QPainter

    image = QImage(8, 8, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    before = sys.getrefcount(None)
    for _ in range(1000):
        painter.drawLine(0, 0, 7, 7)
    after = sys.getrefcount(None)
    painter.end()
    assert after > before - 100
