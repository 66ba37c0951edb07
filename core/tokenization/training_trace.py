"""Describes one step of a tokenizer's training as a Step of a trace: choice, formula, code.

The steps of all trainers are the dataclasses of steps.py. Those that only report progress
(CountingStep, WorkingStep) have no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.tokenization.formats.spelling import bytes_of
from core.tokenization.steps import (
    AlphabetStep,
    ExpectStep,
    FinishStep,
    MaximizeStep,
    MergeStep,
    PruneStep,
    SeedStep,
    TrainingStep,
)
from core.tokenization.telling import arrays, count, quoted, shown, trace_of
from core.tokenization.unigram.em import log_shares, new_scores
from core.trace import Step, Trace

_HERE = "core.tokenization"
_SENTENCEPIECE = f"{_HERE}.sentencepiece.training:sentencepiece_bpe_steps"
_LEARN = f"{_HERE}.bpe.training:Learner.learn"
_MERGE = f"{_HERE}.symbol_row:SymbolRow.merge"

# The code in which each algorithm chooses the best pair, or computes its score.
CHOOSES = {
    "bpe": f"{_LEARN}#choose",
    "wordpiece": f"{_LEARN}#choose",
    "wordpiece-likelihood": f"{_HERE}.wordpiece.training:likelihood#score",
    "sentencepiece-bpe": f"{_SENTENCEPIECE}#choose",
}
ALPHABETS = {"sentencepiece-bpe": _SENTENCEPIECE}
COUNT = r"(a, b)^* = \text{arg max}_{(a, b)} \; \text{count}(a\,b)"
LIKELIHOOD = (
    r"(a, b)^* = \text{arg max}_{(a, b)} \; "
    r"\frac{\text{count}(a\,b)}{\text{count}(a) \; \text{count}(b)}"
)


def trace_training_step(step: TrainingStep) -> Step:
    """Describes a training step: its title, its formula, the line that computed it and its values.

    Raises ValueError for a step that only reports progress.
    """
    for kind, tell in TELL.items():
        if isinstance(step, kind):
            return tell(step)
    raise ValueError(
        f"a {type(step).__name__} tells how far the training is, and chooses nothing: show it as "
        "progress"
    )


def trace_merge(step: MergeStep) -> Trace:
    """Traces one merge in three steps: choose the pair, join it, update the number of tokens."""
    merged = Step(
        "training.merge",
        f"Join the two everywhere into {_told(step, step.piece)}, which is token {step.token:,}",
        r"a\, b \;\to\; ab",
        f"{_MERGE}#merge",
        arrays({"left": step.left, "right": step.right, "token": step.token}),
    )
    updated = Step(
        "training.update",
        f"Count the neighboring pairs again; the text now has {count(step.tokens, 'token')}",
        r"n \;\to\; n - \text{count}(a\,b)",
        f"{_MERGE}#update",
        arrays(
            {
                "tokens": step.tokens,
                "tokens_before": step.tokens_before,
                "joined": step.tokens_before - step.tokens,
            }
        ),
    )
    about = {"algorithm": step.algorithm, "rank": step.rank}
    return trace_of([choose_step(step), merged, updated], about)


def choose_step(step: MergeStep) -> Step:
    """Describes which pair is merged next, and by which score."""
    pair = f"{_told(step, step.left_piece)} + {_told(step, step.right_piece)}"
    times = f"occurs {count(step.count, 'time')}"
    values: Mapping[str, object] = {"pair": (step.left, step.right), "count": step.count}
    formula = COUNT
    if step.algorithm == "wordpiece-likelihood":
        title = f"{pair} {times}, more than any pair relative to its parts (score {step.score:.3g})"
        left, right = step.parts
        values = {"score": step.score, "pair": step.count, "left": left, "right": right}
        formula = LIKELIHOOD
    elif any(rival.count == step.count for rival in step.rivals):
        title = f"{pair} {times}; others are as frequent, but the rule for ties chooses this pair"
    else:
        title = f"{pair} {times}, more often than any other pair"
    return Step("training.choose", title, formula, CHOOSES[step.algorithm], arrays(values))


def _told(step: MergeStep, piece: str) -> str:
    return quoted(shown(piece, bytes_of(step.algorithm, piece)))


def _alphabet(step: AlphabetStep) -> Step:
    where = ALPHABETS.get(step.algorithm, f"{_HERE}.bpe.training:alphabet_step")
    return Step(
        "training.alphabet",
        f"Begin with {count(step.vocab_size, 'piece')}; the text is {count(step.tokens, 'token')} "
        "long",
        r"V_0 = \text{special tokens} \cup \text{alphabet}",
        f"{where}#alphabet",
        arrays({"counts": step.counts}),
    )


def _seed(step: SeedStep) -> Step:
    return Step(
        "training.seed",
        f"Begin with {count(step.vocab_size, 'piece')}: all strings that occur at least twice",
        r"\log p_x = \log \frac{\text{count}(x) \; |x|}{\sum_y \text{count}(y) \; |y|}",
        f"{_HERE}.unigram.em:log_shares#seed",
        arrays(
            {"scores": step.scores} if step.weights is None else log_shares(step.weights)._asdict()
        ),
    )


def _expect(step: ExpectStep) -> Step:
    return Step(
        "training.expect",
        f"The E step estimates how often each of {count(step.vocab_size, 'piece')} is used, "
        "over all ways to cut every word "
        f"({step.tokens:,.0f} tokens, {step.objective:.3f} nats per word)",
        r"c_x = \sum_w n_w \sum_{s \,\ni\, x} P(s \mid w)",
        f"{_HERE}.unigram.em:expect#expect",
        arrays({"expected": step.expected}),
    )


def _maximize(step: MaximizeStep) -> Step:
    size = len(step.removed)
    gone = f" and drops {count(size, 'hardly used piece')}" if size else ""
    return Step(
        "training.maximize",
        f"The M step scores the pieces by these counts{gone}",
        r"\log p_x = \psi(c_x) - \psi \Big(\sum_y c_y\Big)",
        f"{_HERE}.unigram.em:new_scores#maximize",
        arrays(
            {"scores": step.scores} if step.counts is None else new_scores(step.counts)._asdict()
        ),
    )


def _prune(step: PruneStep) -> Step:
    return Step(
        "training.prune",
        f"Drop {count(len(step.removed), 'piece')} that the text needs least; "
        f"keep {step.vocab_size:,}",
        r"\text{loss}_x = f_x \Big(\log p_x - \sum_{y \in s'(x)} \log p'_y\Big)",
        f"{_HERE}.unigram.pruning:weigh#prune",
        arrays({"losses": step.losses} if step.weighed is None else step.weighed._asdict()),
    )


def _finish(step: FinishStep) -> Step:
    return Step(
        "training.finish",
        f"Keep every required character and the best other pieces: {step.vocab_size:,} in all",
        r"V = \text{characters} \cup \text{top}_k \; p_x",
        f"{_HERE}.unigram.training:finish#finish",
        arrays({"scores": step.scores}),
    )


TELL: Mapping[type, Callable[..., Step]] = {
    AlphabetStep: _alphabet,
    MergeStep: choose_step,
    SeedStep: _seed,
    ExpectStep: _expect,
    MaximizeStep: _maximize,
    PruneStep: _prune,
    FinishStep: _finish,
}
