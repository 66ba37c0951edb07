"""Fields: one value for whatever a field may hold, and one clear error for all that it may not."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields import check, field, fields_of, from_json, lenient, to_json
from core.files import quoted
from tests.core.any_json import JSON


@dataclass(frozen=True, kw_only=True)
class Shape:
    width: int = field(least=1, most=96, label="Width of a layer", remedy="8 is usual")
    share: float = field(0.5, least=0, below=1)

    def __post_init__(self) -> None:
        check(self)


def even(value: Any) -> int:
    if not isinstance(value, int) or value % 2:
        raise ValueError("it is not even")
    return value


@dataclass(frozen=True, slots=True)
class Race:
    shape: Shape = Shape(width=3)
    steps: int = field(200, least=1, remedy="200 are usual")
    rate: float = field(0.1, above=0)
    seed: int = 0
    offset: float = 0.0
    schedule: str = field(
        "cosine", choices=("cosine", "linear"), refused={"noam": "is not built yet"}
    )
    name: str = field("stories", shortest=1, longest=12)
    fast: bool = False
    loss: float = field(0.0, endless=True)
    betas: tuple[float, float] = field((0.9, 0.99), least=0, below=1)
    window: tuple[int | None, ...] | None = field(None, least=1, shortest=1, longest=4)
    points: tuple[tuple[float, float, str], ...] = ()
    rates: Mapping[str, float] = field(factory=dict, least=0, most=9)
    paths: list[str] = field(factory=list)
    start: int | str | None = None
    pair: int = field(2, reader=even, remedy="2 is usual")
    warmup: int = field(0, least=0)

    def __post_init__(self) -> None:
        check(self)
        if self.warmup > self.steps:
            raise ValueError(f"warmup {self.warmup} is longer than steps {self.steps}; use less")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps must be a whole number of at least 1, not 0; 200 are usual"),
        ({"steps": True}, "steps must be a whole number of at least 1, not True; 200 are usual"),
        ({"steps": 2.0}, "steps must be a whole number of at least 1, not 2.0; 200 are usual"),
        ({"steps": "1.5"}, "steps must be a whole number of at least 1, not '1.5'; 200 are usual"),
        ({"steps": None}, "steps must be a whole number of at least 1, not None; 200 are usual"),
        ({"seed": 10**6000}, "seed must be a whole number of 64 bits, not a number of 6,0"),
        ({"rate": 0}, "rate must be a finite number above 0, not 0"),
        ({"rate": math.nan}, "rate must be a finite number above 0, not nan"),
        ({"steps": np.True_}, "steps must be a whole number of at least 1"),
        ({"steps": np.int64(0)}, "steps must be a whole number of at least 1"),
        ({"rate": True}, "rate must be a finite number above 0, not True"),
        ({"offset": math.inf}, "offset must be a finite number, not inf"),
        ({"offset": -(10**400)}, "offset must be a finite number, not a number of 401 digits"),
        ({"loss": 10**400}, "loss must be a number, not a number of 401 digits"),
        ({"schedule": "noam"}, "schedule 'noam' is not built yet; use 'cosine' or 'linear'"),
        ({"schedule": "wsd"}, "schedule 'wsd' is unknown; use 'cosine' or 'linear'"),
        ({"schedule": ["x"]}, "schedule must be 'cosine' or 'linear', not ['x']"),
        ({"name": 3}, "name must be text, not 3"),
        ({"name": ""}, "name is empty; fill it in"),
        ({"name": "a" * 13}, "name holds 13 characters, more than 12; choose another one"),
        ({"fast": 1}, "fast must be true or false, not 1"),
        ({"betas": "fast"}, "betas must be two numbers of at least 0 and below 1, not 'fast'"),
        ({"betas": (0.9,)}, "betas must be two numbers of at least 0 and below 1, not (0.9,)"),
        ({"betas": [0.9, 1]}, "betas[1] must be a number of at least 0 and below 1, not 1"),
        ({"window": ()}, "window is empty; fill it in"),
        ({"window": [None, 0]}, "window[1] must be a whole number of at least 1, not 0"),
        ({"window": [1] * 5}, "window holds 5 entries, more than 4; choose another one"),
        ({"points": [[0, 1, 2]]}, "points[0][2] must be text, not 2"),
        ({"points": [[0, 1]]}, "points[0] must be a list of a finite number, a finite"),
        ({"rates": []}, "rates must be a JSON object of numbers from 0 to 9, not []"),
        ({"rates": {"a": 1, "b": -1}}, "rates['b'] must be a number from 0 to 9, not -1"),
        ({"rates": {3: 1}}, "rates must be a JSON object of numbers from 0 to 9, not {3: 1}"),
        ({"paths": ["a", None]}, "paths[1] must be text, not None"),
        ({"start": 1.5}, "start must be a whole number or text or None, not 1.5"),
        ({"pair": 3}, "pair cannot be 3: it is not even; 2 is usual"),
        ({"shape": 3}, "shape must be a JSON object (Shape), not 3"),
        ({"shape": {"width": 0}}, "shape: width must be a whole number from 1 to 96, not 0; 8 is"),
        ({"shape": {}}, "shape: the Shape is incomplete: it lacks 'width'; add it"),
        ({"warmup": 300}, "warmup 300 is longer than steps 200"),
        ({"stepz": 3}, "unknown field 'stepz' in the Race; its fields are shape, steps,"),
        ({"stepz": 3, "b": 4}, "unknown fields 'stepz', 'b' in the Race; its fields are"),
        ({"format": 3}, "the Race has format 3, and this version reads 2; update LLM"),
        ({"format": None}, "the Race has format None, and this version reads 2; update"),
    ],
)
def test_one_clear_error(changes: dict[Any, Any], message: str) -> None:
    with pytest.raises(ValueError) as told:
        from_json(Race, changes, newest=2)
    assert str(told.value).startswith(message)
    if not set(changes) & {"stepz", "format"}:
        with pytest.raises(ValueError) as told:  # the constructor says the same
            Race(**changes)
        assert str(told.value).startswith(message)


@pytest.mark.parametrize("values", [None, 3, "text", [["steps", 3]]])
def test_what_is_no_object_is_refused(values: Any) -> None:
    with pytest.raises(ValueError, match="the race must be a JSON object, not"):
        from_json(Race, values, "race")
    assert lenient(Race, values) == Race()


def test_a_file_may_hold_more_than_the_fields() -> None:
    assert from_json(Race, {"steps": 3, "laps": 9}, some=True) == Race(steps=3)
    with pytest.raises(ValueError, match="steps must be"):
        from_json(Race, {"steps": 0, "laps": 9}, some=True)


def test_values_get_the_fields_type() -> None:
    race = Race(rate=1, betas=[0, 0.5], window=[None, 4], points=[[1, 2, "a"]])  # type: ignore[arg-type]
    assert race == Race(rate=1.0, betas=(0.0, 0.5), window=(None, 4), points=((1.0, 2.0, "a"),))
    assert type(race.rate) is float and type(race.betas) is tuple and type(race.points[0]) is tuple
    assert Race(rates={"a": 1}).rates == {"a": 1.0}
    assert Race(loss=math.inf).loss == math.inf
    assert type(Race(steps=np.int64(7)).steps) is int
    assert Race(shape={"width": 4}).shape == Shape(width=4)  # type: ignore[arg-type]


def test_a_form_reads_label_range_and_choices() -> None:
    known = fields_of(Race)
    assert list(known)[:3] == ["shape", "steps", "rate"]
    assert (known["steps"].label, known["steps"].least, known["steps"].most) == ("Steps", 1, None)
    assert known["steps"].default == 200 and known["rates"].default == {}
    assert known["schedule"].choices == ("cosine", "linear")
    width = fields_of(Shape)["width"]
    assert width.label == "Width of a layer"
    assert width.expected == "a whole number from 1 to 96"
    assert width.read(5) == 5
    with pytest.raises(ValueError, match="width must be a whole number from 1 to 96, not 97"):
        width.read(97)


def test_a_type_that_cannot_be_read_is_a_mistake_of_the_class() -> None:
    @dataclass
    class Vague:
        values: Any = None

    with pytest.raises(TypeError, match=r"Vague.values: Any needs a reader"):
        fields_of(Vague)


# Any JSON at all ------------------------------------------------------------------------------

FITTING = st.fixed_dictionaries(
    {},
    optional={
        "shape": st.fixed_dictionaries({"width": st.integers(1, 96)}),
        "steps": st.integers(1, 10**9),
        "rate": st.floats(0, exclude_min=True, allow_infinity=False),
        "seed": st.integers(-(1 << 63), (1 << 63) - 1),
        "offset": st.floats(allow_nan=False, allow_infinity=False) | st.integers(),
        "schedule": st.sampled_from(["cosine", "linear"]),
        "name": st.text(min_size=1, max_size=12),
        "fast": st.booleans(),
        "betas": st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=2),
        "window": st.none() | st.lists(st.none() | st.integers(1, 99), min_size=1, max_size=4),
        "points": st.lists(
            st.tuples(st.floats(-9, 9), st.integers(-9, 9), st.text(max_size=3)), max_size=3
        ),
        "rates": st.dictionaries(st.text(max_size=4), st.floats(0, 9), max_size=3),
        "paths": st.lists(st.text(max_size=4), max_size=3),
        "start": st.none() | st.integers(0, 9) | st.text(max_size=3),
        "pair": st.integers(-9, 9).map(lambda n: 2 * n),
    },
)


@given(st.sampled_from(list(fields_of(Race))), JSON)
def test_any_json_gives_a_value_or_an_error_that_names_the_field(name: str, value: Any) -> None:
    try:
        race = from_json(Race, {name: value})
    except ValueError as error:
        assert str(error).startswith(name)
        assert len(str(error)) < 400
        if name not in ("rates", "shape"):  # of which a part may fit
            assert lenient(Race, {name: value}) == Race()
    else:
        same = repr(race)  # as NaN, which a loss may be, is not equal to itself
        assert repr(from_json(Race, to_json(race))) == same
        assert repr(lenient(Race, {name: value})) == same


@given(JSON)
def test_any_json_can_be_quoted(value: Any) -> None:
    assert len(quoted(value)) < 90


def test_nesting_of_any_depth_can_be_refused() -> None:
    deep: Any = []
    for _ in range(50_000):
        deep = [deep]
    for name in fields_of(Race):
        with pytest.raises(ValueError, match=f"^{name}"):
            from_json(Race, {name: deep})


@given(FITTING)
def test_json_and_back_is_the_same(values: dict[str, Any]) -> None:
    race = from_json(Race, values)
    written = to_json(race)
    assert from_json(Race, json.loads(json.dumps(written))) == race
    assert lenient(Race, written) == race


@given(FITTING, st.dictionaries(st.sampled_from(list(fields_of(Race))), JSON, max_size=4))
def test_lenient_never_refuses(values: dict[str, Any], spoilt: dict[str, Any]) -> None:
    race = lenient(Race, {**values, **spoilt, "unknown": 1})
    assert repr(from_json(Race, to_json(race))) == repr(race)
    for name in set(values) - set(spoilt) - {"steps"}:
        assert getattr(race, name) == getattr(from_json(Race, values), name)


def test_lenient_keeps_what_fits() -> None:
    values = {
        "steps": 0,
        "rate": 1e-3,
        "rates": {"a": 1, "b": "much", "c": 3},
        "shape": {"width": 5, "share": 2},
    }
    race = lenient(Race, values)
    assert race == Race(rate=1e-3, rates={"a": 1.0, "c": 3.0})  # a Shape needs a width
    # Each fits by itself; together only in the right order, or not at all.
    assert lenient(Race, {"warmup": 900, "steps": 1000}).warmup == 900
    assert lenient(Race, {"warmup": 300, "rate": 0.2}) == Race(rate=0.2)
    assert lenient(Race, {"warmup": 150, "steps": 100}) == Race(steps=100)


def test_a_range_without_its_least_reads_as_people_say_it():
    @dataclass(frozen=True)
    class Amount:
        rate: float = field(1.0, above=0, most=10)

        def __post_init__(self) -> None:
            check(self)

    with pytest.raises(ValueError, match="rate must be a number above 0 and at most 10, not 12"):
        Amount(12)
