"""What is done with a finished tokenizer: saved, compared, looked into, or a model is trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.panes.tokenizers.train import keeping
from explorer.panes.tokenizers.train.draft import TYPED
from explorer.widgets import dialogs

if TYPE_CHECKING:
    from explorer.panes.tokenizers.train.mode import TrainMode


class Using:
    """Of one mode."""

    def __init__(self, mode: TrainMode) -> None:
        self._mode = mode

    def tokenizer(self, lane: int) -> Any:
        """The finished tokenizer of a lane; None where there is none."""
        finished = self._mode.trainer.lanes_done()
        return finished[lane] if lane < len(finished) else None

    def offer(self) -> None:
        """What is finished can be used, here and in the other modes."""
        recording = self._mode.trainer.recording
        finished = self._mode.trainer.lanes_done()
        self._mode.view.set_finished([one is not None for one in finished])
        if recording is not None:
            for lane, one in enumerate(finished):
                if one is not None:
                    self._mode.catalogue.add_trained(self._title(lane), one)

    def _title(self, lane: int) -> str:
        draft, recording = self._mode.trainer.draft, self._mode.trainer.recording
        assert draft is not None and recording is not None
        return keeping.title_of(
            recording.names[lane], self.tokenizer(lane).vocab_size, draft.corpus
        )

    def use(self, lane: int, what: str) -> None:
        """ "save", "train", "compare" or "inside"."""
        tokenizer = self.tokenizer(lane)
        if tokenizer is None:
            return
        name = f"trained:{self._title(lane)}"
        if what == "save":
            self.ask_where_to_save(lane)
        elif what == "train":
            self._mode.spawn(self._train_a_model(lane, tokenizer))
        elif what == "compare":
            self._mode.modeRequested.emit("compare", {"add": name})
        elif what == "inside":
            self._mode.modeRequested.emit("inside", {"tokenizer": name})

    def ask_where_to_save(self, lane: int) -> None:
        tokenizer, recording = self.tokenizer(lane), self._mode.trainer.recording
        if tokenizer is None or recording is None:
            return
        name = keeping.file_name(recording.names[lane], tokenizer.vocab_size)
        dialog = dialogs.ask_target(
            self._mode.stack,
            "Save the tokenizer",
            f"{name}.json",
            lambda path: self._mode.spawn(self.save(tokenizer, Path(path))),
        )
        dialog.setNameFilters(keeping.names_for(tokenizer.kind))
        dialog.filterSelected.connect(lambda chosen: keeping.follow(dialog, chosen))

    async def save(self, tokenizer: Any, path: Path) -> None:
        try:
            await self._mode.engine.io(keeping.save, tokenizer, path)
        except (ValueError, OSError) as error:
            self._mode.statusRequested.emit(str(error))
        else:
            self._mode.statusRequested.emit(f"Saved {path.name}")

    async def _train_a_model(self, lane: int, tokenizer: Any) -> None:
        draft = self._mode.trainer.draft
        if draft is None:
            return
        typed = draft.typed if draft.corpus == TYPED else None
        title = self._title(lane)
        try:
            path = await self._mode.engine.io(keeping.keep, tokenizer, title, typed)
        except (ValueError, OSError) as error:
            self._mode.statusRequested.emit(str(error))
            return
        corpus = draft.corpus if typed is None else str(path.with_name(keeping.TEXT))
        self._mode.workspace.train_with(str(path), corpus)
