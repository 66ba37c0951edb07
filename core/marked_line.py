"""What a marked line does: which name it makes, from which names, and whether it computes.

A line that computes is one assignment to a fresh local name, and reads local names alone, so that
`core.arithmetic` can write it with numbers. A line that only moves numbers (reshape, index, mask,
split, concatenate), looks something up, or calls what is told elsewhere has no arithmetic. Its
calls are all named below: a call that is not computes.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass

from core.trace import source

REDUCTIONS = ("sum", "mean", "max")
FUNCTIONS = (
    *("exp", "log", "sqrt", "tanh", "sin", "cos", "abs", "maximum", "relu"),
    *("softmax", "logsumexp"),
    *REDUCTIONS,
)
MODULES = ("np", "math", "torch", "F")  # may stand before a function's name
LIBRARIES = (*MODULES, "nn")  # of what has a dot in its name below
OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "\u00d7",
    ast.Div: "/",
    ast.Pow: "^",
    ast.MatMult: "@",
}
TURNED = ("T", "mT")
SETTINGS = ("axis", "dim", "keepdims", "keepdim")  # NumPy's names and torch's
# Calls that do not compute, by the name that is called. `MOVES` and `METHODS` stand behind a dot.
MOVES = (
    *("reshape", "view", "flatten", "unflatten", "ravel", "squeeze", "unsqueeze"),
    *("transpose", "permute", "swapaxes", "flip", "roll", "split", "chunk", "unbind"),
    *("cat", "concatenate", "stack", "repeat_interleave", "tile", "expand", "broadcast_to"),
    *("take", "gather", "index_select", "where", "masked_fill"),
    *("array", "asarray", "astype", "to", "float", "tolist", "item", "ones_like", "zeros_like"),
    "add.at",  # adds each number to what stands at its place
)
METHODS = (  # of texts, lists and tables
    *("append", "extend", "get", "difference", "join", "findall", "translate", "encode"),
    "heappop",
)
BUILTINS = ("len", "list", "set", "range", "sorted", "min", "float")
CALLS = (  # they have lines and steps of their own, or hide in a library
    *("Match", "arrive", "best", "byte_ids", "clean_text", "encode", "match", "merge", "merge_all"),
    *("parents", "split_unused", "to_characters", "used_pieces", "_compose", "_finish"),
    *("binary_cross_entropy", "cross_entropy", "orthogonalize", "c_attn", "random"),
    *("batches", "loss", "backward", "unscale", "utils.clip_grad_norm_", "step", "event"),
)
ALLOWED = (
    "operators, numbers, .mT, " + ", ".join(dict.fromkeys(FUNCTIONS)) + " of local names; compute "
    "anything else in a line above it"
)


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """A marked line, parsed.

    made      the local name that it makes; "" where it is no assignment to one name
    reads     the local names that it reads, in order, each once
    formula   what it assigns
    computes  whether it is arithmetic; otherwise it moves numbers, or calls
    """

    marker: str
    made: str
    reads: tuple[str, ...]
    formula: ast.expr
    computes: bool


@functools.lru_cache(maxsize=512)
def marked_line(marker: str) -> MarkedLine:
    """The line that a marker leads to.

    Raises ValueError for a marker that leads nowhere, for a line that is only a part of a
    statement, and for one that computes but cannot be written with numbers.
    """
    where = source(marker)
    line = where.lines[where.marked].strip()
    try:
        (statement,) = ast.parse(line).body
    except (SyntaxError, ValueError):
        raise ValueError(
            f"marker {marker}: {line!r} is no statement by itself; write it in one line"
        ) from None
    formula = _value_of(statement)
    computes = _computes(statement, formula)
    made = _made_by(statement)
    if computes and not made:
        raise ValueError(
            f"marker {marker}: {line!r} computes; make it one assignment to one local name"
        )
    reads = tuple(dict.fromkeys(_names(formula)))
    if computes and made in reads:
        raise ValueError(
            f"marker {marker}: {line!r} changes {made}; give what it makes a name of its own"
        )
    if computes and (wrong := _not_allowed(formula)):
        raise ValueError(f"marker {marker}: {line!r} has {wrong}; it may have {ALLOWED}")
    return MarkedLine(marker, made, reads, formula, computes)


def function_of(node: ast.expr) -> str:
    """The function that a call calls, where it is one of FUNCTIONS; else ""."""
    if not isinstance(node, ast.Call):
        return ""
    called = node.func
    if isinstance(called, ast.Name):
        name = called.id
    elif isinstance(called, ast.Attribute):
        of_module = isinstance(called.value, ast.Name) and called.value.id in MODULES
        name = called.attr if of_module or called.attr in REDUCTIONS else ""
    else:
        name = ""
    return name if name in FUNCTIONS else ""


def _computes_nothing(node: ast.Call) -> bool:
    """Whether a call moves numbers, looks something up, or is told elsewhere."""
    match node.func:
        case ast.Name(id=name):
            return name in BUILTINS or name in CALLS
        case ast.Attribute(ast.Attribute(ast.Name(id=module), group), name) if module in LIBRARIES:
            name = f"{group}.{name}"
        case ast.Attribute(attr=name):
            pass
        case _:
            return False
    return name in (*MOVES, *METHODS, *CALLS)


def is_method(node: ast.Call) -> bool:
    """Whether it is written `a.sum()`, and not `np.sum(a)`."""
    called = node.func
    if not isinstance(called, ast.Attribute):
        return False
    return not (isinstance(called.value, ast.Name) and called.value.id in MODULES)


def _value_of(statement: ast.stmt) -> ast.expr:
    match statement:
        case ast.Assign() | ast.AugAssign() | ast.Expr():
            return statement.value
        case ast.AnnAssign(value=ast.expr() as value):
            return value
    return ast.Constant(None)


def _made_by(statement: ast.stmt) -> str:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.Expr(ast.Call(ast.Attribute(attr="at"), [ast.Name(id=name), *_])):
            return name  # np.add.at(name, places, numbers)
    return ""


def _computes(statement: ast.stmt, formula: ast.expr) -> bool:
    return isinstance(statement, ast.AugAssign) or any(map(_is_arithmetic, _outside(formula)))


def _outside(node: ast.AST) -> Iterator[ast.AST]:
    """The node and its parts, without what only says where: indices, and names and constants that
    what moves or calls is given.
    """
    yield node
    match node:
        case ast.Subscript():
            parts: list[ast.AST] = [node.value]
        case ast.Call() if _computes_nothing(node):
            parts = [
                node.func,
                *(one for one in node.args if isinstance(one, ast.BinOp | ast.Call)),
            ]
        case _:
            parts = list(ast.iter_child_nodes(node))
    for part in parts:
        yield from _outside(part)


def _is_arithmetic(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return True
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant)
    return isinstance(node, ast.Call) and not _computes_nothing(node)


def _not_allowed(node: ast.expr) -> str:
    """What stands in the formula that may not, in words; "" where nothing does."""
    match node:
        case ast.Name():
            return ""
        case ast.Constant(value=bool()):
            return f"the constant {node.value!r}"
        case ast.Constant(value=int() | float()):
            return ""
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return _not_allowed(left) or _not_allowed(right)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _not_allowed(operand)
        case ast.Attribute(value=value, attr=attr) if attr in TURNED:
            return _not_allowed(value)
        case ast.Call() if function := function_of(node):
            inside = [*node.args, *([node.func.value] if is_method(node) else [])]  # type: ignore[attr-defined]
            settings = [one.arg for one in node.keywords if one.arg not in SETTINGS]
            if settings:
                return f"{function}(..., {settings[0]}=...)"
            given = [one.value for one in node.keywords if not isinstance(one.value, ast.Constant)]
            return next((wrong for one in (*inside, *given) if (wrong := _not_allowed(one))), "")
    return f"`{ast.unparse(node)}`"


def _names(node: ast.AST) -> Iterator[str]:
    """Names that are read, from left to right; not the modules before a function."""
    match node:
        case ast.Name():
            yield node.id
        case ast.Call(func=ast.Name(), args=args, keywords=keywords):
            for part in (*args, *keywords):
                yield from _names(part)
        case ast.Attribute(value=ast.Name(id=module)) if module in MODULES:
            return
        case _:
            for part in ast.iter_child_nodes(node):
                yield from _names(part)
