"""The model of a run: live while the run trains, its newest checkpoint afterwards.

A live model is looked at through its run: a `probe` command, answered at the run's next safe point
by a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from explorer.engine.jobs import SUPERSEDED, Superseded
from explorer.runs.folders import ACTIVE
from explorer.runs.sources import BUNDLED, TRACING, Captured, FolderSource, activations_of
from explorer.runs.tail import Tail
from explorer.runs.text_read import Read

if TYPE_CHECKING:
    from core.inference.activations import Activations
    from core.tokenization import Tokenizer
    from core.trace import Trace
    from core.training import RunControl, RunReader
    from core.training.reader import Checkpoint, Probe
    from core.transformer.config import ModelConfig
    from explorer.engine.engine import Engine

LOOK = "look-"  # prefix of the probes of a look
FORGOTTEN = 60.0  # seconds after which a look's file is abandoned
PROBE_WAIT = 0.03  # seconds between two checks for a probe's file


class RunSource(QObject):
    """The live model of a run that trains in a thread or a process, or has ended; version = step.

    The run's follower calls `set_version` when probes of newer steps arrive, which emits `changed`.
    A run that does not train is read through its newest checkpoint. As with the engine's calls, a
    newer request with the same key supersedes an older one, which returns SUPERSEDED: panes ask
    concurrently, each with its own keys.
    """

    changed = Signal()
    renamed = Signal()  # it has stopped training, or resumed
    is_live = True

    def __init__(self, engine: Engine, control: RunControl, tail: Tail) -> None:
        super().__init__(engine)
        self._engine = engine
        self._control = control
        self._tail = tail
        self._seen: _Seen | None = None
        self._checkpoint: FolderSource | None = None
        self._newest: dict[object, int] = {}
        self._turn = 0
        self._late: set[str] = set()  # looks that were given up
        self.address = str(tail.folder)
        self.name = tail.folder.name
        self.version = 0
        self._attempt = 0  # the run's attempt of this version
        self.tokenizer: Tokenizer | None = None
        self.config: ModelConfig | None = None

    async def open(self) -> None:
        """Reads the run's tokenizer and config. Raises ValueError or OSError, with the remedy."""
        seen = await self._follow()
        self.tokenizer, self.config = await self._tail.look(_small_parts)
        self.version, self._attempt = seen.step, seen.attempt

    def close(self) -> None:
        """Releases the model."""
        if self._checkpoint is not None:
            self._checkpoint.close()
            self._checkpoint = None
        self.deleteLater()

    def set_version(self, step: int, attempt: int | None = None) -> None:
        """Sets the step that can be read. Within an attempt steps only grow, wherever they are
        reported; the next attempt may start at an earlier one.
        """
        if attempt is not None:
            step = max(self.version, step) if attempt == self._attempt else step
            self._attempt = attempt
        if step != self.version:
            self.version = step
            self.changed.emit()

    def set_training(self, trains: bool) -> None:
        """Adds to the name whether the model still changes."""
        name = f"{self._tail.folder.name} (live)" if trains else self._tail.folder.name
        if name != self.name:
            self.name = name
            self.renamed.emit()

    @property
    def asked_version(self) -> int | None:
        """None while the run trains: its model is only probed, its weights stay with it."""
        trains = self._seen is None or self._seen.state in ACTIVE
        return None if trains or self._checkpoint is None else self._checkpoint.version

    @property
    def step(self) -> int:
        """The run's step at the last read, whether or not a look was answered."""
        return max(self.version, self._seen.step if self._seen is not None else 0)

    async def look(
        self, ids: Sequence[int], sites: Sequence[str] | None = None, key: object = None
    ) -> Captured | Superseded:
        wanted = tuple(sites or ("attention", "logits"))
        turn = self._newest_turn((key, "capture"))
        checkpoint = await self._standing()
        if checkpoint is not None:
            return await checkpoint.look(ids, wanted, key)
        answer = await self._probe(ids, wanted, (key, "capture"), turn)
        if isinstance(answer, Superseded):
            return answer
        arrays, step = answer
        return Captured(await self._engine.io(_activations, arrays), step)

    async def capture(
        self, ids: Sequence[int], sites: Sequence[str] | None = None, key: object = None
    ) -> Activations | Superseded:
        return activations_of(await self.look(ids, sites, key))

    async def trace_attention(
        self, ids: Sequence[int], layer: int, head: int, query: int = -1, key: object = None
    ) -> Trace | Superseded:
        turn = self._newest_turn((key, "trace"))
        checkpoint = await self._standing()
        if checkpoint is not None:
            return await checkpoint.trace_attention(ids, layer, head, query, key)
        answer = await self._probe(ids, ("queries", "keys", "values"), (key, "trace"), turn)
        if isinstance(answer, Superseded):
            return answer
        arrays, _ = answer
        return await self._engine.call(
            _trace_from, arrays, list(ids), layer, head, query, self.config, key=key, name=TRACING
        )

    async def read(self, ids: Sequence[int], key: object = None) -> Read | Superseded:
        checkpoint = await self._standing()
        if checkpoint is not None:
            return await checkpoint.read(ids, key)
        found = await self.look(ids, ("logits",), key)
        if isinstance(found, Superseded):
            return found
        logits = found.activations.logits
        assert logits is not None
        told = await self._engine.call(_surprises, logits, list(ids), name="reading the text")
        return Read(logits[-1], told, found.version)

    async def ask(
        self, compute: Callable[..., Any], *args: Any, key: object = None, name: str = ""
    ) -> Any:
        """Asks the newest checkpoint, even while the run trains: its live model is only probed."""
        seen = await self._follow()
        newest = await self._newest_checkpoint(seen)
        return await newest.ask(compute, *args, key=key, name=name)

    # the run

    async def _follow(self) -> _Seen:
        seen = await self._tail.look(_see)
        first, self._seen = self._seen is None, seen
        self.set_training(seen.state in ACTIVE)
        left = [probe for probe in seen.probes if probe.id in self._late]
        if first:
            left = [probe for probe in seen.probes if probe.id.startswith(LOOK)]
        if left:
            self._late -= {probe.id for probe in left}
            await self._engine.io(_delete, left, FORGOTTEN if first else 0.0)
        return seen

    async def _standing(self) -> FolderSource | None:
        """Returns the newest checkpoint if the run does not train now, else None."""
        seen = await self._follow()
        if seen.state in ACTIVE:
            return None
        checkpoint = await self._newest_checkpoint(seen)
        self.set_version(checkpoint.version)
        return checkpoint

    async def _newest_checkpoint(self, seen: _Seen) -> FolderSource:
        """Raises ValueError if the run has none."""
        newest = seen.checkpoint
        if newest is None:
            remedy = "let it write one" if seen.state in ACTIVE else "start it again"
            raise ValueError(f"{seen.name} has no checkpoint yet; {remedy}")
        if self._checkpoint is None or self._checkpoint.address != str(newest.folder):
            if self._checkpoint is not None:
                self._checkpoint.close()
            self._checkpoint = FolderSource(self._engine, newest.folder, self)
            self._checkpoint.version = newest.step
        return self._checkpoint

    def _newest_turn(self, key: object) -> int:
        self._turn += 1
        self._newest[key] = self._turn
        return self._turn

    async def _probe(
        self, ids: Sequence[int], sites: tuple[str, ...], key: object, turn: int
    ) -> tuple[dict[str, Any], int] | Superseded:
        """Requests a probe and waits for its file: arrays and step. A newer probe with the same key
        supersedes this one; an answer that arrives too late is deleted.
        """
        if self._newest.get(key) != turn:
            return SUPERSEDED
        name = f"{LOOK}{uuid.uuid4().hex}"
        taken = None
        try:
            sequence = await self._engine.io(self._control.probe, name, list(ids), sites)
            while True:
                seen = await self._follow()
                probe = next((found for found in seen.probes if found.id == name), None)
                if probe is not None:
                    taken = await self._engine.io(_take, probe)
                    self.set_version(probe.step, seen.attempt)
                    return taken, probe.step
                answer = await self._engine.io(self._control.acknowledgement, sequence)
                if answer is not None and not answer.ok:
                    raise ValueError(answer.message)
                if self._newest.get(key) != turn:
                    return SUPERSEDED
                if seen.state not in ACTIVE:
                    raise ValueError(f"{seen.name} ended before it answered; choose Update")
                await asyncio.sleep(PROBE_WAIT)
        finally:
            if taken is None:
                self._late.add(name)


