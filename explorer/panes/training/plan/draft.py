"""The typed settings of a plan, and the Setup made from them. Imports neither Qt nor torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.fields import field, fields_of
from core.training.config import TrainingConfig
from core.training.estimates.communication import Link
from core.training.estimates.devices import DEVICES, GB, Device
from core.training.estimates.memory import RECOMPUTATIONS
from core.training.estimates.plan import PRECISIONS, Setup
from core.training.sizes import efficiency
from core.transformer.config import ModelConfig
from core.transformer.presets import PRESETS
from explorer.state.typed_numbers import read_for

BUNDLED, RUN = "stories", "run"  # models that are not presets
HERE = "here"  # this machine's device
STAGES = ("0", "1", "2", "3")
OPTIONAL = ("price", "link")
NUMBERS = (
    *("devices", "batch_size", "tokens", "price", "micro_batch", "efficiency", "pipeline", "link"),
)
# Limits of the numeric fields, which are those of Setup, with the link in GB/s.
ABOUT = {name: fields_of(Setup)[name] for name in NUMBERS}
ABOUT["link"] = replace(
    ABOUT["link"], type=float, above=0, most=1e5, remedy="empty for the device's own"
)


@dataclass(frozen=True)
class PlanDraft:
    """All fields as typed; the defaults plan the bundled model's training on this machine.

    price  of a device per hour; "" if unknown
    link   GB/s between two devices; "" for the device's own
    """

    model: str = field(BUNDLED, choices=(BUNDLED, RUN, *PRESETS))
    device: str = field(HERE, choices=(HERE, *DEVICES))
    devices: str = "1"
    stage: str = field("0", choices=STAGES)
    batch_size: str = "16"
    tokens: str = "40.96e6"
    price: str = ""
    precision: str = field("fp32", choices=tuple(PRECISIONS))
    recompute: str = field("none", choices=RECOMPUTATIONS)
    micro_batch: str = "16"
    efficiency: str = "0.4"
    pipeline: str = "1"
    link: str = ""


def setup_of(
    draft: PlanDraft, models: Mapping[str, ModelConfig], here: Device, optimizer: str = "adamw"
) -> tuple[Setup | None, dict[str, str]]:
    """Returns the Setup and {}; or None and the errors by field, with the remedy.

    models     the models that are not presets
    here       the device of this machine
    optimizer  that of the run, used if its model is planned
    """
    given: dict[str, float | int | None] = {}
    errors: dict[str, str] = {}
    for name in NUMBERS:
        typed = getattr(draft, name)
        try:
            is_left_out = name in OPTIONAL and not typed.strip()
            given[name] = None if is_left_out else read_for(ABOUT[name], typed)
        except ValueError as error:
            errors[name] = str(error)
    model = models.get(draft.model) or PRESETS.get(draft.model)
    if model is None:
        errors["model"] = "No run is open whose model is known; choose another model"
    if model is None or errors:
        return None, errors
    link, own = given.pop("link"), draft.model == RUN
    try:
        setup = Setup(
            model=model,
            device=here if draft.device == HERE else DEVICES[draft.device],
            stage=int(draft.stage),
            precision=draft.precision,
            recompute=draft.recompute,
            optimizer=optimizer if own else "adamw",
            own_run=own or draft.model == BUNDLED,
            link=None if link is None else Link(link * GB),
            **given,  # type: ignore[arg-type]
        )
    except ValueError as error:  # each field is valid alone, but not all together
        told = str(error)
        wrong = "pipeline" if "pipeline of" in told else "batch_size"
        return None, {wrong: told[:1].upper() + told[1:]}
    return setup, {}


def draft_of(config: TrainingConfig, here: Device | None = None) -> PlanDraft:
    """Returns the plan of a run, on this machine; if its processor `here` is measured, at the
    efficiency that the setup of a run expects.
    """
    return PlanDraft(
        model=RUN,
        devices=str(config.ranks),
        stage="3" if config.ranks > 1 and config.parallel == "fsdp2" else "0",
        batch_size=str(config.batch_size * config.micro_batches),
        tokens=str(config.tokens_per_step * config.steps),
        precision=config.precision,
        recompute="full" if config.activation_checkpointing else "none",
        micro_batch=str(max(1, config.batch_size // config.ranks)),
        efficiency=_efficiency(config, here),
    )


def _efficiency(config: TrainingConfig, here: Device | None) -> str:
    speed = here.peak_flops("fp32") if here is not None and here.measured else None
    if here is None or speed is None:
        return PlanDraft.efficiency
    relative = {precision: peak / speed for precision, peak in here.peak.items()}
    share = efficiency(config, speed, relative) / config.ranks
    return f"{min(share, 1.0):.3g}"
