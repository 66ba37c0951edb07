"""An adapter in peft's two files: adapter_config.json and adapter_model.safetensors.

peft keeps A and B under the name of the module that they lie on. In a core model that is
"h.0.attn.c_attn", in transformers' GPT-2 "transformer.h.0.attn.c_attn"; its Llama has three modules
in place of it, "model.layers.0.self_attn.q_proj", "k_proj" and "v_proj". All of these are written
and read: what began here goes on there, and the other way round.

A module there has one A and one B, where here queries and values of one matrix may each have an
update. Written, these stand side by side: A = [A_q; A_v], B = [B_q B_v], each with zeros in the
rows of the other, so that B A is their sum. Where one update here is on three modules there, each
has all of A and its own rows of B. Read, every module is one update.

Sources: peft's utils/save_and_load.py and tuners/lora/layer.py; LoRA (Hu et al. 2021).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from core.files import GET_AGAIN, quoted, quoted_some, replacing
from core.finetuning.adapter import Adapter, add_updates
from core.finetuning.lora import Adapted, DoRA, LowRank
from core.finetuning.peft_config import CONFIG_FILE, LORA, MERGE_THERE, PeftConfig, read_config
from core.finetuning.targets import Target, find_targets, targets_of
from core.inference.loading import config_of
from core.tensor_files import TensorFile, open_safetensors, read_rows, write_tensors
from core.transformer.architectures import Config, Model
from core.transformer.config import EncoderDecoderConfig
from core.transformer.foreign.families import Names
from core.transformer.foreign.parts import LAYER, without_prefix
from core.transformer.foreign.settings import nearest_family
from core.transformer.precision import full_precision
from core.transformer.presets import PRESETS
from core.transformer.weights import check_numbers

WEIGHTS_FILE = "adapter_model.safetensors"
PICKLE = "adapter_model.bin"
PREFIX = "base_model.model."  # before the name of every module
# What follows it, by what it is: of linear layers, of embeddings, and of both.
A, B = ("lora_A.weight", "lora_embedding_A"), ("lora_B.weight", "lora_embedding_B")
MAGNITUDE = ("lora_magnitude_vector",)
# peft adds whole embeddings, which must be the model's own.
TABLE = ("base_layer.weight", "weight")
KINDS = {"A": A, "B": B, "magnitude": MAGNITUDE, "table": TABLE}


@dataclass(frozen=True, slots=True)
class ModuleTensors:
    """What peft keeps of one module: A (r, in), B (out, r), with DoRA m (out,); and s, by which
    B A is multiplied.
    """

    A: Tensor
    B: Tensor
    scaling: float
    magnitude: Tensor | None


# -- names ----------------------------------------------------------------------------------------


def modules_of(config: Config, names: Names | None) -> dict[str, Target]:
    """The modules that can be adapted in a file, and what each is here.

    names  those of transformers; None: our own
    """
    modules = {}
    for target in targets_of(config):
        theirs = _their_names(target.module, names)
        is_part = target.rows is not None
        if is_part == (len(theirs) > 1):
            modules[theirs["qkv".index(target.name[-1]) if is_part else 0]] = target
    return modules


def _their_names(module: str, names: Names | None) -> tuple[str, ...]:
    if names is None:
        return (module,)
    layer = found[1] if (found := LAYER.match(module)) else ""
    return tuple(name.format(n=layer) for name in names.tensors[LAYER.sub("h.{n}.", module)])


def _names_of(config: Config) -> Names | None:
    """Those of the class of transformers that computes the same, windows aside, which change no
    name; None: there is none.
    """
    if not isinstance(config, EncoderDecoderConfig):
        with suppress(ValueError):
            return nearest_family(replace(config, window=None)).json_names
    return None


# -- writing --------------------------------------------------------------------------------------


def write_adapter(
    adapter: Adapter, folder: str | Path, *, base: str | None = None, own_names: bool = False
) -> None:
    """See `Adapter.save`."""
    folder, config = Path(folder), adapter.model.config
    names = None if own_names else _names_of(config)
    modules = modules_of(config, names)
    found = {name: _numbers_of(adapter, target) for name, target in modules.items()}
    numbers = {name: one for name, one in found.items() if one is not None}
    sizes = {name: _rank_and_alpha(one, adapter.config.rslora) for name, one in numbers.items()}
    (r, alpha), _ = Counter(sizes.values()).most_common(1)[0]
    about = {
        "peft_type": LORA,
        "task_type": None if names is None else "CAUSAL_LM",  # asks for more than a core model
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": r,
        "lora_alpha": alpha,
        "lora_dropout": adapter.config.dropout,
        "target_modules": _target_modules(numbers, modules),
        "rank_pattern": {name: rank for name, (rank, _) in sizes.items() if rank != r},
        "alpha_pattern": {name: other for name, (_, other) in sizes.items() if other != alpha},
        "bias": "none",
        "fan_in_fan_out": any(_is_transposed(modules[name], names) for name in numbers),
        "use_rslora": adapter.config.rslora,
        "use_dora": adapter.config.dora,
    }
    tensors: dict[str, Tensor] = {}
    for name, one in numbers.items():
        kind = int(modules[name].is_table)
        tensors |= {f"{PREFIX}{name}.{A[kind]}": one.A, f"{PREFIX}{name}.{B[kind]}": one.B}
        if one.magnitude is not None:
            tensors[f"{PREFIX}{name}.{MAGNITUDE[0]}"] = one.magnitude
    with replacing(folder / CONFIG_FILE) as beside:  # it takes its place after the numbers
        beside.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        write_tensors(folder / WEIGHTS_FILE, tensors, {"format": "pt"})


@torch.no_grad()
def _numbers_of(adapter: Adapter, target: Target) -> ModuleTensors | None:
    """All that an adapter changes in these rows of this matrix, side by side; None: nothing."""
    matrix = adapter.model.get_submodule(target.module)
    if not isinstance(matrix, Adapted):
        return None
    beside: list[tuple[LowRank, slice, slice]] = []  # its rows there, and here
    for update in adapter.updates_of(matrix):
        first = max(update.first, target.first)
        last = min(update.rows.stop, target.first + target.shape[0])
        if first < last:
            theirs = slice(first - target.first, last - target.first)
            own = slice(first - update.first, last - update.first)
            beside.append((update, theirs, own))
    if not beside:
        return None
    scaling, columns = beside[0][0].scaling, []
    for update, theirs, own in beside:
        column = update.B.new_zeros(target.shape[0], update.r)
        column[theirs] = update.B[own] * (update.scaling / scaling)
        columns.append(column)
    return ModuleTensors(
        A=torch.cat([update.A for update, _, _ in beside]),
        B=torch.cat(columns, dim=1),
        scaling=scaling,
        magnitude=_magnitude(matrix, target, beside) if adapter.config.dora else None,
    )


def _magnitude(
    matrix: Adapted, target: Target, beside: list[tuple[LowRank, slice, slice]]
) -> Tensor:
    """DoRA's lengths of all these rows: those that are not adapted keep their own."""
    last = target.first + target.shape[0]
    weight = matrix.as_matrix(matrix.unmerged_weight)[target.first : last]
    magnitude = full_precision(weight).norm(dim=1)
    adapted = torch.zeros_like(magnitude, dtype=torch.bool)
    for update, theirs, own in beside:
        assert isinstance(update, DoRA)
        if adapted[theirs].any():
            raise ValueError(
                f"this DoRA adapter changes rows of {target.name} twice, and peft has one length "
                "for each row: adapt the matrix or its parts, not both"
            )
        magnitude[theirs], adapted[theirs] = update.magnitude[own], True
    return magnitude


