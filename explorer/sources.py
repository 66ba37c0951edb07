"""Where a model's numbers come from. Panes ask a source, never a module.

A model that is not being trained is captured on the engine's thread. A model in training is looked
at through its run: a `probe` command, answered at the run's next safe point by a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PySide6.QtCore import QObject, Signal

from explorer.jobs import SUPERSEDED, Superseded

if TYPE_CHECKING:
    from core.inference.activations import Activations
    from core.tokenization import Tokenizer
    from core.trace import Trace
    from core.training import RunControl, RunReader
    from core.training.reader import Probe
    from core.transformer.config import ModelConfig
    from explorer.engine import Engine

BUNDLED = "stories"


class ModelSource(Protocol):
    """What panes need of a model.

    version   grows when the model has changed; a run's is its step
    address   what a session remembers: "stories", a checkpoint's folder, or a run's folder
    """

    name: str
    address: str
    version: int
    tokenizer: Tokenizer | None
    config: ModelConfig | None
    changed: Any  # Signal(): the model has moved on to another version

    @property
    def is_live(self) -> bool: ...

    async def open(self) -> None: ...

    async def capture(
        self, ids: Sequence[int], sites: Sequence[str] | None = None, key: object = None
    ) -> Activations | Superseded: ...

    async def trace_attention(
        self, ids: Sequence[int], layer: int, head: int, query: int = -1, key: object = None
    ) -> Trace | Superseded: ...


class FolderSource(QObject):
    """The model in a checkpoint folder; the weights are read at the first capture."""

    changed = Signal()
    is_live = False

    def __init__(self, engine: Engine, address: str | Path, parent: QObject | None = None) -> None:
        super().__init__(parent or engine)
        self._engine = engine
        self._loaded: Any = None
        self.address = str(address)
        self.name = Path(address).name
        self.version = 0
        self.tokenizer: Tokenizer | None = None
        self.config: ModelConfig | None = None

    def folder(self) -> Path:
        return Path(self.address)

    async def open(self) -> None:
        """Reads tokenizer and config, without torch. Raises ValueError or OSError with a remedy."""
        self.tokenizer, self.config = await self._engine.io(_read_small_files, self.folder())

    async def capture(
        self, ids: Sequence[int], sites: Sequence[str] | None = None, key: object = None
    ) -> Activations | Superseded:
        return await self._engine.call(self._capture, list(ids), sites, key=key)

    async def trace_attention(
        self, ids: Sequence[int], layer: int, head: int, query: int = -1, key: object = None
    ) -> Trace | Superseded:
        return await self._engine.call(self._trace, list(ids), layer, head, query, key=key)

    # on the engine's thread

    def _model(self) -> Any:
        if self._loaded is None:
            import core

            self._loaded = core.load(self.address)
        return self._loaded.model

    def _capture(self, ids: list[int], sites: Sequence[str] | None) -> Activations:
        import core

        return core.capture(self._model(), ids, sites)

    def _trace(self, ids: list[int], layer: int, head: int, query: int) -> Trace:
        import core

        return core.trace_attention(self._model(), ids, layer, head, query)


class BundledSource(FolderSource):
    """The model that comes with the app: `core.load("stories")`."""

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(engine, BUNDLED, parent)
        self.name = "stories (bundled)"

    def folder(self) -> Path:
        from core.resources import resource

        return resource("models", BUNDLED)


class RunSource(QObject):
    """The live model of a run, whether a thread, a process or finished; version = its step.

    Whoever follows the run calls `set_version` as probes of newer steps land; that emits `changed`.
    A run that does not train now is looked at through its newest checkpoint.
    """

    changed = Signal()
    is_live = True

    def __init__(
        self, engine: Engine, folder: str | Path, control: RunControl, parent: QObject | None = None
    ) -> None:
        super().__init__(parent or engine)
        self._engine = engine
        self._control = control
        self._reader: RunReader | None = None
        self._checkpoint: FolderSource | None = None
        self._newest: dict[object, int] = {}
        self._turn = 0
        self.address = str(folder)
        self.name = f"{Path(folder).name} (live)"
        self.version = 0
        self.tokenizer: Tokenizer | None = None
        self.config: ModelConfig | None = None

    async def open(self) -> None:
        """Reads the run's tokenizer and config. Raises ValueError or OSError, with the remedy."""
        reader = await self._follow()
        self.tokenizer = await self._engine.io(_tokenizer_of, reader)
        self.config = reader.config.model
        self.version = reader.step

    def set_version(self, step: int) -> None:
        """The run has written probes of a newer step."""
        if step != self.version:
            self.version = step
            self.changed.emit()

    async def capture(
        self, ids: Sequence[int], sites: Sequence[str] | None = None, key: object = None
    ) -> Activations | Superseded:
        wanted = tuple(sites or ("attention", "logits"))
        turn = self._newest_turn((key, "capture"))
        checkpoint = await self._standing()
        if checkpoint is not None:
            return await checkpoint.capture(ids, wanted, key)
        arrays = await self._probe(ids, wanted, (key, "capture"), turn)
        if arrays is SUPERSEDED:
            return SUPERSEDED
        return await self._engine.io(_activations, arrays)

    async def trace_attention(
        self, ids: Sequence[int], layer: int, head: int, query: int = -1, key: object = None
    ) -> Trace | Superseded:
        turn = self._newest_turn((key, "trace"))
        checkpoint = await self._standing()
        if checkpoint is not None:
            return await checkpoint.trace_attention(ids, layer, head, query, key)
        arrays = await self._probe(ids, ("queries", "keys", "values"), (key, "trace"), turn)
        if arrays is SUPERSEDED:
            return SUPERSEDED
        window = self.config.window_of(layer) if self.config is not None else None
        return await self._engine.call(
            _trace_from, arrays, list(ids), layer, head, query, window, key=key
        )

    # the run

    async def _follow(self) -> RunReader:
        if self._reader is None:
            self._reader = await self._engine.io(_reader_of, self.address)
        else:
            await self._engine.io(self._reader.refresh)
        return self._reader

    async def _standing(self) -> FolderSource | None:
        """The newest checkpoint where nobody trains the run now; None while somebody does."""
        reader = await self._follow()
        if reader.state in ("new", "running", "paused"):
            return None
        if not reader.checkpoints:
            raise ValueError(f"{reader.name} has ended without a checkpoint; start it again")
        folder = reader.checkpoints[-1].folder
        if self._checkpoint is None or self._checkpoint.address != str(folder):
            self._checkpoint = FolderSource(self._engine, folder, self)
            self.set_version(reader.checkpoints[-1].step)
        return self._checkpoint

    def _newest_turn(self, key: object) -> int:
        self._turn += 1
        self._newest[key] = self._turn
        return self._turn

    async def _probe(
        self, ids: Sequence[int], sites: tuple[str, ...], key: object, turn: int
    ) -> dict[str, Any] | Superseded:
        """Asks the run and waits for its file; a newer probe with the same key supersedes this."""
        name = f"look-{os.getpid()}-{id(self):x}-{turn}"
        if self._newest.get(key) != turn:
            return SUPERSEDED
        sequence = await self._engine.io(self._control.probe, name, list(ids), sites)
        while True:
            reader = await self._follow()
            probe = reader.probe(name)
            if probe is not None:
                arrays = await self._engine.io(_take, probe)
                self.set_version(max(self.version, probe.step))
                return arrays
            answer = await self._engine.io(self._control.acknowledgement, sequence)
            if answer is not None and not answer.ok:
                raise ValueError(answer.message)
            if self._newest.get(key) != turn:
                return SUPERSEDED
            if reader.state not in ("new", "running", "paused"):
                raise ValueError(f"{reader.name} ended before it answered; choose Update")
            await asyncio.sleep(PROBE_WAIT)


