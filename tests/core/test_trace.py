"""Steps and Traces, and the promise behind every code marker: the marked line computed the Step's
values.
"""

import functools
import importlib
import pkgutil
import re
import sys
from types import FrameType

import numpy as np
import pytest

import core
from core.trace import Step, Trace, marked_lines, source
from tests.core.families import FAMILIES

MARKER = "core.trace:Trace.finish#none"


def step(name: str = "a", parent: int | None = None, **values) -> Step:
    return Step(name, "title", "x", MARKER, {"x": np.zeros(3), **values}, parent)


def test_values_are_read_only_and_the_original_stays_writable():
    mine = np.zeros(3)
    recorded = step(y=mine).value("y")
    with pytest.raises(ValueError, match="read-only"):
        recorded[0] = 1.0
    mine[0] = 1.0


def test_a_callable_value_is_computed_when_asked_for():
    calls = []
    lazy = step(y=lambda: calls.append(1) or np.arange(2))
    assert calls == []
    assert lazy.value("y").tolist() == [0, 1]
    assert not lazy.value("y").flags.writeable


def test_an_unknown_value_names_the_known_ones():
    with pytest.raises(ValueError, match="it has x"):
        step().value("z")


def test_a_malformed_marker_is_refused():
    with pytest.raises(ValueError, match="no code marker"):
        Step("a", "t", "x", "core.trace.Trace", {})


def test_a_trace_grows_from_a_generator_until_it_is_complete():
    trace = Trace.follow(step(str(i)) for i in range(3))
    assert len(trace) == 0 and not trace.complete
    assert trace.grow() and trace.grow() and trace.grow()
    assert not trace.complete
    assert not trace.grow() and trace.complete and not trace.grow()
    assert [s.name for s in trace] == ["0", "1", "2"]
    with pytest.raises(ValueError, match="complete"):
        trace.append(step())


def test_steps_nest_and_the_scrubber_sees_one_level():
    trace = Trace()
    outer = trace.append(step("outer"))
    trace.append(step("inner", parent=outer))
    trace.append(step("next"))
    assert trace.children() == [0, 2]
    assert trace.children(outer) == [1]
    with pytest.raises(ValueError, match="parent 9"):
        trace.append(step(parent=9))


def test_the_budget_is_kept_with_a_remedy():
    trace = Trace(budget=100)
    trace.append(step())
    with pytest.raises(ValueError, match="shorter text"):
        trace.append(step(y=np.zeros(20)))
    assert len(trace) == 1 and trace.nbytes <= 100


def modules_of_core() -> list[str]:
    return sorted(
        m.name for m in pkgutil.walk_packages(core.__path__, "core.") if "__main__" not in m.name
    )


def test_every_marker_resolves_to_the_one_line_that_carries_it():
    found = []
    for name in modules_of_core():
        for marker in marked_lines(importlib.import_module(name)):
            where = source(marker)
            assert where.lines[where.marked].rstrip().endswith(f"# step: {marker.rsplit('#')[1]}")
            with open(where.path, encoding="utf-8") as file:
                assert (
                    file.read().splitlines()[where.first_line - 1 + where.marked]
                    == where.lines[where.marked]
                )
            found.append(marker)
    assert "core.transformer.attention:attend#softmax" in found


def test_a_marked_line_computes_something_and_does_not_only_rearrange():
    """What a reader is led to is the thing itself: no axis shuffling, no thrown-away names."""
    for name in modules_of_core():
        for marker in marked_lines(importlib.import_module(name)):
            where = source(marker)
            line = where.lines[where.marked]
            assert not re.search(r"permute\(|\b_\s*,|,\s*_\b", line), f"{marker}: {line.strip()}"
    project = source("core.transformer.attention:Attention.project#project")
    assert "self.c_attn(x)" in project.lines[project.marked], "q = x W_Q is a product with weights"


def test_every_marker_comment_in_core_belongs_to_a_function():
    """A marker on a line that no function holds would never be found by the inspector."""
    for name in modules_of_core():
        module = importlib.import_module(name)
        with open(module.__file__, encoding="utf-8") as file:
            written = re.findall(r"^(?!\s*#).*# step: ([\w.-]+)\s*$", file.read(), re.MULTILINE)
        assert sorted(written) == sorted(m.rsplit("#")[1] for m in marked_lines(module)), name


@pytest.mark.parametrize(
    "marker", ["core.nowhere:f#x", "core.trace:nothing#x", "core.trace:source#x", "nonsense"]
)
def test_a_marker_that_leads_nowhere_is_an_error(marker):
    with pytest.raises(ValueError, match="marker"):
        source(marker)


@functools.cache
def marked_places() -> dict[tuple[str, int], str]:
    """Every marker of core by file and line: found once, since that takes over a second."""
    places = {}
    for name in modules_of_core():
        for marker in marked_lines(importlib.import_module(name)):
            where = source(marker)
            places[where.path, where.first_line + where.marked] = marker
    return places


