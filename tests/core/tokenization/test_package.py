"""The package offers its names without loading what nobody has asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import core.tokenization as package


def test_every_name_that_is_offered_is_there():
    assert sorted(package.__all__) == dir(package)
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018


def test_a_word_of_telling_loads_no_trainer():
    code = "import sys, core.tokenization.telling; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "core.tokenization.telling" in loaded
    assert not {"core.tokenization.training", "core.tokenization.bpe"} & loaded
