"""Analyzes a marked line: the name it assigns, the names it reads, and whether it computes.

A line that computes is one assignment to a fresh local name, and reads only local names, so that
`core.arithmetic` can write it with numbers. A line that only moves numbers (reshape, index, mask,
split, concatenate), looks up a value, or calls code documented elsewhere has no arithmetic. All
such calls are listed below: any other call computes.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.trace import source

REDUCTIONS = ("sum", "mean", "max")
FUNCTIONS = (
    *("exp", "log", "sqrt", "tanh", "sin", "cos", "abs", "maximum", "relu"),
    *("softmax", "logsumexp"),
    *REDUCTIONS,
)
MODULES = ("np", "math", "torch", "F")  # may precede a function's name
LIBRARIES = (*MODULES, "nn")  # of dotted names below
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
# Calls that do not compute, in any module: `MOVES` and `METHODS` come after a dot.
MOVES = (
    *("reshape", "view", "flatten", "unflatten", "ravel", "squeeze", "unsqueeze"),
    *("transpose", "permute", "swapaxes", "flip", "roll", "split", "chunk", "unbind"),
    *("cat", "concatenate", "stack", "repeat_interleave", "tile", "expand", "broadcast_to"),
    *("take", "gather", "index_select", "where", "masked_fill"),
    *("array", "asarray", "astype", "to", "float", "tolist", "item", "ones_like", "zeros_like"),
    "add.at",  # adds each number to the one at its index
)
METHODS = (  # of strings, lists and tables
    *("append", "extend", "get", "difference", "join", "findall", "translate", "encode"),
)
BUILTINS = ("len", "list", "set", "range", "sorted", "float")
# By the module of the marked line: calls that have their own lines and steps, that only choose or
# draw, or that are implemented in a library.
CALLS = {
    "core.autograd.losses": ("F.binary_cross_entropy", "F.cross_entropy"),
    "core.finetuning.nf4": ("torch.amax", "torch.bucketize"),
    "core.finetuning.selection": ("own[name].requires_grad_",),
    "core.finetuning.spectrum": ("torch.linalg.qr", "torch.linalg.svd"),
    "core.inference.beam_search": ("flat.topk",),
    "core.inference.generation": ("read",),
    "core.inference.sampling": ("logits.argmax",),
    "core.optimization.muon": ("orthogonalize",),
    "core.tokenization.analysis.search": ("Match",),
    "core.tokenization.bpe.dropout": ("generator.random",),
    "core.tokenization.bpe.merge_trees": ("tokenizer.parents",),
    "core.tokenization.bpe.merging": ("min",),
    "core.tokenization.bpe.tokenizer": (
        *("self._compose", "self.byte_ids", "merge_all", "to_characters"),
    ),
    "core.tokenization.characters": ("clean_text",),
    "core.tokenization.formats.library": ("encode",),
    "core.tokenization.sentencepiece.normalizer": ("self._finish",),
    "core.tokenization.sentencepiece.score_merging": ("generator.random", "heapq.heappop"),
    "core.tokenization.sentencepiece.tokenizer": ("merge", "split_unused"),
    "core.tokenization.unigram.em": ("block.used_pieces",),
    "core.tokenization.unigram.lattice": ("arrive",),
    "core.tokenization.unigram.tokenizer": ("self._search.best",),
    "core.tokenization.wordpiece.tokenizer": ("self.match",),
    "core.training.attempt": (
        *("task.batches", "task.loss", "scaled.backward", "optimizer.step"),
        "self.writer.event",
    ),
    "core.training.data_parallel": ("dist.all_reduce",),
    "core.training.fully_sharded": ("_gather", "_scatter"),
    "core.training.number_formats": ("np.rint",),
    "core.training.parallel": ("nn.utils.clip_grad_norm_",),
    "core.training.ranks": ("dist.all_reduce",),
    "core.training.scaler": ("gradient.div_",),
    "core.transformer.attention": ("self.c_attn", "self.c_proj"),
    "core.transformer.cross_attention": ("self.queries", "self.keys_and_values"),
    "core.transformer.encoder_decoder": ("self.lm_head",),
    "core.transformer.gpt": ("self.lm_head",),
    "core.transformer.stack": ("self.embed", "block", "self.ln_f", "self.wte"),
    "core.transformer.layers": (
        *("self.ln_1", "self.attn", "self.ln_2", "self.mlp", "self.drop"),
        *("self.ln_cross", "self.cross"),
        *("self.c_fc", "self.c_gate", "self.c_proj", "F.gelu", "F.silu"),
    ),
}
ALLOWED = (
    "operators, numbers, .mT, " + ", ".join(dict.fromkeys(FUNCTIONS)) + " of local names; compute "
    "anything else in a line above it"
)


@dataclass(frozen=True, slots=True)
class MarkedLine:
    """A marked line, parsed.

    made      the local name that it assigns; "" if it is not an assignment to one name
    reads     the local names that it reads, in order, each once
    formula   the assigned expression
    computes  whether it is arithmetic; otherwise it moves numbers, or calls
    """

    marker: str
    made: str
    reads: tuple[str, ...]
    formula: ast.expr
    computes: bool


@functools.lru_cache(maxsize=512)
def marked_line(marker: str) -> MarkedLine:
    """Returns the line of a marker.

    Raises ValueError for an unknown marker, for a line that is only a part of a statement, and for
    one that computes but cannot be written with numbers.
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
    exempt = CALLS.get(marker.partition(":")[0], ())
    computes = _computes(statement, formula, exempt)
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
    """Returns the called function if it is one of FUNCTIONS, or ""."""
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


