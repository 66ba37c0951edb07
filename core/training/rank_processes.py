"""The launcher of a run's ranks on this machine: starts them, watches them, reports why they ended.

`python -m core.training` becomes this process if its config asks for several ranks and it was not
itself started as one. It loads no torch and computes nothing. Its ranks hold the other end of a
pipe, so they end when it does, however it ends. If a rank fails, the others end too, and the run
folder names the first that failed, since the others can only report that it is gone.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from core.files import open_to_append, open_to_read
from core.training.place import LEFT_ALONE, RESTARTED, RESTARTS, STORE
from core.training.reader import RunReader
from core.training.records import read_manifest
from core.training.writer import end_attempt

LOOK = 0.05  # seconds between two checks of the ranks
# Seconds that the others have to notice a failed rank before they are ended.
GRACE = 10.0
LOG_TAIL = 400  # bytes of a rank's log that are shown if it left no message


@dataclass
class _Rank:
    """A rank's process, and the time at which its end was noticed."""

    number: int
    process: subprocess.Popen[bytes]
    ended: float = 0.0
    ended_by_us: bool = field(default=False)

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None while the process runs."""
        return self.process.poll()


class RankProcesses:
    """The ranks of a run in `folder`: `count` processes of `module`, started as torchrun would.

    module     the module to run: `python -m MODULE --run FOLDER`
    threads    torch threads of each process
    restarts   number of times that all ranks restart from the last checkpoint after a failure
    """

    def __init__(
        self, folder: Path, count: int, module: str, threads: int, restarts: int = 0
    ) -> None:
        self.folder = folder.resolve()
        self.count, self.module, self.threads, self.restarts = count, module, threads, restarts
        self._ranks: list[_Rank] = []
        self._asked = 0  # requests to end
        self._begun = 0  # attempts before these ranks began theirs
        self._restarted = 0  # restarts of all ranks so far

    def leave(self) -> None:
        """Ends the run after its step, with a checkpoint; a second call ends it at once."""
        self._asked += 1
        for rank in self._ranks:
            if rank.code is None:
                self._end(rank, kill=self._asked > 1)

    def run(self, resume: bool) -> int:
        """Starts the ranks and returns when all have ended: 0, or the exit code of the run."""
        cores = os.cpu_count() or 1
        if self.count * self.threads > cores:
            said = f"note: {self.count} ranks on {cores} cores take turns"
            print(said, file=sys.stderr, flush=True)
        for attempt in range(self.restarts + 1):
            self._restarted = attempt
            code = self._run_once(resume or attempt > 0)
            if code == 0 or self._asked or attempt == self.restarts:
                return code
            print("starting all ranks again", file=sys.stderr, flush=True)
        return 0

    def _run_once(self, resume: bool) -> int:
        self._begun = self._attempts()
        meeting = tempfile.mkdtemp(prefix="ranks-")
        try:
            for number in range(self.count):
                process = self._start(number, Path(meeting) / "store", resume)
                self._ranks = [*self._ranks[:number], _Rank(number, process)]
            if self._asked:  # asked while they were starting
                for rank in self._ranks:
                    self._end(rank, kill=self._asked > 1)
            self._watch()
        finally:
            for rank in self._ranks:
                if rank.code is None:
                    rank.process.kill()
                rank.process.wait()
                if rank.process.stdin is not None:
                    rank.process.stdin.close()
            shutil.rmtree(meeting, ignore_errors=True)
        ends = [(r.code or 0, r.ended, r.ended_by_us) for r in self._ranks]
        first = first_failed(ends, asked=self._asked > 0)
        if first is None:
            return 0
        how, message = "failed", self._told_by_all()
        if not message:  # else rank 0 has printed it
            how, message = self._why(self._ranks[first])
            print(f"error: {message}", file=sys.stderr, flush=True)
        with suppress(OSError, ValueError):  # the folder is gone, or another process trains in it
            if self._attempts() > self._begun:
                end_attempt(self.folder, message, rank=first, how=how)
        return 1

    def _attempts(self) -> int:
        """Returns the number of attempts begun so far."""
        return len(read_manifest(self.folder)["attempts"])

    def _start(self, number: int, store: Path, resume: bool) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", self.module, "--run", str(self.folder), "--bound"]
        command += ["--resume"] if resume else []
        root = str(Path(__file__).resolve().parents[2])
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))),
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": str(self.threads),
            "OMP_WAIT_POLICY": "passive",
            "RANK": str(number),
            "LOCAL_RANK": str(number),
            "WORLD_SIZE": str(self.count),
            "LOCAL_WORLD_SIZE": str(self.count),
            RESTARTS: str(self.restarts),
            RESTARTED: str(self._restarted),
            STORE: str(store),
        }
        if sys.platform.startswith("linux"):
            # All ranks are on this machine: no network or name server is needed.
            environment.setdefault("GLOO_SOCKET_IFNAME", "lo")
        # Only rank 0 prints; the others write to a log file, which unlike a pipe cannot fill up.
        log = None if number == 0 else os.fdopen(open_to_append(self._log(number)), "ab")
        try:
            return subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=None if log is None else subprocess.STDOUT,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                start_new_session=True,  # Ctrl+C goes to the launcher, which ends the ranks
            )
        finally:
            if log is not None:
                log.close()

    def _watch(self) -> None:
        """Returns once every rank has ended; ends the others GRACE seconds after a failure."""
        failed_at: float | None = None
        while True:
            running = []
            now = time.monotonic()
            for rank in self._ranks:
                code = rank.code
                if code is None:
                    running.append(rank)
                elif not rank.ended:
                    rank.ended = now
                    if code and failed_at is None:
                        failed_at = now
            if not running:
                return
            if failed_at is not None and now - failed_at > GRACE:
                for rank in running:
                    self._end(rank, kill=True)
            time.sleep(LOOK)

    def _end(self, rank: _Rank, kill: bool) -> None:
        rank.ended_by_us = True
        with suppress(OSError):
            rank.process.kill() if kill else rank.process.send_signal(signal.SIGTERM)

    def _log(self, number: int) -> Path:
        return self.folder / f"rank{number}.log"

    def _last_word(self, number: int) -> str:
        """Returns a rank's message at its end, or "" if it had not begun."""
        with suppress(OSError, ValueError):
            if self._attempts() > self._begun:  # else the message is of an earlier attempt
                return RunReader(self.folder, number).message
        return ""

    def _told_by_all(self) -> str:
        """Returns the error that all ranks reported together, or "" if only some of them did."""
        if any(rank.ended_by_us or not rank.code for rank in self._ranks):
            return ""
        words = {self._last_word(rank.number) for rank in self._ranks}
        return words.pop() if len(words) == 1 else ""

    def _why(self, rank: _Rank) -> tuple[str, str]:
        """Returns how the first failed rank ended (see `RankEnd`), and a message for the user."""
        which, code = f"rank {rank.number} of {self.count}", rank.code or 0
        if rank.ended_by_us:
            return "hung", f"{which} did not answer any more and was ended; resume the run to go on"
        if code < 0:
            with suppress(ValueError):
                name = signal.Signals(-code).name
                return "killed", f"{which} was killed ({name}); resume the run to go on"
        told = self._last_word(rank.number)
        if not told and rank.number:
            with suppress(OSError, ValueError), open_to_read(self._log(rank.number)) as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL))
                told = log.read(LOG_TAIL).decode("utf-8", "replace").strip()
        return "failed", f"{which} failed: {told or f'exit code {code}; see its log'}"


def first_failed(ends: Sequence[tuple[int, float, bool]], asked: bool = False) -> int | None:
    """Returns the rank that failed first, or None if all ended well.

    ends    of each rank: exit code, time of its end, whether we signaled it to end
    asked   the run was asked to end: then a rank that ended by our signal has not failed

    A rank that was left alone is not the cause, unless no other failure was seen.
    """
    failed = [(when, rank) for rank, (code, when, _) in enumerate(ends) if code]
    own = []
    for when, rank in failed:
        code, _, told = ends[rank]
        if code != LEFT_ALONE and not (told and code < 0):
            own.append((when, rank))
    if asked:
        return min(own)[1] if own else None
    # A rank that had to be ended did not notice the failure of the others: it hangs.
    hangs = [(when, rank) for when, rank in failed if ends[rank][2] and ends[rank][0] < 0]
    found = own or hangs or failed
    return min(found)[1] if found else None
