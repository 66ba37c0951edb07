"""What is worked out of an example: every number is the engine's, every shape is accounted for."""

from __future__ import annotations

import numpy as np
import pytest

from core.autograd.operation import sum_to
from explorer.panes.backprop.gpt.compute import check_size, work_out_steps
from explorer.panes.backprop.gpt.example import MOST_TOKENS, TooShort, read_example
from explorer.panes.backprop.gpt.matrix_view import Plane, limit_of, pool, strongest
from explorer.panes.backprop.gpt.operations import kind_of
from explorer.panes.backprop.gpt.track import PlayedTrack
from tests.explorer.panes.backprop.gpt.conftest import TEXT, small_model

# the example


def test_a_text_is_cut_to_what_is_read_and_what_is_predicted(tokenizer):
    example = read_example(tokenizer, "once upon a time " * 30, 256)
    assert example.length == MOST_TOKENS and len(example.ids) == MOST_TOKENS + 1
    total = example.left + MOST_TOKENS + 1
    assert example.left > 0 and example.count == f"the first {MOST_TOKENS} of {total} tokens"
    assert read_example(tokenizer, "once " * 900, 256).count == f"the first {MOST_TOKENS} tokens"
    assert read_example(tokenizer, TEXT, 5).length == 5
    whole = read_example(tokenizer, TEXT, 256)
    assert "".join(whole.labels) == TEXT and whole.left == 0
    assert whole.count == f"{whole.length} tokens"


@pytest.mark.parametrize("text", ["", "a"])
def test_a_text_of_one_token_says_what_is_missing(tokenizer, text):
    with pytest.raises(TooShort, match="a training example needs two"):
        read_example(tokenizer, text, 256)


# operations and timeline


def test_every_operation_of_the_graph_is_in_exactly_one_line(worked):
    nodes = [node for one in worked.operations for node in one.nodes]
    computed = [n for n, node in enumerate(worked.graph.nodes) if node.inputs]
    assert sorted(nodes) == computed
    names = [one.name for one in worked.operations if one.group == ("Block 1", "Attention")]
    assert names[-1] == "residual connection" and "softmax" in names and "mask the future" in names
    groups = list(dict.fromkeys(one.group[0] for one in worked.operations))
    assert groups == ["Embedding", "Block 0", "Block 1", "Output"]


def test_every_step_of_the_trace_is_played_once(worked):
    steps = [step for one in worked.timeline for step in one.steps]
    assert sorted(steps) == list(range(len(worked.steps)))
    phases = [one.phase for one in worked.timeline]
    count = len(worked.operations)
    assert phases == ["forward"] * count + ["seed"] + ["backward"] * count


def test_entering_an_operation_shows_its_edges(worked):
    track = PlayedTrack(worked.timeline, lambda one: one.phase)
    softmax = next(
        place
        for place, one in enumerate(worked.timeline)
        if one.phase == "backward" and kind_of(worked.graph, one.node) == "MatMul"
    )
    inner = track.inside(softmax)
    assert inner is not None and inner.length == len(worked.timeline[softmax].steps)
    assert list(track.marks) == [len(worked.operations)]


# arrays as pictures


@pytest.mark.parametrize(
    ("shape", "axis"), [((), None), ((4,), None), ((3, 5), None), ((1, 3, 5), None),
                        ((1, 2, 3, 5), 1), ((1, 3, 2, 5), 2), ((1, 3, 3, 2, 5), 3)]
)  # fmt: skip
def test_a_cell_of_the_picture_leads_back_to_its_number(shape, axis):
    array = np.arange(int(np.prod(shape)), dtype=float).reshape(shape)
    plane = Plane(shape, axis, 1 if axis is not None else 0)
    matrix = plane.of(array)
    assert matrix.shape == plane.size
    for row, column in np.ndindex(matrix.shape):
        assert array[plane.index(row, column)] == matrix[row, column]


def test_the_heads_axis_is_followed_through_the_graph(worked):
    heads = worked.n_head
    for node, axis in zip(worked.graph.nodes, worked.axes, strict=True):
        if node.label.endswith((".q", ".k", ".v", ".scores", ".weights", ".heads")):
            assert axis == 1 and node.tensor.shape[1] == heads
        if node.tensor.ndim == 3 or node.is_leaf:
            assert axis is None


