"""core.load: a model by name, folder or file, even if the folder holds only what a fine-tuning run
learned.

    config.json          the model's config; "base": what it was tuned from; "finetuning": how
    model.safetensors    the tensors that learned

The base is loaded, prepared as for the run, and given the learned tensors. An adapter remains
separate, as in training: `adapters_of(lm.model)` gives access to its scale, `merge` and the rest.
The same holds for a folder with peft's two files, whose adapter_config.json names the base.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core.files import quoted, read_json, write_json
from core.finetuning.methods import Tuning, prepare
from core.finetuning.peft_config import CONFIG_FILE as ADAPTER_CONFIG
from core.finetuning.peft_config import read_config
from core.finetuning.peft_reader import check_files, load_adapter
from core.finetuning.settings import FinetuningSettings
from core.inference import loading
from core.inference.loading import BASE, DEEPEST, LoadedModel, Vocabulary
from core.inference.model_places import BUNDLED, place_of
from core.jobs import to_the_end
from core.tensor_shards import are_stored, open_tensors
from core.transformer.architectures import Config, gpt_of
from core.transformer.config import ModelConfig
from core.transformer.foreign.reading import ReadProgress
from core.transformer.parameters import parameter_count
from core.transformer.weights import CONFIG_FILE, DTYPES, WEIGHTS_FILE, check_dtype, check_finite

TUNING = "finetuning"  # the entry of config.json
TUNED = "tuned"  # the attribute of a model
PEFT_BASE = "base_model_name_or_path"
FILES = {BASE: CONFIG_FILE, PEFT_BASE: ADAPTER_CONFIG}  # with an entry that names the base


def load(name_or_path: str | Path = BUNDLED, dtype: str = "float32") -> LoadedModel:
    """Loads a model: a bundled one ("stories", or "dates", an encoder-decoder), "smollm2", a
    repository in the Hugging Face cache ("gpt2", "openai-community/gpt2"), the folder of a
    checkpoint, of a fine-tuning run or of a peft adapter (each with its base), a folder of
    transformers (GPT-2, Llama, SmolLM, Qwen 2 and 3), or a GGUF file of these families.

    dtype  "bfloat16" halves the memory, and keeps 8 of the 24 bits of precision

    Without a tokenizer, tokens are represented by their ids. Raises FileNotFoundError if the model
    or a file is missing, and ValueError, with a remedy, if the files are broken, do not belong
    together, are pickles, describe an unsupported model or one too large for this machine's memory,
    or if a base is missing.
    """
    return to_the_end(load_steps(name_or_path, dtype))


def load_steps(
    name_or_path: str | Path = BUNDLED, dtype: str = "float32"
) -> Generator[ReadProgress, None, LoadedModel]:
    """Runs `load` as a closable job with progress; core checkpoints are read in one step."""
    check_dtype(dtype)
    return (yield from _load_steps(name_or_path, dtype, DEEPEST))


def memory_needed(name_or_path: str | Path = BUNDLED, dtype: str = "float32") -> int:
    """Returns the bytes that the weights of `load(name_or_path, dtype)` take, without reading them.

    Raises as `load`, except for errors in the weights.
    """
    check_dtype(dtype)
    return parameter_count(config_of(name_or_path)) * DTYPES[dtype].itemsize


def config_of(name_or_path: str | Path = BUNDLED) -> Config:
    """Returns the config of a model for `load`, without reading weights. Raises as `load`."""
    return _config_of(name_or_path, DEEPEST)


def _config_of(name_or_path: str | Path, deepest: int) -> Config:
    if (values := _tuned(name_or_path)) is not None:
        return _own_config(values)
    if (folder := _adapter_folder(name_or_path)) is None:
        return loading.config_of(name_or_path)
    base = _named_by_peft(folder)
    with _told_of_base(folder, base, PEFT_BASE, deepest):
        return _config_of(_base_place(folder, base, PEFT_BASE), deepest - 1)


def base_of(name_or_path: str | Path) -> str | None:
    """Returns the base that a model was tuned from, for `load`, or None. Raises as `load`."""
    folder, _ = place_of(name_or_path)
    if (values := _tuned(name_or_path)) is not None:
        return str(_base_place(folder, values.get(BASE), BASE))
    if _adapter_folder(name_or_path) is not None:
        return str(_base_place(folder, _named_by_peft(folder), PEFT_BASE))
    return None


def base_warning(name_or_path: str | Path, adapter: str | Path) -> str:
    """Returns a warning if an adapter's folder names a different base than the model has; "" if
    both are the same, or either is unknown. A different name proves nothing: the base may have been
    copied or renamed.
    """
    here = base_of(name_or_path) or str(name_or_path)
    folder = _adapter_folder(adapter)
    named = _named_by_peft(folder) if folder is not None else base_of(adapter)
    there = _base_place(folder, named, PEFT_BASE) if folder is not None and named else named
    if not there or _are_same(here, there):
        return ""
    return (
        f"{Path(adapter).name} was trained on {quoted(named)}, and the base here is "
        f"{quoted(here)}: unless both are the same model, what it adds means nothing here"
    )


def _are_same(first: str | Path, second: str | Path) -> bool:
    """Returns True if two names or folders mean the same model."""
    if str(first) == str(second):
        return True
    with suppress(ValueError, FileNotFoundError):
        return place_of(first)[0].resolve() == place_of(second)[0].resolve()
    return False


def vocabulary_of(name_or_path: str | Path = BUNDLED, deepest: int = DEEPEST) -> Vocabulary:
    """Returns the tokenizer of a model for `load`, and how it is used, without reading weights.
    Raises as `load`.

    deepest  maximum depth of nested bases below it
    """
    base = base_of(name_or_path) if deepest else None
    if base is None:
        return loading.vocabulary_of(name_or_path)
    return vocabulary_of(base, deepest - 1)


def write_tuned(folder: Path, config: ModelConfig, settings: FinetuningSettings) -> None:
    """Writes the config.json of a folder whose model.safetensors holds the learned tensors."""
    values = {**config.to_json(), BASE: settings.base, TUNING: settings.to_json()}
    write_json(folder / CONFIG_FILE, values)


@dataclass(frozen=True, slots=True, eq=False)
class Tuned:
    """A tuned model, its settings and its `Tuning`: the tokens of a soft prompt, which precede each
    text, are in `tuning.prompt`, a `Classifier` is `tuning.model`.
    """

    lm: LoadedModel
    settings: FinetuningSettings
    tuning: Tuning


def load_tuned(folder: str | Path, dtype: str = "float32") -> Tuned:
    """Loads a fine-tuning folder. Raises ValueError for any other folder, and as `load`."""
    return to_the_end(load_tuned_steps(folder, dtype))


def load_tuned_steps(
    folder: str | Path, dtype: str = "float32"
) -> Generator[ReadProgress, None, Tuned]:
    """Runs `load_tuned` as a closable job with progress; core bases are read in one step."""
    check_dtype(dtype)
    values = _tuned(folder)
    if values is None:
        raise ValueError(f"{folder} was not fine-tuned here; open it with core.load")
    return (yield from _load_tuned_steps(folder, values, dtype, DEEPEST))


def tuned_of(model: nn.Module) -> Tuned | None:
    """Returns the Tuned of a model that was loaded here, or None if it was not tuned here."""
    return vars(model).get(TUNED)


def _tuned(name_or_path: str | Path) -> dict[str, Any] | None:
    """Returns the config.json of a fine-tuning folder, or None for any other model."""
    path, _ = place_of(name_or_path)
    if not path.is_dir() or not (path / CONFIG_FILE).is_file():
        return None
    values = read_json(path / CONFIG_FILE)
    return values if isinstance(values, dict) and TUNING in values else None


def _own_config(values: Mapping[str, Any]) -> ModelConfig:
    own = {name: value for name, value in values.items() if name not in (BASE, TUNING)}
    return ModelConfig.from_json(own)


def _load_steps(
    name_or_path: str | Path, dtype: str, deepest: int
) -> Generator[ReadProgress, None, LoadedModel]:
    if (values := _tuned(name_or_path)) is not None:
        return (yield from _load_tuned_steps(name_or_path, values, dtype, deepest)).lm
    if (folder := _adapter_folder(name_or_path)) is not None:
        return (yield from _load_adapted_steps(folder, dtype, deepest))
    return (yield from loading.load_steps(name_or_path, dtype))


def _adapter_folder(name_or_path: str | Path) -> Path | None:
    """Returns the folder of peft's files, or None if it has none or holds a whole model."""
    path, _ = place_of(name_or_path)
    is_adapter = (path / ADAPTER_CONFIG).is_file() and not (path / CONFIG_FILE).is_file()
    return path if is_adapter else None


