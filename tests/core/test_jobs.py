"""Every job of core, with a probe between all its yields: nothing global is left changed."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch

import core
from core.autograd.tensor import Tensor
from core.data import character_tokenizer_steps, prepare_corpus_steps, stories
from core.data.excerpt import excerpt_steps
from core.download import download_steps
from core.finetuning.adapter import add_lora
from core.finetuning.analysis import attention_change_steps
from core.finetuning.examination import examine_steps, look_inside_steps
from core.finetuning.example_files import read_examples_steps
from core.finetuning.held_out_answers import ask_steps
from core.finetuning.loading import load_steps as load_any_steps
from core.finetuning.loading import load_tuned_steps
from core.finetuning.mixture import Mixture, strength_curve_steps, write_mixed_steps
from core.finetuning.mixture_files import export_mixture_steps, mix_steps, save_mixture_steps
from core.finetuning.program import finetune_steps
from core.finetuning.quantization import quantize_model_steps
from core.finetuning.scales import generate_at_scales_steps
from core.finetuning.task import Finetuning
from core.inference.beam_search import BeamSettings, beam_search_steps
from core.inference.beam_search_trace import compared_search_steps, trace_beam_search_steps
from core.inference.chat import answer_steps, chat_steps
from core.inference.forward_trace import trace_forward_steps
from core.inference.generation import generate_steps
from core.inference.hub import get_model_steps
from core.inference.loading import load_steps
from core.inference.sampling import Sampling
from core.inference.translation import translate_steps
from core.optimization.learner import learn_steps
from core.optimization.race import race_steps
from core.optimization.stationary import stationary_points_steps
from core.optimization.surfaces import SURFACES, Surface
from core.optimization.typed_surface import typed_surface
from core.tokenization import CharacterTokenizer, RankedBPE, train_tokenizer_steps
from core.tokenization.analysis import (
    VocabularyIndex,
    glitch_steps,
    language_texts,
    overlap_steps,
    premium_steps,
    premium_trace_steps,
    premiums,
)
from core.tokenization.analysis.embeddings import read_embeddings_steps
from core.tokenization.analysis.glitches import (
    Yardstick,
    never_written_steps,
    similarity_steps,
    yardstick_steps,
)
from core.tokenization.analysis.overlap import all_overlaps_steps
from core.tokenization.bpe.ranks import recover_merges_steps
from core.tokenization.bpe.training import bpe_steps
from core.tokenization.characters import character_steps
from core.tokenization.getting import get_steps, take_member_steps
from core.tokenization.known import find_all_steps
from core.tokenization.library_trace import library_steps
from core.tokenization.lockstep import LanePlan, growing, lockstep_steps, resplit_steps
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import meta_pieces
from core.tokenization.sentencepiece.trace import finish_steps, normalizer_steps
from core.tokenization.sentencepiece.training import sentencepiece_bpe_steps
from core.tokenization.sentencepiece.vocabulary import SentencePieceVocabulary
from core.tokenization.unigram.training import unigram_steps
from core.tokenization.vocabulary_limits import vocabulary_limits_steps
from core.tokenization.wordpiece.training import wordpiece_steps
from core.training.explained_example import explain_example_steps
from core.training.language_modelling import LanguageModelling
from core.training.looking import evaluate_steps, sample_steps
from core.training.loop import train_steps
from core.training.parallel import Single
from core.training.rereading import RunBatches
from core.training.runs import create_run
from core.training.sequence_to_sequence import SequenceToSequence
from core.transformer.config import ModelConfig
from core.transformer.foreign.reading import look_at_folder, read_foreign_steps
from core.transformer.gpt import GPT
from core.transformer.gpt_numpy import NumpyGPT
from tests.core.job_places import (
    EMBEDDINGS,
    IDS,
    PAIRS,
    RANKS,
    TEXT,
    WORDS,
    Place,
    certain,
    chatty,
    downloading,
    examples,
    from_hub,
    getting,
    large,
    pairs,
    playing,
    product,
    put_foreign,
    put_tuned,
    put_tuned_text,
    table,
    taking,
    training,
    tuned,
    tuning,
    wide,
)
from tests.core.training.small import small_config, torch_state

# Slow enough to yield, and with minima enough to follow.
SLOW = typed_surface("a = sin(3*x) * cos(3*y)\n" + "a = a + sin(x)*0\n" * 20 + "a")
# Each generator that core offers, by the function that makes it.
JOBS: dict[Callable[..., Any], Callable[[Place], Iterator[Any]]] = {
    train_tokenizer_steps: lambda place: train_tokenizer_steps("bpe", TEXT, 300),
    bpe_steps: lambda place: bpe_steps([TEXT], 300, ["<|endoftext|>"]),
    wordpiece_steps: lambda place: wordpiece_steps([TEXT], 120),
    sentencepiece_bpe_steps: lambda place: sentencepiece_bpe_steps([TEXT], 120),
    normalizer_steps: lambda place: normalizer_steps(SentencePieceNormalizer(), TEXT),
    finish_steps: lambda place: finish_steps(
        SentencePieceVocabulary(meta_pieces(byte_fallback=True), True), list("漢字")
    ),
    character_steps: lambda place: character_steps([TEXT, TEXT]),
    unigram_steps: lambda place: unigram_steps([TEXT], 80),
    lockstep_steps: lambda place: lockstep_steps([LanePlan("bpe")] * 2, TEXT, 300, "Once"),
    resplit_steps: lambda place: resplit_steps(
        growing(LanePlan("bpe"), "Once upon a time. " * 20), list(bpe_steps([TEXT], 600)) * 30
    ),
    vocabulary_limits_steps: lambda place: vocabulary_limits_steps(LanePlan("bpe"), TEXT),
    recover_merges_steps: lambda place: recover_merges_steps(RankedBPE(RANKS)),
    character_tokenizer_steps: lambda place: character_tokenizer_steps(place.file()),
    prepare_corpus_steps: lambda place: prepare_corpus_steps(
        place.file(), CharacterTokenizer(sorted(set(TEXT))), place.folder / "corpora"
    ),
    excerpt_steps: lambda place: excerpt_steps("stories", 2_000_000),
    stories.stories: lambda place: (
        story for _, story in zip(range(5), stories.stories(0), strict=False)
    ),
    Tensor.backward_steps: lambda place: product(40).backward_steps(),
    NumpyGPT.logits_steps: lambda place: NumpyGPT.of(certain(place)).logits_steps(IDS),
    NumpyGPT.loss_steps: lambda place: NumpyGPT.of(certain(place)).loss_steps(IDS, IDS),
    explain_example_steps: lambda place: explain_example_steps(certain(place), IDS[0]),
    generate_steps: lambda place: generate_steps(
        place.model, [1, 2, 3], 5, Sampling(top_p=0.9), seed=1
    ),
    generate_at_scales_steps: lambda place: generate_at_scales_steps(
        place.model, {add_lora(place.model): 0.5}, [1, 2, 3], 5, Sampling(top_p=0.9), seed=1
    ),
    quantize_model_steps: lambda place: quantize_model_steps(wide(place)),
    write_mixed_steps: lambda place: write_mixed_steps(
        add_lora(place.model).model, Mixture(0.5, merged=True), [1, 2, 3], 5, seed=1
    ),
    strength_curve_steps: lambda place: strength_curve_steps(
        add_lora(place.model).model, Mixture(), [1, 2, 3], (0.0, 1.0)
    ),
    mix_steps: lambda place: mix_steps(put_tuned(place), Mixture(0.5)),
    save_mixture_steps: lambda place: save_mixture_steps(
        put_tuned(place), Mixture(0.5), place.folder / "saved"
    ),
    export_mixture_steps: lambda place: export_mixture_steps(
        put_tuned(place), Mixture(0.5), place.folder / "exported"
    ),
    attention_change_steps: lambda place: attention_change_steps(add_lora(place.model), [1, 2]),
    examine_steps: lambda place: examine_steps(add_lora(place.model).model, [1, 2, 3]),
    look_inside_steps: lambda place: look_inside_steps(
        core.load(put_tuned(place, "full")).model, [1, 2, 3]
    ),
    beam_search_steps: lambda place: beam_search_steps(
        place.model, [1, 2, 3], BeamSettings(max_new_tokens=5, stop=(4,))
    ),
    compared_search_steps: lambda place: compared_search_steps(
        place.model, [1, 2, 3], BeamSettings(max_new_tokens=5)
    ),
    trace_beam_search_steps: lambda place: trace_beam_search_steps(
        place.model, [1, 2, 3], BeamSettings(max_new_tokens=5)
    ),
    answer_steps: lambda place: answer_steps(place.model, [1, 2, 3], [], 5),
    chat_steps: lambda place: chat_steps(chatty(place), [{"role": "user", "content": "a"}], 5),
    trace_forward_steps: lambda place: trace_forward_steps(place.model, [1, 2, 3]),
    LanguageModelling.prepare_steps: lambda place: LanguageModelling(
        small_config(place.folder), place.folder / "prepared"
    ).prepare_steps(None),
    LanguageModelling.open_steps: lambda place: LanguageModelling(
        small_config(place.folder), place.folder / "opened"
    ).open_steps(None),
    RunBatches.open_steps: lambda place: RunBatches(
        create_run(place.folder / "new", small_config(place.folder)), place.folder / "read"
    ).open_steps(),
    SequenceToSequence.prepare_steps: lambda place: SequenceToSequence(PAIRS).prepare_steps(None),
    SequenceToSequence.sample_steps: lambda place: pairs(place).sample_steps(place.model, 0),
    translate_steps: lambda place: [pairs(place), translate_steps(place.model, [3, 4], 5)][1],
    LanguageModelling.sample_steps: lambda place: place.task().sample_steps(place.model, 0),
    evaluate_steps: lambda place: evaluate_steps(place.task(), place.model, "bf16", 0, Single()),
    sample_steps: lambda place: sample_steps(place.task(), place.model, 0, 0),
    train_steps: training,
    Finetuning.prepare_steps: lambda place: tuning(place).prepare_steps(None),
    Finetuning.sample_steps: lambda place: tuned(place).sample_steps(place.model, 0),
    finetune_steps: lambda place: finetune_steps(tuning(place).config, place.folder / "tuned"),
    read_examples_steps: examples,
    load_any_steps: lambda place: load_any_steps(put_foreign(place)),
    ask_steps: lambda place: ask_steps({"it": put_tuned_text(place)}, 0),
    load_tuned_steps: lambda place: load_tuned_steps(put_tuned(place)),
    stationary_points_steps: lambda place: stationary_points_steps(SLOW),
    Surface.grid_steps: lambda place: SLOW.grid_steps(1200, 1200),
    race_steps: lambda place: race_steps(SURFACES["bowl"], [("adam", None), ("muon", None)]),
    download_steps: downloading,
    get_steps: getting,
    get_model_steps: from_hub,
    load_steps: lambda place: load_steps(put_foreign(place)),
    read_foreign_steps: lambda place: read_foreign_steps(look_at_folder(put_foreign(place))),
    take_member_steps: taking,
    find_all_steps: lambda place: find_all_steps(),
    VocabularyIndex.build_steps: lambda place: VocabularyIndex(large()).build_steps(),
    VocabularyIndex.search_steps: lambda place: VocabularyIndex(large()).search_steps("x"),
    all_overlaps_steps: lambda place: all_overlaps_steps([large(), large()]),
    overlap_steps: lambda place: overlap_steps(large(), large()),
    read_embeddings_steps: lambda place: read_embeddings_steps(table(place)),
    never_written_steps: lambda place: never_written_steps(large()),
    glitch_steps: lambda place: glitch_steps(EMBEDDINGS, large()),
    yardstick_steps: lambda place: yardstick_steps(EMBEDDINGS, large()),
    similarity_steps: lambda place: similarity_steps(
        EMBEDDINGS, len(EMBEDDINGS), Yardstick(EMBEDDINGS[0], (0,), EMBEDDINGS[:1])
    ),
    library_steps: lambda place: library_steps(WORDS, "a b", True),
    learn_steps: lambda place: learn_steps(playing(), 20),
    premium_steps: lambda place: premium_steps({"bytes": RankedBPE(RANKS)}, language_texts()),
    premium_trace_steps: lambda place: premium_trace_steps(
        [(one, one) for one in premiums({"bytes": RankedBPE(RANKS)}, language_texts())]
    ),
}


ONE_YIELD = (
    character_tokenizer_steps, LanguageModelling.prepare_steps, SequenceToSequence.prepare_steps,
)  # fmt: skip


def contexts(name: str) -> ExitStack:
    """What the driver of a job may have switched on itself."""
    stack = ExitStack()
    if name == "no gradients":
        stack.enter_context(torch.no_grad())
    elif name == "autocast":
        stack.enter_context(torch.autocast("cpu", torch.bfloat16))
    return stack


def modes(place: Place) -> list[bool]:
    return [module.training for module in place.model.modules()]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    letters = len(set(Path(small_config(tmp_path).corpus).read_text()))
    shape = {"block_size": 16, "n_layer": 2, "n_head": 2, "n_embd": 16, "dropout": 0.2}
    config = ModelConfig(vocab_size=letters, **shape)
    model = GPT(config, torch.Generator().manual_seed(0))
    model.blocks[1].eval()
    return Place(tmp_path, model)


@pytest.mark.parametrize("driver", ["plain", "no gradients", "autocast"])
@pytest.mark.parametrize("job", JOBS, ids=lambda function: function.__qualname__)
def test_nothing_leaks_between_any_two_yields(
    job: Callable[..., Any], driver: str, place: Place
) -> None:
    steps, given = JOBS[job](place), place.model
    with contexts(driver):
        before, as_given, yields = torch_state(), modes(place), 0
        for yields, item in enumerate(steps, start=1):  # noqa: B007
            assert torch_state() == before, item
            if place.model is given:
                assert modes(place) == as_given, item
            else:
                assert all(modes(place)), item  # the loop's own model learns
        assert torch_state() == before
        assert yields > 1 or job in ONE_YIELD


@pytest.mark.parametrize("job", JOBS, ids=lambda function: function.__qualname__)
def test_a_job_may_be_closed_at_any_of_its_first_yields(
    job: Callable[..., Any], place: Place
) -> None:
    for after in range(1, 5):
        (place.folder / f"{after}").mkdir()
        here = Place(place.folder / f"{after}", place.model)
        small_config(here.folder)
        steps = JOBS[job](here)
        before, as_given = torch_state(), modes(place)
        for _, _ in zip(range(after), steps, strict=False):
            pass
        steps.close()
        assert torch_state() == before
        assert modes(place) == as_given


# Generators that some job above is made of.
PARTS = {
    "core.finetuning.tuning_data:TuningData.open_steps",
    "core.finetuning.examination:heads_steps",
    "core.finetuning.examination:steps_at",
    "core.finetuning.held_out_answers:held_out_data_steps",
    "core.jobs:retold",
    "core.tokenization.bpe.training:Learner.learn",
    "core.tokenization.counting:count_words",
    "core.tokenization.sentencepiece.text:normalized_lines",
    "core.tokenization.sentencepiece.text:prepare",
    "core.tokenization.unigram.em:build_corpus",
    "core.tokenization.unigram.em:expect",
    "core.tokenization.unigram.em:maximize",
    "core.tokenization.unigram.pruning:count_best_uses",
    "core.tokenization.unigram.pruning:prune",
    "core.tokenization.unigram.seeds:repeated_sequences",
    "core.tokenization.unigram.seeds:seed_pieces",
    "core.tokenization.unigram.seeds:sort_places",
    "core.tokenization.unigram.training:train",
    "core.tokenization.wordpiece.training:LikelihoodLearner.learn",
    "core.training.attempt:Attempt.moments",
    "core.training.steering:Steering.until_stopped",
}


def only_iterates(function: Callable[..., Any]) -> bool:
    """Whether a generator hands out what it goes through, rather than how far it has come."""
    said = str(inspect.signature(function).return_annotation)
    return said.removeprefix("collections.abc.").startswith(("Iterator", "Iterable"))


def test_no_job_of_core_is_missing_here() -> None:
    """A generator is a job by what it is, not by its name; and every `_steps` is one."""
    listed = {f"{job.__module__}:{job.__qualname__}" for job in JOBS} | PARTS
    missing = set()
    for module in pkgutil.walk_packages(core.__path__, "core."):
        if module.name.endswith("__main__"):
            continue
        for _, member in inspect.getmembers(importlib.import_module(module.name)):
            if not getattr(member, "__module__", "").startswith("core."):
                continue
            functions = vars(member).values() if inspect.isclass(member) else [member]
            for function in functions:
                function = getattr(function, "__func__", function)
                if not inspect.isgeneratorfunction(function):
                    continue
                name = function.__qualname__
                private = any(part.startswith("_") for part in name.split("."))
                is_job = name.endswith("_steps") or not only_iterates(function)
                if is_job and not private:
                    missing |= {f"{function.__module__}:{name}"} - listed
    assert not missing
