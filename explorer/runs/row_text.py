"""The text and the buttons of a run's row. No Qt."""

from __future__ import annotations

from core.numbers import format_estimate
from core.training.config import TrainingConfig
from explorer.runs.run_data import RunData
from explorer.widgets.run_card_text import CardText


def facts(config: TrainingConfig) -> list[str]:
    """Returns the settings in which runs of one method may differ."""
    settings, told = config.settings, [f"learning rate {config.learning_rate:g}"]
    if settings.get("method") == "lora":
        told.append(f"rank {settings['lora']['r']}")
    if settings.get("replay"):
        told.append(f"replay {settings['replay']:g}")
    return told


def row_text(data: RunData, state: str, name: str) -> CardText:
    """Returns the row under a name; `state` is the one that the user requested."""
    prepares = data.prepares(state)
    ways = {"new": ("pause", "stop"), "running": ("pause", "stop"), "paused": ("resume", "stop")}
    again = () if data.finished else ("continue",) if data.checkpoints else ("again",)
    again = ("correct",) if state == "failed" else again
    left = data.seconds_left if state == "running" else 0.0
    said = f"about {format_estimate(left)} left" if left >= 1 else ""
    return CardText(
        name=name,
        state="new" if prepares else state,
        step=data.step,
        steps=data.config.steps,
        note=data.preparing if prepares else ", ".join(filter(None, (said, *facts(data.config)))),
        buttons=(*ways.get(state, again), "open", "dismiss"),
        message=data.message if state == "failed" else "",
    )