@dataclass(frozen=True)
class _Seen:
    """The part of a run that a look needs, at the time of reading."""

    name: str
    state: str
    step: int
    attempt: int
    probes: tuple[Probe, ...]
    checkpoint: Checkpoint | None  # the newest


def _see(reader: RunReader, _: int) -> _Seen:
    newest = reader.checkpoints[-1] if reader.checkpoints else None
    attempt, probes = len(reader.manifest["attempts"]), tuple(reader.probes)
    return _Seen(reader.name, reader.state, reader.step, attempt, probes, newest)


def _small_parts(reader: RunReader, _: int) -> tuple[Tokenizer, ModelConfig]:
    return _tokenizer_of(reader), reader.config.model


def _tokenizer_of(reader: RunReader) -> Tokenizer:
    """Returns the tokenizer of a checkpoint, of the run's folder, or the one its config names."""
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


def _surprises(logits: np.ndarray, ids: Sequence[int]) -> np.ndarray:
    """Returns (T,) the surprise of every token of a text, from the logits (T, V) before each."""
    from core.inference.surprise import surprise_of

    told = [surprise_of(row, token) for row, token in zip(logits, ids[1:], strict=False)]
    return np.array([np.nan, *told])


def _delete(probes: Sequence[Probe], age: float) -> None:
    """Deletes late answers that are at least `age` seconds old: a younger one may be awaited."""
    for probe in probes:
        with contextlib.suppress(OSError):
            if time.time() - probe.path.stat().st_mtime >= age:
                probe.path.unlink()


def _take(probe: Probe) -> dict[str, Any]:
    """Reads the answer and deletes it: it is not a record of the run."""
    arrays = probe.load()
    with contextlib.suppress(OSError):
        probe.path.unlink()
    return arrays


def _activations(arrays: dict[str, Any]) -> Activations:
    from core.inference.activations import Activations

    return Activations.of(arrays)


def _trace_from(
    arrays: dict[str, Any],
    ids: list[int],
    layer: int,
    head: int,
    query: int,
    config: ModelConfig | None,
) -> Trace:
    from core.inference.attention_trace import trace_attention_from

    q, k, v = (arrays[site][layer] for site in ("queries", "keys", "values"))
    window = config.window_of(layer) if config is not None else None
    rotary = config is not None and config.positions == "rope"
    return trace_attention_from(
        q, k, v, np.asarray(ids),
        layer=layer, head=head, query=query, window=window, rotary=rotary,
    )  # fmt: skip