def _rank_and_alpha(numbers: ModuleTensors, rslora: bool) -> tuple[int, float]:
    """r, and the alpha from which r makes the scaling; 12 digits of it, so that 16 is 16."""
    r = numbers.A.size(0)
    alpha = float(f"{numbers.scaling * (math.sqrt(r) if rslora else r):.12g}")
    return r, int(alpha) if alpha.is_integer() else alpha


def _target_modules(changed: Iterable[str], modules: Iterable[str]) -> list[str]:
    """What the names of the changed modules end with; all of their names, where others end so."""
    changed = list(changed)
    ends = sorted({name.rpartition(".")[2] for name in changed})
    meant = [name for name in modules if name.rpartition(".")[2] in ends]
    return ends if len(meant) == len(changed) else changed


def _is_transposed(target: Target, names: Names | None) -> bool:
    return names is not None and LAYER.sub("h.{n}.", target.module) in names.transposed


# -- reading --------------------------------------------------------------------------------------


def load_adapter(model: Model, folder: str | Path) -> Adapter:
    """Lays an adapter that peft or `Adapter.save` wrote over the model, as `add_lora` does.

    Raises FileNotFoundError where a file is missing, and ValueError, with the remedy, for an
    adapter of another model or kind and for broken files; the model is then as it was.
    """
    folder = Path(folder)
    check_files(folder)
    peft = read_config(folder / CONFIG_FILE)
    source = _Source(open_safetensors(folder / WEIGHTS_FILE), peft, model)
    numbers = source.read()
    targets = find_targets(model, list(numbers))
    configs = Counter(map(peft.lora_config, source.entries))
    config = replace(configs.most_common(1)[0][0], target_modules=_ends(model, targets))
    updates = add_updates(model, config, targets)
    for name, one in numbers.items():
        _fill(updates[name], one)
    return Adapter(model, config, updates)


