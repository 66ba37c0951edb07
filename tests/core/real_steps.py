"""Steps of real traces: every subject of core runs once."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np

from core.autograd import Tensor
from core.autograd.loss_step import loss_step
from core.autograd.mlp import MLP, MLPConfig, sums_step
from core.data import story_text
from core.optimization import OPTIMIZERS, trace_update
from core.optimization.muon import MuonSettings
from core.optimization.schedules import SCHEDULES, Plan
from core.tokenization.analysis.glitches import GlitchCandidate, Yardstick, glitch_step
from core.tokenization.analysis.languages import LanguageText
from core.tokenization.analysis.overlap import jaccard_step, share_step
from core.tokenization.analysis.premium_trace import trace_premiums
from core.tokenization.analysis.premiums import premiums
from core.tokenization.analysis.rates import bytes_per_token_step, cost_step, tokens_per_word_step
from core.tokenization.bpe.training import bpe_steps
from core.tokenization.characters import CharacterTokenizer
from core.tokenization.steps import CountingStep, MergeStep, WorkingStep
from core.tokenization.training_trace import trace_merge, trace_training_step
from core.tokenization.unigram.trace import trace_lattice
from core.tokenization.unigram.training import unigram_steps
from core.tokenization.wordpiece.training import wordpiece_steps
from core.trace import Step
from tests.core.autograd.test_backprop_trace import everything, whole
from tests.core.tokenization.unigram.test_trace import tokenizer


@functools.cache
def real_steps() -> tuple[Step, ...]:
    """Made once: they are read alone."""
    parts = (_backprop, _networks, _losses, _optimizers, _schedules, _training, _tokens,
             _training_phases, _roundings, _estimates, _attention, _lens, _forward, _sampling,
             _beams, _few_shot, _comparison, _spectra, _quantization, _adapter, _tuned)  # fmt: skip
    return tuple(step for part in parts for step in part())


def _backprop() -> Iterator[Step]:
    yield from whole(everything()[0])
    base, power = Tensor([0.5, 2.0, 1.25], name="b"), Tensor([2.0, 3.0, -0.5], name="p")
    yield from whole((base**power).sum())


def _networks() -> Iterator[Step]:
    generator = np.random.default_rng(5)
    x = generator.normal(size=(3, 2))
    for norm in ("none", "layer"):
        network = MLP.start(MLPConfig((2, 8, 1), norm=norm), generator)
        layer, numbers = network.layers(x)[0], network.parameters
        names = {"weight": numbers["0.weight"].data, "bias": numbers["0.bias"].data}
        yield sums_step({"sums": layer.sums.data, "x": x, **names}, norm != "none")


def _losses() -> Iterator[Step]:
    rng = np.random.default_rng(1)
    targets = np.array([1, 0, 1, 1, 0])
    for name in ("mean squared error", "hinge", "binary cross-entropy"):
        yield loss_step(name, rng.normal(size=(5, 1)), targets)
    yield loss_step("cross-entropy", rng.normal(size=(5, 3)), targets)


def _optimizers() -> Iterator[Step]:
    rng = np.random.default_rng(2)
    for name, rule in OPTIMIZERS.items():
        settings, state = rule.settings(learning_rate=0.05, weight_decay=0.1), None
        param, grad = rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
        for step in (1, 2, 30):
            trace = trace_update(name, param, grad, state, step, settings)
            yield from trace
            param, state, grad = trace.about["new"], trace.about["after"], -2 * grad
    yield from trace_update("muon", param, grad, None, 1, MuonSettings(match_adamw=True))


def _schedules() -> Iterator[Step]:
    plan = Plan(3e-4, 1e-5, 10, 100)
    for schedule in SCHEDULES.values():
        for applied in (0, 9, 10, 55, 83, 99, 120):
            part = schedule.part(applied, plan)
            yield Step("schedule", "", part.formula, part.code, part.numbers(applied, plan))


def _training() -> Iterator[Step]:
    for step in unigram_steps([story_text(1, 4_000)], 60):
        if not isinstance(step, CountingStep | WorkingStep):
            yield trace_training_step(step)
    likeliest = wordpiece_steps([story_text(1, 2_000)], 70, score="likelihood")
    for step in (*bpe_steps([story_text(1, 2_000)], 270), *likeliest):
        if isinstance(step, MergeStep):
            yield from trace_merge(step)


def _tokens() -> Iterator[Step]:
    yield from trace_lattice(tokenizer(), "abab ba", generator=np.random.default_rng(3))
    yield from trace_lattice(tokenizer(), "abba", alpha=0.5)
    yield from (bytes_per_token_step(1201, 377), tokens_per_word_step(377, 210))
    yield from (cost_step(377, 2.5), share_step(310, 1000), jaccard_step(310, 690, 145))
    languages = [LanguageText("eng", "English", "A cat."),
                 LanguageText("deu", "German", "Eine Katze.")]  # fmt: skip
    results = premiums({"letters": CharacterTokenizer(sorted(set("A cat. Eine Katze")))}, languages)
    yield from trace_premiums([(result, results[0]) for result in results])
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(3, 16)).astype(np.float32)
    yardstick = Yardstick(rng.normal(size=16).astype(np.float32), (0, 1, 2), rows)
    yield glitch_step(rng.normal(size=16), yardstick, GlitchCandidate(7, "x", b"x", 0.5, True))


def _training_phases() -> Iterator[Step]:
    from core.training import TrainingConfig
    from core.training.phases import PHASES, phase_step
    from core.training.scaler_trace import trace_scale_change
    from core.transformer import ModelConfig

    model = ModelConfig(vocab_size=1, block_size=16, n_layer=2, n_head=2, n_embd=16)
    for micro_batches in (1, 2):
        config = TrainingConfig(model=model, micro_batches=micro_batches)
        record = {"loss": 2.5, "targets": 32, "learning_rate": 3e-4, "grad_norm": 1.25}
        for phase in PHASES:
            yield phase_step(phase, config, 3, record)
    config = TrainingConfig(model=model, precision="fp16")
    record |= {"loss_scale": 1024.0}
    for skipped in (0, 1):
        yield from trace_scale_change(config, {**record, "step": 3, "skipped": skipped})


def _roundings() -> Iterator[Step]:
    from core.training.gradient_trace import trace_scaled_gradient
    from core.training.rounding_trace import trace_rounded_sum

    yield from trace_scaled_gradient(3e-6, 2.5, 1024.0, "fp16")
    yield from trace_scaled_gradient(0.5, 2.5, 2.0**24, "fp16")
    yield from trace_rounded_sum(0.75, -1e-3, "bf16")
    yield from trace_rounded_sum(3e-8, 1e-7, "fp16")
    yield from trace_rounded_sum(60000.0, 60000.0, "fp16")
    yield from trace_rounded_sum(448.0, 448.0, "fp8 e4m3fn")


def _estimates() -> Iterator[Step]:
    from core.training.estimates.plan_trace import trace_plan
    from tests.core.training.estimates.test_plan import setup

    for changes in ({"stage": 0}, {"stage": 3}, {"stage": 3, "pipeline": 8}, {"own_run": True}):
        yield from trace_plan(setup(**changes))


def _attention() -> Iterator[Step]:
    import torch

    from core.inference.attention_trace import trace_attention
    from core.transformer import ModelConfig
    from core.transformer.gpt import GPT

    config = ModelConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=8)
    model = GPT(config, torch.Generator().manual_seed(0))
    yield from trace_attention(model, [1, 2, 3, 4, 5], layer=1, head=1, query=3)


def _lens() -> Iterator[Step]:
    import torch

    from core.inference.lens_trace import trace_contribution, trace_lens
    from core.transformer import ModelConfig
    from core.transformer.gpt import GPT

    config = ModelConfig(vocab_size=11, block_size=8, n_layer=2, n_head=2, n_embd=8)
    model = GPT(config, torch.Generator().manual_seed(0))
    yield from trace_lens(model, [1, 2, 3, 4, 5], [3, 7])
    yield from trace_contribution(model, [1, 2, 3, 4, 5], 0, 1, token=3)


def _forward() -> Iterator[Step]:
    import torch

    from core.inference.forward_trace import trace_forward
    from core.transformer import ModelConfig
    from core.transformer.gpt import GPT

    llama = {"positions": "rope", "norm": "rms_norm", "mlp": "swiglu"}
    original = {"norm_placement": "post", "mlp": "relu", "embedding_scale": True}
    for changes in ({}, llama, original):
        config = ModelConfig(vocab_size=11, block_size=8, n_layer=1, n_head=2, n_embd=8, **changes)
        model = GPT(config, torch.Generator().manual_seed(0))
        yield from trace_forward(model, [1, 2, 3, 4, 5])
    rng, block = np.random.default_rng(5), "core.transformer.layers:Block.forward"
    for line, made in (("add_cross", "residual_cross"), ("post.add_cross", "residual_sum")):
        mid, output = rng.normal(size=(2, 3, 8))  # of a decoder
        values = {"residual_mid": mid, "cross_output": output, made: mid + output}
        yield Step(line, "", "", f"{block}#{line}", values)


def _sampling() -> Iterator[Step]:
    import torch

    from core.inference.sampling import Sampling
    from core.inference.sampling_trace import trace_next_token

    logits = torch.randn(9, generator=torch.Generator().manual_seed(0))
    settings = Sampling(temperature=0.7, top_k=6, top_p=0.95, min_p=0.05, repetition_penalty=1.2)
    yield from trace_next_token(logits, settings, [1, 2], drawn=0.4)


def _few_shot() -> Iterator[Step]:
    import core

    lm = core.load("stories")
    yield from core.trace_few_shot(core.few_shot(lm, [("hot", "cold")], "day", "dark night", (1,)))


def _beams() -> Iterator[Step]:
    import torch

    from core.inference.beam_search import BeamSettings
    from core.inference.beam_search_trace import trace_beam_search

    generator = torch.Generator().manual_seed(0)
    yield from trace_beam_search(
        lambda texts: torch.randn(len(texts), 7, generator=generator),
        [0],
        BeamSettings(max_new_tokens=3),
    )


def _comparison() -> Iterator[Step]:
    from core.inference.head_comparison import moved_step

    yield moved_step(np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6]))


def _spectra() -> Iterator[Step]:
    from tests.core.finetuning.test_analysis import steps_of_spectra

    yield from steps_of_spectra()


def _adapter() -> Iterator[Step]:
    import core

    config = core.ModelConfig(vocab_size=11, block_size=8, n_layer=1, n_head=2, n_embd=8)
    for dora in (False, True):
        model = core.GPT(config)
        core.add_lora(model, core.LoRAConfig(r=2, dora=dora))
        yield from core.trace_adapter(model, [1, 2, 3, 4], "h.0.attn.c_attn")


def _tuned() -> Iterator[Step]:
    import torch

    import core
    from core.finetuning.tuned_trace import trace_tuned

    config = core.ModelConfig(vocab_size=11, block_size=8, n_layer=1, n_head=2, n_embd=8, bias=True)
    model = core.GPT(config)
    for kind in ("weight", "bias"):
        name = f"h.0.attn.c_attn.{kind}"
        base = {name: torch.zeros_like(model.get_parameter(name))}
        yield from trace_tuned(model, [1, 2, 3, 4], "h.0.attn.c_attn", base)


def _quantization() -> Iterator[Step]:
    from tests.core.finetuning.test_nf4 import steps_of_a_block

    yield from steps_of_a_block()
