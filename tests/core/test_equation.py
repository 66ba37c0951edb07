"""A marked line as a row of values and signs."""

import pytest

from core.equation import ALL, terms_of
from core.marked_line import marked_line
from tests.core.formulas import marker_of


def written(statement: str, names: str) -> str:
    terms = terms_of(marked_line(marker_of(statement)), names.split())
    return " ".join(term.words + ("^T" if term.turned else "") for term in terms)


@pytest.mark.parametrize(
    ("statement", "names", "told"),
    [
        ("made = x @ w.mT", "x w made", "x \u00b7 w^T = made"),
        ("made = a * b - c * d", "a b c d made", "a \u00d7 b \u2212 c \u00d7 d = made"),
        ("made = 0.5 * x * (1 + y)", "x y made", "0.5 \u00d7 x \u00d7 ( 1 + y ) = made"),
        ("made = torch.softmax(x, dim=-1)", "x made", "softmax ( x ) = made"),
        ("made = x / torch.sqrt(m + eps)", "x m eps made", "x / sqrt ( m + eps ) = made"),
        ("made = -x", "x made", "\u2212 x = made"),
        ("made = x.masked_fill(~y, -math.inf)", "x y made", "x y \u2192 made"),
        ("q, k = x.split((1, 1))", "x q k", "x \u2192 q k"),
    ],
)
def test_it_reads_as_the_line_does(statement, names, told):
    assert written(statement, names) == told


def test_each_value_has_the_cells_that_the_chosen_one_comes_from():
    product = terms_of(marked_line(marker_of("made = x @ w.mT")), ["x", "w", "made"], (2, 5))
    assert [term.cell for term in product if term.name] == [(2, ALL), (5, ALL), (2, 5)]
    softmax = terms_of(marked_line(marker_of("made = torch.softmax(x, dim=-1)")), [], (2, 5))
    assert [term.cell for term in softmax if term.name] == [(2, ALL), (2, 5)]
    added = terms_of(marked_line(marker_of("made = x + y")), ["x", "y", "made"], (2, 5))
    assert {term.cell for term in added if term.name} == {(2, 5)}
