"""The task runner's decisions, without installing anything."""

import hashlib
import json
import os
import sys
from types import SimpleNamespace

import first_tokenizers
import pytest
import python_setup
import system_setup

import dev
from tests import conftest


def test_an_unknown_command_is_answered_with_those_there_are(capsys):
    assert dev.main(["tests"]) == 2
    assert "run, test, check" in capsys.readouterr().err


def test_help_names_every_command(capsys):
    assert dev.main([]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in dev.COMMANDS)


def test_a_message_says_what_to_do_and_the_exit_code_tells(capsys):
    assert dev.main(["snapshot"]) == 3
    assert dev.main(["snapshot", "--all-sizes"]) == 3
    assert capsys.readouterr().err.count("snapshot DIR") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only its end is known")
def test_a_bundle_that_hangs_is_killed(monkeypatch, tmp_path):
    monkeypatch.setattr("explorer.studio.hang_detector.QUIET", 0.5)
    wait = "import threading; threading.Event().wait()"
    assert dev.end_of([sys.executable, "-c", wait], tmp_path) != 0
    assert dev.end_of([sys.executable, "-c", "import sys; sys.exit(7)"], tmp_path) == 7


def test_what_follows_the_folder_of_a_snapshot_goes_to_the_program(monkeypatch):
    started = []
    monkeypatch.setattr(dev, "set_up", lambda *_sections, **_extras: None)
    monkeypatch.setattr(dev, "become", lambda *arguments, **_settings: started.append(arguments))
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    dev.main(["snapshot", "out", "--only", "backprop", "--all-sizes"])
    assert started == [("-m", "explorer", "--snapshot", "out", "--only", "backprop", "--all-sizes")]


def test_all_tests_are_shared_among_the_cores_and_files_are_run_alone(monkeypatch):
    started = []
    monkeypatch.setattr(dev, "set_up", lambda *_sections, **_extras: None)
    monkeypatch.setattr(dev, "become", lambda *arguments, **_settings: started.append(arguments))
    dev.test(["-x", "-n", "0"])
    assert started == [("-m", "pytest", "-n", "auto", "--dist", "worksteal", "-x", "-n", "0")]

    def workers(*paths, cores=8):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(cores)), raising=False)
        config = SimpleNamespace(args=[str(dev.ROOT / "tests" / path) for path in paths])
        return conftest.pytest_xdist_auto_num_workers(config)

    assert [workers("", cores=cores) for cores in (1, 2, 8)] == [0, 2, conftest.MOST_WORKERS]
    assert workers("core") == conftest.MOST_WORKERS
    assert workers("test_dev.py", "test_dev.py::test_help_names_every_command") == 0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"extras": 3}', '{"root": "x"}'])
def test_a_broken_stamp_counts_as_none(content, tmp_path, monkeypatch):
    monkeypatch.setattr(python_setup, "STAMP", tmp_path / "stamp.json")
    python_setup.STAMP.write_text(content)
    assert python_setup.read_stamp() == {}


