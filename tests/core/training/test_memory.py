"""A run that does not fit into memory is refused with the remedy, before anything is allocated."""

from __future__ import annotations

import contextlib
import json
import signal
from pathlib import Path

import pytest
import torch

from core.memory import physical_bytes
from core.training import __main__ as command
from core.training import memory
from core.training.language_modelling import LanguageModelling
from core.training.runs import RunReader
from tests.core.training.small import finish, small_config


def test_this_machine_says_how_much_memory_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    there = physical_bytes()
    assert there == 0 or there > 1e8
    assert memory.too_large(1000) == ""
    monkeypatch.setattr("core.memory.physical_bytes", lambda: 1000)
    assert memory.too_large(1000) == "" and memory.too_large(1001)
    monkeypatch.setattr("core.memory.physical_bytes", lambda: 0)
    assert memory.too_large(2000) == "", "nobody knows"


def test_a_model_larger_than_memory_is_refused_before_it_is_built(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    shape = {**config.to_json()["model"], "n_layer": 96, "n_embd": 16384}
    large = config.from_json({**config.to_json(), "model": shape})
    with pytest.raises(ValueError, match=r"takes [\d,.]+ GB .* smaller width"):
        finish(large, tmp_path / "run")
    assert "smaller width" in RunReader(tmp_path / "run").message


def test_torch_without_memory_is_one_line_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        torch.empty(1 << 60)

    monkeypatch.setattr(LanguageModelling, "build_model", full)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(small_config(tmp_path).to_json()))
    kept = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}
    with contextlib.ExitStack() as after:
        for sign, handler in kept.items():
            after.callback(signal.signal, sign, handler)
        assert command.main(["--config", str(path), "--run", str(tmp_path / "run")]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"error: {memory.OUT_OF_MEMORY}"
    assert RunReader(tmp_path / "run").message == memory.OUT_OF_MEMORY
