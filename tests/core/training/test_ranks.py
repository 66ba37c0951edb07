"""`python -m core.training` on several ranks: started, stopped, killed, resumed; under torchrun."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.training.config import TrainingConfig
from core.training.control import RunControl
from core.training.lanes import LaneReader, straggler
from core.training.launch import ProcessLauncher
from core.training.loop import train_steps
from core.training.phases import PHASES
from core.training.place import LEFT_ALONE, NEW_STORE, STORE, TIMEOUT, Place, is_left_alone
from core.training.program import train
from core.training.rank_processes import first_failed
from core.training.records import exchanges, process_alive
from core.training.runs import RunReader, create_run
from core.training.spans import KINDS, SPAN_DTYPE
from core.training.step_trace import open_recording, optimizer_trace
from tests.core.training.small import finish, losses, small_config
from tests.patience import HANGS, wait_for

ROOT = Path(__file__).resolve().parents[3]
posix = pytest.mark.skipif(os.name != "posix", reason="kills processes by signals")


def config_of(folder: Path, **changes: object) -> TrainingConfig:
    return small_config(folder, **{"ranks": 2, "sample_every": 0, "batch_size": 6, **changes})


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts `python -m core.training` on a config in a folder; what is left of it is killed."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(config: TrainingConfig, *options: str) -> subprocess.Popen[bytes]:
        (tmp_path / "config.json").write_text(json.dumps(config.to_json()))
        command = [sys.executable, "-m", "core.training", "--config", str(tmp_path / "config.json")]
        command += ["--run", str(tmp_path / "run"), *options]
        with open(tmp_path / "log", "ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, stderr=log, env=environment())
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def wait_for_step(folder: Path, step: int, rank: int = 0) -> RunReader:
    def arrived() -> bool:
        if not (folder / "run.json").exists():
            return False
        run = RunReader(folder, rank)
        return bool(len(run.steps)) and run.step >= step

    wait_for(arrived, f"step {step}")
    return RunReader(folder, rank)


def pid_of(folder: Path, rank: int) -> int:
    events = RunReader(folder, rank).events
    starts = [event for event in events if event["event"] == "start"]
    found = starts[-1].get("pid") or RunReader(folder).manifest["attempts"][-1]["pid"]
    assert isinstance(found, int)
    return found


def spans_of(folder: Path, rank: int) -> np.ndarray:
    return np.fromfile(folder / f"rank{rank}.spans", SPAN_DTYPE)


@pytest.mark.parametrize("kind", ["ddp", "fsdp2"])
def test_two_ranks_by_one_command(
    kind: str, tmp_path: Path, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """Losses as one process has them, in float32; each rank tells when it did what."""
    config = config_of(tmp_path, parallel=kind, activation_checkpointing=True)
    assert started(config).wait(HANGS) == 0, (tmp_path / "log").read_text()
    run = RunReader(tmp_path / "run")
    alone = finish(config.change({"ranks": 1}), tmp_path / "alone")
    assert run.state == "finished" and run.manifest["attempts"][0]["ranks"] == 2
    np.testing.assert_allclose(run.steps["loss"], alone.steps["loss"], rtol=1e-5)
    exchanges = {"ddp": {"all-reduce"}, "fsdp2": {"all-gather", "reduce-scatter"}}[kind]
    for rank in (0, 1):
        spans = spans_of(tmp_path / "run", rank)
        assert (spans["end"] >= spans["start"]).all()
        step = spans[spans["step"] == 12]
        told = {KINDS[kind] for kind in step["kind"]}
        assert told == {*PHASES, "sum"} | exchanges
        # Gradients of two layers do not wait for each other.
        backward = step[step["kind"] == KINDS.index("backward")][0]
        last = "all-reduce" if kind == "ddp" else "reduce-scatter"
        buckets = step[step["kind"] == KINDS.index(last)]
        assert len(buckets) >= 3 and (buckets["bytes"] > 0).all()
        assert (buckets["start"] >= backward["start"]).all()
        assert (buckets["start"] < backward["end"]).all()
        recording = open_recording(tmp_path / "run", 12, rank)
        assert recording.facts.rank == rank and recording.facts.tokens == run.steps["tokens"][-1]
        for name in ("wte.weight", "h.0.attn.c_attn.weight"):
            rule = optimizer_trace(recording, config, name)
            assert rule is not None
            after = recording.arrays[f"weights.{name}.after"]
            np.testing.assert_allclose(rule.about["new"], after, rtol=1e-4, atol=1e-7)
    clocks = [
        [event for event in RunReader(tmp_path / "run", rank).events if event["event"] == "clock"]
        for rank in (0, 1)
    ]
    for found in clocks:  # before the first step, and at each evaluation
        assert [event["step"] for event in found] == [0, 0, 6, 12]
    assert clocks[0][0]["host"] == clocks[1][0]["host"] and len(clocks[0][0]["now"]) == 5


@posix
def test_a_killed_rank_ends_the_run_and_is_named_and_it_resumes_exactly(
    tmp_path: Path, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    config = config_of(tmp_path, steps=40, checkpoint_every=5, keep_checkpoints=0)
    process = started(config)
    wait_for_step(tmp_path / "run", 6, rank=1)
    os.kill(pid_of(tmp_path / "run", 1), signal.SIGKILL)
    assert process.wait(HANGS) == 1
    run = RunReader(tmp_path / "run")
    assert run.state == "failed" and "rank 1 of 2 was killed (SIGKILL)" in run.message
    assert "rank 1 of 2 was killed (SIGKILL)" in (tmp_path / "log").read_text()
    assert not process_alive(pid_of(tmp_path / "run", 0))
    assert started(config, "--resume").wait(HANGS) == 0
    run = RunReader(tmp_path / "run")
    assert run.state == "finished" and len(run.manifest["attempts"]) == 2
    whole = train(config, tmp_path / "whole")
    assert losses(run) == losses(whole)
    assert losses(RunReader(run.folder, 1)) == losses(whole)


@posix
def test_no_rank_outlives_its_launcher(
    tmp_path: Path, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    config = config_of(tmp_path, steps=100_000)
    process = started(config)
    wait_for_step(tmp_path / "run", 3, rank=1)
    pids = [pid_of(tmp_path / "run", rank) for rank in (0, 1)]
    assert all(map(process_alive, pids))
    process.kill()
    wait_for(lambda: not any(map(process_alive, pids)), "the end of the ranks")
    assert RunReader(tmp_path / "run").state == "dead"


@posix
def test_a_request_to_end_finishes_the_step_on_all_ranks(
    tmp_path: Path, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    config = config_of(tmp_path, steps=100_000, checkpoint_every=0)
    process = started(config)
    wait_for_step(tmp_path / "run", 3, rank=1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(HANGS) == 0, (tmp_path / "log").read_text()
    runs = [RunReader(tmp_path / "run", rank) for rank in (0, 1)]
    assert [run.state for run in runs] == ["stopped", "stopped"]
    assert runs[0].step == runs[1].step == runs[0].checkpoints[-1].step
    assert "go on with" in (tmp_path / "log").read_text()


@posix
def test_ranks_are_started_again_after_a_failure(
    tmp_path: Path, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    config = config_of(tmp_path, steps=30, checkpoint_every=5)
    process = started(config, "--max-restarts", "1")
    wait_for_step(tmp_path / "run", 6, rank=0)
    os.kill(pid_of(tmp_path / "run", 0), signal.SIGKILL)
    assert process.wait(HANGS) == 0, (tmp_path / "log").read_text()
    run = RunReader(tmp_path / "run")
    assert run.state == "finished" and len(run.manifest["attempts"]) == 2
    failed = [event for event in run.events if event.get("reason") == "failed"]
    assert "rank 0 of 2 was killed (SIGKILL)" in failed[-1]["message"]


@posix
def test_two_nodes_under_torchrun_go_on_after_a_rank_was_killed(tmp_path: Path) -> None:
    """Two agents on one machine, as on two: they start the group again from its checkpoint."""
    config = config_of(tmp_path, steps=60, checkpoint_every=5)
    (tmp_path / "config.json").write_text(json.dumps(config.to_json()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    agents = []
    for node in (0, 1):
        command = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "2"]
        command += ["--nproc-per-node", "1", "--rdzv-backend", "c10d", "--rdzv-id", "test"]
        command += ["--rdzv-endpoint", f"127.0.0.1:{port}", "--local-addr", "127.0.0.1"]
        command += ["--max-restarts", "3", "-m", "core.training"]
        command += [
            "--config",
            str(tmp_path / "config.json"),
            "--run-folder",
            str(tmp_path / "run"),
        ]
        with open(tmp_path / f"log{node}", "wb") as log:
            agents.append(
                subprocess.Popen(
                    [*command, "--resume"],
                    cwd=ROOT,
                    env={**environment(), "GLOO_SOCKET_IFNAME": "lo", NEW_STORE: "1"},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )
    try:
        wait_for_step(tmp_path / "run", 6, rank=1)
        os.kill(pid_of(tmp_path / "run", 1), signal.SIGKILL)
        codes = [agent.wait(HANGS) for agent in agents]
    finally:
        for agent in agents:
            agent.terminate()
            agent.wait(30)
    logs = "\n".join((tmp_path / f"log{node}").read_text() for node in (0, 1))
    assert codes == [0, 0], logs
    run = RunReader(tmp_path / "run")
    assert run.state == "finished" and len(run.manifest["attempts"]) >= 2
    assert losses(run) == losses(RunReader(run.folder, 1))


def test_the_first_to_fail_is_told_from_those_that_it_left_alone() -> None:
    assert first_failed([(0, 1.0, False), (0, 2.0, False)]) is None
    assert first_failed([(LEFT_ALONE, 1.0, False), (-9, 2.0, False)]) == 1
    assert first_failed([(-9, 1.0, True), (1, 0.5, False), (LEFT_ALONE, 0.6, False)]) == 1
    assert first_failed([(LEFT_ALONE, 2.0, False), (LEFT_ALONE, 1.0, False)]) == 1
    assert first_failed([(LEFT_ALONE, 1.0, False), (-9, 9.0, True)]) == 1  # it hangs
    assert first_failed([(-15, 2.0, True), (LEFT_ALONE, 1.0, False)], asked=True) is None
    assert first_failed([(1, 2.0, True), (LEFT_ALONE, 1.0, False)], asked=True) == 0


def test_a_thread_cannot_be_two_ranks(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs a process for each; start it by core.train"):
        next(train_steps(config_of(tmp_path), tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_each_rank_has_a_sequence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a batch_size of 6 leaves some of 7 ranks without"):
        config_of(tmp_path, ranks=7)


GIVEN = {"RANK": "1", "WORLD_SIZE": "2", STORE: "x"}


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"RANK": "2"}, "rank 2 of 2 .* cannot be; ranks count from 0"),
        ({"RANK": "one"}, "must be whole numbers, as torchrun sets them; unset RANK"),
        ({"LOCAL_RANK": "5"}, "cannot be"),
        ({TIMEOUT: "soon"}, "RANKS_TIMEOUT must be a number of seconds; 100 is usual"),
        ({TIMEOUT: "0"}, "RANKS_TIMEOUT must be a number of seconds"),
        ({STORE: ""}, "MASTER_ADDR and MASTER_PORT are not set"),
    ],
)
def test_a_place_that_cannot_be_is_refused(change: dict[str, str], remedy: str) -> None:
    assert Place.of({}) is None
    assert Place.of(GIVEN) == Place(1, 2, 1, 2, "x")
    with pytest.raises(ValueError, match=remedy):
        Place.of({**GIVEN, **change})


def test_an_error_of_the_group_is_told_from_others() -> None:
    told = "[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer"
    assert is_left_alone(RuntimeError(told))
    assert not is_left_alone(RuntimeError("shape mismatch"))
    assert not is_left_alone(ValueError(told))


@posix
def test_a_launched_run_of_two_ranks_answers_commands(tmp_path: Path) -> None:
    """As the app starts it: the launcher is the process that is known, its ranks are not."""
    folder = create_run(tmp_path / "run", config_of(tmp_path, steps=100_000))
    launcher = ProcessLauncher()
    control = RunControl(folder, launcher)
    control.start(paused=True)
    try:
        number = control.step(2)
        run = wait_for_step(folder, 2)
        control.probe("look", [1, 2, 3])
        control.stop()
        assert launcher.wait(folder, HANGS) == 0, (folder / "process.log").read_text()
    finally:
        launcher.kill(folder)
    run.refresh()
    answer = control.acknowledgement(number)
    assert answer is not None and answer.ok and run.step == 2 and run.state == "stopped"
    assert run.probe("look") is not None


# -- faults on request


@posix
@pytest.mark.parametrize("parallel", ["ddp", "fsdp2"])
def test_faults_are_seen_and_named(tmp_path: Path, parallel: str) -> None:
    """Slow: the others wait for it. NaN: the run stops and says on which rank it began."""
    config = config_of(tmp_path, steps=100_000, parallel=parallel, checkpoint_every=0)
    folder = create_run(tmp_path / "run", config)
    launcher = ProcessLauncher()
    control = RunControl(folder, launcher)
    control.start()
    try:
        slow = control.fault("slow", rank=1, seconds=0.3)
        begun = wait_for_step(folder, 3).step
        wait_for_step(folder, begun + 2)
        lanes = LaneReader(folder).step(begun + 1)
        assert straggler(lanes) == 1 and lanes[0].waited > 0.25 > lanes[1].waited
        control.fault("none", rank=1)
        missing = control.fault("kill", rank=7)
        control.fault("nan", rank=1)
        assert launcher.wait(folder, HANGS) == 1
    finally:
        launcher.kill(folder)
    answer = control.acknowledgement(slow)
    assert answer is not None and answer.ok
    refused = control.acknowledgement(missing)
    assert refused is not None and "there is no rank 7" in refused.message
    run = RunReader(folder)
    assert run.state == "failed"
    assert "the parameter wte.weight on rank 1 is not finite" in run.message
    assert run.message.startswith("step "), "all ranks say so: it is not the failure of one"
    assert "with a lower learning rate" not in run.message, "nothing was learned wrong"


def test_the_only_process_does_not_kill_itself(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=3, sample_every=0)
    folder = create_run(tmp_path / "run", config)
    control = RunControl(folder)
    numbers = [control.fault("kill", 0), control.fault("boil", 0)]
    run = finish(config, folder)
    answers = [control.acknowledgement(number) for number in numbers]
    assert [answer.ok for answer in answers if answer] == [False, False]
    assert run.state == "finished"


def wait_until_one_waits(folder: Path) -> None:
    """Rank 0 has come to an exchange to which rank 1 does not come."""
    same, before = 0, (0, 0)

    def waits() -> bool:
        nonlocal same, before
        now = exchanges(folder, 0), exchanges(folder, 1)
        same, before = (same + 1 if now == before else 0), now
        return same >= 50 and before[0] > before[1]

    wait_for(waits, "a rank that waits")


@posix
def test_a_rank_that_hangs_is_given_up_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TIMEOUT, "3")
    config = config_of(tmp_path, steps=100_000, checkpoint_every=1, keep_checkpoints=2)
    folder = create_run(tmp_path / "run", config)
    launcher = ProcessLauncher()
    control = RunControl(folder, launcher)
    control.start()
    try:
        wait_for_step(folder, 2)
        control.fault("hang", rank=1)
        wait_until_one_waits(folder)
        assert launcher.wait(folder, HANGS) == 1
    finally:
        launcher.kill(folder)
    run = RunReader(folder)
    assert run.state == "failed"
    assert "rank 1 of 2 did not answer any more and was ended" in run.message


@posix
def test_a_rank_that_cannot_write_is_named_and_the_others_do_not_wait(
    tmp_path: Path, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    config = config_of(tmp_path)
    folder = create_run(tmp_path / "run", config)
    (folder / "rank1.steps").mkdir()
    assert started(config).wait(HANGS) == 1
    said = (tmp_path / "log").read_text()
    assert "rank 1 of 2 failed" in said and "rank1.steps" in said


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("use_libuv was requested but PyTorch was built without libuv support", "USE_LIBUV=0"),
        ("server socket: Address already in use (EADDRINUSE)", "choose another port"),
        ("The client socket cannot resolve host nowhere", "needs no name server"),
    ],
)
def test_why_ranks_do_not_meet_is_said_with_the_remedy(
    error: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch.distributed as dist

    from core.training.data_parallel import DDP

    def refuse(*_: object, **__: object) -> None:
        raise dist.DistNetworkError(error)

    monkeypatch.setattr(dist, "init_process_group", refuse)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    with pytest.raises(ValueError, match="rank 1 did not meet the others") as told:
        DDP(Place(1, 2, 1, 2)).join()
    assert remedy in str(told.value) and len(str(told.value).splitlines()) == 1


def test_a_host_without_an_address_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.training.data_parallel import DDP

    def unknown(host: str, *_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setenv("MASTER_ADDR", "nosuchhost")
    monkeypatch.setenv("MASTER_PORT", "29400")
    with pytest.raises(ValueError, match="the name nosuchhost has no address here; is it right"):
        DDP(Place(1, 2, 1, 2)).join()


@pytest.mark.gpu
@pytest.mark.parametrize("kind", ["ddp", "fsdp2"])
def test_ranks_on_gpus_train_as_the_cpu_does(
    kind: str, tmp_path: Path, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    import torch

    if torch.cuda.device_count() < 2:
        pytest.skip("two ranks need two GPUs")
    config = config_of(tmp_path, parallel=kind, device="cuda")
    assert started(config).wait(HANGS) == 0, (tmp_path / "log").read_text()
    alone = finish(config.change({"ranks": 1, "device": "cpu"}), tmp_path / "alone")
    run = RunReader(tmp_path / "run")
    np.testing.assert_allclose(run.steps["loss"], alone.steps["loss"], rtol=1e-3)


@pytest.mark.skipif(sys.platform != "linux", reason="the system's signal at a parent's death")
def test_a_rank_that_hangs_does_not_outlive_its_launcher(tmp_path: Path) -> None:
    config = config_of(tmp_path, steps=100_000, checkpoint_every=0)
    folder = create_run(tmp_path / "run", config)
    launcher = ProcessLauncher()
    control = RunControl(folder, launcher)
    control.start()
    try:
        wait_for_step(folder, 2)
        pids = [pid_of(folder, rank) for rank in (0, 1)]
        control.fault("hang", rank=1)
        stopped = Path(f"/proc/{pids[1]}/stat")
        wait_for(lambda: stopped.read_text().rpartition(")")[2].split()[0] == "T", "its stop")
    finally:
        launcher.kill(folder)
    wait_for(lambda: not any(map(process_alive, pids)), "the end of the ranks")


def test_spans_of_a_step_are_those_of_the_step_alone(tmp_path: Path) -> None:
    """Not those of the evaluation, the sample and the probe after it."""
    config = small_config(tmp_path, steps=6, evaluate_every=3, sample_every=3)
    finish(config, tmp_path / "run")
    spans = spans_of(tmp_path / "run", 0)
    counts = [int((spans["step"] == step).sum()) for step in range(1, 6)]
    assert len(set(counts)) == 1 and not (spans["step"] == 0).any()
