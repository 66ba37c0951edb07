"""The trace of a forward pass shows the model's own numbers, nested, and keeps few of them."""

import gc
import json
import weakref
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

import core
from core.inference.activations import capture
from core.inference.forward_outline import outline, outline_encoder_decoder
from core.inference.forward_trace import Forward, trace_bytes
from core.inference.outline_parts import find, path_to
from core.transformer.config import EncoderDecoderConfig, ModelConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.gpt import GPT
from core.transformer.look import Look
from core.transformer.presets import preset
from tests.benchmarks.harness import shared_data
from tests.core.families import FAMILIES
from tests.core.test_trace import MarkedLines

IDS = [1, 2, 3, 4, 5]
# What a step inside a block makes, and the site of it.
SITES = {
    "project": ("q", "queries"),
    "scores": ("scores", "scores"),
    "mask": ("masked", "masked"),
    "weights": ("weights", "weights"),
    "output": ("output", "head_output"),
    "join": ("output", "attention_output"),
    "add_attention": ("residual_mid", "residual_mid"),
    "c_proj": ("output", "mlp_output"),
    "add_mlp": ("residual_out", "residual_out"),
}


def model_of(**changes: Any) -> GPT:
    config = ModelConfig(vocab_size=31, block_size=8, n_layer=2, n_head=2, n_embd=8, **changes)
    return GPT(config, torch.Generator().manual_seed(0))


def kind(step: core.Step) -> str:
    return step.name.partition(".")[2]


@pytest.mark.parametrize("changes", FAMILIES.values(), ids=FAMILIES)
def test_every_step_has_the_numbers_of_the_models_own_forward_pass(changes):
    model = model_of(**changes)
    sites = [f"decoder.{layer}.{site}" for layer in range(2) for _, site in SITES.values()]
    acts = capture(model, IDS, ["logits", "residual", *sites])
    trace = core.trace_forward(model, IDS)
    compared = Counter()
    for step, part in zip(trace, trace.about["parts"], strict=True):
        name, site = SITES.get(kind(step), ("", ""))
        if name in step.values:
            made = acts.at(f"decoder.{part.layer}.{site}")
            np.testing.assert_allclose(step.value(name)[0], made, atol=1e-5)
            compared[kind(step)] += 1
    post = model.config.norm_placement == "post"  # the norms come after the sums
    sums = {"add_attention", "add_mlp"}
    assert compared == dict.fromkeys(SITES.keys() - (sums if post else ()), 2)
    np.testing.assert_allclose(trace.about["logits"], acts.logits[-1], atol=1e-5)
    np.testing.assert_allclose(trace.about["stream"][::2], acts.residual[:, -1], atol=1e-5)
    assert trace.about["probabilities"].sum() == pytest.approx(1)
    np.testing.assert_allclose(trace.about["reads"].sum(axis=1), 1, atol=1e-5)
    likeliest = next(step for step in trace if kind(step) == "next")
    assert int(likeliest.value("likeliest")) == int(acts.logits[-1].argmax())


@pytest.mark.parametrize("changes", FAMILIES.values(), ids=FAMILIES)
def test_every_value_has_the_shape_that_the_outline_tells(changes):
    model = model_of(**changes)
    trace = core.trace_forward(model, IDS)
    assert trace.about["parts"] == outline(model.config, len(IDS))
    for step, part in zip(trace, trace.about["parts"], strict=True):
        assert set(step.values) <= set(part.shapes)
        for name in step.values:
            shape = step.value(name).shape
            assert part.shapes[name] in (shape, shape[1:]), (part.name, name)


def test_the_matrices_and_norms_that_are_taken_apart_give_what_the_step_around_them_gives():
    for changes in FAMILIES.values():
        model, compared = model_of(**changes), Counter()
        trace = core.trace_forward(model, IDS)
        for index, step in enumerate(trace):
            inner = [trace[child] for child in trace.children(index)]
            if not inner or kind(inner[0]).partition(".")[0] not in ("product", "norm", "gelu"):
                continue
            if kind(step) in ("project", "unembed"):
                continue  # cut into heads; of some rows alone
            made = list(step.values)[-1]
            last = list(inner[-1].values)[-1]
            np.testing.assert_allclose(inner[-1].value(last), step.value(made)[0], atol=1e-5)
            compared[kind(step)] += 1
        kinds = ["ln_1", "join", "ln_2", "c_fc", "c_proj"]
        kinds += {"gelu_tanh": ["gelu"], "swiglu": ["gate"]}.get(model.config.mlp, [])
        ends = 0 if model.config.norm_placement == "post" else 1  # norms after all blocks
        assert compared == Counter(dict.fromkeys(kinds, 2)) + Counter(norm=ends)


