"""How long a person waits: for the window, and for the first picture that shows something."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.harness import Report

ROOT = Path(__file__).parents[2]
REPEATS = 5
LIMIT = 60.0

# The least that a Qt program with a plot can do, as a measure of the machine.
BARE = """
import sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
import pyqtgraph
app = QApplication(sys.argv)
plot = pyqtgraph.PlotWidget()
plot.plot([1, 2, 3])
plot.show()
def done():
    print(time.time(), flush=True)
    import os
    os._exit(0)
QTimer.singleShot(0, lambda: QTimer.singleShot(0, done))
app.exec()
"""


def fast(report: Report) -> None:
    """Warm caches: one start of each to warm up, then pairs of bare Qt and ours, in turn."""
    with tempfile.TemporaryDirectory() as bytecode:
        _bare(bytecode)
        _start(bytecode)
        bare, starts = [], []
        for _ in range(REPEATS):
            bare.append(_bare(bytecode))
            starts.append(_start(bytecode))
    report.tell("bare Qt and a pyqtgraph plot, to the first paint", statistics.median(bare), "s")
    for name, key, limit in (("window", "window", 1.35), ("useful picture", "picture", 4.0)):
        times = [start[key][0] for start in starts]
        ratios = [time / least for time, least in zip(times, bare, strict=True)]
        report.tell(f"first {name}", statistics.median(times), "s")
        report.at_most(f"first {name} / bare Qt with a plot", statistics.median(ratios), limit, "x")
    early = sum(start["window"][1] for start in starts)
    report.equal("starts with torch imported before the window", early, 0)


def _environment(bytecode: str) -> dict[str, str]:
    """Offscreen, with compiled modules in a folder of this benchmark, also where Python is told to
    write none.
    """
    found = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPYCACHEPREFIX": bytecode}
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    return found


def _start(bytecode: str) -> dict[str, tuple[float, bool]]:
    """One start of the program: seconds until each thing, and whether torch was there by then."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "report"
        environment = {
            **_environment(bytecode),
            "LLM_EXPLORER_CONFIG": folder,
            "LLM_EXPLORER_DATA": folder,
            "LLM_EXPLORER_START_REPORT": str(target),
        }
        began = time.time()
        process = subprocess.Popen([sys.executable, "-m", "explorer"], cwd=ROOT, env=environment)
        try:
            while time.time() - began < LIMIT:
                lines = target.read_text().splitlines() if target.exists() else []
                if len(lines) >= 2:
                    break
                time.sleep(0.02)
        finally:
            process.terminate()
            process.wait(20)
        if len(lines) < 2:
            raise RuntimeError(f"the program showed no picture within {LIMIT:.0f} s")
        found = {}
        for line in lines:
            name, moment, torch = line.split()
            found[name] = (float(moment) - began, torch == "torch=True")
        return found


def _bare(bytecode: str) -> float:
    environment = _environment(bytecode)
    began = time.time()
    done = subprocess.run(
        [sys.executable, "-c", BARE], env=environment, capture_output=True, text=True, check=True
    )
    return float(done.stdout) - began
