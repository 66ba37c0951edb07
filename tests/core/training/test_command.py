"""`python -m core.training`: exit codes, one clear line, signals, kill -9, a parent that dies."""

import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.training import __main__ as command_module
from core.training.config import TrainingConfig
from core.training.control import RunControl
from core.training.events import Moment
from core.training.launch import ORPHANED, ProcessLauncher
from core.training.loop import train_steps
from core.training.program import TRAINING
from core.training.runs import RunReader, RunWriter, create_run
from tests.core.training.small import finish, losses, small_config
from tests.patience import HANGS, wait_for
from tests.slow_import import slow_import

ROOT = Path(__file__).resolve().parents[3]


def _command(*arguments: object, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "core.training", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload, no-any-return]


def _wait_for_step(folder: Path, step: int, process: object = None) -> RunReader:
    def arrived() -> bool:
        if not (folder / "run.json").exists():
            return False
        reader = RunReader(folder)
        return reader.step >= step and bool(len(reader.steps))

    wait_for(arrived, f"step {step}")
    return RunReader(folder)


def _config_file(tmp_path: Path, config: TrainingConfig) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config.to_json()))
    return path


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('{"model": {}, "speed": 1}', "unknown field 'speed'"),
        ('{"model": {"vocab_size": 9, "block_size": 8, "n_layer": 1, "n_head": 3, "n_embd": 8}}',
         "not divisible by n_head"),
        ("hello", "not valid JSON"),
    ],
)  # fmt: skip
def test_a_bad_config_is_one_line_and_exit_code_2(tmp_path: Path, text: str, remedy: str) -> None:
    from core.training.__main__ import main

    path = tmp_path / "config.json"
    path.write_text(text)
    process = main  # in this process: nothing is started for a config that cannot be
    import contextlib

    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        assert process(["--config", str(path), "--run", str(tmp_path / "run")]) == 2
    lines = said.getvalue().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and remedy in lines[0]
    with contextlib.redirect_stderr(said):
        assert main(["--config", str(tmp_path / "none.json")]) == 2
        assert main([]) == 2
        assert main(["--run", str(tmp_path)]) == 2


WITHOUT = {
    ("corpus", "gone.txt"): "choose another",
    ("tokenizer", "gone/tokenizer.json"): "there is no tokenizer 'gone/tokenizer.json'",
    ("task", "chess"): "task 'chess' is unknown here",
    ("batch_size", 1 << 20): "choose fewer layers, a smaller width or a smaller batch",
}


def test_what_is_missing_is_said_with_the_remedy_and_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command_module.main(["--config", "nosuch.json"]) == 2
    assert "there is no file nosuch.json; give --config" in capsys.readouterr().err
    monkeypatch.setattr("core.memory.physical_bytes", lambda: 10**9)
    for (field, value), remedy in WITHOUT.items():
        config = small_config(tmp_path, **{field: value})
        with pytest.raises((ValueError, OSError), match=remedy):
            next(train_steps(config, "runs/new"))
        for where in ((), ("--run", "runs/new")):
            file = str(_config_file(tmp_path, config))
            assert command_module.main(["--config", file, *where]) == 2
            assert remedy in capsys.readouterr().err
            assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_device_that_is_not_here_leaves_no_folder(
    ranks: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    file = str(_config_file(tmp_path, small_config(tmp_path, device="cuda", ranks=ranks)))
    assert command_module.main(["--config", file]) == 2
    assert "this machine has no GPU that torch can use; use device cpu" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_config_that_was_changed_since_is_refused_and_says_what_differs(
    ranks: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = small_config(tmp_path, ranks=ranks)
    folder = create_run(tmp_path / "run", config)
    RunWriter(folder, ranks=ranks).close()
    before = (folder / "run.json").read_bytes()
    deeper = replace(config.model, n_layer=3)
    changed = config.change({"learning_rate": 5e-4, "model": deeper})
    file = str(_config_file(tmp_path, changed))
    assert command_module.main(["--config", file, "--run", str(folder), "--resume"]) == 2
    said = capsys.readouterr().err
    assert "model.n_layer was 2 and is now 3, learning_rate was 0.001 and is now 0.0005" in said
    assert f"give --run {folder} --resume without --config" in said and "branch" in said
    assert (folder / "run.json").read_bytes() == before


def test_a_folder_that_holds_a_run_of_two_ranks_starts_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path, ranks=2))
    RunWriter(folder, ranks=2).close()
    before = (folder / "rank0.jsonl").read_bytes()
    assert command_module.main(["--run", str(folder)]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.endswith("run holds a run already; resume it, or choose a new folder")
    assert (folder / "rank0.jsonl").read_bytes() == before


def test_fp16_on_a_cpu_is_called_slow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = small_config(tmp_path, precision="fp16", device="cpu", steps=1, evaluate_every=0)
    kept = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}
    arguments = ["--config", str(_config_file(tmp_path, config)), "--run", str(tmp_path / "run")]
    try:
        assert command_module.main(arguments) == 0
    finally:
        for sign, handler in kept.items():
            signal.signal(sign, handler)
    assert "note: fp16 on a CPU is for learning how it works" in capsys.readouterr().err