def test_steps_nest_as_one_looks_closer():
    trace = core.trace_forward(model_of(), IDS)

    def names(parent=None):
        return [kind(trace[index]) for index in trace.children(parent)]

    assert names() == ["embed", "block", "block", "norm", "unembed", "softmax", "next"]
    block = trace.children()[1]
    assert names(block) == ["ln_1", "attention", "add_attention", "ln_2", "mlp", "add_mlp"]
    attention = trace.children(block)[1]
    inside = ["project", "scores", "scale", "mask", "weights", "output", "join"]
    assert names(attention) == inside
    assert names(trace.children(attention)[0]) == ["product", "bias"]
    post = core.trace_forward(model_of(norm_placement="post"), IDS)
    assert [kind(post[index]) for index in post.children(post.children()[1])] == [
        *("attention", "add_attention", "ln_1", "mlp", "add_mlp", "ln_2"),
    ]


def test_a_step_is_found_by_the_names_of_those_it_is_inside_of():
    parts = outline(ModelConfig(vocab_size=9, block_size=8, n_layer=2, n_head=2, n_embd=8), 4)
    path = find(parts, ["block 1", "mlp", "c_fc"])
    assert [parts[at].label for at in path] == ["block 1", "mlp", "c_fc"]
    assert path_to(parts, path[-1]) == path and path_to(parts, None) == []
    assert parts[path[-1]].made == "up" and parts[path[1]].component == "mlp"
    assert find(parts, ["block", "mlp"]) == find(parts, ["block 0", "mlp"])
    assert find(parts, ["block 7", "mlp"]) == [] and len(find(parts, ["block", "nothing"])) == 1
    pair = outline_encoder_decoder(preset("transformer-base"), 4, 3)
    for name, stack in (("encoder block 0", "encoder"), ("block", "decoder")):
        assert pair[find(pair, [name])[0]].stack == stack


def test_a_scaled_embedding_is_followed_from_the_table_to_the_stream():
    trace = core.trace_forward(model_of(embedding_scale=True, positions="sinusoidal"), IDS)
    token, scale, position = (trace[index] for index in trace.children(trace.children()[0]))
    np.testing.assert_array_equal(scale.value("x"), token.value("x"))
    np.testing.assert_allclose(scale.value("scaled"), token.value("x") * 8**0.5, rtol=1e-6)
    np.testing.assert_array_equal(position.value("x"), scale.value("scaled"))
    assert trace[0].formula.startswith(r"x_t = \sqrt{C}")


def test_a_window_stands_in_the_mask_of_its_layer():
    trace = core.trace_forward(model_of(window=(None, 2)), IDS)
    whole, narrow = (step for step in trace if kind(step) == "mask")
    assert r"\text{if } j \le i," in whole.formula
    assert r"\text{if } i - 2 < j \le i," in narrow.formula
    assert narrow.title == "Hide the tokens that come later or are more than 1 position back"
    told = core.trace_attention(model_of(window=(None, 2)), IDS, layer=1, head=0)
    assert next(step.title for step in told if kind(step) == "mask") == narrow.title


def test_a_token_in_the_middle_is_followed_as_if_the_text_ended_there():
    model = model_of()
    whole, short = core.trace_forward(model, IDS, 2), core.trace_forward(model, IDS[:3])
    for name in ("stream", "writes", "logits"):
        np.testing.assert_allclose(whole.about[name], short.about[name], atol=1e-5)


@pytest.mark.parametrize("position", [5, -6])
def test_a_token_that_is_not_there_is_refused(position):
    with pytest.raises(ValueError, match="0 to 4"):
        core.trace_forward(model_of(), IDS, position)


