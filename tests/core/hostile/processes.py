"""Starts the worker that opens hostile files, and reads what became of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.patience import HANGS

ROOT = Path(__file__).parents[3]
# How the remedy at the end of an error begins.
REMEDY = re.compile(
    r"\b(choose|correct|get|give|copy|convert|restore|delete|update|open|use|unpack|put|take|save|add|"
    r"download|run|try|start|break|set|leave|fill|make|allow|go on|branch off|is usual|"
    r"its fields are|must be)\b",
    re.IGNORECASE,
)


def environment() -> dict[str, str]:
    """One thread for each library, as forks want it, and no backtraces of Rust."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "RAYON_NUM_THREADS": "1",
        "RUST_BACKTRACE": "0",
    }


def attempts(names: Sequence[str], timeout: float = HANGS) -> Iterator[dict[str, Any]]:
    """What became of each attack: name, kind, message, seconds and bytes."""
    command = [sys.executable, "-m", "tests.core.hostile.worker"]
    found = subprocess.run(
        command,
        input="\n".join(names).encode(),
        capture_output=True,
        env=environment(),
        cwd=ROOT,
        timeout=timeout,
        check=False,
    )
    lines = found.stdout.splitlines()
    if len(lines) < len(names):
        raise AssertionError(
            f"the worker ended with {found.returncode} at {names[len(lines)]}: "
            f"{found.stderr.decode(errors='replace')[-2000:]}"
        )
    return map(json.loads, lines)


def has_remedy(message: str) -> bool:
    """Whether an error says what to do."""
    return REMEDY.search(message) is not None