def check_files(folder: Path) -> None:
    """Raises FileNotFoundError or ValueError, with the remedy, unless both are there."""
    if not (folder / CONFIG_FILE).is_file():
        raise FileNotFoundError(
            f"{folder} is no adapter: it holds no {CONFIG_FILE}; choose the folder of one"
        )
    if (folder / WEIGHTS_FILE).is_file():
        return
    if (folder / PICKLE).exists():
        raise ValueError(
            f"{folder} holds its numbers as a pickle, {PICKLE}, which can run any code, so it is "
            "never opened: where you trust it, load it in peft and save it again"
        )
    raise FileNotFoundError(f"{folder} holds no {WEIGHTS_FILE}; copy the whole folder")


class _Source:
    """The numbers of a file, each checked before it is read: also whether the config is theirs."""

    def __init__(self, file: TensorFile, peft: PeftConfig, model: Model) -> None:
        self.file, self.peft, self.model = file, peft, model
        self.entries = _entries(file)
        self.modules = modules_of(model.config, None)
        names = _names_of(model.config)
        if names is not None and not set(self.entries) <= set(self.modules):
            self.modules = modules_of(model.config, without_prefix(names, self.entries))

    def read(self) -> dict[str, ModuleTensors]:
        """Those of each target, by its name."""
        if unknown := [name for name in self.entries if name not in self.modules]:
            there = quoted_some(list(self.modules))
            raise self.other_model(f"changes {quoted_some(unknown)}", there)
        found = {
            name: numbers
            for name, target in self.modules.items()
            if name in self.entries and (numbers := self.numbers(name, target)) is not None
        }
        if not found:
            raise ValueError(f"{self.file.path} holds no adapter: {GET_AGAIN}")
        self.check_meant(found)
        targets = {self.modules[name].name: numbers for name, numbers in found.items()}
        self.check_base(targets)
        return targets

    def check_meant(self, modules: Iterable[str]) -> None:
        """Raises ValueError for a module that the config leaves out, whose numbers peft drops."""
        for name in modules:
            if (entry := self.peft.leaving_out(name)) is not None:
                said = getattr(self.peft, entry)
                said = quoted_some(said) if isinstance(said, tuple) else quoted(said)
                raise ValueError(
                    f"{self.file.path} changes {quoted(name)}, and {entry} in {CONFIG_FILE}, "
                    f"{said}, leaves it out: one of the two files is another adapter's; "
                    "copy the whole folder again, or correct the entry"
                )

    def check_base(self, targets: Iterable[str]) -> None:
        """Raises ValueError where the config names a base, known here, that the numbers do not
        fit. Embeddings and output head do not count: their vocabulary may have grown.
        """
        base = self.peft.base_model_name_or_path
        if (config := _known_config(base)) is None:
            return
        here, there = (_shapes(one) for one in (self.model.config, config))
        if any(here[name] != there.get(name) for name in targets if name in here):
            raise ValueError(
                f"{self.file.path.parent} is of a model {_shape_of(self.model.config)} by its "
                f"numbers, and of {quoted(base)}, {_shape_of(config)}, by its {CONFIG_FILE}: one "
                "of the two files is another adapter's; copy the whole folder again, or correct "
                "base_model_name_or_path"
            )

    def numbers(self, name: str, target: Target) -> ModuleTensors | None:
        """Those of one module; None where the file repeats the table of embeddings alone."""
        entries, config, (out, d_in) = self.entries[name], self.peft.lora_config(name), target.shape
        if "table" in entries:
            table = self.tensor(entries["table"], (d_in, out) if target.is_table else (out, d_in))
            self.check_table(table, target)
            if len(entries) == 1:
                return None
        shapes: dict[str, tuple[int, ...]] = {"A": (config.r, d_in), "B": (out, config.r)}
        if config.dora:
            shapes["magnitude"] = (out,)
        if differing := sorted(set(shapes) ^ set(entries) - {"table"}):
            verb = "has" if differing[0] in entries else "lacks"
            raise ValueError(
                f"{self.file.path} {verb} {differing[0]} of {quoted(name)}, unlike what "
                f"{CONFIG_FILE} says: {GET_AGAIN}"
            )
        there = self.file.tensors[entries["A"]].shape
        if there[:1] != (config.r,):
            raise ValueError(
                f"{self.file.path} has an A of shape {quoted(there)} in {quoted(name)}, and "
                f"{CONFIG_FILE} says rank {config.r}: {GET_AGAIN}"
            )
        read = {kind: self.tensor(entries[kind], shape) for kind, shape in shapes.items()}
        return ModuleTensors(read["A"], read["B"], config.scaling, read.get("magnitude"))

    def tensor(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """One of the file, in fp32."""
        there = self.file.tensors[name].shape
        if there != shape:
            raise self.other_model(f"has {quoted(name)} of shape {quoted(there)}", f"shape {shape}")
        tensor = torch.from_numpy(read_rows(self.file, name, 0, shape[0]))
        check_numbers(tensor, name, str(self.file.path))
        return tensor

    def check_table(self, table: Tensor, target: Target) -> None:
        """Raises ValueError for embeddings that are not the model's."""
        module = self.model.get_submodule(target.module)
        weight = module.unmerged_weight if isinstance(module, Adapted) else module.weight
        assert isinstance(weight, Tensor)
        weight = full_precision(weight.detach()).cpu()
        if not torch.allclose(weight, table, rtol=1e-2, atol=1e-3):  # one of them may be in 16 bits
            raise ValueError(
                f"{self.file.path} replaces {target.module} as a whole, which an adapter here "
                f"cannot: {MERGE_THERE}"
            )

    def other_model(self, theirs: str, ours: str) -> ValueError:
        """An error that names the model of the adapter and this one."""
        base = self.peft.base_model_name_or_path
        return ValueError(
            f"{self.file.path.parent} is an adapter of {quoted(base) if base else 'another model'} "
            f"and {theirs}; the model here, {_shape_of(self.model.config)}, has {ours}: open "
            "the model that it was trained on, or choose another adapter"
        )


def _entries(file: TensorFile) -> dict[str, dict[str, str]]:
    """Of each module, by its name, what there is of it, and under which name in the file."""
    found: dict[str, dict[str, str]] = {}
    for tensor in file.tensors:
        ends = [(kind, f".{end}") for kind in KINDS for end in KINDS[kind]]
        kind, end = next(((kind, end) for kind, end in ends if tensor.endswith(end)), ("", ""))
        if not kind or not tensor.startswith(PREFIX):
            raise ValueError(
                f"{file.path} holds {quoted(tensor)}, which is no part of a LoRA adapter: "
                + MERGE_THERE
            )
        found.setdefault(tensor.removeprefix(PREFIX).removesuffix(end), {})[kind] = tensor
    return found


def _known_config(name: str) -> Config | None:
    """That of a model, by its name or folder; None: it is not known here."""
    with suppress(ValueError, OSError):
        return config_of(name)
    return PRESETS.get(name.removeprefix("openai-community/"))


def _shapes(config: Config) -> dict[str, tuple[int, int]]:
    """Of each matrix inside the layers."""
    return {one.name: one.shape for one in targets_of(config) if one.end != one.name}


def _shape_of(config: Config) -> str:
    if isinstance(config, EncoderDecoderConfig):
        layers = config.encoder.n_layer + config.decoder.n_layer
        return f"an encoder-decoder of {layers} layers and width {config.decoder.n_embd}"
    return f"of {config.n_layer} layers and width {config.n_embd}"


def _ends(model: Model, targets: list[Target]) -> tuple[str, ...]:
    """Their names without layers, where these mean the same."""
    ends = tuple(dict.fromkeys(target.end for target in targets))
    with suppress(ValueError):  # of a tied embedding
        if find_targets(model, ends) == targets:
            return ends
    return tuple(target.name for target in targets)


@torch.no_grad()
def _fill(update: LowRank, numbers: ModuleTensors) -> None:
    device = update.A.device
    update.A = nn.Parameter(numbers.A.to(device))
    update.B = nn.Parameter(numbers.B.to(device))
    update.scaling = numbers.scaling
    if isinstance(update, DoRA) and numbers.magnitude is not None:
        update.magnitude.copy_(numbers.magnitude)
