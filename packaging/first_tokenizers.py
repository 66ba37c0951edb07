"""The first start gets a few real tokenizers to compare with; without a network it goes on without.

A stamp beside the packages of .venv remembers the try: what came is not asked for again, and what
did not come is tried again a day later.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping

from python_setup import PYTHON, ROOT, VENV
from system_setup import say

STAMP = VENV / "llm-explorer-tokenizers.json"
AGAIN = 24 * 3600  # seconds until what failed is tried again
LIMIT = 120  # seconds that a start waits for it at most


def get_first_tokenizers(environment: Mapping[str, str]) -> None:
    """Gets them if they are due. What did not come is told in one line, here or by the program that
    was started: the app works without."""
    if not is_due():
        return
    say("looking for a few real tokenizers, 25 MB at most; Ctrl+C goes on without them")
    command = [str(PYTHON), str(ROOT / "packaging" / "vocabularies.py"), "--first"]
    whole = False
    try:
        whole = subprocess.call(command, cwd=ROOT, env=environment, timeout=LIMIT) == 0
    except (subprocess.TimeoutExpired, KeyboardInterrupt, OSError):
        say("going on without them; `python3 dev.py vocabularies` gets them at any time")
    try:
        STAMP.write_text(json.dumps({"whole": whole, "time": time.time()}))
    except OSError as error:
        say(f"{STAMP} cannot be written ({error}); they are looked for again at the next start")


def is_due() -> bool:
    """Whether they were never tried, or have failed long enough ago."""
    try:
        stamp = json.loads(STAMP.read_text())
        age = time.time() - float(stamp["time"])
        return not stamp["whole"] and not 0 <= age < AGAIN
    except (OSError, ValueError, TypeError, KeyError):
        return True
