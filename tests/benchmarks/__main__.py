"""Runs the benchmarks and prints one table: ``python -m tests.benchmarks [--full] [--only NAME]``.

Exit code 1 when a figure misses its target or a benchmark fails, 2 for a name that is not there.
"""

import argparse
import gc
import importlib
import json
import os
import pathlib
import sys
import time
import traceback

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from tests.benchmarks.harness import Report, Row, machine_line

FOLDER = pathlib.Path(__file__).parent


def areas() -> list[str]:
    """The areas that have a module: ``bench_training.py`` is the area ``training``."""
    return sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def line(row: Row) -> str:
    verdict = {True: "reached", False: "MISSED", None: ""}[row.passed]
    measured = f"{row.measured:.4g}" if abs(row.measured) < 1e5 else f"{row.measured:,.0f}"
    figure = f"{measured} {row.unit}".rstrip()
    return f"{row.area:<14} {row.name:<58} {figure:>16}  {row.target:<18} {verdict}".rstrip()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="also what takes minutes")
    parser.add_argument(
        "--only", metavar="NAME", action="append", help="this area; may be repeated"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    options = parser.parse_args(arguments)

    known = areas()
    chosen = options.only or known
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known) or 'none'}")
        return 2

    print(machine_line())
    report = Report(on_row=lambda row: print(line(row), flush=True))
    failed: list[str] = []
    start = time.perf_counter()
    for area in chosen:
        report.area = area
        try:
            module = importlib.import_module(f"tests.benchmarks.bench_{area}")
            module.fast(report)
            if options.full and hasattr(module, "full"):
                module.full(report)
        except Exception:  # one broken benchmark must not hide the figures of the others
            traceback.print_exc()
            failed.append(area)
        gc.collect()  # here: windows that are gone must not be taken apart by another thread
    if options.json:
        rows = [{name: getattr(row, name) for name in Row.__slots__} for row in report.rows]
        document = {"machine": machine_line(), "rows": rows, "failed": failed}
        pathlib.Path(options.json).write_text(json.dumps(document, indent=1), encoding="utf-8")
    missed = len(report.missed)
    print(
        f"{len(report.rows)} figures in {time.perf_counter() - start:.0f} s, {missed} missed"
        + (f", failed: {', '.join(failed)}" if failed else "")
    )
    return 1 if missed or failed else 0


if __name__ == "__main__":
    sys.exit(main())
