"""The numbers on screen in Train, by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from explorer.panes.readings import VIEW, Reading, below, path

if TYPE_CHECKING:
    from explorer.panes.tokenizers.train.mode import TrainMode


def readings(mode: TrainMode) -> Iterator[Reading]:
    """Yields the cards of all lanes at the cursor, and what the curves show there."""
    recording, at = mode.trainer.recording, mode.place().after
    if recording is None or not len(recording):
        return
    yield from below(VIEW, {"number": at + 1, "total": recording.expected + 1})
    for lane in mode.view.cards:
        card, place = lane.card, path(VIEW, f"lane:{lane.card.name}")
        yield from below(
            place,
            {
                "pieces": card.pieces,
                "bytes_per_token.words": card.facts,
                "sentence": card.sentence,
                "progress": card.progress,
            },
        )
    for series in mode.view.charts.compression.series:
        if at < len(series.y):
            yield path(VIEW, f"lane:{series.name}", "bytes_per_token"), float(series.y[at])
            value = recording.bytes_per_token(recording.names.index(series.name), at)
            yield path(VIEW, f"lane:{series.name}", "bytes_per_token"), value
