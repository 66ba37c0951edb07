"""The states of Inside in a snapshot: merges, dropout, a longest match, a lattice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.data import story_text
from core.tokenization import train_tokenizer
from explorer.panes.tokenizers.catalogue import MODEL

if TYPE_CHECKING:
    from explorer.panes.tokenizers.inside.mode import InsideMode

TEXT = "The little cat sat happily"
SIZE = 400  # pieces
LETTERS = 40_000  # characters of the stories to train on


def train_small(kind: str) -> Any:
    """Trains a small tokenizer within a moment."""
    return train_tokenizer(kind, [story_text(1, LETTERS)], vocab_size=SIZE)


def views(mode: InsideMode) -> dict[str, Callable[[], Any]]:
    async def show(identity: str, text: str, step: str, dropout: float = 0.0) -> None:
        mode.set_text(text)
        mode.choose(identity)
        await mode.settled()
        mode.draft.change({"alpha": 1.0, "dropout": dropout}, "Dropout")
        await mode.settled()
        steps = [place for place, one in enumerate(mode.steps) if one.step.name == step]
        mode.player.seek(steps[len(steps) // 2] if steps else 0)

    async def merges() -> None:
        await show(MODEL, TEXT, "bpe.choose")

    async def dropout() -> None:
        await show(MODEL, TEXT, "bpe.draw", 0.4)

    def small(kind: str, title: str, text: str, step: str) -> Callable[[], Any]:
        async def bring() -> None:
            tokenizer = await mode.engine.io(train_small, kind)
            await show(mode.catalogue.add_trained(title, tokenizer), text, step)

        return bring

    def real(identity: str, text: str, step: str, otherwise: Callable[[], Any]) -> Any:
        """The state with a well-known tokenizer if it is on this machine, else `otherwise`."""

        async def bring() -> None:
            entry = mode.catalogue.entry(identity)
            if entry is not None and entry.here:
                await show(identity, text, step)
            else:
                await otherwise()

        return bring

    match = small("wordpiece", "Small WordPiece", TEXT, "wordpiece.take")
    lattice = small("unigram", "Small Unigram", "happily ever", "unigram.take")
    return {
        "merges": merges,
        "dropout": dropout,
        "match": real("known:bert", "Unbelievable tokenizers", "wordpiece.take", match),
        "lattice": real("known:j2", "unbelievably", "unigram.take", lattice),
    }
