"""Every rule against torch's optimizer of the same name, or its paper, and on a known parabola."""

import re

import numpy as np
import pytest
import torch

from core.optimization import OPTIMIZERS, optimizer
from core.optimization.muon import COEFFICIENTS, orthogonalize
from core.optimization.rule import numbers_of
from tests.core.optimization.references import (
    BETAS,
    lion_of_the_paper,
    problem,
    run,
    run_torchs,
    settings_of,
)

WITH_A_TWIN = [name for name in OPTIMIZERS if name != "lion"]


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["numpy", "torch"])
@pytest.mark.parametrize("name", WITH_A_TWIN)
def test_a_rule_equals_torchs_over_fifty_steps(name: str, kind: str, decay: float) -> None:
    """Every step of them, so the first three too; in float64, where torch's Muon would round."""
    if name == "muon" and not hasattr(torch.optim, "Muon"):
        pytest.skip("this version of torch has no Muon to compare with")
    start, gradients = problem()
    theirs = run_torchs(name, start, gradients, decay)
    if kind == "numpy":
        ours = run(name, settings_of(name, decay), start.numpy(), gradients.numpy())
    else:
        ours = run(name, settings_of(name, decay), start, gradients)
    assert ours.dtype == np.float64
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 5), (4, 4), (7, 2), (1, 6)])
@pytest.mark.parametrize("match", [False, True])
def test_muon_equals_torchs_whatever_the_shape(
    shape: tuple[int, int], match: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this version of torch has no Muon to compare with")
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda self: self.clone())
    start, gradients = problem(shape, 5)
    parameter = torch.nn.Parameter(start.clone())
    how = "match_rms_adamw" if match else "original"
    reference = torch.optim.Muon([parameter], lr=0.05, adjust_lr_fn=how)
    for gradient in gradients:
        parameter.grad = gradient.clone()
        reference.step()
    settings = OPTIMIZERS["muon"].settings(learning_rate=0.05, match_adamw=match)
    ours = run("muon", settings, start.numpy(), gradients.numpy())[-1]
    np.testing.assert_allclose(ours, parameter.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_lion_is_its_papers(kind: str, decay: float) -> None:
    start, gradients = problem()
    theirs = list(lion_of_the_paper(start.numpy(), gradients.numpy(), 0.05, *BETAS, decay))
    settings = settings_of("lion", decay)
    if kind == "numpy":
        ours = run("lion", settings, start.numpy(), gradients.numpy())
    else:
        ours = run("lion", settings, start, gradients)
    np.testing.assert_allclose(ours, np.stack(theirs), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("sgd", {}, [(0.9, 0.0), (0.81, 0.0), (0.729, 0.0)]),
        ("momentum", {}, [(0.9, 0.0), (0.72, -0.9), (0.486, -0.81)]),
        ("nesterov", {}, [(0.81, -0.9), (0.5751, 0.0), (0.327321, 0.0)]),
        ("rmsprop", {"learning_rate": 0.1}, [(5e-8, 5e-9)]),
        ("adagrad", {"learning_rate": 0.1}, [(0.9,), (0.833103527,), (0.780456181,)]),
        ("adam", {"learning_rate": 0.1}, [(0.9,), (0.800412229,), (0.701586273,)]),
        (
            "adamw",
            {"learning_rate": 0.1, "weight_decay": 0.01},
            [(0.899,), (0.798519027,), (0.698911183,)],
        ),
    ],
)
def test_first_steps_on_a_bowl(
    name: str, changes: dict[str, float], expected: list[tuple[float, ...]]
) -> None:
    """f = x^2 + 10 y^2 from (1, 1), rate 0.05 and momentum 0.9 where no other is said."""
    rule = OPTIMIZERS[name]
    settings = rule.settings(**{"learning_rate": 0.05, **changes})
    param, state = np.ones(2), rule.state()
    for step, place in enumerate(expected, 1):
        grad = np.array([2.0, 20.0]) * param
        param, state = rule.update(param, grad, state, step, settings)
        tolerance = 1e-10 if name == "rmsprop" else 1e-9
        assert param[: len(place)] == pytest.approx(place, abs=tolerance, rel=0)


def test_newton_schulz_evens_out_the_singular_values() -> None:
    matrix = np.random.default_rng(0).normal(size=(6, 9))
    settings = OPTIMIZERS["muon"].settings(iterations=5)
    turned, how = orthogonalize(matrix, settings)
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    a, b, c = COEFFICIENTS
    expected = s / np.linalg.norm(s)
    for _ in range(5):
        expected = a * expected + b * expected**3 + c * expected**5
    np.testing.assert_allclose(turned, u @ np.diag(expected) @ vt, atol=1e-12)
    assert expected.min() > 0.6 and expected.max() < 1.25 and s.max() / s.min() > 3
    assert len(how.iterations) == 5 and np.linalg.norm(how.unit) == pytest.approx(1)
    zeros, _ = orthogonalize(np.zeros((2, 3)), settings)
    assert (zeros == 0).all()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_nothing_is_changed_in_place_and_a_dtype_stays(name: str) -> None:
    rule = OPTIMIZERS[name]
    settings = rule.settings(weight_decay=0.1)
    for make in (lambda: np.ones((2, 3), np.float32), lambda: torch.ones(2, 3)):
        param, grad = make(), make() * 0.5
        _, state = rule.update(param, grad, rule.state(), 1, settings)
        before = [np.asarray(value).copy() for value in _values(state)]
        new, after = rule.update(param, grad, state, 2, settings)
        assert (param == 1).all() and (grad == 0.5).all()
        for value, kept in zip(_values(state), before, strict=True):
            assert (np.asarray(value) == kept).all()
        assert [one.dtype for one in (new, *_values(after))] == [param.dtype] * (1 + len(before))
    with pytest.raises(ValueError, match="first step is 1"):
        rule.update(param, grad, state, 0, settings)


