"""`llm-explorer [PATH ...]`, also `python -m explorer`. Imports nothing heavy."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from core.interrupt import leave_at_interrupt


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program; returns its exit code."""
    before = signal.getsignal(signal.SIGINT)
    leave_at_interrupt("interrupted before the window was open")  # until the app handles signals
    try:
        return _main(argv)
    finally:
        signal.signal(signal.SIGINT, before)


def _main(argv: Sequence[str] | None) -> int:
    multiprocessing.freeze_support()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if getattr(sys, "frozen", False) and arguments[:1] == ["-c"]:
        return 0  # a library took this program for Python; a restart would never end
    if arguments[:1] == ["-m"] and arguments[1:2] in (["core.training"], ["core.finetuning"]):
        return _run_module(arguments[1], arguments[2:])
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("QT_API", "pyside6")
    options = _parse(arguments)
    if options.snapshot is not None or options.self_test:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    else:
        from explorer.display import why_no_display

        reason = why_no_display(os.environ, sys.platform)
        if reason:
            print(
                f"{reason}. Without a display, `llm-explorer --snapshot DIR` draws every view"
                " into files.",
                file=sys.stderr,
            )
            return 1
    if sys.platform == "win32":
        import torch  # noqa: F401  (its DLLs must be loaded before Qt's)
    from explorer import app

    return app.run(options)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="llm-explorer", description="Step, scrub and change a real transformer."
    )
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="a model, run, text, or tokenizer to open",
    )
    parser.add_argument(
        "--new-window",
        action="store_true",
        help="open a window of its own although one is open; otherwise that one opens the PATHs. "
        "Settings and session are those of the first window",
    )
    parser.add_argument(
        "--snapshot", type=Path, metavar="DIR", help="draw every view of every pane into DIR"
    )
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--all-sizes",
        action="store_true",
        help="with --snapshot: in small, usual and large windows",
    )
    sizes.add_argument(
        "--size",
        action="append",
        metavar="WxH",
        type=_size,
        help="with --snapshot: in windows of this size (repeatable; 1280x720)",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PANE",
        help="with --snapshot: only this pane, mode or view, as backprop, backprop-network or "
        "attention-arcs (repeatable)",
    )
    parser.add_argument("--self-test", action="store_true", help="exercise every pane and exit")
    options = parser.parse_args(arguments)
    if options.snapshot is None and (options.all_sizes or options.size or options.only):
        parser.error("--all-sizes, --size and --only go with --snapshot DIR")
    return options


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write it as 1440x900")
    return int(width), int(height)


def _run_module(module: str, arguments: list[str]) -> int:
    """Does what `python -m MODULE` would do: a frozen app is its own interpreter."""
    import runpy

    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    sys.exit(main())
