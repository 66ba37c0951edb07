"""Plans fine-tunings before they start. Does not import Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.files import read_json
from core.finetuning.run_config import finetuning_config
from core.finetuning.settings import METHODS, QUESTIONS, STORIES, FinetuningSettings, settings_of
from core.resources import resource
from core.tokenization.telling import sentence
from core.training.config import TrainingConfig
from explorer.panes.finetuning.tune.draft import TuneDraft, check, classes_of, config_of

if TYPE_CHECKING:
    from core.finetuning.estimates import FinetuningEstimate
    from core.finetuning.target_grid import TargetGrid
    from core.finetuning.trainable_parameters import LoRACount


@dataclass(frozen=True, eq=False)
class Method:
    """`estimate`: the costs of its run; `rate`: its learning rate; `error`: why it is
    impossible.
    """

    name: str
    chosen: bool
    estimate: FinetuningEstimate | None
    error: str = ""
    rate: float = math.nan


@dataclass(frozen=True, eq=False)
class Planned:
    """The plan for the setup `draft`. `errors`: by field; with any, nothing can start. `told`: the
    content of a data file; `broken`: the number of its lines without an example. `counts`: how many
    numbers LoRA trains, by kind of matrix, if it is chosen.
    """

    methods: tuple[Method, ...] = ()
    matrices: TargetGrid | None = None
    configs: Mapping[str, TrainingConfig] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    draft: TuneDraft | None = None
    told: str = ""
    broken: int = 0
    counts: tuple[LoRACount, ...] = ()

    @property
    def seconds(self) -> float:
        """Of all chosen methods together."""
        return sum(one.seconds for one in self.estimates)

    @property
    def bytes_peak(self) -> int:
        """Of all chosen methods together."""
        return sum(one.bytes_peak for one in self.estimates)

    @property
    def estimates(self) -> list[FinetuningEstimate]:
        """The estimates of the chosen methods that are possible."""
        return [one.estimate for one in self.methods if one.chosen and one.estimate is not None]


def plan(draft: TuneDraft, speed: float) -> Planned:
    """Plans every method. `speed`: FLOP/s of this machine."""
    return replace(_plan(draft, speed), draft=draft)


def _plan(draft: TuneDraft, speed: float) -> Planned:
    from core.data.text import check_text_file
    from core.finetuning.data_check import check_data
    from core.finetuning.target_grid import TargetGrid
    from core.finetuning.trainable_parameters import lora_counts
    from core.finetuning.tuning_data import batch_length

    if errors := check(draft):
        return Planned(errors=errors)
    wrong = "base"
    try:
        model = finetuning_config(FinetuningSettings(base=draft.base)).model
        wrong = "base_data"
        if draft.base_data not in (STORIES, ""):
            check_text_file(draft.base_data)
        wrong = "classes"
        own = {name: getattr(draft, name) for name in ("base", "data", "broken_lines")}
        settings = FinetuningSettings(**own, classes=classes_of(draft))
        wrong = "data"
        found = check_data(settings, model.block_size)
        length = batch_length(draft.base, draft.data)
    except (ValueError, OSError) as error:
        broken = getattr(error, "broken", 0)
        names = (Path(one).name for one in (draft.base, draft.data, draft.base_data))
        return Planned(errors={wrong: sentence(str(error), *names)}, broken=broken)
    matrices = TargetGrid.of(model)
    try:
        matrices = matrices.choosing(draft.targets)
    except ValueError as error:
        return Planned(matrices=matrices, errors={"targets": sentence(str(error))})
    methods = tuple(_method(draft, name, length, speed) for name in METHODS)
    refused = [one.error for one in methods if one.chosen and one.error]
    can = [one.name for one in methods if one.chosen and not one.error]
    configs = {name: config_of(draft, name) for name in can}
    errors = {"methods": refused[0]} if refused else {}
    counts = ()
    if "lora" in configs:
        counts = tuple(lora_counts(model, settings_of(configs["lora"]).lora))
    return Planned(methods, matrices, configs, errors, None, found.told, found.broken, counts)


def _method(draft: TuneDraft, name: str, length: int | None, speed: float) -> Method:
    from core.finetuning.estimates import estimate_finetuning
    from core.finetuning.tuning_data import check_room

    is_chosen = name in draft.methods
    try:
        config = config_of(draft, name)
        if is_chosen:
            check_room(settings_of(config), config.model.block_size)
        found = estimate_finetuning(config, tokens=length, speed=speed)
    except ValueError as error:
        return Method(name, is_chosen, None, sentence(str(error)))
    return Method(name, is_chosen, found, rate=config.learning_rate)


def bundled_record() -> dict[str, Any]:
    """Returns the recipe of the bundled adapter's run, and its evaluations by name."""
    return read_json(resource("models", QUESTIONS, "record.json"))


def measures_of(reader: Any, _: Any) -> dict[str, np.ndarray]:
    """Returns a run's measures other than the losses; logs of other programs have none."""
    return {name: one.copy() for name, one in getattr(reader, "measures", {}).items()}