def test_a_checkpoint_that_was_cut_off_names_the_one_before(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=8)
    folder = finish(config, tmp_path / "run").folder
    (folder / "checkpoints" / "step-000008" / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(ValueError, match="step-000008") as caught:
        finish(config, folder, resume=True)
    said = str(caught.value)
    assert "move step-000008 out of" in said and "goes on from step-000004" in said
    assert said in RunReader(folder).message
    (folder / "checkpoints" / "step-000008").rename(tmp_path / "aside")
    assert finish(config, folder, resume=True).step == 8


def test_a_config_that_an_editor_gave_a_byte_order_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = small_config(tmp_path, steps=1)
    file = _config_file(tmp_path, config)
    file.write_text(file.read_text(), "utf-8-sig")
    options = Namespace(config=file, run=None, resume=False)
    assert command_module._open(options, None, TRAINING) == (config, Path("runs/config"))


def test_the_last_line_tells_the_last_validation() -> None:
    out = io.StringIO()
    progress = command_module.Progress(2, out)
    step = {"loss": 1.0, "tokens": 8, "seconds": 0.5}
    progress.show(Moment("evaluate", 0, values={"train": 3.0, "validation": 3.0}))
    progress.show(Moment("schedule", 2, values=step))
    progress.show(Moment("evaluate", 2, values={"train": 1.0, "validation": 2.5}))
    progress.show(Moment("end", 2, values={"reason": "finished"}))
    assert out.getvalue().splitlines()[-1].endswith("loss 1.0000  validation 2.5000  16 tokens/s")


def test_a_vocabulary_that_gives_way_to_the_tokenizers_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = Moment("prepare", 0, True, values={"parameters": 10, "vocab_size": 1536})
    command_module._tell_vocabulary(1536, told)
    assert capsys.readouterr().err == ""
    command_module._tell_vocabulary(100, told)
    assert "has 1536 pieces; they take the place of vocab_size 100" in capsys.readouterr().err


def test_sigterm_finishes_the_step_and_the_run_resumes(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=1500, probe_every=0, sample_every=0, evaluate_every=0)
    run = tmp_path / "run"
    process = _command("--config", _config_file(tmp_path, config), "--run", run)
    _wait_for_step(run, 3)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=HANGS)
    assert process.returncode == 0, said
    reader = RunReader(run)
    last = said.splitlines()[-1]
    assert f"stopped after step {reader.step:,}, kept in" in last
    assert last.endswith(f"python -m core.training --run {run} --resume")
    assert reader.state == "stopped" and reader.checkpoints[-1].step == reader.step < 1500


