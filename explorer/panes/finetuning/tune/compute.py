"""What the engine computes for Tune: what each method takes, and what base and tuned model answer.
No Qt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.files import read_json
from core.finetuning.settings import METHODS, QUESTIONS, STORIES, settings_of
from core.resources import resource
from core.training.config import TrainingConfig
from explorer.panes.finetuning.tune.draft import TuneDraft, check, configs_of
from explorer.panes.finetuning.tune.scene import Asked, MethodRow, TargetGrid

if TYPE_CHECKING:
    from core.finetuning.loading import Tuned

MEASURED = 32  # questions whose length is measured
NEW_TOKENS = 24  # of an answer
LINES = 3  # of a question that is shown: its end


@dataclass(frozen=True, eq=False)
class Planned:
    """What the setup means. `errors`: by field; then nothing can start, and the rest is as far as
    it is known.
    """

    rows: tuple[MethodRow, ...] = ()
    grid: TargetGrid | None = None
    configs: Mapping[str, TrainingConfig] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def plan(draft: TuneDraft, speed: float) -> Planned:
    """Estimates every method; `speed`: FLOP/s of this machine. Knows no torch but its shapes."""
    from core.data.text import check_text_file
    from core.finetuning.estimates import estimate_finetuning

    errors = check(draft)
    if draft.data not in (QUESTIONS, STORIES):
        try:
            check_text_file(draft.data)
        except (ValueError, OSError) as error:
            errors["data"] = str(error)
    if errors:
        return Planned(errors=errors)
    try:
        grid = grid_of(draft)
        configs, refused = configs_of(draft, METHODS)
        length = text_length(draft.base, draft.data)
    except (ValueError, OSError) as error:
        return Planned(errors={"base": str(error)})
    rows = []
    for color, method in enumerate(METHODS):
        row = MethodRow(method, color, method in draft.methods)
        try:
            if method in refused:
                raise ValueError(refused[method])
            found = estimate_finetuning(configs[method], tokens=length, speed=speed)
        except ValueError as error:
            rows.append(replace(row, error=str(error)))
            continue
        names = ("trainable", "share", "bytes_peak", "bytes_optimizer", "bytes_saved", "seconds")
        rows.append(replace(row, **{name: getattr(found, name) for name in names}))
    told = next((one.error for one in rows if one.chosen and one.error), "")
    wrong = {"methods": told} if told else {}
    chosen = {row.method: configs[row.method] for row in rows if row.chosen and not row.error}
    return Planned(tuple(rows), grid, chosen, wrong)


def grid_of(draft: TuneDraft) -> TargetGrid:
    """The matrices of the base's layers. Raises ValueError or OSError where there is no such base,
    or a target is none of its matrices.
    """
    from core.finetuning.loading import config_of
    from core.finetuning.targets import find_targets, targets_of

    config = config_of(draft.base)
    targets = [one for one in targets_of(config) if one.name != one.end]
    modules = {one.module for one in targets if one.rows is not None}
    cells = [one for one in targets if one.rows is not None or one.module not in modules]
    kinds = tuple(dict.fromkeys(one.end for one in cells))
    meant = {one.name for one in find_targets(config, draft.targets)}
    chosen = frozenset(
        (kinds.index(one.end), int(one.name.split("h.")[1].split(".")[0]))
        for one in cells
        if one.name in meant or one.module in meant
    )
    return TargetGrid(kinds, len([one for one in cells if one.end == kinds[0]]), chosen)


@lru_cache(8)
def text_length(base: str, data: str) -> int | None:
    """Tokens of a batch's longest text, padding counted, where that is known before the data is
    read; None: as many as a sequence may have.
    """
    from core.finetuning.examples import SKILLS, StoryExamples, padded
    from core.inference.model_places import place_of
    from core.tokenization.opening import open_tokenizer, tokenizer_in

    folder, _ = place_of(base)
    file = tokenizer_in(folder) if folder.is_dir() else None
    if data not in SKILLS or file is None:
        return None
    examples = StoryExamples(data, open_tokenizer(file), ())
    drawn = [examples.example("train", index) for index in range(MEASURED)]
    return int(padded(drawn)[0].shape[1])


def bundled_record() -> dict[str, Any]:
    """What the evaluations of the bundled adapter's run measured, by name."""
    return read_json(resource("models", QUESTIONS, "record.json"))["evaluations"]


def answer_steps(folder: str, number: int) -> Iterator[Any]:
    """What base and tuned model answer to a held-out question of the data that was learned.

    folder  "questions", or the folder of a checkpoint

    A job that returns an `Asked`. Raises ValueError or OSError where the folder or the data cannot
    be read.
    """
    from core.finetuning.classifier import Classifier
    from core.finetuning.data import TuningData
    from core.finetuning.loading import load_tuned
    from core.finetuning.settings import finetuning_config

    tuned = load_tuned(folder)
    yield
    settings = replace(tuned.settings, base_data="", replay=0.0)
    config = finetuning_config(settings)
    data = TuningData(config, settings_of(config), None)
    front = len(tuned.tuning.prompt)
    yield from data.open_steps(tuned.lm, min(settings.context, config.model.block_size - front))
    ids, tokenizer = data.asked(number), tuned.lm.tokenizer
    right = tokenizer.decode(data.example(number).answer) if data.asks else ""
    if isinstance(tuned.tuning.model, Classifier):
        best = int(tuned.tuning.model.probabilities(ids).argmax())
        said = ["", settings.classes[best]]
    else:
        said = []
        for learned in (False, True):
            said.append((yield from _written(tuned, ids, learned)))
    ends = tuned.lm.usage.end_ids
    words = [tokenizer.decode(ids), right, *said]
    for end in ends:
        words = [one.replace(tokenizer.decode([end]), "") for one in words]
    count = data.examples.count("validation") if data.examples is not None else 1
    return Asked(*words, count=count, number=number % count)


def _written(tuned: Tuned, ids: list[int], learned: bool) -> Iterator[Any]:
    """What is likeliest to follow, with what was learned or without it."""
    from core.finetuning.scales import generate_at_scales_steps
    from core.inference.generation import generate_steps
    from core.inference.sampling import Sampling

    model, tuning, ends = tuned.lm.model, tuned.tuning, tuned.lm.usage.end_ids
    greedy, new = Sampling(temperature=0.0), []
    if tuning.prompt:  # without its tokens the model is the base
        read = [*tuning.prompt, *ids] if learned else ids
        tokens = generate_steps(model, read, NEW_TOKENS, greedy, stop=ends)
    else:
        scales = {tuning: float(learned)}
        tokens = generate_at_scales_steps(model, scales, ids, NEW_TOKENS, greedy, stop=ends)
    for token in tokens:
        new.append(token.id)
        yield
    whole = tuned.lm.tokenizer.decode([*ids, *new])
    return whole.removeprefix(tuned.lm.tokenizer.decode(ids))
