"""The README's code runs as it stands there."""

import json
import re

import pytest

from tests.smoke.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_there_are_examples():
    assert len(EXAMPLES) == 4


@pytest.mark.parametrize("example", EXAMPLES, ids=["headless", "dates", "backprop", "training"])
def test_an_example_runs(example, run_python, tmp_path):
    result = run_python("-W", "error", "-c", example, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    if "run.json" in example:
        from core.training import TrainingConfig

        TrainingConfig.from_json(json.loads((tmp_path / "run.json").read_text()))
    elif "expression" in example:
        assert "{'w': 2.0, 'x': 0.5, 'b': 1.0}" in result.stdout
        assert "core.autograd.functions:Tanh.grad_a#grad_a" in result.stdout
    elif "dates" in example:
        assert result.stdout.splitlines() == ["1999-03-03", "(2, 4, 11, 23)"]
    else:
        assert "Once upon a time there was a fox." in result.stdout
