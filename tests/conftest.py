"""What every test runs under; the environment is set before Qt or torch can be imported."""

import atexit
import importlib
import os
import shutil
import sys
import tempfile
import warnings

import platformdirs

# Where a person's own files lie; what the tests start finds the same here.
os.environ.setdefault(
    "LLM_EXPLORER_REAL_DATA",
    os.environ.get("LLM_EXPLORER_DATA") or platformdirs.user_data_dir("llm-explorer", False),
)
_HOME = tempfile.mkdtemp(prefix="llm-explorer-tests-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # the smoke tests start their own X server
os.environ["QT_SCALE_FACTOR"] = "1"
os.environ["QT_API"] = "pyside6"
os.environ["OMP_WAIT_POLICY"] = "passive"  # or torch's threads spin and starve the GUI
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"  # no test goes to the network
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HOME"] = _HOME
for _name in ("CONFIG", "DATA", "CACHE", "STATE"):
    os.environ[f"XDG_{_name}_HOME"] = os.path.join(_HOME, _name.lower())
os.environ["LLM_EXPLORER_CONFIG"] = os.path.join(_HOME, "config", "llm-explorer")
os.environ["LLM_EXPLORER_DATA"] = os.path.join(_HOME, "data", "llm-explorer")

import asyncio  # noqa: E402
import signal  # noqa: E402
import threading  # noqa: E402
from collections.abc import Callable, Coroutine, Iterator  # noqa: E402
from importlib.util import find_spec  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import hypothesis  # noqa: E402
import pytest  # noqa: E402

from explorer.studio.hang_detector import EVERY, QUIET, HangDetector  # noqa: E402
from tests import guards, patience  # noqa: E402

hypothesis.settings.register_profile(
    "explorer", derandomize=True, database=None, deadline=None, max_examples=50
)
hypothesis.settings.load_profile("explorer")

MOST_WORKERS = 4  # each has a gigabyte, and some tests start processes of their own
_PEERS = ("transformers", "peft", "sentencepiece", "tiktoken", "gguf")
_session = pytest.StashKey[pytest.Session]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_true", help="also the tests that take longer than 30 s"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many processes share the tests: one a core, but no more than `MOST_WORKERS`.

    None for files that are named: they are run here, before others would have begun.
    """
    if all(Path(argument.partition("::")[0]).is_file() for argument in config.args):
        return 0
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(cores, MOST_WORKERS) if cores and cores > 1 else 0


def pytest_sessionfinish(session: pytest.Session) -> None:
    session.config.stash[_session] = session


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends as the program does: what Qt takes apart after Python is gone may still be known to
    Python, and the process of tests that all passed ended with a segmentation fault.
    """
    session = config.stash.get(_session, None)
    if session is not None and "PySide6" in sys.modules and not hasattr(config, "workerinput"):
        shutil.rmtree(_HOME, ignore_errors=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(session.exitstatus))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    skips = {}
    if not config.getoption("--full"):
        skips["full"] = "takes long: run with --full"
    if shutil.which("Xvfb") is None:
        skips["smoke"] = "Xvfb is not installed"
    missing = [name for name in _PEERS if find_spec(name) is None]
    if missing:
        skips["peers"] = f"not installed: {', '.join(missing)}"
    else:
        _load_sentencepiece()
    if any(item.get_closest_marker("gpu") for item in items) and not _has_gpu():
        skips["gpu"] = "there is no CUDA device"
    for item in items:
        for marker, reason in skips.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
    # What runs for half a minute comes first: last, one process would wait for the other.
    items.sort(key=lambda item: "test_random_actions" not in item.name)


def _load_sentencepiece() -> None:
    """Before any test: where it warns while it loads, and a warning is an error, its classes are
    only half made, and using one ends the process. Other libraries load it, too.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("sentencepiece")


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _uses_gui(item: Any) -> bool:
    return "qapp" in getattr(item, "fixturenames", ())


# -- leaks ------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol() -> None:
    guards.set_aside()


@pytest.fixture(autouse=True)
def leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves a window, a running timer, a thread or a child process."""
    gui = _uses_gui(request.node)
    if gui:
        request.getfixturevalue("qapp").setQuitOnLastWindowClosed(False)
    before = guards.Leaks(gui)
    yield
    if left := before.found():
        pytest.fail("the test leaves behind:\n" + "\n".join(left), pytrace=False)


# -- hangs ------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool | None:
    """Takes the place of pytest-timeout's clock; `timeout` is a limit of processor time."""
    if not hasattr(signal, "setitimer") or threading.current_thread() != threading.main_thread():
        return None
    item.cancel_timeout = patience.TestGuard(item, settings).cancel  # type: ignore[attr-defined]
    return True


# -- coroutines -------------------------------------------------------------------------------


@pytest.fixture
def run_async(qapp: Any) -> Callable[..., Any]:
    """``run_async(coroutine)`` runs a coroutine to its end in Qt's event loop, unless it hangs:
    nothing works for `quiet` seconds. One wait of waiting.py gives up before.
    """
    import qasync

    from explorer.engine import tasks

    def run(coroutine: Coroutine[Any, Any, Any], quiet: float = 2 * QUIET) -> Any:
        async def limited() -> Any:
            task, detector = asyncio.ensure_future(coroutine), HangDetector(quiet)
            while not task.done():
                await asyncio.wait([task], timeout=EVERY)
                if reason := detector.look():
                    task.cancel()
                    await asyncio.wait([task])
                    raise TimeoutError(f"hangs: {reason}")
            await tasks.end_all(quiet)  # as the program ends; the loop would only cancel them
            return task.result()

        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(qapp)) as runner:
            return runner.run(limited())

    return run
