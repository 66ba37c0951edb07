"""The README's code runs as it stands there."""

import json
import re

import pytest

from tests.smoke.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


NAMES = ["headless", "dates", "backprop", "training", "adapter", "questions"]


def test_there_are_examples():
    assert len(EXAMPLES) == len(NAMES)


@pytest.mark.parametrize("example", EXAMPLES, ids=NAMES)
def test_an_example_runs(example, run_python, tmp_path):
    result = run_python("-W", "error", "-c", example, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    if written := list(tmp_path.glob("*.json")):
        from core.training import TrainingConfig

        TrainingConfig.from_json(json.loads(written[0].read_text()))
    elif "add_lora" in example:
        assert "Who is it about? Bram" in result.stdout
        assert "Verdict(difference=0.0, tolerance=0.0" in result.stdout
    elif "expression" in example:
        assert "{'w': 2.0, 'x': 0.5, 'b': 1.0}" in result.stdout
        assert "core.autograd.functions:Tanh.grad_a#grad_a" in result.stdout
    elif "dates" in example:
        assert result.stdout.splitlines() == ["1999-03-03", "(2, 4, 11, 23)"]
    else:
        assert "Once upon a time there was a fox." in result.stdout