def test_a_second_run_starts_nothing(tmp_path, monkeypatch):
    """With a stamp of this pyproject.toml neither pip nor the check of packages runs."""
    digest = hashlib.sha256((dev.ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = {"pyproject": digest, "root": str(dev.ROOT), "extras": ["dev", "peers"]}
    monkeypatch.setattr(python_setup, "STAMP", tmp_path / "stamp.json")
    monkeypatch.setattr(python_setup, "PYTHON", tmp_path)
    python_setup.STAMP.write_text(json.dumps(stamp))

    def refuse(*_arguments, **_settings):
        raise AssertionError("a process was started")

    for name in ("call", "run", "check_output", "Popen"):
        monkeypatch.setattr(python_setup.subprocess, name, refuse)
    dev.set_up(extras=("dev",))
    dev.set_up(extras=("peers", "dev"))


def test_what_is_missing_is_found_by_loading_it(tmp_path, monkeypatch):
    monkeypatch.setattr(system_setup, "LIBRARIES", tmp_path / "list.txt")
    system_setup.LIBRARIES.write_text(
        "# comment\n[qt]\nlibc.so.6 libc6 - glibc\nlibnothere.so.9 new|old - nothere\n"
        "[test]\ncommand:no-such-command x x x\n"
    )
    if system_setup.is_there("libc.so.6"):
        assert system_setup.missing_libraries(("qt",)) == [
            ["libnothere.so.9", "new|old", "-", "nothere"]
        ]
    assert [row[0] for row in system_setup.missing_libraries(("test",))] == [
        "command:no-such-command"
    ]


@pytest.mark.parametrize(
    ("tool", "command"),
    [
        ("dnf", "sudo dnf install 'libnothere.so.9()(64bit)'"),
        ("pacman", "sudo pacman -S nothere"),
        ("apt-get", "sudo apt-get install -y --no-install-recommends old"),
    ],
)
def test_elsewhere_it_says_what_is_missing_and_the_command(
    tool, command, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(system_setup, "LIBRARIES", tmp_path / "list.txt")
    system_setup.LIBRARIES.write_text("[qt]\nlibnothere.so.9 new|old - nothere\n")
    monkeypatch.setattr(dev.sys, "platform", "linux")
    monkeypatch.setattr(system_setup.shutil, "which", lambda name: name if name == tool else None)
    monkeypatch.setattr(system_setup.os, "geteuid", lambda: 1000, raising=False)
    with pytest.raises(system_setup.Stop):
        system_setup.set_up_system(("qt",))
    said = capsys.readouterr().err
    assert "libnothere.so.9" in said
    assert command in said


def test_a_display_is_needed_on_linux_only(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(dev.sys, "platform", "linux")
    assert not dev.has_display()
    monkeypatch.setattr(dev.sys, "platform", "darwin")
    assert dev.has_display()


class Setup:
    """`dev.py run` with a display, whose program starts at once; what it does is remembered."""

    def __init__(self, tmp_path, monkeypatch):
        self.got, self.began, self.answer = [], [], 0
        monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
        monkeypatch.setattr(dev, "set_up", lambda *_sections, **_extras: None)
        monkeypatch.setattr(dev, "become", lambda *some, **_settings: self.began.append(some))
        monkeypatch.setattr(first_tokenizers, "STAMP", tmp_path / "stamp.json")
        monkeypatch.setattr(first_tokenizers.subprocess, "call", self.call)

    def call(self, command, **_settings):
        self.got.append(command[-1])
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def run(self, *arguments):
        dev.main(["run", *arguments])
        return len(self.got), len(self.began)


def test_the_first_start_gets_real_tokenizers_once(tmp_path, monkeypatch):
    program = Setup(tmp_path, monkeypatch)
    assert program.run() == (1, 1)
    assert program.got == ["--first"]
    assert program.run() == (1, 2)


@pytest.mark.parametrize(
    "failure",
    [
        OSError("no such file"),
        KeyboardInterrupt(),
        first_tokenizers.subprocess.TimeoutExpired("", 1),
    ],
)
def test_a_start_goes_on_without_them_and_tries_again_a_day_later(
    failure, tmp_path, monkeypatch, capsys
):
    program = Setup(tmp_path, monkeypatch)
    program.answer = failure
    assert program.run() == (1, 1)
    assert "python3 dev.py vocabularies" in capsys.readouterr().err
    assert program.run() == (1, 2)
    later = first_tokenizers.time.time() + first_tokenizers.AGAIN
    monkeypatch.setattr(first_tokenizers.time, "time", lambda: later)
    assert program.run() == (2, 3)


def test_what_did_not_come_is_told_once_by_the_program_that_looked(tmp_path, monkeypatch, capsys):
    program = Setup(tmp_path, monkeypatch)
    program.answer = 1
    assert program.run() == (1, 1)
    assert capsys.readouterr().err.count("\n") == 1


def test_pictures_and_self_tests_get_nothing(tmp_path, monkeypatch):
    assert Setup(tmp_path, monkeypatch).run("--snapshot", "out") == (0, 1)


@pytest.mark.parametrize("content", ["", "{", "3", "{}", '{"time": "x", "whole": false}'])
def test_a_broken_stamp_of_the_tokenizers_counts_as_none(content, tmp_path, monkeypatch):
    monkeypatch.setattr(first_tokenizers, "STAMP", tmp_path / "stamp.json")
    first_tokenizers.STAMP.write_text(content)
    assert first_tokenizers.is_due()
