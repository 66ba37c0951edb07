"""Steering: every command does what it says and is acknowledged, and a resume repeats it."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.inference.activations import capture
from core.training import control as control_module
from core.training.control import ControlLog, RunControl
from core.training.runs import RunReader, RunWriter, create_run
from core.transformer.weights import load_model
from tests.core.any_json import JSON
from tests.core.training.small import finish, losses, moments, small_config


def test_pause_step_resume_and_stop(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    folder = create_run(tmp_path / "run", config)
    control = RunControl(folder)
    reader = RunReader(folder)
    generator = moments(config, folder)
    control.pause()
    moment = next(m for m in generator if m.phase == "paused")
    assert moment.safe and moment.step == 0 and 0 < moment.idle <= 0.1
    assert reader.refresh() and reader.state == "paused"
    two = control.step(2)
    moment = next(m for m in generator if m.phase == "paused")
    assert moment.step == 2
    answer = control.acknowledgement(two)
    assert answer is not None and answer.ok and answer.step == 0
    control.resume()
    assert next(m for m in generator if m.phase == "schedule").step == 3
    assert reader.refresh() and reader.state == "running"
    stop = control.stop()
    phases = [m.phase for m in generator]
    assert phases[-2:] == ["checkpoint", "end"] and "data" not in phases
    answer = control.acknowledgement(stop)
    assert answer is not None and answer.step == 3
    reader.refresh()
    assert reader.state == "stopped" and [c.step for c in reader.checkpoints] == [3]
    plain = finish(config, tmp_path / "plain")
    assert losses(finish(config, folder, resume=True)) == losses(plain)


def test_a_changed_learning_rate_holds_and_is_repeated_on_resume(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=16, checkpoint_every=8)
    folder = create_run(tmp_path / "run", config)
    control = RunControl(folder)
    for moment in moments(config, folder):
        if moment.phase == "schedule" and moment.step == 10:
            control.set(learning_rate=5e-4)
    whole = RunReader(folder)
    assert whole.steps["learning_rate"][10] == pytest.approx(5e-4, rel=1e-12)
    plan = np.array(finish(config, tmp_path / "plain").steps["learning_rate"])
    changed = np.array(whole.steps["learning_rate"])
    np.testing.assert_allclose(changed[10:] / plan[10:], 5e-4 / plan[10], rtol=1e-12)
    assert (changed[:10] == plan[:10]).all()
    # As if killed after step 16 with the checkpoint of step 8 as the last one.
    shutil.rmtree(folder / "checkpoints" / "step-000016")
    before = losses(whole)
    assert losses(finish(config, folder, resume=True)) == before


@pytest.mark.parametrize("phase", ["evaluate", "sample"])
def test_stop_does_not_wait_for_what_is_due_after_a_step(tmp_path: Path, phase: str) -> None:
    config = small_config(tmp_path, evaluate_batches=5, steps=8)
    folder = create_run(tmp_path / "run", config)
    control = RunControl(folder)
    generator = moments(config, folder)
    next(m for m in generator if m.phase == phase and m.step == 6)
    seq = control.stop()
    assert [m.phase for m in generator] == ["checkpoint", "end"]
    answer = control.acknowledgement(seq)
    assert answer is not None and answer.ok and RunReader(folder).state == "stopped"
    resumed, plain = finish(config, folder, resume=True), finish(config, tmp_path / "plain")
    assert losses(resumed) == losses(plain)
    assert resumed.evaluations["step"].tolist() == [0, 6, 8]
    assert [s.text for s in resumed.samples] == [s.text for s in plain.samples]


def test_a_run_that_is_told_to_stop_after_its_last_step_is_finished(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=2)
    folder = create_run(tmp_path / "run", config)
    generator = moments(config, folder)
    next(m for m in generator if m.phase == "evaluate" and m.step == 2)
    RunControl(folder).stop()
    list(generator)
    run = RunReader(folder)
    assert run.state == "finished" and run.evaluations["step"].tolist() == [0, 2]


def test_a_newer_learning_rate_outlives_those_of_abandoned_steps(tmp_path: Path) -> None:
    """5e-4 from step 10; again from step 4, where 1e-5 comes at step 6: 5e-4 never returns."""
    config = small_config(tmp_path, steps=16, checkpoint_every=4)
    folder = create_run(tmp_path / "run", config)
    control = RunControl(folder)
    for at, rate, last in ((10, 5e-4, 12), (6, 1e-5, 8), (0, 0.0, 16)):
        for moment in moments(config, folder, resume=last != 12):
            if moment.phase == "schedule" and moment.step == at:
                control.set(learning_rate=rate)
            if moment.phase == "schedule" and moment.step == last and last < 16:
                break
        for checkpoint in RunReader(folder).checkpoints[1:]:
            if last < 16:
                shutil.rmtree(checkpoint.folder)
    plan = np.array(finish(config, tmp_path / "plain").steps["learning_rate"])
    rates = np.array(RunReader(folder).steps["learning_rate"])
    np.testing.assert_allclose(rates[:6], plan[:6], rtol=1e-12)
    np.testing.assert_allclose(rates[6:] / plan[6:], 1e-5 / plan[6], rtol=1e-12)


def test_a_new_learning_rate_ends_the_replay_of_older_ones(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=16, checkpoint_every=4)
    folder = create_run(tmp_path / "run", config)
    control = RunControl(folder)
    for moment in moments(config, folder):
        if moment.phase == "schedule" and moment.step == 10:
            control.set(learning_rate=5e-4)
    for checkpoint in RunReader(folder).checkpoints[1:]:
        shutil.rmtree(checkpoint.folder)
    for moment in moments(config, folder, resume=True):
        if moment.phase == "schedule" and moment.step == 6:
            control.set(learning_rate=1e-5)
    rates = RunReader(folder).steps["learning_rate"]
    assert rates[6:].max() <= 1.001e-5


def test_a_torn_command_is_cut_while_nobody_takes_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    seq = RunControl(folder).stop()
    with open(folder / "control.jsonl", "ab") as file:
        file.write(b'{"seq": 2, "comm')
    cut, held = control_module.cut_torn_line, []

    def watched(path: Path) -> int:
        held.append(control_module._NUMBERING.locked())
        return cut(path)

    monkeypatch.setattr(control_module, "cut_torn_line", watched)
    RunWriter(folder).close()
    assert held == [True]
    assert seq == 1 and RunControl(folder).pause() == 2


LLAMA = {"positions": "rope", "norm": "rms_norm", "mlp": "swiglu", "n_kv_head": 1}


@pytest.mark.parametrize("changes", [{}, LLAMA], ids=str)
def test_a_probe_is_what_capture_gives(tmp_path: Path, changes: dict[str, object]) -> None:
    config = small_config(tmp_path)
    config = config.change({"model": replace(config.model, **changes)})
    folder = create_run(tmp_path / "run", config)
    control = RunControl(folder)
    ids, sites = [1, 2, 3, 4], ("attention", "logits", "decoder.1.mlp_hidden")
    for moment in moments(config, folder):
        if moment.phase == "schedule" and moment.step == 4:
            seq = control.probe("pane-1", ids, sites)
    answer = control.acknowledgement(seq)
    assert answer is not None and answer.ok and answer.step == 4
    probe = RunReader(folder).probe("pane-1")
    assert probe is not None and probe.step == 4
    model = load_model(folder / "checkpoints" / "step-000004")
    expected = capture(model, ids, sites).sites()
    found = probe.load()
    assert set(found) == {"ids", *sites} and found["attention"].dtype == np.float32
    for site in sites:
        np.testing.assert_allclose(found[site], expected[site], atol=1e-6)


def test_commands_that_cannot_be_are_refused(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    folder = create_run(tmp_path / "run", config)
    control = RunControl(folder)
    with pytest.raises(ValueError, match="at least 1"):
        control.step(0)
    with pytest.raises(ValueError, match="above 0"):
        control.set(learning_rate=-1.0)
    with pytest.raises(ValueError, match="letters, digits"):
        control.probe("../x", [1])
    with pytest.raises(ValueError, match="at least one token"):
        control.probe("x", [])
    with pytest.raises(ValueError, match="launcher"):
        control.start()
    too_long = control.probe("x", list(range(99)))
    unknown = control.probe("y", [1], ("feelings",))
    save = control.checkpoint()
    with open(folder / "control.jsonl", "a") as file:
        file.write('{"seq": 9, "command": "dance"}\n{"seq": "?"}\nnoise\n{"torn')
    run = finish(config, folder)
    assert run.state == "finished"
    for seq, text in ((too_long, "do not fit"), (unknown, "unknown site"), (9, "dance")):
        answer = control.acknowledgement(seq)
        assert answer is not None and not answer.ok and text in answer.message
    answer = control.acknowledgement(save)
    assert answer is not None and answer.ok and run.checkpoints[0].step == 0


@pytest.mark.parametrize("id", ["../../evil", "../evil", "a step-000001", "", "x" * 200])
def test_a_probe_written_by_hand_stays_in_its_folder(tmp_path: Path, id: str) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path, steps=1, probe_every=0))
    line = {"seq": 1, "command": "probe", "id": id, "ids": [1, 2], "sites": ["attention"]}
    (folder / "control.jsonl").write_text(json.dumps(line) + "\n")
    finish(RunReader(folder).config, folder)
    control = RunControl(folder)
    answer = control.acknowledgement(1)
    assert answer is not None and not answer.ok and "letters, digits" in answer.message
    assert not list(tmp_path.rglob("*evil*")) and not list((folder / "probes").iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ('"command": "step", "n": Infinity', "n must be a whole number of at least 1, not inf"),
        ('"command": "step", "n": "1.5"', "n must be a whole number of at least 1, not '1.5'"),
        ('"command": "set"', "the command is incomplete: it lacks 'learning_rate'"),
        ('"command": "set", "learning_rate": 1' + 400 * "0", "not a number of 401 digits"),
        ('"command": "set", "learning_rate": true', "learning_rate must be a finite number"),
        ('"command": "probe", "id": 3, "ids": [1]', "must be letters, digits"),
        ('"command": "probe", "id": "x", "ids": "abc"', "ids must be a list of whole numbers"),
        ('"command": "probe", "id": "x", "ids": [1.5]', r"ids[0] must be a whole number"),
        ('"command": "probe", "id": "x", "ids": [1099511627776]', "vocabulary"),
        ('"command": ' + 20 * "[" + 20 * "]", "is unknown"),
    ],
)
def test_a_command_written_by_hand_never_ends_a_run(
    tmp_path: Path, arguments: str, said: str
) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path, steps=1, probe_every=0))
    (folder / "control.jsonl").write_text(f'{{"seq": 1, {arguments}}}\n')
    assert finish(RunReader(folder).config, folder).state == "finished"
    answer = RunControl(folder).acknowledgement(1)
    assert answer is not None and not answer.ok and said in answer.message


@given(st.dictionaries(st.sampled_from(["seq", "ack", "command", "step", "ok", "n"]), JSON))
def test_any_json_in_the_log_is_a_command_an_answer_or_nothing(line: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        log = ControlLog(Path(folder))
        with suppress(ValueError):  # of a number that Python does not write
            log.path.write_text(json.dumps(line) + "\n")
            assert all(type(command.seq) is int for command in log.refresh())
            assert all(type(answer.step) is int for answer in log.acknowledgements.values())


def test_a_log_that_was_put_back_asks_for_nothing_twice(tmp_path: Path) -> None:
    control, log = RunControl(tmp_path), ControlLog(tmp_path)
    control.checkpoint()
    kept = log.path.read_text()
    control.pause()
    log.acknowledge(log.refresh()[0], 3, 1)
    assert log.refresh() == [] and len(log.acknowledgements) == 1
    log.path.write_text(kept)
    assert log.refresh() == [], "the command had come already"
    assert [command.name for command in log.commands] == ["checkpoint"]
    assert not log.acknowledgements, "as a log that is opened anew"
    control.stop()
    assert [command.name for command in log.refresh()] == ["stop"]


class Recorder:
    def __init__(self) -> None:
        self.calls: list[tuple[Path, bool]] = []

    def start(self, folder: Path, resume: bool) -> None:
        self.calls.append((folder, resume))


def test_commands_too_late_for_one_attempt_do_not_hit_the_next(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    folder = create_run(tmp_path / "run", config)
    launcher = Recorder()
    control = RunControl(folder, launcher)
    control.start()
    generator = moments(config, folder)
    for moment in generator:
        if moment.phase == "schedule" and moment.step == 5:
            break
    with pytest.raises(ValueError, match="is running already"):
        control.start()
    generator.close()
    late = control.stop()
    seq = control.start(paused=True)
    assert launcher.calls == [(folder, False), (folder, True)]
    generator = moments(config, folder, resume=True)
    assert next(m for m in generator if m.phase == "paused").step == 5
    answer = control.acknowledgement(late)
    assert answer is not None and not answer.ok and "did not train" in answer.message
    assert control.acknowledgement(seq).ok  # type: ignore[union-attr]
    control.resume()
    assert [m.phase for m in generator][-1] == "end"
    assert RunReader(folder).state == "finished"


def test_a_stop_before_the_first_start_does_not_stop_it(tmp_path: Path) -> None:
    """A run that never began was put aside, and is begun after all."""
    config = small_config(tmp_path, steps=2)
    folder = create_run(tmp_path / "run", config)
    control, log = RunControl(folder, Recorder()), ControlLog(folder)
    wanted = []
    for command in (control.start, control.stop, control.checkpoint, control.start):
        command()
        log.refresh()
        wanted.append(log.is_started)
    assert wanted == [True, False, False, True]
    assert finish(config, folder).state == "finished"


def test_a_rate_that_is_set_as_a_failed_run_begins_again_holds(tmp_path: Path) -> None:
    """The command stands in the log before the new attempt has opened the folder."""
    config = small_config(tmp_path)
    folder = create_run(tmp_path / "run", config)
    text = Path(config.corpus)
    text.rename(text.with_suffix(".away"))
    with pytest.raises(OSError, match=text.name):
        finish(config, folder)
    assert RunReader(folder).state == "failed"
    text.with_suffix(".away").rename(text)
    control = RunControl(folder, Recorder())
    control.start()
    seq = control.set(learning_rate=5e-4)
    run = finish(config, folder, resume=True)
    answer = control.acknowledgement(seq)
    assert answer is not None and answer.ok
    assert run.steps["learning_rate"][0] == pytest.approx(5e-4, rel=1e-12)
    assert run.state == "finished"


def test_commands_from_several_threads_never_share_a_number(tmp_path):
    controls = [RunControl(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda i: controls[i % 4].checkpoint(), range(80)))
    assert sorted(numbers) == list(range(1, 81))
