"""Run folders in which something else lies in place of a file or a folder.

``python -m tests.core.hostile.run_folders`` trains a small run once, and prints a line of JSON for
each entry of its folder and each thing in its place: what became of each way of reading it.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.core.hostile.places import INSTEAD
from tests.core.hostile.worker import in_fork, outcome

LIMIT = 1500 << 20  # bytes of address space


def train(folder: Path) -> Path:
    """With checkpoints, probes, samples, a recorded step, commands and a controller."""
    from core.files import write_json
    from core.training import claims, records
    from core.training.control import RunControl
    from core.training.runs import create_run
    from tests.core.training.small import moments, small_config

    config = small_config(folder, steps=5, checkpoint_every=2, probe_every=2, sample_every=2)
    run = create_run(folder / "run", config)
    RunControl(run).record()
    for _ in moments(config, run, resume=True):
        pass
    elsewhere = {"host": "elsewhere", "pid": 1, "process_start": 1}
    manifest = records.read_manifest(run)
    manifest["attempts"][-1] |= elsewhere
    records.write_manifest(run, manifest)
    events = (run / "rank0.jsonl").read_text().splitlines()
    kept = [line for line in events if '"event": "end"' not in line]
    (run / "rank0.jsonl").write_text("\n".join(kept) + "\n")  # as if it ran there
    claims.claim(run)
    write_json(run / records.PROCESS, {**elsewhere, "time": 1.0})
    return run


# -- all that reads or changes a run ---------------------------------------------------------------


def show(run: Path) -> None:
    from core.training import alerts, records
    from core.training.reader import RunReader
    from explorer.runs.run_data import read
    from explorer.shell.follow import see

    reader = RunReader(run)
    reader.refresh()
    read(reader).prepare()
    see(reader, 0)
    assert reader.state and reader.name and reader.step >= 0 and isinstance(reader.message, str)
    assert reader.is_elsewhere in (True, False) and reader.restarts in (True, False)
    alerts.silence(reader)
    records.exchanges(run)
    records.checkpoints_of(run)


def probes(run: Path) -> None:
    from core.training.reader import RunReader

    for probe in RunReader(run).probes:
        probe.load()


def commands(run: Path) -> None:
    from core.training.control import ControlLog

    ControlLog(run).refresh()


def steer(run: Path) -> None:
    from core.training import claims
    from core.training.control import RunControl

    claims.claim(run)
    claims.renew(run)
    control = RunControl(run)
    control.acknowledgement(control.checkpoint())
    control.release()


def lanes(run: Path) -> None:
    from core.training.lanes import LaneReader

    LaneReader(run).step(3)


def recorded(run: Path) -> None:
    from core.training.step_trace import open_recording, recorded_ranks, recorded_steps

    for step in recorded_steps(run):
        recorded_ranks(run, step)
        open_recording(run, step)


def listed(run: Path) -> None:
    from core.training.launch import launched
    from explorer.runs.folders import holds_run, run_folders

    run_folders(run.parent)
    holds_run(run)
    launched(run)


def load(run: Path) -> None:
    import core
    from core.training.records import checkpoints_of

    for checkpoint in checkpoints_of(run).values():
        core.load(checkpoint)


def branch(run: Path) -> None:
    from core.training.runs import branch

    branch(run, 4, {"steps": 9})


def resume(run: Path) -> None:
    from core.training import records
    from core.training.config import TrainingConfig
    from tests.core.training.small import moments

    manifest = records.read_manifest(run)
    manifest["attempts"][-1] |= {"host": records.process_identity()["host"]}
    records.write_manifest(run, manifest)
    for _ in moments(TrainingConfig.from_json(manifest["config"]), run, resume=True):
        pass


READERS: dict[str, Callable[[Path], None]] = {
    one.__name__: one
    for one in (show, probes, commands, lanes, recorded, listed, load, branch, steer, resume)
}


def entries(run: Path) -> Iterator[str]:
    """Its files and folders; of many alike the one of step 4 or the last one."""
    for path in sorted(run.rglob("*")):
        name = path.relative_to(run).as_posix()
        if "step-" not in name or "step-000004" in name or "recordings" in name:
            yield name


def put(path: Path, what: str) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
    INSTEAD[what](path)


def read_all(run: Path) -> dict[str, Any]:
    """The readers whose answer nobody should see."""
    from tests.core.hostile.processes import has_remedy

    wrong = {}
    for name, reader in READERS.items():
        told = outcome(lambda reader=reader: reader(run))
        message = told["message"].replace(str(run.parent), "FOLDER")
        fits = told["kind"] == "opened" or (told["kind"] == "refused" and has_remedy(message))
        if not fits:
            wrong[name] = f"{told['kind']}: {message[:300]}"
    return {"kind": "wrong" if wrong else "read", "message": json.dumps(wrong)}


def main() -> None:
    """Arguments: parts of the names of entries; all without any."""
    only = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        run = train(Path(scratch) / "sound")
        sound = read_all(copied(run, Path(scratch) / "copy"))
        print(json.dumps({"entry": "all", "what": "sound", **sound}), flush=True)
        for entry in entries(run):
            if only and not any(one in entry for one in only):
                continue
            for what in INSTEAD:
                copy = copied(run, Path(scratch) / "copy")
                put(copy / entry, what)
                told = in_fork(lambda copy=copy: read_all(copy), LIMIT)
                print(json.dumps({"entry": entry, "what": what, **told}), flush=True)


def copied(run: Path, place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    shutil.copytree(run, place / run.name)
    shutil.copy(run.parent / "little.txt", place)
    return place / run.name


if __name__ == "__main__":
    main()
