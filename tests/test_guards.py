"""The guards of this suite catch what they are there for."""

import asyncio
import threading
import time

import pytest

pytest_plugins = ["pytester"]


def test_a_coroutine_runs_in_qts_event_loop(run_async):
    async def answer():
        await asyncio.sleep(0.01)
        return 42

    assert run_async(answer()) == 42


def test_a_coroutine_that_takes_too_long_is_stopped(run_async):
    with pytest.raises(TimeoutError):
        run_async(asyncio.sleep(10), timeout=0.05)


def test_several_loops_in_one_test(run_async):
    async def loop():
        return asyncio.get_running_loop()

    assert run_async(loop()) is not run_async(loop())


@pytest.fixture
def suite(pytester, request):
    """A suite of its own, run under this folder's conftest in a process of its own."""
    root = request.config.rootpath
    pytester.makeini(
        f"""
        [pytest]
        pythonpath = {root}
        addopts = -p tests.conftest -p no:cacheprovider
        qt_api = pyside6
        filterwarnings = error
        markers =
            no_leak_check: x
            no_stall_check: x
        """
    )

    def run(source):
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess()

    return run


def test_leaks_are_named(suite):
    result = suite(
        """
        import gc, subprocess, threading, time
        from PySide6.QtCore import QTimer
        from PySide6.QtWidgets import QApplication, QWidget
        kept = []

        def test_window(qtbot):
            kept.append(QWidget(objectName="forgotten"))

        def test_timer(qapp):
            timer = QTimer(qapp, objectName="ticking")
            timer.start(1000)

        def test_thread():
            threading.Thread(target=time.sleep, args=(4,), name="busy", daemon=True).start()

        def test_child():
            kept.append(subprocess.Popen(["sleep", "4"]))

        def test_clean(qtbot):
            widget = QWidget()
            qtbot.addWidget(widget)
            timer = QTimer(widget)
            timer.start(10)
            widget.show()
            qtbot.wait(30)

        def test_clean_though_set_aside_while_it_lived(qtbot):
            widget = QWidget()
            widget.itself = widget
            gc.freeze()
        """
    )
    result.assert_outcomes(passed=6, errors=4)
    result.stdout.fnmatch_lines(
        [
            "*top-level widget left: QWidget 'forgotten'*",
            "*timer still runs: QTimer 'ticking'*",
            "*thread 'busy' still runs*",
            "*child process * still runs: sleep 4*",
        ]
    )


def test_a_stall_fails_only_when_it_comes_back(suite):
    result = suite(
        """
        import time
        from PySide6.QtCore import QTimer
        runs = []

        def stand_still():
            time.sleep(0.4)

        def test_stalls_always(qtbot):
            QTimer.singleShot(0, stand_still)
            qtbot.wait(20)

        def test_stalls_once(qtbot):
            runs.append(1)
            if len(runs) == 1:
                QTimer.singleShot(0, stand_still)
            qtbot.wait(20)

        def test_its_own_work_is_no_stall(qtbot):
            time.sleep(0.4)
            qtbot.wait(20)

        async def slow():
            time.sleep(0.4)

        def test_stalls_in_a_coroutine(run_async):
            run_async(slow())
        """
    )
    result.assert_outcomes(passed=4, errors=2)
    result.stdout.fnmatch_lines(["*stood still for 4?? ms*", "*in stand_still*", "*in slow*"])


def test_waiting_for_a_core_is_no_stall(suite):
    result = suite(
        """
        import time
        from PySide6.QtCore import QTimer
        from tests import guards
        waited = [0.0]
        guards.waited_for_a_core = lambda: waited[0]

        def others_had_the_core():
            time.sleep(0.4)
            waited[0] += 0.3

        def test_a_busy_machine(qtbot):
            QTimer.singleShot(0, others_had_the_core)
            qtbot.wait(20)
        """
    )
    result.assert_outcomes(passed=1)


def test_a_thread_that_ends_soon_is_no_leak():
    threading.Thread(target=time.sleep, args=(0.1,)).start()
