"""Opens files that were changed at random, each by its seed, in a process of their own.

``python -m tests.core.hostile.fuzzing FIRST COUNT`` prints two lines of JSON for each seed: before
it opens the file, so that an abort names its seed, and what came of it. ``--keep FOLDER`` keeps the
files of that seed.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import signal
import sys
import tempfile
import warnings
from pathlib import Path
from types import FrameType

from tests.core.hostile.formats import FORMATS
from tests.core.hostile.mutations import mutated
from tests.core.hostile.worker import address_space, outcome

LIMIT = 2 << 30  # bytes of address space that all cases of a process may take on top
SECONDS = 30  # after which a case is called endless


class Endless(BaseException):
    """A case that does not end: no error that somebody may catch."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "sound"
        _write_sound(sound)
        limit = address_space() + LIMIT
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        signal.signal(signal.SIGALRM, _on_alarm)
        for seed in range(options.first, options.first + options.count):
            _case(seed, sound, options.keep or Path(folder) / "case")


def _write_sound(folder: Path) -> None:
    for number, (name, form) in enumerate(FORMATS.items()):
        target = folder / str(number)
        target.mkdir(parents=True)
        form.write(target)
        told = outcome(lambda form=form, target=target: form.open(target))
        if told["kind"] != "opened":
            raise AssertionError(f"{name} does not open as it is: {told['message']}")


def _case(seed: int, sound: Path, folder: Path) -> None:
    rng = random.Random(seed)
    name = list(FORMATS)[seed % len(FORMATS)]
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound / str(seed % len(FORMATS)), folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    file = rng.choice([path for path in files if path.suffix != ".lock"])
    file.write_bytes(mutated(file.read_bytes(), rng))
    about = {"seed": seed, "format": name, "file": str(file.relative_to(folder))}
    print(json.dumps(about), flush=True)
    signal.alarm(SECONDS)
    told = outcome(lambda: FORMATS[name].open(folder))
    signal.alarm(0)
    print(json.dumps({**about, **told}), flush=True)


def _on_alarm(_: int, __: FrameType | None) -> None:
    raise Endless(f"not done after {SECONDS} s")


if __name__ == "__main__":
    sys.exit(main())
