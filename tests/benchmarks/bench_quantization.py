"""NF4: the published levels, the bytes of a quantized base, and what they cost in time."""

import copy
import time

import torch

import core
from core.finetuning.nf4 import code_book, dequantize, quantize
from core.finetuning.quantization import dequantize_model, quantize_model
from core.transformer.gpt import GPT
from core.transformer.presets import preset
from tests.benchmarks.harness import Report, interleaved, timed
from tests.core.finetuning.test_nf4 import PUBLISHED


def fast(report: Report) -> None:
    torch.set_num_threads(1)
    _levels(report)
    _bytes(report)
    _matrix(report)
    _step(report)


def _levels(report: Report) -> None:
    differing = sum(a != b for a, b in zip(code_book().tolist(), PUBLISHED, strict=True))
    report.equal("NF4, levels that differ from the published ones in fp32", differing, 0)


def _bytes(report: Report) -> None:
    """Of the matrices alone and of the whole model, whose embeddings stay as they are."""
    model = GPT(preset("gpt2"), torch.Generator().manual_seed(0))
    start = time.perf_counter()
    made = quantize_model(model)
    report.tell("GPT-2's shape, until it is quantized", time.perf_counter() - start, "s")
    ratio = made.matrices_after / made.matrices_before
    report.at_most("GPT-2's shape, quantized matrices / fp32", ratio, 0.14, "x")
    report.tell("GPT-2's shape, whole model / fp32", made.bytes_after / made.bytes_before, "x")
    report.tell("GPT-2's shape, whole model", made.bytes_after / 2**20, "MiB")


def _matrix(report: Report) -> None:
    weight = torch.randn(2304, 768, generator=torch.Generator().manual_seed(0)) * 0.02
    matrix = quantize(weight)
    lost = float((dequantize(matrix) - weight).norm() / weight.norm())
    report.at_most("Normal weights, relative error", lost, 0.095)
    x = torch.randn(512, 768)
    pair = interleaved(lambda: dequantize(matrix), lambda: x @ weight.mT, 15)
    report.tell("c_attn of GPT-2, written out", 1e3 * pair.a, "ms")
    report.tell("c_attn of GPT-2, written out / product with 512 tokens", pair.ratio, "x")
    report.tell("c_attn of GPT-2, quantized", 1e3 * min(timed(lambda: quantize(weight), 5)), "ms")


def _step(report: Report) -> None:
    """A training step of LoRA on the bundled model, 8 x 128 tokens, and one token written."""
    model = core.load("stories").model
    quantize_model(model)
    full = copy.deepcopy(model)
    dequantize_model(full)
    ids = torch.randint(0, 1000, (8, 128), generator=torch.Generator().manual_seed(0))
    adapters = [
        core.add_lora(one, generator=torch.Generator().manual_seed(0)) for one in (model, full)
    ]

    def step(one: GPT) -> float:
        logits = one(ids[:, :-1]).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(logits, ids[:, 1:].flatten())
        loss.backward()
        return loss.item()

    error = abs(step(model) - step(full))
    report.at_most("LoRA on NF4, loss - on its dequantized twin", error, 1e-5)
    gradients = [[one.grad for one in adapter.parameters()] for adapter in adapters]
    worst = max(float((a - b).abs().max()) for a, b in zip(*gradients, strict=True))
    report.at_most("LoRA on NF4, gradients - on its dequantized twin", worst, 1e-5)
    pair = interleaved(lambda: step(model), lambda: step(full), 10)
    report.tell("LoRA on NF4, step / on full matrices", pair.ratio, "x")
    with torch.no_grad():
        token = interleaved(lambda: model(ids[:1, :1]), lambda: full(ids[:1, :1]), 20)
    report.tell("NF4, one token / with full matrices", token.ratio, "x")
