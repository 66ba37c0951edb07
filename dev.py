#!/usr/bin/env python3
"""The one task runner. It needs only Python 3.11 and sets up everything else by itself.

python3 dev.py run [-- ARGS]      open the app (ARGS go to it: files, --snapshot DIR, ...)
python3 dev.py test [ARGS]        all tests (ARGS go to pytest)
python3 dev.py check [--fix]      ruff, import-linter, mypy
python3 dev.py bench [--full]     every figure that the project promises (--only NAME)
python3 dev.py snapshot DIR       a picture of every view, light and dark, without a display
python3 dev.py gallery            every widget in every state, in one window
python3 dev.py train-bundled      trains the bundled model again
python3 dev.py package [--dist D] a folder that runs without Python, and its self-test
python3 dev.py setup              only the set-up
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "llm-explorer-setup.json"
LIBRARIES = ROOT / "packaging" / "system-libraries.txt"
OLDEST = (3, 11)

NO_DISPLAY = (
    "There is no display to open a window on: start it from a desktop session, or render every "
    "view to pictures with `python3 dev.py snapshot DIR` (the app's own --snapshot DIR)."
)


class Stop(Exception):
    """Ends the program with a message that says what to do."""


# -- commands ---------------------------------------------------------------------------------


def run(arguments: list[str]) -> int:
    headless = any(flag in arguments for flag in ("--snapshot", "--self-test", "--help", "-h"))
    if not headless and not has_display():
        print(NO_DISPLAY, file=sys.stderr)
        return 2
    set_up("qt", "window")
    return become("-m", "explorer", *arguments)


def test(arguments: list[str]) -> int:
    set_up("qt", "window", "test", extras=("dev", "peers"))
    return become("-m", "pytest", *arguments, at_root=True)


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
    if len(arguments) != 1:
        raise Stop("dev.py snapshot needs one folder for its pictures: dev.py snapshot DIR")
    set_up("qt")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    return become("-m", "explorer", "--snapshot", arguments[0])


def gallery(arguments: list[str]) -> int:
    set_up("qt")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    if not arguments or arguments[0].startswith("--"):
        arguments = [str(ROOT / "build" / "gallery"), *arguments]
    return become("-m", "explorer.gallery", *arguments)


def train_bundled(arguments: list[str]) -> int:
    set_up()
    return become("-m", "core.training.bundled", *arguments, at_root=True)


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
    code = subprocess.call(
        [str(program), "--self-test"],
        cwd=target,
        env={**environment(), "QT_QPA_PLATFORM": "offscreen"},
        timeout=300,
    )
    print("the bundle works" if code == 0 else f"the bundle's self-test failed with {code}")
    return code


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


# -- set-up: Python packages ------------------------------------------------------------------


def set_up(*sections: str, extras: tuple[str, ...] = ()) -> None:
    """Makes .venv with its packages, and the system libraries of ``sections``, where missing."""
    set_up_system(sections)
    stamp = read_stamp()
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    current = stamp.get("pyproject") == digest and stamp.get("root") == str(ROOT)
    if PYTHON.exists() and current and set(extras) <= set(stamp["extras"]):
        return
    if not PYTHON.exists():
        make_venv()
    wanted = sorted({*extras, *stamp.get("extras", [])})
    missing = missing_packages(wanted)
    if missing:
        say(f"installing into {VENV} (needed: {', '.join(missing)})")
        if sys.platform.startswith("linux") and "torch" in missing and not has_nvidia():
            say("PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu saves 3 GB without a GPU")
        target = f"{ROOT}[{','.join(wanted)}]" if wanted else str(ROOT)
        command = [str(PYTHON), "-m", "pip", "install", "--editable", target]
        if subprocess.call(command, cwd=ROOT) != 0:
            raise Stop(
                "pip could not install the packages (its message is above). "
                "Check the network connection and run the same command again."
            )
    STAMP.write_text(json.dumps({"pyproject": digest, "root": str(ROOT), "extras": wanted}))


def read_stamp() -> dict:
    try:
        stamp = json.loads(STAMP.read_text())
        return stamp if isinstance(stamp, dict) and isinstance(stamp.get("extras"), list) else {}
    except (OSError, ValueError):
        return {}


def make_venv() -> None:
    python = find_python()
    say(f"making {VENV} with {python}")
    command = [python, "-m", "venv", "--clear", str(VENV)]
    if subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True).returncode:
        version = subprocess.check_output(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], text=True
        ).strip()
        install_debian([f"python{version}-venv|python3-venv"], "Python's venv module is missing")
    if subprocess.call(command) != 0:
        raise Stop(f"Python could not make {VENV}; its message is above.")


def find_python() -> str:
    """A Python that is new enough: this one, or one that lies on the path."""
    if sys.version_info >= OLDEST:
        return sys.executable
    for minor in range(20, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    raise Stop(
        f"LLM Explorer needs Python 3.{OLDEST[1]} or newer; this is "
        f"{sys.version_info[0]}.{sys.version_info[1]}. Get one from your package manager or from "
        "https://www.python.org/downloads and run this command with it."
    )


_MISSING = """
import json, pathlib, sys, tomllib
from importlib import metadata
from pip._vendor.packaging.requirements import Requirement
root, extras = pathlib.Path(sys.argv[1]), sys.argv[2:]
project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
wanted = list(project["dependencies"])
for extra in extras:
    wanted += project["optional-dependencies"][extra]
