"""Descriptions in words of typed text that a formula cannot contain."""

from __future__ import annotations

import ast

_WORDS = {
    ast.Attribute: "a dot after a name",
    ast.Subscript: "an index in brackets",
    ast.Lambda: "a lambda",
    ast.Compare: "a comparison",
    ast.BoolOp: "and/or",
    ast.JoinedStr: "text in quotes",
    ast.UnaryOp: "not/~",
    ast.Dict: "a dictionary",
    ast.Set: "a set",
    ast.Tuple: "a list in parentheses",
    ast.IfExp: "a condition",
    ast.Call: "calling anything but a function's name",
    ast.Starred: "a star before a value",
    ast.NamedExpr: ":= inside a formula",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
    ast.Import: "an import",
    ast.ImportFrom: "an import",
    ast.Assign: "assigning to anything but one name",
    ast.AugAssign: "= with another sign before it",
    ast.AnnAssign: "a type after a name",
    ast.FunctionDef: "a function definition",
    ast.AsyncFunctionDef: "a function definition",
    ast.ClassDef: "a class",
    ast.If: "a condition",
    ast.For: "a loop",
    ast.While: "a loop",
}

SIGNS: dict[type[ast.operator], str] = {
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
}


_INSTEAD = {
    "'\u00b2'": "write **2",
    "'\u00b3'": "write **3",
    "'\u00d7'": "write *",
    "'\u00b7'": "write *",
    "'\u22c5'": "write *",
    "'\u00f7'": "write /",
    "'\u2212'": "write -",
    "'\u2013'": "write -",
    "'\u221a'": "write x**0.5 for the root of x",
    "'\u2211'": "write sum(...)",
}  # for signs of mathematical notation
_PLAINER = {
    "digits": "a number is too long",
    "decimal literal": "a number runs into a name; write 2*x, not 2x",
    "leading zeros": "a number cannot begin with extra zeros",
    "unmatched": "this bracket was never opened",
    "cannot assign": "the left side of = must be a single name",
    "unterminated": "a formula cannot contain text in quotes",
}  # by a part of Python's message


def kind_of(tree: ast.AST) -> str:
    """Returns a name in words for a part of Python that a formula cannot contain."""
    if isinstance(tree, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return "a comprehension"
    return _WORDS.get(type(tree), "this")


def said_of(error: SyntaxError) -> str:
    """Returns the reason of a syntax error, for users who do not know Python."""
    said = str(error.msg)
    if said.startswith("invalid character"):
        sign = said.split(" ")[2]
        instead = _INSTEAD.get(sign, "use numbers, names, parentheses and + - * / **")
        return f"a formula cannot contain {sign}; {instead}"
    if said.startswith("invalid non-printable character"):
        return f"there is an invisible character here ({said.split(' ')[-1]}); delete it"
    if not any(good in said for good in ("never closed", "does not match", "nested")):
        general = "something is missing or extra here, such as an operator or a bracket"
        said = next((ours for theirs, ours in _PLAINER.items() if theirs in said), general)
    return f"this is not a complete formula: {said}"
