"""Whatever JSON holds, for any field of core: a value, or an error that names the field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.autograd.mlp import MLPConfig
from core.fields import fields_of, from_json, lenient, to_json
from core.optimization.learner import LearnerSettings
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.schedules import Plan
from core.training.checkpoints import Progress
from core.training.control import Acknowledgement, ProbeArguments, SetArguments, StepArguments
from core.training.exponents import CountedExponents
from core.training.reader import Sample
from core.training.records import EVENTS, AttemptEntry, Event, Manifest
from tests.core.any_json import JSON

SETTINGS = [rule.settings for rule in OPTIMIZERS.values()]
GIVEN: dict[type, dict[str, Any]] = {  # what must be said of those that have no default
    Plan: {"learning_rate": 0.1, "min_learning_rate": 0, "warmup_steps": 0, "steps": 9},
    Progress: {"step": 3, "seed": 1},
    Acknowledgement: {"seq": 1},
    ProbeArguments: {"id": "x", "ids": [1]},
    SetArguments: {"learning_rate": 0.1},
    CountedExponents: {},
    Sample: {"step": 1, "prompt": "a", "text": "b", "ids": [1]},
    AttemptEntry: {"from_step": 0, "pid": 7, "host": "here"},
    Manifest: {"record": [["step", "<i8"]], "attempts": [], "config": {}},
}
HEAD = {"event": "end", "attempt": 1, "step": 2, "time": 0.5}
SAID = {"train": 1, "validation": 2, "file": "step-000001.json", "now": [1.0, 2.0]}
for kind in (Event, *EVENTS.values()):
    GIVEN[kind] = HEAD | {name: SAID[name] for name in SAID if name in fields_of(kind)}


@pytest.mark.parametrize(
    "cls",
    [*SETTINGS, LearnerSettings, MLPConfig, StepArguments, *GIVEN],
    ids=lambda one: one.__name__,
)
@given(data=st.data())
def test_any_json_gives_settings_or_an_error_that_names_the_field(cls: type, data: Any) -> None:
    name = data.draw(st.sampled_from(list(fields_of(cls))))
    value = data.draw(JSON)
    values = {**GIVEN.get(cls, {}), name: value}
    try:
        settings = from_json(cls, values)
    except ValueError as error:
        assert name in str(error)
        if cls not in GIVEN:
            assert lenient(cls, values) == cls()
    else:
        again = from_json(cls, to_json(settings))
        assert repr(again) == repr(settings)  # as NaN is not equal to itself
