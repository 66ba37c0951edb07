"""README's estimate on the command line is the plan that the app shows."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from core.training.estimates import command
from core.training.estimates.plan import plan
from core.training.estimates.report import plan_table
from core.training.this_machine import processor
from explorer.panes.training.plan.draft import setup_of
from explorer.panes.training.plan.presets import GPT3

README = Path(__file__).parents[5] / "README.md"


def test_the_estimate_in_the_readme_is_the_plan_of_the_app() -> None:
    text = README.read_text("utf-8").replace("\\\n", " ")
    (line,) = [one for one in text.splitlines() if "--estimate gpt3-175b" in one]
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    told = command.table(parser.parse_args(shlex.split(line)[3:]))
    setup, _ = setup_of(GPT3, {}, processor())
    assert setup is not None and "Training fits" in told
    assert told == plan_table(setup, plan(setup))
