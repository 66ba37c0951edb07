"""Runs of the app: thread and process alike, remembered when the session ends under them."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace

import numpy as np
import pytest

from core.training import RunReader, new_run_folder
from explorer import theme
from explorer.engine import errors
from explorer.engine.jobs import EngineDied
from explorer.shell.follow import where
from explorer.shell.session import Session
from tests.explorer.conftest import dispose
from tests.explorer.demo import close, eager_runs, save_tiny_model, spec, tiny_training
from tests.explorer.waiting import HANGS, until


@pytest.fixture
def runs(torch_engine, tmp_path, run_async):
    runs = eager_runs(torch_engine, tmp_path / "runs")
    yield runs
    run_async(close(runs))


@pytest.mark.parametrize("changes", [{"tokenizer": "gone.json"}, {"task": "chess"}])
def test_a_run_that_cannot_begin_leaves_no_folder(runs, changes):
    with pytest.raises((ValueError, OSError)):
        runs.new(tiny_training(**changes), "refused")
    assert not runs.folder().exists()


def test_a_data_folder_that_cannot_be_written_says_how_another_is_chosen(runs, tmp_path):
    (tmp_path / "runs").write_text("a file, not a folder")
    with pytest.raises(OSError, match="folder.*, with the environment variable LLM_EXPLORER_DATA"):
        runs.new(tiny_training(), "refused")


@pytest.mark.parametrize("backend", ["thread", "process"])
def test_a_run_is_steered_alike_in_a_thread_and_in_a_process(runs, run_async, backend):
    async def body():
        folder = runs.new(tiny_training(steps=100_000), "steered")
        runs.start(folder, backend)
        control, reader = runs.control(folder), RunReader(folder)

        def state(*wanted):
            def check():
                reader.refresh()
                return reader.state in wanted

            return check

        await until(lambda: reader.refresh() is not None and reader.step >= 3)
        control.pause()
        runs.wake(folder)
        await until(state("paused"))
        paused_at = reader.step
        sequence = control.step(2)
        runs.wake(folder)
        await until(lambda: control.acknowledgement(sequence) is not None)
        await until(lambda: reader.refresh() is not None and reader.step >= paused_at + 2)
        stepped = reader.step - paused_at
        control.resume()
        runs.wake(folder)
        await until(lambda: reader.refresh() is not None and reader.step > paused_at + 5)
        control.stop()
        runs.wake(folder)
        await until(state("stopped"))
        await until(lambda: not runs.running_here(folder))
        return stepped, reader

    stepped, reader = run_async(body())
    assert stepped == 2
    assert reader.checkpoints[-1].step == reader.step


def test_thread_and_process_learn_the_same(runs, run_async):
    async def train(backend):
        folder = runs.new(tiny_training(steps=5), backend)
        runs.start(folder, backend)
        await until(lambda: not runs.running_here(folder))
        return RunReader(folder)

    thread, process = run_async(train("thread")), run_async(train("process"))
    assert thread.state == process.state == "finished", process.message
    np.testing.assert_array_equal(thread.steps["loss"], process.steps["loss"])
    assert where(process) == "cpu, fp32, 1 rank, 1 thread", "as its config says"
    assert where(thread).startswith("cpu, fp32, 1 rank, ")


def test_starting_twice_is_refused(runs, run_async):
    async def body():
        folder = runs.new(tiny_training(steps=100_000), "twice")
        runs.start(folder)
        await until(lambda: RunReader(folder).step > 0)
        with pytest.raises(ValueError, match=r"pause or stop|stop it first"):
            runs.start(folder)

    run_async(body())
    with pytest.raises(ValueError, match="thread or a process"):
        runs.control(runs.folder(), "cloud")


def test_a_run_that_fails_is_one_card(runs, run_async, caplog, tmp_path):
    caplog.set_level(logging.CRITICAL)
    errors.reports().problems.clear()

    async def body():
        missing = tmp_path / "missing.txt"
        missing.write_text("It goes before the run begins.")
        folder = runs.new(tiny_training(corpus=str(missing), tokenizer="characters"), "bad")
        missing.unlink()
        runs.start(folder)
        await runs.job(folder).done()
        state = runs.job(folder).state
        (problem,) = errors.reports().problems.values()
        missing.write_text("It is there now. " * 400)
        runs.start(folder)
        assert not errors.reports().problems, "what ended it before is told no longer"
        runs.control(folder).stop()
        await runs.job(folder).done()
        return state, problem.text

    state, text = run_async(body())
    assert state == "failed" and "missing.txt" in text
    errors.reports().problems.clear()


def test_a_process_that_refuses_its_run_is_not_offered_at_the_next_start(runs, run_async):
    """It ends before it opens the folder, which tells of no failure."""
    torch = pytest.importorskip("torch")
    ranks = torch.cuda.device_count() + 1

    async def body():
        config = tiny_training(device="cuda", ranks=ranks, batch_size=ranks)
        folder = new_run_folder(runs.folder(), "from-elsewhere", config)
        runs.start(folder, "process")
        await until(lambda: runs.failure(folder), "the refusal")
        while await runs.waiting():  # the test's guard ends it if it never ends
            await asyncio.sleep(0.05)
        return runs.failure(folder)

    assert "GPU" in run_async(body())


def session_in(tmp_path):
    return Session(
        folder=tmp_path / "config",
        runs_folder=tmp_path / "runs",
        specs=(spec("attention"), spec("training")),
    )


def test_the_next_session_offers_the_run_that_was_training(qapp, tmp_path, run_async):
    import torch  # noqa: F401

    theme.apply(qapp, "light", 1.0, "full")
    model = save_tiny_model(tmp_path / "model")

    async def first():
        session = session_in(tmp_path)
        session.settings.callouts_seen = True
        window = session.open()
        window.show()
        await session.begin([model])
        folder = session.runs.new(tiny_training(steps=100_000), "stories-3")
        session.runs.start(folder)
        await until(lambda: RunReader(folder).step >= 3)
        await until(lambda: window.status.run is not None and window.status.run.step > 0)
        seen = window.status.run
        ended = await session.close(HANGS)
        return session, folder, seen, ended

    session, folder, seen, ended = run_async(first())
    dispose(session)
    assert ended
    assert (seen.name, seen.state, seen.steps) == ("stories-3", "running", 100_000)
    reader = RunReader(folder)
    assert reader.state == "stopped"
    assert reader.checkpoints[-1].step == reader.step

    async def second(choice):
        session = session_in(tmp_path)
        window = session.open()
        window.show()
        await session.begin([model])
        card = window.notices.cards.get("runs")
        message = " ".join((card.rows[0].name, card.rows[0].text)) if card else None
        if choice and card:
            card.buttons[str(folder), choice].click()
            await asyncio.sleep(0)
        if choice == "Resume":
            await until(lambda: RunReader(folder).step > reader.step)
        run = session.workspace.run
        await session.close(HANGS)
        dispose(session)
        return message, run

    expected = f"stories-3 stopped at step {reader.step:,} of 100,000"
    assert run_async(second(None))[0] == expected
    assert run_async(second("Look")) == (expected, str(folder))
    assert run_async(second(None))[0] is None


def test_a_dead_engine_offers_restart_and_the_run_goes_on(qapp, tmp_path, run_async, caplog):
    import torch  # noqa: F401

    caplog.set_level(logging.CRITICAL)
    theme.apply(qapp, "light", 1.0, "full")
    model = save_tiny_model(tmp_path / "model")

    def poison():
        raise SystemExit

    async def body():
        session = session_in(tmp_path)
        session.settings.callouts_seen = True
        window = session.open()
        window.show()
        await session.begin([model])
        folder = session.runs.new(tiny_training(steps=100_000, checkpoint_every=2), "run")
        session.runs.start(folder)
        await until(lambda: len(RunReader(folder).checkpoints) > 0)
        await until(lambda: session.workspace.run == str(folder))
        with pytest.raises(RuntimeError, match="Restart"):
            await session.engine.call(poison)
        before = RunReader(folder).step
        window.notices.cards["engine"].actionTriggered.emit("Restart")
        await until(lambda: RunReader(folder).step > before + 2)
        await session.close(HANGS)
        dispose(session)
        return RunReader(folder)

    reader = run_async(body())
    assert len(reader.manifest["attempts"]) == 2
    errors.reports().problems.clear()


def test_restart_goes_on_with_every_run_of_the_dead_engine(
    qapp, tmp_path, run_async, caplog, monkeypatch
):
    """Not with the run that is looked at, which may have ended long ago."""
    caplog.set_level(logging.CRITICAL)
    errors.reports().problems.clear()
    begun, closing = [], []

    def waiting(folder, resume):
        begun.append(folder.name)
        while not closing:
            yield SimpleNamespace(safe=True, idle=0.02)

    def poison():
        raise SystemExit

    monkeypatch.setattr("explorer.runs.live.training_steps", waiting)

    async def body():
        session = Session(
            folder=tmp_path / "config",
            runs_folder=tmp_path / "runs",
            specs=(spec("attention"), spec("training")),
            with_torch=False,
        )
        window = session.open()
        session.engine.start()
        session.workspace.set_run(str(session.runs.new(tiny_training(), "looked-at")))
        folders = [session.runs.new(tiny_training(), name) for name in ("one", "two", "gone")]
        for folder in folders:
            session.runs.start(folder)
        with pytest.raises(EngineDied):
            await session.engine.call(poison)
        await until(lambda: "engine" in window.notices.cards)
        problems = list(errors.reports().problems.values())
        begun.clear()
        (folders[2] / "run.json").unlink()
        window.notices.cards["engine"].actionTriggered.emit("Restart")
        await until(lambda: len(begun) >= 2 and errors.reports().problems)
        reported = [problem.text for problem in errors.reports().problems.values()]
        closing.append(True)
        await session.close(HANGS)
        dispose(session)
        return problems, reported

    problems, reported = run_async(body())
    assert sorted(begun) == ["one", "two"]
    assert problems == []
    assert len(reported) == 1 and "gone" in reported[0]
    errors.reports().problems.clear()
