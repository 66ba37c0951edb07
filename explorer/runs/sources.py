"""Sources of a model's numbers. Panes ask a source, never a module.

A model that is not being trained is captured on the engine's thread; `run_source` holds the other.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import shiboken6
from PySide6.QtCore import QObject, Signal

from core.files import read_json
from explorer.engine.jobs import SUPERSEDED, Superseded
from explorer.runs.text_read import Read

if TYPE_CHECKING:
    from core.inference.activations import Activations
    from core.inference.usage import Usage
    from core.tokenization import Tokenizer
    from core.trace import Trace
    from core.transformer.config import ModelConfig
    from explorer.engine.engine import Engine

BUNDLED = "stories"
WEIGHTS = "model.safetensors"
BESIDE_CONFIG = ("base", "finetuning")  # entries of config.json about a fine-tuning
TRACING = "the steps of an attention head"


def models_among(paths: Sequence[str]) -> list[str]:
    """Returns the models among recently opened paths, without texts and runs."""
    return [path for path in paths if _is_model(path)]


def _is_model(path: str) -> bool:
    from core.tensor_shards import are_stored

    if path.endswith(".gguf"):
        return os.path.isfile(path)
    has_config, is_run = (
        os.path.isfile(os.path.join(path, name)) for name in ("config.json", "run.json")
    )
    return has_config and not is_run and are_stored(os.path.join(path, WEIGHTS))


@dataclass(frozen=True, eq=False)
class Captured:
    """Activations, and the version of the model they are from: a live model keeps learning.

    vectors  the version of queries, keys and values, if the attention was recorded at another
    """

    activations: Activations
    version: int
    vectors: int | None = None


class ModelSource(Protocol):
    """The interface of a model for panes.

    version        grows when the model has changed; a run's is its step
    address        saved by a session: "stories", a checkpoint's folder, or a run's folder
    asked_version  the version that `ask` uses; None if `look` shows another
    """

    name: str
    address: str
    version: int
    tokenizer: Tokenizer | None
    config: ModelConfig | None
    changed: Any  # Signal(): the model has a new version

    @property
    def is_live(self) -> bool: ...

    @property
    def asked_version(self) -> int | None: ...

    async def open(self) -> None: ...

    def close(self) -> None: ...

    async def look(
        self, ids: Sequence[int], sites: Sequence[str] | None = None, key: object = None
    ) -> Captured | Superseded: ...

    async def capture(
        self, ids: Sequence[int], sites: Sequence[str] | None = None, key: object = None
    ) -> Activations | Superseded: ...

    async def trace_attention(
        self, ids: Sequence[int], layer: int, head: int, query: int = -1, key: object = None
    ) -> Trace | Superseded: ...

    async def read(self, ids: Sequence[int], key: object = None) -> Read | Superseded: ...

    async def ask(
        self, compute: Callable[..., Any], *args: Any, key: object = None, name: str = ""
    ) -> Any: ...


class FolderSource(QObject):
    """The model in a checkpoint folder; the weights are read at the first capture.

    base   the model it was fine-tuned from, for `core.load`, once it is open; None: it was not
    dtype  of the weights of another program's model; None: fp32, but asks before a large one
    """

    changed = Signal()
    is_live = False

    def __init__(
        self,
        engine: Engine,
        address: str | Path,
        parent: QObject | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(parent or engine)
        self.dtype = dtype
        self._engine = engine
        self._loaded: Any = None
        self._context: Any = None  # the last text read
        self.address = str(address)
        self.name = model_name(address)
        self.base: str | None = None
        self.version = 0
        self.tokenizer: Tokenizer | None = None
        self.config: ModelConfig | None = None

    @property
    def usage(self) -> Usage | None:
        """The model's usage in a chat; None before the model is read."""
        return None if self._loaded is None else self._loaded.usage

    def folder(self) -> Path:
        return Path(self.address)

    @property
    def asked_version(self) -> int | None:
        return self.version

    async def open(self) -> None:
        """Reads tokenizer and config, without torch, and checks that the weights are complete;
        reads the whole model of another program. Raises LargeModelError if it takes much memory and
        the user was not asked, and ValueError or OSError with a remedy.
        """
        if await self._engine.io(_is_foreign, self.address):
            job = self._engine.run(_loading(self.address, self.dtype), name=f"opening {self.name}")
            await job.done()
            if job.error is not None:
                raise job.error
            self._loaded = job.result()
            self.tokenizer, self.config = self._loaded.tokenizer, self._loaded.config
        else:
            found = await self._engine.io(_read_small_files, self.folder())
            self.tokenizer, self.config = found
        self.base = await self._engine.io(_base_of, self.address)

    async def opened(self) -> Self:
        """Opens the source and returns it; closes it if that fails. Raises as `open`."""
        try:
            await self.open()
        except BaseException:
            if shiboken6.isValid(self):  # the window may have closed meanwhile, and deleted it
                self.close()
            raise
        return self

    async def look(
        self, ids: Sequence[int], sites: Sequence[str] | None = None, key: object = None
    ) -> Captured | Superseded:
        name = f"running {self.name} to see its heads"
        found = await self._engine.call(self._capture, list(ids), sites, key=key, name=name)
        return SUPERSEDED if found is SUPERSEDED else Captured(found, self.version)

    async def capture(
        self, ids: Sequence[int], sites: Sequence[str] | None = None, key: object = None
    ) -> Activations | Superseded:
        return activations_of(await self.look(ids, sites, key))

    async def trace_attention(
        self, ids: Sequence[int], layer: int, head: int, query: int = -1, key: object = None
    ) -> Trace | Superseded:
        return await self._engine.call(
            self._trace, list(ids), layer, head, query, key=key, name=TRACING
        )

    async def read(self, ids: Sequence[int], key: object = None) -> Read | Superseded:
        name = f"{self.name} reads the text"
        return await self._engine.call(self._read, list(ids), key=key, name=name)

    async def ask(
        self, compute: Callable[..., Any], *args: Any, key: object = None, name: str = ""
    ) -> Any:
        """Calls `compute(model, *args)`, which must not change the model, on the engine's thread;
        may return SUPERSEDED.
        """
        name = name or f"asking {self.name}"
        return await self._engine.call(self._asked, compute, args, key=key, name=name)

    def model_steps(
        self, job: Callable[..., Generator[Any, Any, Any]], *args: Any
    ) -> Generator[Any, Any, Any]:
        """Returns a generator for the engine: `job(model, *args)`, which leaves the model as is."""
        return (yield from job(self._model(), *args))

    def close(self) -> None:
        """Releases the weights."""
        self._loaded = self._context = None
        self.deleteLater()

    # on the engine's thread

    def _model(self) -> Any:
        loaded = self._loaded  # `close` may clear the field at any moment
        if loaded is None:
            import core

            self._loaded = loaded = core.load(self.address)
        return loaded.model

    def _capture(self, ids: list[int], sites: Sequence[str] | None) -> Activations:
        import core

        return core.capture(self._model(), ids, sites)

    def _read(self, ids: list[int]) -> Read:
        from core.inference.surprise import MeasuredContext

        context = self._context
        if context is None:
            self._context = context = MeasuredContext(self._model())
        begun = time.perf_counter()
        logits = context.read(ids).numpy()
        seconds = time.perf_counter() - begun
        cache = tuple(layer.use for layer in context.context.cache.layers)
        return Read(logits, context.surprises, self.version, seconds, len(ids), cache)

    def _asked(self, compute: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        return compute(self._model(), *args)

    def _trace(self, ids: list[int], layer: int, head: int, query: int) -> Trace:
        import core

        return core.trace_attention(self._model(), ids, layer, head, query)


class BlendedSource(FolderSource):
    """A model with an adapter, and a second adapter from the folder `second`."""

    def __init__(
        self, engine: Engine, address: str | Path, second: str, parent: QObject | None = None
    ) -> None:
        super().__init__(engine, address, parent)
        self.second = second

    async def open(self) -> None:
        await super().open()
        await self.ask(_lay_adapter, self.second, name=f"opening {Path(self.second).name}")


class BundledSource(FolderSource):
    """The model that comes with the app: `core.load("stories")`."""

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(engine, BUNDLED, parent)
        self.name = "stories (bundled)"

    def folder(self) -> Path:
        from core.resources import resource

        return resource("models", BUNDLED)


def _lay_adapter(model: Any, folder: str) -> None:
    """Adds an adapter to a loaded model, next to its others."""
    from core import load_adapter

    load_adapter(model, folder)


def activations_of(found: Captured | Superseded) -> Activations | Superseded:
    return found if isinstance(found, Superseded) else found.activations


def model_name(address: str | Path) -> str:
    """Returns a model's name: "stories", or "LoRA, step 60" for a checkpoint of a run."""
    from core.training.records import CHECKPOINTS, step_of

    path = Path(address)
    step = step_of(path.name) if path.parent.name == CHECKPOINTS else None
    return path.name if step is None else f"{path.parents[1].name}, step {step:,}"


def _base_of(address: str) -> str | None:
    """Returns the base of a fine-tuned model, or None. Loads torch only for a fine-tuned one."""
    from core.finetuning.settings import QUESTIONS

    path = Path(address)
    config = path / "config.json"
    values = read_json(config) if config.is_file() else {}
    has_adapter = not config.is_file() and (path / "adapter_config.json").is_file()
    if address != QUESTIONS and not has_adapter and "finetuning" not in values:
        return None
    from core.finetuning.loading import base_of

    return base_of(address)


def _is_foreign(address: str) -> bool:
    """True for another program's model: a name, a GGUF file, a folder of transformers or peft."""
    path = Path(address)
    if not path.is_dir():
        return path.is_file() or not path.is_absolute()
    config = path / "config.json"
    if not config.is_file() and (path / "adapter_config.json").is_file():
        return True
    values = read_json(config) if config.is_file() else None
    return isinstance(values, dict) and ("model_type" in values or "architectures" in values)


def _loading(address: str, dtype: str | None) -> Generator[Any, None, Any]:
    """Returns a generator for the engine that loads the model tensor by tensor; imports torch."""
    from core import load_steps, memory_needed
    from core.memory import check_large

    if dtype is None:
        check_large(address, memory_needed(address))
    return (yield from load_steps(address, dtype or "float32"))


def _read_small_files(folder: Path) -> tuple[Any, Any]:
    """Reads tokenizer and config of a checkpoint folder, without torch."""
    from core.tensor_shards import are_stored, open_tensors
    from core.tokenization import open_tokenizer
    from core.training.records import CHECKPOINTS
    from core.transformer.config import ModelConfig

    if not folder.is_dir():
        remedy = "choose the folder of a model"
        if folder.parent.name == CHECKPOINTS:
            remedy = "choose a checkpoint that is there, for a run keeps only some of them"
        raise FileNotFoundError(f"there is no folder {folder}; {remedy}")
    path = _file_of(folder, "config.json")  # first: it shows whether this is a model at all
    values = read_json(path)
    if isinstance(values, dict):  # a fine-tuning adds entries
        values = {name: one for name, one in values.items() if name not in BESIDE_CONFIG}
    try:
        config = ModelConfig.from_json(values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    tokenizer = _file_of(folder, "tokenizer.json")
    weights = folder / WEIGHTS if are_stored(folder / WEIGHTS) else _file_of(folder, WEIGHTS)
    open_tensors(weights)  # checks its header
    return open_tokenizer(tokenizer), config


def _file_of(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise ValueError(f"{folder} holds no {name}; choose a whole checkpoint folder")
    return path