missing = []
for requirement in map(Requirement, wanted):
    if requirement.marker and not requirement.marker.evaluate():
        continue
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        version = ""
    if not version or not requirement.specifier.contains(version, prereleases=True):
        missing.append(requirement.name)
try:
    own = metadata.distribution("llm-explorer")
    where = json.loads(own.read_text("direct_url.json") or "{}").get("url")
    scripts = {e.name: e.value for e in own.entry_points if e.group == "console_scripts"}
    same = (where, own.version, scripts) == (root.as_uri(), project["version"], project["scripts"])
except metadata.PackageNotFoundError:
    same = False
print(json.dumps(missing + ([] if same else ["llm-explorer"])))
"""


def missing_packages(extras: list[str]) -> list[str]:
    """Names of the required packages that .venv lacks or has in another version."""
    command = [str(PYTHON), "-c", _MISSING, str(ROOT), *extras]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT.parent)
    return json.loads(result.stdout) if result.returncode == 0 else ["everything", "torch"]


def has_nvidia() -> bool:
    return Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None


# -- set-up: the system -----------------------------------------------------------------------


def set_up_system(sections: tuple[str, ...]) -> None:
    """Installs what Qt needs of the system, or says what is missing and how to get it."""
    if not sys.platform.startswith("linux") or not sections:
        return
    missing = missing_libraries(sections)
    if not missing:
        return
    names = ", ".join(what for what, *_ in missing)
    if shutil.which("apt-get"):
        command = install_debian([row[1] for row in missing], f"Qt needs {names}", stop=False)
        missing = missing_libraries(sections)
    elif shutil.which("dnf"):
        wanted = [f"'{what}()(64bit)'" if row[1] == "-" else row[1] for what, *row in missing]
        command = f"sudo dnf install {' '.join(dict.fromkeys(wanted))}"
    elif shutil.which("pacman"):
        command = f"sudo pacman -S {' '.join(dict.fromkeys(row[3] for row in missing))}"
    else:
        command = ""
    if not missing:
        return
    names = ", ".join(what for what, *_ in missing)
    say(f"missing on this system: {names}" + (f"\n  install with: {command}" if command else ""))
    if missing_libraries(("qt",)):
        raise Stop("Qt cannot start without these; install them and run the same command again.")
    say("going on without them: opening a window may fail, and tests that open one are skipped")


def missing_libraries(sections: tuple[str, ...]) -> list[list[str]]:
    """Rows (what, Debian's package, Fedora's, Arch's) of what is not there."""
    missing = []
    section = ""
    for line in LIBRARIES.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if line.startswith("["):
            section = line.strip("[]")
        elif words and not line.startswith("#") and section in sections and not is_there(words[0]):
            missing.append(words)
    return missing


def is_there(what: str) -> bool:
    kind, _, name = what.rpartition(":")
    if kind == "command":
        return shutil.which(name) is not None
    if kind == "font":
        folders = ("/usr/share/fonts", "/usr/local/share/fonts", os.path.expanduser("~/.fonts"))
        return any(next(Path(folder).rglob("*.[to]tf"), None) for folder in folders)
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def install_debian(packages: list[str], reason: str, stop: bool = True) -> str:
    """Installs packages with apt as root; returns the command that a user can give."""
    command = "sudo apt-get install -y --no-install-recommends "
    command += " ".join(dict.fromkeys(first_that_exists(choice) for choice in packages))
    done = False
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        say(f"{reason}: installing with apt")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.call(["apt-get", "update", "-qq"], env=quiet, stdout=subprocess.DEVNULL)
        chosen = list(dict.fromkeys(first_that_exists(choice) for choice in packages))
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *chosen]
        done = subprocess.call(install, env=quiet, stdout=subprocess.DEVNULL) == 0
    if stop and not done:
        raise Stop(f"{reason}; install it with: {command}")
    return command


def first_that_exists(choice: str) -> str:
    """The first of ``a|b`` that apt knows (a package was renamed between releases)."""
    names = choice.split("|")
    for name in names[:-1] if shutil.which("apt-cache") else []:
        if subprocess.run(["apt-cache", "show", name], capture_output=True).stdout.strip():
            return name
    return names[-1]


def say(text: str) -> None:
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


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