class MarkedLines:
    """Runs under sys.settrace and keeps the locals as they are right after each marked line has
    run.
    """

    def __init__(self) -> None:
        self.lines = marked_places()
        self.locals: dict[str, list[dict]] = {}

    def __enter__(self) -> "MarkedLines":
        self.files = {path for path, _ in self.lines}
        self.before = sys.gettrace()
        sys.settrace(self.call)
        return self

    def __exit__(self, *_) -> None:
        sys.settrace(self.before)

    def call(self, frame: FrameType, event: str, argument: object):
        if frame.f_code.co_filename not in self.files:
            return None
        last = [None]

        def line(frame: FrameType, event: str, argument: object):
            # A "line" event comes before the line runs: what the previous line left behind is here
            # now.
            marker = self.lines.get((frame.f_code.co_filename, last[0]))
            if marker and event in ("line", "return"):
                left = {
                    name: list(value) if isinstance(value, list) else value  # it may grow later
                    for name, value in frame.f_locals.items()
                }
                self.locals.setdefault(marker, []).append(left)
            last[0] = frame.f_lineno
            return line

        return line

    def left(self, step: Step) -> None:
        """Asserts that one run of the step's marked line left all its values, under their names."""
        seen = self.locals.get(step.code, [])
        assert seen, f"{step.code} did not run"
        assert step.values, f"{step.code} shows no value"
        for frame in seen:
            if all(_same(frame.get(name), step.value(name)) for name in step.values):
                return
        raise AssertionError(
            f"{step.code}: no run of the marked line left {', '.join(step.values)} as the step says"
        )


def _same(local: object, value: np.ndarray) -> bool:
    local = local.detach() if hasattr(local, "detach") else local
    numbers = value.dtype.kind == "f"  # a gradient norm that is none is the same one
    return local is not None and np.array_equal(np.asarray(local), value, equal_nan=numbers)


@pytest.mark.parametrize(
    "changes",
    [{}, {"positions": "rope", "n_kv_head": 1}, {"norm_placement": "post", "bias": False}],
    ids=str,
)
def test_the_marked_lines_computed_the_values_of_the_attention_trace(changes):
    torch = pytest.importorskip("torch")
    from core.inference.attention_trace import trace_attention
    from core.transformer import ModelConfig
    from core.transformer.gpt import GPT

    config = ModelConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=8, **changes)
    model = GPT(config, torch.Generator().manual_seed(0))
    with MarkedLines() as watched:
        trace = trace_attention(model, [1, 2, 3, 4, 5], layer=1, head=1, query=3)
    assert len(trace) == 11
    for step in trace:
        watched.left(step)
        assert all(value.size > 0 for value in step.values.values())


@pytest.mark.parametrize("changes", FAMILIES.values(), ids=FAMILIES)
def test_the_marked_lines_computed_the_values_of_the_forward_trace(changes):
    torch = pytest.importorskip("torch")
    from core.inference.activations import looking_at
    from core.inference.forward_trace import trace_forward
    from core.transformer import ModelConfig
    from core.transformer.gpt import GPT

    config = ModelConfig(vocab_size=31, block_size=8, n_layer=2, n_head=2, n_embd=8, **changes)
    model = GPT(config, torch.Generator().manual_seed(0))
    ids = [1, 2, 3, 4, 5]
    with MarkedLines() as watched:
        with looking_at(model):
            model(torch.tensor([ids]))
        trace = trace_forward(model, ids)
        for step in trace:  # what is inside of a block runs when it is asked for
            for name in step.values:
                step.value(name)
    for step in trace:
        watched.left(step)
        assert all(value.size > 0 for value in map(step.value, step.values))


def test_the_marked_lines_computed_the_values_of_the_translation_trace():
    torch = pytest.importorskip("torch")
    from core.inference.translation_trace import PARTS, trace_translation
    from core.transformer import EncoderDecoderConfig, ModelConfig
    from core.transformer.encoder_decoder import EncoderDecoder

    stack = ModelConfig(vocab_size=11, block_size=6, n_layer=2, n_head=2, n_embd=8)
    config = EncoderDecoderConfig(encoder=stack, decoder=stack, end_id=10)
    model = EncoderDecoder(config, torch.Generator().manual_seed(0))
    with MarkedLines() as watched:
        trace = trace_translation(model, [1, 2, 3, 4, 5], (1, 0))
    assert len(trace.children()) == len(trace.about["written"]) > 1
    assert all(len(trace.children(step)) == len(PARTS) for step in trace.children())
    for step in trace:
        watched.left(step)
        assert all(value.size > 0 for value in step.values.values())


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, ["logits", "temperature", "softmax", "draw", "append"]),
        ({"temperature": 0.0}, ["logits", "greedy", "draw", "append"]),
        (
            {"temperature": 0.8, "top_k": 7, "top_p": 0.9, "min_p": 0.05},
            [
                "logits",
                "temperature",
                "softmax",
                "top_k",
                "top_p",
                "min_p",
                "rescale",
                "draw",
                "append",
            ],
        ),
        (
            {"repetition_penalty": 1.5, "top_p": 0.5},
            ["logits", "penalty", "temperature", "softmax", "top_p", "rescale", "draw", "append"],
        ),
    ],
    ids=["plain", "greedy", "cuts", "penalty"],
)
def test_the_marked_lines_computed_the_values_of_a_token_that_was_chosen(settings, names):
    torch = pytest.importorskip("torch")
    from core.inference.context import Context
    from core.inference.generation import generate_steps
    from core.inference.sampling import Sampling
    from core.inference.sampling_trace import trace_next_token
    from core.transformer import ModelConfig
    from core.transformer.gpt import GPT

    config = ModelConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=8)
    model = GPT(config, torch.Generator().manual_seed(0))
    logits = Context(model).read([1, 2, 3])
    with MarkedLines() as watched:
        (token,) = generate_steps(model, [1, 2, 3], 1, Sampling(**settings), seed=1)
    trace = trace_next_token(logits, Sampling(**settings), [1, 2, 3], token.drawn)
    assert [step.name.removeprefix("sampling.") for step in trace] == names
    assert trace.about["token"] == token.id
    for step in trace:
        watched.left(step)


