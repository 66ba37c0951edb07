"""The guards of this suite catch what they are there for."""

import asyncio
import signal
import threading
import time

import pytest

pytest_plugins = ["pytester"]


def test_a_coroutine_runs_in_qts_event_loop(run_async):
    async def answer():
        await asyncio.sleep(0.01)
        return 42

    assert run_async(answer()) == 42


def test_a_coroutine_that_waits_for_nothing_is_stopped(run_async):
    with pytest.raises(TimeoutError, match="hangs"):
        run_async(asyncio.sleep(10_000), quiet=0.5)


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
        timeout = 1200
        filterwarnings = error
        """
    )

    def run(source):
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess()

    return run


def test_leaks_are_named(suite):
    result = suite(
        """
        import gc, pytest, subprocess, threading, time
        from PySide6.QtCore import QTimer
        from PySide6.QtWidgets import QApplication, QWidget
        from tests import guards
        guards.PATIENCE = 0.2
        kept = []

        @pytest.fixture(scope="module", autouse=True)
        def own_children():
            yield
            for child in kept:
                if isinstance(child, subprocess.Popen):
                    child.kill()
                    child.wait()

        def test_window(qtbot):
            kept.append(QWidget(objectName="forgotten"))

        def test_timer(qapp):
            timer = QTimer(qapp, objectName="ticking")
            timer.start(1000)

        def test_thread():
            threading.Thread(target=threading.Event().wait, name="busy", daemon=True).start()

        def test_child():
            kept.append(subprocess.Popen(["sleep", "600"]))

        def test_clean(qtbot):
            widget = QWidget()
            qtbot.addWidget(widget)
            timer = QTimer(widget)
            timer.start(10)
            widget.show()
            QApplication.processEvents()

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
            "*child process * still runs: sleep 600*",
        ]
    )


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the guard looks at a signal")
def test_a_test_that_hangs_is_ended_and_a_slow_one_is_not(suite):
    result = suite(
        """
        import subprocess, sys, threading, time
        import pytest
        from tests import patience
        patience.GUARDED = 1.0

        def test_hangs():
            threading.Event().wait()

        def test_waits_for_a_child_that_hangs():
            with subprocess.Popen(["sleep", "600"]) as child:
                try:
                    child.wait()
                finally:
                    child.kill()

        @pytest.mark.timeout(1.0)
        def test_computes_for_ever():
            while True:
                pass

        def test_waits_for_a_child_that_works():
            code = "import time; end = time.monotonic() + 3\\nwhile time.monotonic() < end: pass"
            subprocess.run([sys.executable, "-c", code], check=True)
        """
    )
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(
        ["*hangs: nothing has worked*", "*hangs: nothing has worked*", "*processor time*"]
    )


def test_a_thread_that_ends_soon_is_no_leak():
    threading.Thread(target=time.sleep, args=(0.1,)).start()