def _load_adapted_steps(
    folder: Path, dtype: str, deepest: int
) -> Generator[ReadProgress, None, LoadedModel]:
    """Loads the base that peft's files name, and adds their adapter."""
    check_files(folder)
    under = yield from _base_steps(folder, _named_by_peft(folder), PEFT_BASE, dtype, deepest)
    load_adapter(under.model, folder)
    return replace(under, name=folder.name)


def _named_by_peft(folder: Path) -> str:
    return read_config(folder / ADAPTER_CONFIG).base_model_name_or_path


def _base_steps(
    folder: Path, base: Any, entry: str, dtype: str, deepest: int
) -> Generator[ReadProgress, None, LoadedModel]:
    """Loads the model named by an entry of a file in a folder."""
    with _told_of_base(folder, base, entry, deepest):
        return (yield from _load_steps(_base_place(folder, base, entry), dtype, deepest - 1))


@contextmanager
def _told_of_base(folder: Path, base: Any, entry: str, deepest: int) -> Iterator[None]:
    """Names the folder in the error if its base is not found inside the context."""
    remedy = _remedy(folder, entry)
    if deepest == 0:
        raise ValueError(f"{folder} needs a base that needs another, without end; {remedy}")
    try:
        yield
    except FileNotFoundError as error:
        raise ValueError(
            f"{folder} was tuned from the model {quoted(base)}, which is not there: {error}; "
            f"{remedy}"
        ) from error