def test_the_marked_lines_computed_the_values_of_a_beam_search():
    torch = pytest.importorskip("torch")
    from core.inference.beam_search import BeamSettings
    from core.inference.beam_search_trace import trace_beam_search
    from core.transformer import ModelConfig
    from core.transformer.gpt import GPT

    config = ModelConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=8)
    model = GPT(config, torch.Generator().manual_seed(0))
    settings = BeamSettings(max_new_tokens=4, beams=3, stop=(5,), length_penalty=0.6)
    with MarkedLines() as watched:
        trace = trace_beam_search(model, [1, 2, 3], settings)
    names = [step.name.removeprefix("beams.") for step in trace]
    assert names[:3] == ["score", "choose", "prune"] and "finish" in names
    assert trace.complete
    for step in trace:
        watched.left(step)


@pytest.mark.parametrize(
    "changes", [{}, {"micro_batches": 2, "clip": 0.0}, {"schedule": "constant"}], ids=str
)
def test_the_marked_lines_computed_the_values_of_a_whole_training_step(tmp_path, changes):
    """Every phase of real optimizer steps, of warm-up and after, from the run's own records."""
    pytest.importorskip("torch")
    from core.training.phases import PHASES, phase_step
    from tests.core.training.small import finish, small_config

    quiet = {"sample_every": 0, "probe_every": 0, "evaluate_every": 0, "checkpoint_every": 0}
    config = small_config(tmp_path, **{"steps": 3, "warmup_steps": 1, **quiet, **changes})
    with MarkedLines() as watched:
        run = finish(config, tmp_path / "run")
    lines = set()
    for record in run.steps:
        named = {name: float(record[name]) for name in run.steps.dtype.names}
        for phase in PHASES:
            step = phase_step(phase, config, int(record["step"]), named)
            watched.left(step)
            lines.add(step.code.rsplit("#")[1])
    loss = "loss" if config.micro_batches == 1 else "mean_loss"
    assert lines == {
        *("data", "forward", loss, "backward", "clip", "optimizer"),
        *("warmup", config.schedule),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"stage": 0, "precision": "fp32"},
        {"stage": 2, "recompute": "none"},
        {"devices": 1},
        {"own_run": True, "precision": "bf16"},
        {"pipeline": 8},
        {"pipeline": 8, "stage": 0, "devices": 8},
    ],
    ids=str,
)
def test_the_marked_lines_computed_the_values_of_a_plan(changes):
    from core.training.estimates.plan_trace import trace_plan
    from tests.core.training.estimates.test_plan import setup

    with MarkedLines() as watched:
        trace = trace_plan(setup(**changes))
    for step in trace:
        watched.left(step)
    terms = [step.name.removeprefix("plan.") for step in trace]
    assert terms[0] == "parameters" and terms[-1] == "optimum" and "memory" in terms
    pipeline, several = "pipeline" in changes, "devices" not in changes
    assert ("communication" in terms) == (several or pipeline)
    assert [term in terms for term in ("bubble", "passed")] == [pipeline, pipeline]
    shares = [term for term in terms if term.endswith(".share")]
    by_zero = {0: 0, 2: 3, 3: 4}[changes.get("stage", 3)] * several
    by_zero -= "own_run" in changes  # it has no master copy
    assert len(shares) == by_zero + 4 * pipeline


def test_a_plan_has_no_step_for_what_nobody_knows():
    from core.training.estimates.plan_trace import trace_plan
    from tests.core.training.estimates.test_plan import setup

    terms = [step.name for step in trace_plan(setup(device=None, link=None, price=None))]
    assert not {"plan.compute", "plan.communication", "plan.step", "plan.cost"} & set(terms)
    assert {"plan.memory", "plan.sent.zero", "plan.loss"} <= set(terms)
