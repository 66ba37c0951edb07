"""Makes .venv and installs into it what pyproject.toml names; any Python can run this file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from system_setup import Stop, install_debian, say, set_up_system

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "llm-explorer-setup.json"
OLDEST = (3, 11)


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
        # Python compiles what it imports, a quarter of what lies there; pip takes 20 s for all.
        command = [str(PYTHON), "-m", "pip", "install", "--no-compile", "--editable", target]
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
