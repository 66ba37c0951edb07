"""What Qt needs of the system: found by loading it, installed or said how to install."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

LIBRARIES = Path(__file__).with_name("system-libraries.txt")


class Stop(Exception):
    """Ends the program with a message that says what to do."""


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
