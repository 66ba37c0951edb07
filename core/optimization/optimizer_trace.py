"""One step of an optimizer as a Trace: a Step for each marked line of its rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from core.marked_line import marked_line
from core.optimization.muon import COEFFICIENTS, INSIDE, MuonStep, NewtonSchulz
from core.optimization.optimizers import optimizer
from core.optimization.rule import Line, Rule, numbers_of
from core.trace import Step, Trace


def trace_update(
    name: str,
    param: Any,
    grad: Any,
    state: Any = None,
    step: int = 1,
    settings: Any = None,
) -> Trace:
    """Returns the Trace of one step of optimizer `name` for one parameter.

    param, grad   of equal shape: arrays, or anything that NumPy converts to arrays
    state         the state of the rule; None: a new one
    step          1 for the first
    settings      None: the defaults of the rule

    Steps are named "optimizer." and the name of their line. If the weight decay is 0, the step's
    title says so; Muon's iterations are parts of its step "optimizer.orthogonalize". `about` has
    the arguments and the results: "new", the parameter, and "after", the new state. inf and nan
    are valid values. Raises ValueError for an unknown optimizer, settings or a state of another
    one, or different shapes.
    """
    rule = optimizer(name)
    settings = rule.settings() if settings is None else settings
    state = rule.state() if state is None else state
    for given, kind in ((settings, rule.settings), (state, rule.state)):
        if type(given) is not kind:
            raise ValueError(f"{rule.title} takes {kind.__name__}, not {type(given).__name__}")
    param, grad = np.array(param, dtype=float), np.array(grad, dtype=float)
    with np.errstate(all="ignore"):  # overflow is shown, not raised
        made = rule.explain(param, grad, state, step, settings)
        new, after = rule.update(param, grad, state, step, settings)
    about = {
        "optimizer": name, "param": param, "grad": grad, "step": step,
        "settings": settings, "state": state, "new": new, "after": after,
    }  # fmt: skip
    trace = Trace(about)
    before = {f"{name}_before": value for name, value in asdict(state).items()}
    names = {"param": param, "grad": grad, "step": step, **numbers_of(settings), **before}
    names |= made._asdict()
    for line in rule.lines:
        if line.undecayed and settings.weight_decay == 0:
            title, formula = line.undecayed
            line = replace(line, title=title, formula=formula)
        parent = trace.append(_step(rule, line, names))
        if isinstance(made, MuonStep) and line.mark == "orthogonalize":
            for inner in _iterations(rule, made.iterated, settings.eps, parent):
                trace.append(inner)
    return trace.finish()


def _step(rule: Rule, line: Line, names: Mapping[str, Any], parent: int | None = None) -> Step:
    """Returns a line's step with the values that the line computes and reads."""
    reads = [name for name in marked_line(rule.marker(line)).reads if name in names]
    values = {name: np.asarray(names[name]) for name in (line.made, *reads)}
    name = f"optimizer.{line.mark}"
    return Step(name, line.title, line.formula, rule.marker(line), values, parent)


def _iterations(rule: Rule, iterated: NewtonSchulz, eps: float, parent: int) -> Iterator[Step]:
    """Yields the steps of Newton-Schulz: the norm, then the lines of each iteration."""
    normalize, *lines = INSIDE
    given = {"matrix": iterated.matrix, "norm": iterated.norm, "unit": iterated.unit, "eps": eps}
    yield _step(rule, normalize, given, parent)
    matrix = iterated.unit
    a, b, c = COEFFICIENTS
    for iteration in iterated.iterations:
        for line in lines:
            names = {"matrix": matrix, "a": a, "b": b, "c": c, **iteration._asdict()}
            yield _step(rule, line, names, parent)
        matrix = iteration.new
