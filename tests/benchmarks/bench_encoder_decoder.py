"""The encoder-decoder of 2017: its numbers against torch's, two tasks, and the bundled model."""

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import core
from core.data.pairs import Copies
from core.inference.alignment import exact_share
from core.resources import resource
from core.training import bundled_dates, bundled_run
from core.training.bundled_run import RECORD_FILE
from core.training.checkpoints import latest_checkpoint
from core.training.loop import train_steps
from core.training.sequence_to_sequence import SequenceToSequence
from core.transformer.architectures import encoder_decoder_of
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.weights import load_model
from tests.benchmarks.harness import Report, interleaved
from tests.core.training.test_sequence_to_sequence import copying
from tests.core.transformer.test_encoder_decoder import AS_TORCH, both, small

SIX_MINUTES = 360


def fast(report: Report) -> None:
    _papers(report)
    _bundled(report)
    report.at_least("copy task, exact of 100 held-out", 100 * _copies(), 95)


def full(report: Report) -> None:
    """Trains the bundled model anew, on two threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    _train_anew(report)
    torch.set_num_threads(threads)


def _train_anew(report: Report) -> None:
    with tempfile.TemporaryDirectory() as folder:
        begun, processor = time.perf_counter(), time.process_time()
        bundled_run.train(bundled_dates.recipe(bundled_dates.STEPS, 2), Path(folder))
        seconds = time.perf_counter() - begun
        report.at_most("dates, training, 2 threads", seconds, SIX_MINUTES, "s")
        report.tell("dates, training, of all cores", time.process_time() - processor, "s")
        checkpoint = latest_checkpoint(Path(folder))
        assert checkpoint is not None
        model = encoder_decoder_of(load_model(checkpoint))
        tokenizer = core.open_tokenizer(checkpoint / "tokenizer.json")
        pairs = bundled_dates.held_out(bundled_dates.HELD_OUT)
        share = exact_share(model, tokenizer, pairs)
        report.at_least("dates, trained anew, held out, exact", 100 * share, 99, "%")


def _papers(report: Report) -> None:
    for name, count in (("base", 63_045_632), ("big", 214_171_648)):
        with torch.device("meta"):
            model = EncoderDecoder(core.preset(f"transformer-{name}"))
        found = sum(parameter.numel() for parameter in model.parameters())
        report.equal(f"AIAYN {name}, parameters", found, count)
    worst = 0.0
    for changes in AS_TORCH:
        found, expected = both(small(decoder={"n_layer": 2}, **changes).float())
        worst = max(worst, float((found - expected).abs().max()))
    report.at_most("logits of 5 random models, torch.nn.Transformer", worst, 1e-5)


def _bundled(report: Report) -> None:
    lm = core.load("dates")
    model, measured = encoder_decoder_of(lm.model), bundled_dates.measured(lm)
    report.at_least("dates, held out, exact of 1,000", 100 * measured["exact"], 99, "%")
    score = measured["aligned_head"]["score"]
    report.at_least("dates, best head's cross-attention on the right span", score, 0.7)
    record = json.loads((resource("models", "dates") / RECORD_FILE).read_text(encoding="utf-8"))
    report.tell("dates, processor time of its training, recorded", record["processor_seconds"], "s")
    source = lm.tokenizer.encode_ids("Wednesday the twenty-third of September 1998")

    def steps(cache: bool) -> np.ndarray:
        made = core.translate_steps(model, source, cache=cache)
        return np.stack([step.logits for step in made])

    worst = float(np.abs(steps(True) - steps(False)).max())
    report.at_most("dates, logits with a cache, largest difference", worst, 1e-5)
    pair = interleaved(lambda: steps(True), lambda: steps(False), repeats=15)
    report.tell("dates, decoding with a cache / without", pair.ratio, "x")
    report.tell("dates, a source of 44 characters, translated in", 1000 * pair.a, "ms")


def _copies() -> float:
    task = SequenceToSequence(copying(10, 2, 64, 800, 100, 3e-3))
    with tempfile.TemporaryDirectory() as folder:
        for _ in train_steps(task.config, Path(folder) / "run", task=task):
            pass
        checkpoint = latest_checkpoint(Path(folder) / "run")
        assert checkpoint is not None
        model = encoder_decoder_of(load_model(checkpoint))
    corpus, generator = Copies(), np.random.default_rng(1)
    pairs = [corpus.pair("validation", generator) for _ in range(100)]
    return exact_share(model, task.tokenizer, pairs)
