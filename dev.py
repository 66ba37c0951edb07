#!/usr/bin/env python3
"""The one task runner. It needs only Python 3.11 and sets up everything else by itself.

python3 dev.py run [-- ARGS]      open the app (ARGS go to it: files, --snapshot DIR, ...)
python3 dev.py test [ARGS]        all tests (ARGS go to pytest)
python3 dev.py check [--fix]      ruff, import-linter, mypy
python3 dev.py bench [--full]     every figure that the project promises (--only NAME)
python3 dev.py snapshot DIR       a picture of every view, light and dark, without a display
                                  (--all-sizes, --only PANE)
python3 dev.py gallery            every widget in every state, in one window
python3 dev.py train-bundled      trains the bundled model again (--dates: the encoder-decoder;
                                  --questions: the adapter; --tokenizers: the four tokenizers)
python3 dev.py model smollm2      gets a small real model, 93 MB (gpt2, owner/name: from the hub)
python3 dev.py vocabularies       gets real tokenizers and texts (--all: also the large ones)
python3 dev.py package [--dist D] a folder that runs without Python, and its self-test
python3 dev.py setup              only the set-up
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# This folder has the name of a package that pip brings, so its files are found by their own names.
sys.path.insert(0, str(ROOT / "packaging"))

from first_tokenizers import get_first_tokenizers  # noqa: E402
from python_setup import PYTHON, VENV, set_up  # noqa: E402
from system_setup import Stop, say  # noqa: E402

NO_DISPLAY = (
    "There is no display to open a window on: start it from a desktop session, or render every "
    "view to pictures with `python3 dev.py snapshot DIR` (the app's own --snapshot DIR)."
)
# Several processes run what is asked for: tests/conftest.py says how many.
SHARED = ("-n", "auto", "--dist", "worksteal")


# -- commands ---------------------------------------------------------------------------------


def run(arguments: list[str]) -> int:
    headless = any(flag in arguments for flag in ("--snapshot", "--self-test", "--help", "-h"))
    if not headless and not has_display():
        print(NO_DISPLAY, file=sys.stderr)
        return 2
    set_up("qt", "window")
    if not headless:
        get_first_tokenizers(environment())
    return become("-m", "explorer", *arguments)


def test(arguments: list[str]) -> int:
    set_up("qt", "window", "test", extras=("dev", "peers"))
    return become("-m", "pytest", *SHARED, *arguments, at_root=True)


def check(arguments: list[str]) -> int:
    set_up(extras=("dev", "peers"))
    fix = "--fix" in arguments
    steps = [
        ["ruff", "check", *(["--fix"] if fix else []), "."],
        ["ruff", "format", *([] if fix else ["--check"]), "."],
        ["mypy"],
    ]
    commands = [[str(PYTHON), "-m", *step] for step in steps]
    commands.append([str(PYTHON.with_name("lint-imports")), "--no-logo"])
    failed = []
    for command in commands:
        name = " ".join(Path(part).name for part in command if part not in (str(PYTHON), "-m"))
        print(f"== {name}", flush=True)
        if subprocess.call(command, cwd=ROOT, env=environment()) != 0:
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


def bench(arguments: list[str]) -> int:
    set_up("qt", extras=("dev", "peers"))
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    return become("-m", "tests.benchmarks", *arguments, at_root=True)


def snapshot(arguments: list[str]) -> int:
    if not arguments or arguments[0].startswith("-"):
        raise Stop("dev.py snapshot needs first a folder for its pictures: dev.py snapshot DIR")
    set_up("qt")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    return become("-m", "explorer", "--snapshot", *arguments)


def gallery(arguments: list[str]) -> int:
    set_up("qt")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if not arguments or arguments[0].startswith("--"):
        arguments = [str(ROOT / "build" / "gallery"), *arguments]
    return become("-m", "explorer.studio.gallery", *arguments)


def train_bundled(arguments: list[str]) -> int:
    set_up()
    others = {
        "--tokenizers": "core.data.bundled",
        "--dates": "core.training.bundled_dates",
        "--questions": "core.finetuning.bundled_questions",
    }
    rest = [one for one in arguments if one not in others]
    asked = [others[one] for one in arguments if one in others]
    module = asked[0] if asked else "core.training.bundled"
    return become("-m", module, *rest, at_root=True)


def package(arguments: list[str]) -> int:
    target = ROOT / "dist"
    if arguments:
        if len(arguments) != 2 or arguments[0] != "--dist":
            raise Stop("dev.py package takes only --dist DIR, the folder that gets the bundle")
        target = Path(arguments[1]).resolve()
    set_up("qt", "window", extras=("dev",))
    build = [str(PYTHON), "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    build += ["--distpath", str(target), "--workpath", str(target / "build")]
    subprocess.run(
        [*build, str(ROOT / "packaging" / "llm-explorer.spec")],
        cwd=ROOT,
        env=environment(),
        check=True,
    )
    shutil.rmtree(target / "build")
    program = target / "llm-explorer" / ("llm-explorer.exe" if os.name == "nt" else "llm-explorer")
    print(f"built {program}; its self-test:", flush=True)
    code = end_of([str(program), "--self-test"], target)
    print("the bundle works" if code == 0 else f"the bundle's self-test failed with {code}")
    return code


def end_of(command: list[str], folder: Path) -> int:
    """The exit code of a program without a display, which is killed if it hangs."""
    from explorer.studio.hang_detector import EVERY, QUIET, HangDetector, Threads

    values = {**environment(), "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(command, cwd=folder, env=values) as process:
        threads = Threads(process.pid)  # the self-test has the first word: it knows what it does
        detector = HangDetector(2 * QUIET, activity=threads.activity)
        while process.poll() is None:
            if reason := detector.look():
                process.kill()
                say(f"{Path(command[0]).name} hangs: {reason}")
            time.sleep(EVERY)
    return process.returncode


def vocabularies(arguments: list[str]) -> int:
    set_up()
    return become(str(ROOT / "packaging" / "vocabularies.py"), *arguments, at_root=True)


def model(arguments: list[str]) -> int:
    set_up()
    return become(str(ROOT / "packaging" / "models.py"), *arguments, at_root=True)


def setup(arguments: list[str]) -> int:
    set_up("qt", "window", "test", extras=("dev", "peers"))
    print(f"ready: {PYTHON}")
    return 0


COMMANDS = {
    "run": run,
    "test": test,
    "check": check,
    "bench": bench,
    "snapshot": snapshot,
    "gallery": gallery,
    "train-bundled": train_bundled,
    "package": package,
    "model": model,
    "vocabularies": vocabularies,
    "setup": setup,
}


def has_display() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(n) for n in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def environment() -> dict[str, str]:
    """The environment of everything that is started here."""
    values = dict(os.environ)
    # torch's OpenMP threads spin while they wait, which starves whatever shares the machine.
    values.setdefault("OMP_WAIT_POLICY", "passive")
    # Tests start some hundred processes: without bytecode each would compile every module again.
    values.pop("PYTHONDONTWRITEBYTECODE", None)
    values["VIRTUAL_ENV"] = str(VENV)
    return values


def become(*arguments: str, at_root: bool = False) -> int:
    """Goes on as Python with these arguments: signals reach it, and its exit code is ours."""
    command = [str(PYTHON), *arguments]
    if at_root:
        os.chdir(ROOT)
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.call(command, env=environment())
    os.execve(command[0], command, environment())


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    name, rest = arguments[0], arguments[1:]
    if name not in COMMANDS:
        print(f"dev.py has no command {name!r}; it has: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        return COMMANDS[name](rest[1:] if rest[:1] == ["--"] else rest)
    except Stop as stop:
        say(str(stop))
        return 3
    except subprocess.CalledProcessError as error:
        say(f"{Path(error.cmd[0]).name} failed with exit code {error.returncode}")
        return 3
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