def test_the_strongest_number_of_a_block_stays_visible():
    matrix = np.zeros((7, 9))
    matrix[5, 8], matrix[0, 0] = -3.0, 2.0
    pooled = pool(matrix, 3, 4)
    assert pooled.values.shape == (3, 3) and pooled.values.min() == -3 and pooled.values.max() == 2
    row, column = np.argwhere(pooled.values == -3)[0].tolist()
    assert strongest(matrix, pooled, row, column) == (5, 8)
    assert limit_of(np.array([1.0, -np.inf, -4.0])) == 4.0


def test_what_flows_along_all_edges_of_a_node_is_its_gradient(worked):
    for number in range(len(worked.graph.nodes) - 1):
        flows = [worked.flow(edge) for edge in worked.edges if worked.target(edge) == number]
        if flows:
            assert np.allclose(sum(flows), worked.gradient(number), rtol=1e-12, atol=1e-15)


def test_the_losses_of_the_tokens_make_the_loss(worked):
    assert worked.losses.mean() == pytest.approx(worked.explained.loss.item(), rel=1e-12)
    assert worked.highway.shape == (3, worked.n_tokens)
    assert worked.explained.disagreement < 1e-10


# what cannot be explained


def test_a_model_with_dropout_and_one_too_large_are_refused_with_a_remedy(monkeypatch):
    from explorer.panes.backprop.gpt import compute as working

    with pytest.raises(ValueError, match=r"dropout.*0\.0"):
        check_size(small_model(dropout=0.1))
    monkeypatch.setattr(working, "MOST_PARAMETERS", 1000)
    with pytest.raises(ValueError, match="Open the bundled model"):
        check_size(small_model())


# what is told


def test_every_formula_can_be_set_and_is_the_same_in_every_block(worked):
    from explorer import theme
    from explorer.panes.backprop.gpt.inspector import formula
    from explorer.widgets.formula import formula_svg

    written: dict[str, list[int]] = {}
    for number in range(len(worked.steps)):
        written.setdefault(formula(worked, number), []).append(number)
    assert len(written) < 0.7 * len(worked.steps)
    kinds = {}  # one of each kind of step
    for latex, numbers in written.items():
        step = worked.steps[numbers[0]]
        kinds.setdefault((step.name, step.code), latex)
    for latex in kinds.values():
        svg = formula_svg(latex, 18, theme.current().name, True)
        height = float(svg.partition(b'height="')[2].partition(b'"')[0])
        assert height < 120, latex


@pytest.mark.parametrize("kind", ["MatMul", "Softmax", "Normalize", "Multiply", "Add", "GELU"])
def test_what_a_number_was_made_of_is_all_that_moves_it(worked, kind):
    """Numbers outside of the framed rows and columns may be anything: the result stays."""
    from explorer.panes.backprop.gpt.operands import sources_of
    from explorer.panes.backprop.gpt.scene import Cell

    nodes = [n for n in range(len(worked.graph.nodes)) if kind_of(worked.graph, n) == kind]
    node = nodes[len(nodes) // 2]
    tensor = worked.graph.nodes[node].tensor
    for place in [None, *range(len(tensor.inputs))]:
        if place is not None and (node, place) not in worked.edges:
            continue
        what = ("value", node) if place is None else ("flow", (node, place))
        cell = Cell(what, 1, 1, 2)
        names = [("value", n) for n in worked.graph.nodes[node].inputs]
        names += [("value", node), ("gradient", node)]
        arrays = [np.full_like(worked.array(name), 7.5) for name in names]
        for source in sources_of(worked, cell):
            kept, plane = arrays[names.index(source.what)], worked.plane(source.what, cell.head)
            rows, columns = plane.size
            for row in range(rows) if source.row is None else [source.row]:
                for column in range(columns) if source.column is None else [source.column]:
                    at = plane.index(row, column)
                    kept[at] = worked.array(source.what)[at]
        *inputs, out, upstream = arrays
        if place is None:
            again = tensor.operation.forward(*inputs)
        else:
            flow = tensor.operation.contribution(place, upstream, out, *inputs)
            again = sum_to(np.asarray(flow), inputs[place].shape)
        at = worked.plane(what, 1).index(1, 2)
        assert again[at] == pytest.approx(worked.array(what)[at], rel=1e-9)


def test_the_work_is_told_as_it_goes_and_may_be_closed(tokenizer):
    model = small_model()
    example = read_example(tokenizer, TEXT, 16)
    steps = work_out_steps(model, example, "small", None)
    assert [next(steps) for _ in range(3)] == ["copy", "copy", "forward"]
    steps.close()
    assert model.training and all(one.grad is None for one in model.parameters())