def _computes_nothing(node: ast.Call, exempt: Sequence[str]) -> bool:
    """Returns True if a call moves numbers, looks up a value, or is `exempt` in its module."""
    if ast.unparse(node.func) in exempt:
        return True
    match node.func:
        case ast.Name(id=name):
            return name in BUILTINS
        case ast.Attribute(ast.Attribute(ast.Name(id=module), group), name) if module in LIBRARIES:
            name = f"{group}.{name}"
        case ast.Attribute(attr=name):
            pass
        case _:
            return False
    return name in (*MOVES, *METHODS)


def is_method(node: ast.Call) -> bool:
    """Returns True for `a.sum()`, and False for `np.sum(a)`."""
    called = node.func
    if not isinstance(called, ast.Attribute):
        return False
    return not (isinstance(called.value, ast.Name) and called.value.id in MODULES)


def reduces(node: ast.Call) -> bool:
    """Returns True for the sum, mean or maximum of an array, but not for `max(a, b)`."""
    function = function_of(node)
    if function not in REDUCTIONS:
        return False
    return is_method(node) or function != "max" or len(node.args) < 2


def operand_of(node: ast.Call) -> ast.expr:
    """Returns the array argument of a call: the object of a method, or the first argument."""
    if is_method(node):
        assert isinstance(node.func, ast.Attribute)
        return node.func.value
    return node.args[0]


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


def _computes(statement: ast.stmt, formula: ast.expr, exempt: Sequence[str]) -> bool:
    if isinstance(statement, ast.AugAssign):
        return True
    return any(_is_arithmetic(node, exempt) for node in _outside_indices(formula))


def _outside_indices(node: ast.AST) -> Iterator[ast.AST]:
    """Yields the node and all its parts, except indices, which are positions."""
    yield node
    parts = [node.value] if isinstance(node, ast.Subscript) else ast.iter_child_nodes(node)
    for part in parts:
        yield from _outside_indices(part)


def _is_arithmetic(node: ast.AST, exempt: Sequence[str]) -> bool:
    match node:
        case ast.BinOp():
            return True
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return not _is_constant(operand)
        case ast.Call():
            return not _computes_nothing(node, exempt)
    return False


def _is_constant(node: ast.expr) -> bool:
    """Returns True for a number, or a library's constant, such as math.inf."""
    match node:
        case ast.Constant():
            return True
        case ast.Attribute(value=ast.Name(id=module)):
            return module in MODULES
    return False


def _not_allowed(node: ast.expr) -> str:
    """Describes the first part of a formula that is not allowed, or returns ""."""
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
    """Yields the names that are read, from left to right, without modules of functions."""
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
