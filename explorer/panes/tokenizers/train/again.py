"""What a session keeps of a training: how to do it again, up to where it was."""

from __future__ import annotations

from typing import Any

from core.fields import lenient, to_json
from explorer.panes.tokenizers.train.draft import TrainDraft
from explorer.panes.tokenizers.train.trainer import Trainer


def remembered(trainer: Trainer) -> dict[str, Any] | None:
    """JSON; None where there is nothing to do again. The setup may say something else by now."""
    recording, draft = trainer.recording, trainer.draft
    if recording is None or draft is None or trainer.error:
        return None
    return {"moments": len(recording), "done": recording.over, "options": to_json(draft)}


def draft_of(again: dict[str, Any], usual: TrainDraft) -> TrainDraft:
    """How it was trained; `usual` where the session does not say."""
    return lenient(TrainDraft, again["options"]) if "options" in again else usual


def until_of(again: dict[str, Any]) -> int | None:
    """Up to how many moments it was; None where it was done."""
    return None if again.get("done") else max(1, again["moments"])