PROBE_WAIT = 0.03  # seconds between two looks for a probe's file


def _reader_of(folder: str) -> RunReader:
    from core.training import RunReader

    return RunReader(folder)


def _tokenizer_of(reader: RunReader) -> Tokenizer:
    """The tokenizer of a run: that of a checkpoint, of its folder, or the one its config names."""
    from core.resources import resource
    from core.tokenization import open_tokenizer

    places = [checkpoint.folder for checkpoint in reversed(reader.checkpoints)]
    for folder in (*places, reader.folder):
        if (folder / "tokenizer.json").is_file():
            return open_tokenizer(folder / "tokenizer.json")
    named = reader.config.tokenizer
    if named == BUNDLED:
        return open_tokenizer(resource("models", BUNDLED) / "tokenizer.json")
    if not Path(named).is_file():
        raise ValueError(f"{reader.name} has no tokenizer yet; wait until it has prepared its text")
    return open_tokenizer(named)


def _take(probe: Probe) -> dict[str, Any]:
    """Reads the answer and removes it: a look is no record of the run."""
    arrays = probe.load()
    with contextlib.suppress(OSError):
        probe.path.unlink()
    return arrays


def _activations(arrays: dict[str, Any]) -> Activations:
    from core.inference.activations import Activations

    return Activations(**arrays)


def _trace_from(
    arrays: dict[str, Any], ids: list[int], layer: int, head: int, query: int, window: int | None
) -> Trace:
    from core.inference.attention_trace import trace_attention_from

    q, k, v = (arrays[site][layer] for site in ("queries", "keys", "values"))
    return trace_attention_from(q, k, v, np.asarray(ids), layer, head, query, window)


def _read_small_files(folder: Path) -> tuple[Any, Any]:
    """Tokenizer and config of a checkpoint folder, without torch."""
    import json

    from core.tokenization import open_tokenizer
    from core.transformer.config import ModelConfig

    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; choose a checkpoint's folder")
    for name in ("config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise ValueError(f"{folder} holds no {name}; choose a whole checkpoint folder")
    tokenizer = open_tokenizer(folder / "tokenizer.json")
    try:
        values = json.loads((folder / "config.json").read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{folder / 'config.json'} is no JSON; copy the folder again") from error
    return tokenizer, ModelConfig.from_json(values)
