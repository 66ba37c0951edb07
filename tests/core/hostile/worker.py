"""Opens files in processes of their own: what becomes of each is a line of JSON.

``python -m tests.core.hostile.worker`` reads names of attacks, one a line. Each is opened in a fork
of this process, whose imports are done: its memory is what it takes on top, and no more than LIMIT.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.core.hostile.attacks import ATTACKS

LIMIT = 1500 << 20  # bytes of address space that an attack may take; more would hurt the machine
SECONDS = 60  # after which it is called endless


def main() -> None:
    warm_up()
    for line in sys.stdin:
        name = line.strip()
        if name:
            print(json.dumps({"name": name, **attempt(name)}), flush=True)


def warm_up() -> None:
    """Whatever opening a file imports, so that no attack pays for it."""
    import core.data.text
    import core.inference.chat_template
    import core.tokenization.formats.library
    import core.training.checkpoints
    import core.training.control
    import core.training.foreign  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        from tests.core.hostile.attacks import open_run, write_run

        open_run(write_run(Path(folder) / "run"))


def attempt(name: str) -> dict[str, Any]:
    """Writes the file and opens it in a fork; what came of it, how long it took, what it held."""
    folder = Path(tempfile.mkdtemp())
    try:
        attack = ATTACKS[name]
        in_fork(lambda: outcome(lambda: attack.write(folder)), 0)
        return in_fork(lambda: outcome(lambda: attack.open(folder)), LIMIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def in_fork(call: Callable[[], dict[str, Any]], limit: int) -> dict[str, Any]:
    """What a call says in a fork; how long it took, and what it held."""
    read, write = os.pipe()
    start = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.close(read)
        if limit:
            space = address_space() + limit
            resource.setrlimit(resource.RLIMIT_AS, (space, space))
            signal.alarm(SECONDS)
        before = _resident()
        told = call()
        told["bytes"] = max(0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before)
        os.write(write, json.dumps(told).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    _, status, used = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    worked = used.ru_utime + used.ru_stime
    if not said:
        code = os.waitstatus_to_exitcode(status)
        what = "took for ever" if code == -signal.SIGALRM else f"ended the process ({code})"
        told = {"kind": "abort", "message": what, "bytes": limit}
    else:
        told = json.loads(said)
    return {**told, "seconds": seconds, "worked": worked}


def outcome(call: Callable[[], object]) -> dict[str, Any]:
    """ "opened", "refused" with what was said, or "raised" what nobody should see."""
    try:
        call()
    except (ValueError, OSError) as error:
        return {"kind": "refused", "message": str(error)[:2000]}
    except BaseException as error:
        return {"kind": "raised", "message": f"{type(error).__name__}: {error}"[:2000]}
    return {"kind": "opened", "message": ""}


def address_space() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    main()