def test_a_signal_does_not_wait_for_an_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked in the middle of the one after step 6; a checkpoint is written all the same."""
    config = small_config(tmp_path, evaluate_batches=20)
    seen, show = [], command_module.Progress.show

    def show_and_ask(self: command_module.Progress, moment: Moment) -> None:
        show(self, moment)
        seen.append((moment.phase, moment.step))
        if seen[-1] == ("evaluate", 6):
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(command_module.Progress, "show", show_and_ask)
    kept = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        arguments = ["--config", str(_config_file(tmp_path, config)), "--run"]
        assert command_module.main([*arguments, str(tmp_path / "run")]) == 0
    finally:
        for sign, handler in kept.items():
            signal.signal(sign, handler)
    assert seen.count(("evaluate", 6)) == 1 and seen[-1] == ("evaluate", 6)
    run = RunReader(tmp_path / "run")
    assert run.state == "stopped" and run.checkpoints[-1].step == run.step == 6
    monkeypatch.undo()
    # What was due after step 6 is made up for.
    resumed = finish(config, run.folder, resume=True)
    assert resumed.evaluations["step"].tolist() == [0, 6, 12]


def test_a_run_that_is_being_trained_is_refused_with_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    writer = RunWriter(folder)
    writer.step({"step": 1, "loss": 1.0, "tokens": 64})
    kept = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        assert command_module.main(["--run", str(folder), "--resume"]) == 2
    finally:
        writer.close()
        for sign, handler in kept.items():
            signal.signal(sign, handler)
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == "error: run is being trained already; stop it first"


def test_kill_9_then_resume_is_bit_identical(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=200, checkpoint_every=20, sample_every=50)
    plain = finish(config, tmp_path / "plain")
    launcher = ProcessLauncher(niceness=0)
    folder = create_run(tmp_path / "run", config)
    dice = random.Random(5)
    for attempt in range(2):
        launcher.start(folder, resume=attempt > 0)
        start = RunReader(folder).step
        _wait_for_step(folder, min(start + dice.randint(5, 60), 190))
        launcher.kill(folder)
        assert launcher.exit_code(folder) == -signal.SIGKILL
        assert RunReader(folder).state == "dead"
        with open(folder / "rank0.steps", "ab") as file:
            file.write(b"torn")
    resumed = finish(config, folder, resume=True)
    assert losses(resumed) == losses(plain)
    assert resumed.steps["step"].tolist() == list(range(1, 201))


def test_a_launched_run_is_steered_like_any_other(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=100_000, sample_every=0, evaluate_every=0, probe_every=0)
    folder = create_run(tmp_path / "run", config)
    launcher = ProcessLauncher()
    control = RunControl(folder, launcher)
    control.start()
    _wait_for_step(folder, 2)
    with pytest.raises(ValueError, match="already"):
        launcher.start(folder, resume=True)
    with pytest.raises(ValueError, match="trained already; stop it first"):
        finish(config, folder, resume=True)
    control.probe("one", [1, 2])
    control.stop()
    assert launcher.wait(folder, 120) == 0
    reader = RunReader(folder)
    assert reader.state == "stopped" and reader.probe("one") is not None
    assert "run folder" in (folder / "process.log").read_text()


def test_a_trainer_that_is_not_bound_goes_on_and_another_launcher_takes_it_up(
    tmp_path: Path,
) -> None:
    config = small_config(tmp_path, steps=100_000, sample_every=0, evaluate_every=0)
    folder = create_run(tmp_path / "run", config)
    code = (
        "import os, sys; from pathlib import Path; from core.training import ProcessLauncher;"
        f"ProcessLauncher(niceness=0, bound=False).start(Path({str(folder)!r}), resume=False);"
        "os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == -signal.SIGKILL
    launcher = ProcessLauncher()
    assert not launcher.running(folder)
    assert launcher.adopt(folder) and launcher.running(folder), "before its first step, too"
    with pytest.raises(ValueError, match="trained already"):
        launcher.start(folder, resume=True)
    _wait_for_step(folder, 2)
    assert launcher.adopt(folder) is False, "once is enough"
    RunControl(folder).stop()
    wait_for(lambda: not launcher.running(folder), "its end")
    assert launcher.exit_code(folder) is None
    assert RunReader(folder).state == "stopped"
    assert not ProcessLauncher().adopt(folder), "it has ended"


@pytest.mark.parametrize(
    "told",
    ["", "[]", '{"pid": 1}', '{"pid": -1, "host": "HOST"}', '{"pid": 1e400, "host": "HOST"}',
     '{"pid": PID, "host": "elsewhere"}', '{"pid": PID, "host": "HOST", "process_start": 1}'],
)  # fmt: skip
def test_no_process_is_taken_up_that_was_not_launched_here(tmp_path: Path, told: str) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    told = told.replace("PID", str(os.getpid())).replace("HOST", socket.gethostname())
    (folder / "process.json").write_text(told)
    assert not ProcessLauncher().adopt(folder)


def test_a_trainer_ends_when_its_parent_does(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=100_000, sample_every=0, evaluate_every=0)
    folder = create_run(tmp_path / "run", config)
    process = _command("--run", folder, "--bound", stdin=subprocess.PIPE)
    _wait_for_step(folder, 2)
    assert process.stdin is not None and process.stderr is not None
    process.stdin.close()
    assert process.wait(120) == ORPHANED
    process.stderr.close()
    assert RunReader(folder).state == "dead"
    assert os.path.getsize(folder / "rank0.steps") > 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("name", ["core.data.corpus", "torch"])
def test_ctrl_c_while_it_loads_is_one_sentence(tmp_path: Path, name: str) -> None:
    file = _config_file(tmp_path, small_config(tmp_path))
    code = slow_import(name, "core.training", "--config", str(file), "--run", str(tmp_path / "run"))
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "reached\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=HANGS)
    assert process.returncode == 130
    assert err == "interrupted before training began\n"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
def test_a_folder_that_may_not_be_written_says_so_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write anywhere: the system's answer is played."""
    folder = create_run(tmp_path / "run", small_config(tmp_path))

    opened = os.open

    def refuse(path: object, *how: Any, **more: Any) -> int:
        if str(path).endswith(".lock"):
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *how, **more)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OSError) as caught:
        finish(small_config(tmp_path), folder)
    monkeypatch.undo()
    told = str(caught.value.strerror)
    assert "Errno" not in told and "choose a folder that you may write to" in told
    assert str(folder / "rank0.lock") in told
