"""`python -m core.training --config FILE [--run FOLDER] [--resume]`: trains without a window.

A config of several ranks gets a process for each; started by torchrun, this is one rank of many:
`torchrun --nnodes 2 --nproc-per-node 4 ... -m core.training --config FILE --run-folder FOLDER
--resume`.

`--estimate` prints what training takes instead, and `--estimate --help` its own arguments.

Exit codes: 0 finished or stopped, 1 failed while training, 2 the config or folder cannot be, 3
another rank is gone, 17 the process that started it is gone, 130 interrupted before training began.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TextIO

from core.interrupt import leave_at_interrupt

# Before torch loads: threads that spin at barriers starve everything beside them.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
if __name__ == "__main__":
    leave_at_interrupt("interrupted before training began")

from core.files import read_json
from core.training import records
from core.training.config import TrainingConfig
from core.training.events import Moment
from core.training.launch import die_with_parent, end_with_parent
from core.training.memory import end_message, is_out_of_memory
from core.training.place import LEFT_ALONE, Place, is_left_alone
from core.training.program import TRAINING, Program
from core.training.runs import RunReader, check_goes_on, create_run, new_run_folder

SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK")  # what asks a process to end


def main(
    arguments: Sequence[str] | None = None,
    program: Program = TRAINING,
    about: str | None = __doc__,
) -> int:
    """Trains as the arguments say; returns the exit code. `about`: what --help says."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if any(argument.partition("=")[0] == "--estimate" for argument in given):
        return program.estimate(given)
    parser = argparse.ArgumentParser(prog=f"python -m {program.module}", description=about)
    parser.add_argument("--config", type=Path, help="the config of a run (JSON)")
    parser.add_argument(
        "--run",
        "--run-folder",  # torchrun takes --run for an option of its own
        type=Path,
        metavar="FOLDER",
        help="the run folder (default: runs/NAME-OF-CONFIG)",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--nice", type=int, default=0, help="step back behind other processes")
    parser.add_argument("--bound", action="store_true", help="end when stdin is closed")
    parser.add_argument(
        "--max-restarts",
        type=int,
        default=0,
        metavar="N",
        help="start all ranks again, from the last checkpoint, up to N times when one fails",
    )
    parser.add_argument("--estimate", action="store_true", help="print what it takes, and end")
    options = parser.parse_args(given)
    if options.bound:
        end_with_parent()
    if options.nice and hasattr(os, "nice"):
        os.nice(options.nice)
    try:
        place = Place.of(os.environ)
        if place is not None:
            die_with_parent()
        config, folder = _open(options, place, program)
    except (ValueError, OSError) as error:
        return _refuse(error, 2)
    if place is None and config.ranks > 1:
        return _start_ranks(config, folder, options, program)
    code = _train(config, folder, options.resume, place, program)
    if place is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # gloo's threads may abort the process while Python comes down
    return code


def _start_ranks(
    config: TrainingConfig, folder: Path, options: argparse.Namespace, program: Program
) -> int:
    from core.training.rank_processes import RankProcesses

    try:
        if not (folder / records.MANIFEST).exists():
            create_run(folder, config)
        check_goes_on(folder, records.read_manifest(folder), config, options.resume)
    except (ValueError, OSError) as error:
        return _refuse(error, 2)
    threads, restarts = config.threads, options.max_restarts
    ranks = RankProcesses(folder, config.ranks, program.module, threads, restarts)
    for name in SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: ranks.leave())
    return ranks.run(options.resume)


def _open(
    options: argparse.Namespace, place: Place | None, program: Program
) -> tuple[TrainingConfig, Path]:
    file, run, resume = options.config, options.run, options.resume
    if file is None:
        if run is None:
            raise ValueError("give --config FILE to start a run, or --run FOLDER to go on with one")
        return TrainingConfig.from_json(records.read_manifest(run)["config"]), run
    if not file.exists():
        raise ValueError(f"there is no file {file}; give --config the path of a training config")
    values = read_json(file)
    try:
        config = TrainingConfig.from_json(values)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    if not resume:
        program.check(config)
    if run is None:
        run = Path("runs") / file.stem
        if place is not None:
            raise ValueError("several ranks train in one folder: give each of them --run FOLDER")
        if not resume:
            run = new_run_folder("runs", file.stem, config)
    return config, run