def test_a_text_whose_inside_takes_too_much_memory_is_refused_before_it_is_read():
    config = ModelConfig(vocab_size=3, block_size=4096, n_layer=1, n_head=2, n_embd=4)
    with pytest.raises(ValueError, match="shorten the text"):
        core.trace_forward(GPT(config), [1] * 4096)


@pytest.mark.parametrize("changes", FAMILIES.values(), ids=FAMILIES)
def test_so_much_is_kept_as_was_estimated_and_the_inside_of_one_block_alone(changes):
    sizes = {"vocab_size": 101, "block_size": 64, "n_layer": 2, "n_head": 6, "n_embd": 96}
    model = GPT(ModelConfig(**{**sizes, **changes, "n_head": 6}))
    ids = list(range(60))
    trace = core.trace_forward(model, ids)
    forward = Forward(model, torch.tensor([ids]), 59)
    forward.run_block(0)
    held = {}  # several are views of one
    for tensor in forward._inside(0).values():
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
    estimated = trace_bytes(model.config, len(ids))
    assert trace.nbytes + sum(held.values()) == pytest.approx(estimated, rel=0.1)


def test_the_inside_of_one_block_alone_is_kept_and_goes_with_the_trace():
    forward = Forward(model_of(), torch.tensor([IDS]), 4)
    for layer in range(2):
        forward.run_block(layer)
    trace, gone = forward.trace(), weakref.ref(forward)
    weights = [step for step in trace if kind(step) == "weights"]
    first, second = (weakref.ref(forward._inner(layer)["weights"]) for layer in (0, 1))
    assert first() is None and second() is forward._inner(1)["weights"]
    shown = [step.value("weights").sum() for step in weights]
    assert shown == pytest.approx([10, 10])
    gc.disable()  # as the app does: it collects when nothing else is to be done
    try:
        del forward, trace, weights
        assert gone() is None
    finally:
        gc.enable()


def test_the_largest_preset_has_an_outline_without_weights():
    parts = outline(preset("gpt3-175b"), 2048)
    assert sum(part.name == "forward.block" for part in parts) == 96
    project = next(part for part in parts if part.name == "forward.project")
    assert project.shapes["q"] == (96, 2048, 128)
    with pytest.raises(ValueError, match="1 to 2048"):
        outline(preset("gpt3-175b"), 2049)


def test_an_encoder_decoder_has_an_outline_whose_decoder_reads_the_source():
    parts = outline_encoder_decoder(preset("transformer-base"), 7, 5)
    blocks = [at for at, part in enumerate(parts) if part.name == "forward.block"]
    assert [parts[at].stack for at in blocks] == ["encoder"] * 6 + ["decoder"] * 6

    def names(block: int) -> list[str]:
        return [part.name.partition(".")[2] for part in parts if part.parent == block]

    assert names(blocks[0]) == ["attention", "add_attention", "ln_1", "mlp", "add_mlp", "ln_2"]
    assert names(blocks[-1])[3:6] == ["cross", "add_cross", "ln_cross"]
    softmaxes = [part.formula for part in parts if part.name == "forward.weights"]
    assert [r"\tilde" in formula for formula in softmaxes] == [True] * 6 + [False, True] * 6
    cross = max(at for at, part in enumerate(parts) if part.name == "forward.cross")
    inside = ["queries", "keys_and_values", "scores", "scale", "weights", "output", "join"]
    assert names(cross) == inside
    shapes = {name: shape for part in parts if part.parent == cross
              for name, shape in part.shapes.items()}  # fmt: skip
    assert shapes["vectors"] == (7, 512) and shapes["k"] == shapes["v"] == (8, 7, 64)
    assert shapes["weights"] == (8, 5, 7) and shapes["joined"] == (5, 512)
    assert parts[blocks[0]].shapes["x"] == (7, 512) and parts[blocks[-1]].shapes["x"] == (5, 512)
    for part in parts:
        assert part.parent is None or parts[part.parent].stack == part.stack
        core.source(part.code)


