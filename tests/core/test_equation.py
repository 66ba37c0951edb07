"""A marked line as a row of values and signs."""

import ast

import pytest

from core.equation import ALL, symbols_of
from core.marked_line import MODULES, marked_line
from tests.core.formulas import marker_of
from tests.core.test_marked_lines import markers


def written(statement: str, names: str) -> str:
    symbols = symbols_of(marked_line(marker_of(statement)), names.split())
    return " ".join(symbol.words + ("^T" if symbol.turned else "") for symbol in symbols)


@pytest.mark.parametrize(
    ("statement", "names", "told"),
    [
        ("made = x @ w.mT", "x w made", "x \u00b7 w^T = made"),
        ("made = a * b - c * d", "a b c d made", "a \u00d7 b \u2212 c \u00d7 d = made"),
        ("made = 0.5 * x * (1 + y)", "x y made", "0.5 \u00d7 x \u00d7 ( 1 + y ) = made"),
        ("made = torch.softmax(x, dim=-1)", "x made", "softmax ( x ) = made"),
        ("made = x / torch.sqrt(m + eps)", "x m eps made", "x / sqrt ( m + eps ) = made"),
        ("made = -x", "x made", "\u2212 x = made"),
        ("made = a / (b * c)", "", "a / ( b \u00d7 c ) = made"),
        ("made = (a * b) ** 2", "", "( a \u00d7 b ) ^ 2 = made"),
        ("made = -(a + b)", "", "\u2212 ( a + b ) = made"),
        ("made = a * -b", "", "a \u00d7 ( \u2212 b ) = made"),
        ("made = a - (b - c) + d", "", "a \u2212 ( b \u2212 c ) + d = made"),
        ("made = np.maximum(a, b)", "", "maximum ( a , b ) = made"),
        ("made = (a + b).mean()", "", "mean ( a + b ) = made"),
        ("made = np.sum(x, 0) / 3600", "", "sum ( x ) / 3,600 = made"),
        ("made = x.masked_fill(~y, -math.inf)", "x y made", "x y \u2192 made"),
        ("q, k = x.split((1, 1))", "x q k", "x \u2192 q k"),
    ],
)
def test_it_reads_as_the_line_does(statement, names, told):
    assert written(statement, names) == told


class _Said(ast.NodeTransformer):
    """A formula as a row says it: without modules, settings and turns, methods as functions."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(float(node.value))

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        called, given = node.func, node.args
        name = called.id if isinstance(called, ast.Name) else called.attr
        if isinstance(called, ast.Attribute) and ast.unparse(called.value) not in MODULES:
            given = [called.value]
        has_settings = name in ("softmax", "sum", "mean") or ast.unparse(called) == "np.max"
        given = given[:1] if has_settings else given
        return ast.Call(ast.Name(name), [self.visit(part) for part in given], [])


def said(formula: str) -> str:
    return ast.unparse(_Said().visit(ast.parse(formula, mode="eval").body))


def formula_of(row: str) -> str:
    """A row as Python writes it."""
    signs = {"\u2212": "-", "\u00d7": "*", "\u00b7": "@", "^": "**"}
    words = [signs.get(word, word.replace("\u2212", "-")) for word in row.split(" ")]
    return " ".join(word.replace(",", "") if word[:1].isdigit() else word for word in words)


def test_every_marked_line_that_computes_is_written_as_it_computes():
    wrong, seen = [], 0
    for line in filter(lambda line: line.computes, map(marked_line, markers())):
        row, _, made = " ".join(symbol.words for symbol in symbols_of(line, ())).rpartition(" = ")
        if made != line.made or said(formula_of(row)) != said(ast.unparse(line.formula)):
            wrong.append((line.marker, row))
        seen += 1
    assert wrong == [] and seen > 150


def test_a_row_that_cannot_be_written_is_refused():
    with pytest.raises(ValueError, match="no row of signs"):
        symbols_of(marked_line(marker_of("made = (a @ b).mT")), [])


def test_each_value_has_the_cells_that_the_chosen_one_comes_from():
    product = symbols_of(marked_line(marker_of("made = x @ w.mT")), ["x", "w", "made"], (2, 5))
    assert [symbol.cell for symbol in product if symbol.name] == [(2, ALL), (5, ALL), (2, 5)]
    softmax = symbols_of(marked_line(marker_of("made = torch.softmax(x, dim=-1)")), [], (2, 5))
    assert [symbol.cell for symbol in softmax if symbol.name] == [(2, ALL), (2, 5)]
    larger = symbols_of(marked_line(marker_of("made = np.maximum(x, y)")), [], (2, 5))
    assert {symbol.cell for symbol in larger if symbol.name} == {(2, 5)}
    added = symbols_of(marked_line(marker_of("made = x + y")), ["x", "y", "made"], (2, 5))
    assert {symbol.cell for symbol in added if symbol.name} == {(2, 5)}