def _train(
    config: TrainingConfig, folder: Path, resume: bool, place: Place | None, program: Program
) -> int:
    import torch

    from core.training.precision import precision_note
    from core.training.ranks import Ranks
    from core.training.strategies import strategy_for

    torch.set_num_threads(config.threads)
    train_steps = program.steps()
    speaks = place is None or place.rank == 0
    progress = Progress(config.steps, sys.stderr if speaks else None)
    if speaks:
        print(f"run folder: {folder}", file=sys.stderr, flush=True)
    began = False
    try:
        parallel = strategy_for(config, place)
        if isinstance(parallel, Ranks):
            parallel.join()  # until then a signal ends the process: there is nothing to finish
        if speaks and (note := precision_note(config.precision, parallel.device)):
            print(f"note: {note}", file=sys.stderr, flush=True)
        asked = _signals()
        with closing(train_steps(config, folder, resume, parallel=parallel)) as moments:
            for moment in moments:
                began = began or moment.phase == "data"
                _tell_vocabulary(config.model.vocab_size, moment)
                progress.show(moment)
                if asked and parallel.ranks > 1:
                    parallel.leaving = True  # a checkpoint of the step is the work of all
                elif asked:  # closing keeps the last whole step, however much is due after it
                    break
                if moment.idle:
                    time.sleep(moment.idle)
        if isinstance(parallel, Ranks):
            parallel.close()
    except ValueError as error:
        progress.close()
        return _refuse(error, 1 if began else 2)
    except OSError as error:
        progress.close()
        return _refuse(error, 1)
    except (MemoryError, RuntimeError) as error:
        alone = place is not None and is_left_alone(error)
        if not (alone or is_out_of_memory(error)):
            raise
        progress.close()
        return _refuse(ValueError(end_message(error)), LEFT_ALONE if alone else 1)
    progress.close()
    if asked and speaks:
        print(_where_it_stands(folder, program.module), file=sys.stderr, flush=True)
    return 0


def _tell_vocabulary(wanted: int, moment: Moment) -> None:
    """A config's vocab_size counts for nothing where the tokenizer has another."""
    size = moment.values.get("vocab_size", wanted) if moment.phase == "prepare" else wanted
    if size != wanted:
        said = f"note: the tokenizer has {size} pieces; they take the place of vocab_size {wanted}"
        print(said, file=sys.stderr, flush=True)


def _where_it_stands(folder: Path, module: str) -> str:
    """What was kept of a run that was asked to end, and how it goes on."""
    run = RunReader(folder)
    if not run.checkpoints:
        return f"stopped before the first step; nothing was kept in {folder}"
    kept = run.checkpoints[-1]
    return (
        f"stopped after step {run.step:,}, kept in {kept.folder}; go on with: "
        f"python -m {module} --run {folder} --resume"
    )


def _signals() -> list[int]:
    """Grows when the system or a person asks this process to end."""
    asked: list[int] = []
    for name in SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, _: asked.append(number))
    return asked


def _refuse(error: Exception, code: int) -> int:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if isinstance(error, OSError) and error.filename:
        text = f"{text}: {error.filename}"
    print("error: " + " ".join(text.split()), file=sys.stderr, flush=True)
    return code


class Progress:
    """One line that is rewritten on a terminal, or a line now and then where there is none.

    `out` None: silent, as all ranks but the first.
    """

    def __init__(self, steps: int, out: TextIO | None) -> None:
        self.steps = steps
        self.out = out
        self.live = out is not None and out.isatty()
        self.next = 0.0
        self.validation = ""
        self.training = ("", "")  # the last step's loss, and its speed
        self.message = ""

    def show(self, moment: Moment) -> None:
        """Draws at most ten times a second on a terminal, every ten seconds elsewhere."""
        values = moment.values
        if "validation" in values:
            self.validation = f"  validation {values['validation']:.4f}"
            if self.training[0]:  # the last one comes after the last step
                self.message = self.validation.join(self.training)
        now = time.monotonic()
        if moment.phase == "prepare" and "message" in values:
            self.message = str(values["message"])
        elif moment.phase == "schedule":
            rate = float(str(values["tokens"])) / max(float(str(values["seconds"])), 1e-9)
            self.training = f"loss {values['loss']:.4f}", f"  {rate:,.0f} tokens/s"
            self.message = self.validation.join(self.training)
        elif moment.phase not in ("paused", "end"):
            return
        if self.out is None:
            return
        if now < self.next and moment.phase != "end":
            return
        self.next = now + (0.1 if self.live else 10.0)
        filled = round(24 * moment.step / self.steps)
        bar = "#" * filled + "." * (24 - filled)
        paused = "  paused" if moment.phase == "paused" else ""
        line = f"[{bar}] {moment.step}/{self.steps}  {self.message}{paused}"
        self.out.write(f"\r\x1b[K{line}" if self.live else line + "\n")
        self.out.flush()

    def close(self) -> None:
        if self.live and self.out is not None:
            self.out.write("\n")


if __name__ == "__main__":
    sys.exit(main())