def _base_place(folder: Path, base: Any, entry: str) -> str | Path:
    """Returns the base's name or folder; a relative path is first resolved in this folder."""
    if not isinstance(base, str) or not base:
        raise ValueError(
            f"{folder / FILES[entry]}: the entry {entry!r} must be the name or the folder of a "
            f"model, not {quoted(base)}"
        )
    beside = folder / base
    return beside if os.path.exists(beside) else base


def _remedy(folder: Path, entry: str) -> str:
    """Returns the remedy for a missing or wrong base."""
    where = folder / FILES[entry]
    return f"put it back, or write where it is now as {entry!r} into {where}"


def _load_tuned_steps(
    name_or_path: str | Path, values: Mapping[str, Any], dtype: str, deepest: int
) -> Generator[ReadProgress, None, Tuned]:
    folder, name = place_of(name_or_path)
    try:
        settings = FinetuningSettings.from_json(values[TUNING])
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG_FILE}: {error}") from error
    base, remedy = values.get(BASE), _remedy(folder, BASE)
    path = folder / WEIGHTS_FILE
    if not are_stored(path):
        raise FileNotFoundError(f"{folder} holds no {WEIGHTS_FILE}; copy the whole folder")
    under = yield from _base_steps(folder, base, BASE, dtype, deepest)
    try:
        tuning = prepare(gpt_of(under.model), settings, torch.Generator())
        stored = open_tensors(path)
        stored.check_types()
        tuning.load_state(stored.read())
    except ValueError as error:
        raise ValueError(
            f"{folder} does not fit its base {quoted(base)}: {error}; {remedy}"
        ) from error
    model = gpt_of(tuning.model)
    config = _own_config(values)
    if replace(config, dropout=model.config.dropout) != model.config:
        raise ValueError(
            f"{folder} does not fit its base {quoted(base)}: {CONFIG_FILE} describes another "
            f"model; {remedy}"
        )
    check_finite(model, str(path))
    tuning.model.eval()
    lm = LoadedModel(model, under.tokenizer, model.config, name, under.usage)
    vars(model)[TUNED] = tuned = Tuned(lm, settings, tuning)
    return tuned
