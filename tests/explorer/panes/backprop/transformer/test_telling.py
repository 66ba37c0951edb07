"""What is told of a step or a number agrees with its formula, its title and itself."""

from __future__ import annotations

import pytest

from explorer.panes.backprop.transformer import explaining, words


def moments(worked):
    for one in worked.moments:
        yield from (one, *one.inner)


def test_nothing_is_added_up_where_there_is_one_copy(worked):
    """A weight that served one sequence has one copy; a gain that served every token has many."""
    for one in moments(worked):
        if one.phase == "copies":
            assert (
                worked.steps[one.step].value("contribution").size
                > worked.value(worked.target((one.node, one.input))).size
            )
            assert "every token" in words.headline(worked, one)


@pytest.mark.parametrize("kind", ["Softmax", "Normalize", "CrossEntropy", "MatMul"])
def test_a_gradient_that_a_formula_names_twice_has_a_letter(worked, kind):
    from explorer.panes.backprop.transformer.operations import kind_of

    one = next(
        one
        for one in worked.moments
        if one.phase == "backward" and kind_of(worked.graph, one.node) == kind
    )
    written = explaining.formula(worked, one.step)
    assert ("g = " in written) is (kind in ("Softmax", "Normalize"))
    assert written.count(explaining._slope(explaining.latex(worked, one.node))) == 1