@pytest.mark.parametrize(
    "changes",
    [{}, {"norm_placement": "post", "embedding_scale": True, "positions": "rope"}],
    ids=str,
)
def test_an_encoder_decoder_runs_the_lines_that_its_steps_lead_to_in_their_shapes(changes):
    stack = model_of(**changes).config
    model = EncoderDecoder(EncoderDecoderConfig(encoder=stack, decoder=stack))
    look = Look(["encoder.0.weights", "decoder.0.weights", "decoder.0.cross.weights"])
    with MarkedLines() as watched:
        model(torch.tensor([IDS]), torch.tensor([IDS[:3]]), look)
    parts = [
        part
        for part in outline_encoder_decoder(model.config, len(IDS), 3)
        if part.code.startswith("core.transformer.") and ".plain:" not in part.code
    ]
    assert len(parts) >= 70
    for part in parts:
        runs = watched.locals.get(part.code, [])
        assert any(
            all(np.shape(run.get(name)) in (shape, (1, *shape)) for name, shape in
                part.shapes.items())
            for run in runs
        ), (part.code, part.shapes)  # fmt: skip


# nano-sort: a published model that sorts, and all that it makes on the way


def nano_sort() -> tuple[GPT, dict[str, np.ndarray]]:
    """The model and its recorded intermediates, from ../shared."""
    folder = shared_data()
    if folder is None or not (folder / "gpt-nano-sort-model.json").is_file():
        pytest.skip("no nano-sort model in ../shared")

    def arrays(name: str) -> dict[str, Any]:
        import base64

        values = json.loads((folder / name).read_text())
        return values["config"], {
            key: np.frombuffer(base64.b64decode(one["data"]), np.float32).reshape(one["shape"])
            for key, one in values.items()
            if key != "config"
        }

    about, weights = arrays("gpt-nano-sort-model.json")
    _, partials = arrays("gpt-nano-sort-t0-partials.json")
    names = ("n_layer", "n_head", "n_embd", "vocab_size", "block_size")
    config = ModelConfig(**{name: about[name] for name in names}, tie_weights=False)
    model = GPT(config)
    state = {
        key.removeprefix("transformer."): torch.from_numpy(array.copy())
        for key, array in weights.items()
        if not key.endswith(".attn.bias")
    }
    model.load_state_dict(state)
    return model, partials


def test_every_intermediate_of_nano_sort_is_the_recorded_one():
    model, partials = nano_sort()
    ids = partials["idx"][0].astype(int).tolist()
    trace = core.trace_forward(model, ids)
    made: dict[str, np.ndarray] = {}
    for step, part in zip(trace, trace.about["parts"], strict=True):
        if part.layer in (None, 0):
            for name in step.values:
                made.setdefault(f"{kind(step)}.{name}", np.asarray(step.value(name)))
    C = model.config.n_embd
    pairs = {
        "tok_emb": "token.x", "pos_emb": "position.position", "x": "embed.x", "ln1": "ln_1.normed",
        "q": "project.q", "k": "project.k", "v": "project.v", "attSm": "weights.weights",
        "y": "join.joined", "yProj": "join.output", "attnResid": "add_attention.residual_mid",
        "ln2": "ln_2.normed", "fc": "c_fc.up", "gelu": "gelu.hidden", "mlp": "c_proj.output",
        "mlpResid": "add_mlp.residual_out", "block0": "block.x", "ln_f": "norm.normed",
        "lm_head": "unembed.logits",
    }  # fmt: skip
    for theirs, ours in pairs.items():
        expected = partials[theirs][0]
        found = made[ours].reshape(expected.shape)
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=theirs)
    assert C == 48 and sum(p.numel() for p in model.parameters()) == 85_728
    np.testing.assert_allclose(
        made["weights.weights"][0, 0, 5, :6],
        [0.135107, 0.179911, 0.029902, 0.171911, 0.260646, 0.222522],
        atol=1e-5,
    )
    np.testing.assert_allclose(
        made["unembed.logits"][0, 5], [8.385380, -3.947658, -2.952843], atol=1e-5
    )
    assert made["unembed.logits"][0].argmax(-1)[5:].tolist() == sorted(ids[:6])
    np.testing.assert_allclose(trace.about["probabilities"], partials["probs"][0, -1], atol=1e-5)