@pytest.mark.parametrize("kind", [np.ones, torch.ones])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_gradient_of_another_shape_is_refused_with_both_shapes_and_the_remedy(name, kind) -> None:
    """Also one that arithmetic would stretch over the parameter, or the parameter over it."""
    rule = OPTIMIZERS[name]
    for shape, other, remedy in [
        ((2, 3), (3, 2), "transpose it"),
        ((2, 3), (6, 1), "give it the parameter's shape"),
        ((2, 3), (1, 3), "the gradient of this parameter"),
        ((1, 3), (2, 3), "summed along axes"),
        ((2, 3), (), "the gradient of this parameter"),
    ]:
        says = re.escape(f"the gradient has shape {other}, its parameter {shape}") + f".*{remedy}"
        for function in (rule.update, rule.explain):
            with pytest.raises(ValueError, match=says):
                function(kind(shape), kind(other), rule.state(), 1, rule.settings())


@pytest.mark.parametrize("name", [one for one in OPTIMIZERS if one != "muon"])
def test_plain_numbers_are_parameters_too(name) -> None:
    rule = OPTIMIZERS[name]
    alone, _ = rule.update(2.0, 0.5, rule.state(), 1, rule.settings(learning_rate=0.1))
    array, _ = rule.update(*np.array([[2.0], [0.5]]), rule.state(), 1, rule.settings(0.1))
    assert alone == array[0]
    with pytest.raises(ValueError, match=re.escape("has shape (1,), its parameter ()")):
        rule.update(2.0, np.array([0.5]), rule.state(), 1, rule.settings())


def _values(state) -> list:
    return [getattr(state, name) for name in state.__dataclass_fields__]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_line_is_told(name: str) -> None:
    """A line of the table for each marked line, in their order."""
    from core.trace import marked_lines, source

    rule = optimizer(name)
    marked = [m for m in marked_lines(_module(rule)) if ":explain#" in m]
    assert [rule.marker(line) for line in rule.lines] == marked
    for line in rule.lines:
        where = source(rule.marker(line))
        assert where.lines[where.marked].strip().startswith(line.made)
        assert line.formula and line.title


def _module(rule):
    import importlib

    return importlib.import_module(rule.explain.__module__)


def test_bad_settings_say_the_remedy() -> None:
    for name, changes, remedy in [
        ("sgd", {"learning_rate": -1.0}, "at least 0, not -1.0"),
        ("adam", {"learning_rate": float("nan")}, "finite"),
        ("momentum", {"momentum": 1.0}, "0.9 is usual"),
        ("adamw", {"betas": (0.9,)}, "two numbers .* not \\(0.9,\\); \\(0.9, 0.999\\)"),
        ("lion", {"betas": (0.9, 1.5)}, "betas\\[1\\] must be a number of at least 0 and below 1"),
        ("muon", {"iterations": 2.5}, "5 is usual"),
        ("rmsprop", {"eps": "small"}, "finite number"),
    ]:
        with pytest.raises(ValueError, match=remedy):
            OPTIMIZERS[name].settings(**changes)
    with pytest.raises(ValueError, match="use 'sgd', 'momentum'"):
        optimizer("adamax")
    rule = OPTIMIZERS["muon"]
    with pytest.raises(ValueError, match=r"not an array of shape \(3,\); leave vectors"):
        rule.update(np.ones(3), np.ones(3), rule.state(), 1, rule.settings())


# As people write it -> as LaTeX does.
GREEK = {
    "λ": r"\lambda",
    "μ": r"\mu",
    "β": r"\beta",
    "β₁": r"\beta_1",
    "β₂": r"\beta_2",
    "ε": r"\epsilon",
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_whole_step_has_the_decay_that_runs_and_every_letter_is_a_settings(name: str) -> None:
    rule = optimizer(name)
    first = rule.lines[0].formula
    if first == r"s = g + \lambda \, \theta" and name != "sgd":  # SGD has it in its one line
        assert first in rule.formula, "what follows is in s"
        assert not re.search(r"\bg\b", rule.formula.replace(first, ""))
    assert set(rule.letters) <= set(numbers_of(rule.settings()))
    own = {GREEK[letter] for letter in rule.letters.values()}
    for written in (rule.formula, " ".join(line.formula for line in rule.lines)):
        assert set(re.findall(r"\\(?:lambda|mu|beta|epsilon)(?:_\d)?", written)) == own
