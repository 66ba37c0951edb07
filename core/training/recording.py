"""A recorded step: what happens inside one optimizer step, recorded while it runs.

    recordings/step-000813/rank0.safetensors    outputs, gradients, updates
    recordings/step-000813/rank0.json           times, dtypes, bytes saved for backward

The step is computed as usual, and not one bit of its results changes: hooks only read, and exist
only between two yields of the loop. Autograd's own hooks for saved tensors count the tensors saved
for backward. On a GPU the step is slower, because the recorder waits for its kernels.

B  sequences of this rank      T  tokens
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from core.files import write_json
from core.tensor_files import write_tensors
from core.training import records
from core.training.parallel import own_part
from core.training.step_trace import LARGEST, SMALLEST
from core.training.task import Task

SAMPLED = 64  # weights of each parameter that are followed through the optimizer
WHOLE = 1 << 20  # largest output of a part of the model, in numbers, that is recorded


class Recorder:
    """Records one step of `module`; the loop calls it at the beginning of each phase.

    arrays  by name: see `step_trace`, which reads them
    facts   of the step, as JSON
    """

    def __init__(self, task: Task, module: nn.Module, device: torch.device) -> None:
        self.task, self.module, self.device = task, module, device
        self.arrays: dict[str, np.ndarray] = {}
        self.events: list[dict[str, Any]] = []
        self.layers: list[dict[str, Any]] = []
        self.parameters: dict[str, dict[str, Any]] = {}
        self._epoch = time.time() - time.perf_counter()
        self._kept = 0  # bytes
        self._storages: dict[int, int] = {}  # number of saved tensors that use each
        parameters = (own_part(parameter) for parameter in module.parameters())
        self._parameters = {p.untyped_storage().data_ptr() for p in parameters}
        self._memory: list[tuple[float, int]] = []

    def now(self) -> float:
        """Returns Unix seconds, after the device has finished its queued work."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self._epoch + time.perf_counter()

    # -- forward and backward

    @contextmanager
    def forward(self, micro_batch: int, batch: Any) -> Iterator[None]:
        """Records a micro-batch's forward pass."""
        with ExitStack() as hooks:
            hooks.enter_context(saved_tensors_hooks(self._keep, lambda kept: kept.tensor))
            for name, part in stages(self.module):
                self._watch(hooks, name, part, micro_batch)
            if micro_batch == 0:
                for name, layer in layers(self.module):
                    self._look_at_dtypes(hooks, name, layer)
            output = self.module.register_forward_hook(
                lambda _, __, made: self._task_shows(micro_batch, batch, made)
            )
            hooks.callback(output.remove)
            yield

    def _watch(self, hooks: ExitStack, name: str, part: nn.Module, micro_batch: int) -> None:
        begun: list[float] = []

        def enter(_: nn.Module, given: Any) -> None:
            begun.append(self.now())

        def leave(_: nn.Module, given: Any, made: Any) -> None:
            if not isinstance(made, Tensor):
                return
            self._event("forward", name, micro_batch, begun.pop(), self.now(), made)
            if made.requires_grad:
                # The hook is part of the graph, and is freed with it.
                made.register_hook(lambda slope: self._came_back(name, micro_batch, slope))

        hooks.callback(part.register_forward_pre_hook(enter).remove)
        hooks.callback(part.register_forward_hook(leave).remove)

    def _event(
        self, kind: str, name: str, micro_batch: int, start: float, end: float, made: Tensor
    ) -> None:
        told = {"kind": kind, "name": name, "micro_batch": micro_batch, "start": start, "end": end}
        shape, dtype = list(made.shape), dtype_name(made)
        self.events.append({**told, "shape": shape, "dtype": dtype, "bytes": made.nbytes})
        self.arrays[f"{kind}.{micro_batch}.{name}"] = _sizes(made)
        if kind == "forward" and micro_batch == 0 and made.numel() <= WHOLE:
            self.arrays[f"output.{name}"] = made.detach().float().cpu().numpy()

    def _came_back(self, name: str, micro_batch: int, slope: Tensor) -> None:
        now = self.now()
        self._event("backward", name, micro_batch, now, now, slope)
        for layer in self.layers:
            if layer["name"] == name:
                layer["gradient"] = dtype_name(slope)

    def _look_at_dtypes(self, hooks: ExitStack, name: str, layer: nn.Module) -> None:
        def leave(_: nn.Module, given: Any, made: Any) -> None:
            told = {"name": name, "weight": dtype_name(next(layer.parameters()))}
            if given and isinstance(given[0], Tensor):
                told["input"] = dtype_name(given[0])
            if isinstance(made, Tensor):
                told["output"] = dtype_name(made)
                if made.requires_grad:
                    made.register_hook(lambda slope: told.update(gradient=dtype_name(slope)))
            self.layers.append(told)

        hooks.callback(layer.register_forward_hook(leave).remove)

    def _task_shows(self, micro_batch: int, batch: Any, made: Any) -> None:
        with torch.no_grad():
            shown = self.task.shown(batch, made)
        for name, array in shown.items():
            self.arrays[f"batch.{micro_batch}.{name}"] = array

    def _keep(self, tensor: Tensor) -> _Kept:
        """Wraps a tensor saved for backward. Parameters do not count: they exist anyway."""
        return _Kept(self, tensor)

    def count(self, storage: int, size: int, more: int) -> None:
        """Counts a storage of `size` bytes as saved for backward once more (or less) from now on.

        Several tensors may be views of one storage, which counts once.
        """
        if storage in self._parameters:
            return
        before = self._storages.get(storage, 0)
        self._storages[storage] = before + more
        if (before == 0) != (before + more == 0):
            self._kept += size * more
            self._memory.append((self._epoch + time.perf_counter(), self._kept))

    @contextmanager
    def backward(self, micro_batch: int) -> Iterator[None]:
        """Records a micro-batch's backward pass: when each gradient is ready, and what is
        recomputed.
        """
        start = self.now()
        with ExitStack() as hooks:
            for name, part in stages(self.module):
                again = part.register_forward_pre_hook(
                    lambda *_, name=name: self._again(name, micro_batch)
                )
                hooks.callback(again.remove)
            for name, parameter in self.module.named_parameters():
                if parameter.requires_grad and parameter.is_leaf:
                    arrived = parameter.register_post_accumulate_grad_hook(
                        lambda _, name=name: self._arrived(name)
                    )
                    hooks.callback(arrived.remove)
            yield
        told = {"kind": "backward", "name": "", "micro_batch": micro_batch}
        self.events.append({**told, "start": start, "end": self.now()})

    def _again(self, name: str, micro_batch: int) -> None:
        """Records that a block whose activations were not saved is recomputed. The duration is
        unknown: recomputation stops as soon as backward has what it needs.
        """
        now = self.now()
        told = {"kind": "recompute", "name": name, "micro_batch": micro_batch}
        self.events.append({**told, "start": now, "end": now})

    def _arrived(self, name: str) -> None:
        self.parameters.setdefault(name, {})["arrived"] = self.now()

    # -- gradients and optimizer

    @torch.no_grad()
    def gradients(self) -> None:
        """Records the norms of this rank's gradients, once complete and before clipping."""
        for name, parameter in self.module.named_parameters():
            if parameter.grad is not None:
                mine, weight = own_part(parameter.grad), own_part(parameter)
                self.parameters.setdefault(name, {}).update(
                    shape=list(parameter.shape),
                    gradient=float(mine.float().norm()),
                    largest=float(mine.abs().max()) if mine.numel() else 0.0,
                    norm=float(weight.float().norm()),
                    dtype=dtype_name(parameter.grad),
                )

    @contextmanager
    def optimizer(self, optimizer: torch.optim.Optimizer) -> Iterator[None]:
        """Records the optimizer's step: some weights of each parameter before and after, the
        optimizer's state for them, and the sizes of all updates relative to their weights.
        """
        names = {id(p): name for name, p in self.module.named_parameters()}
        trained = []
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    trained.append((names[id(parameter)], parameter))
                    told = self.parameters[names[id(parameter)]]
                    told["weight_decay"] = float(group["weight_decay"])
        before = {name: own_part(parameter.detach()).clone() for name, parameter in trained}
        for name, parameter in trained:
            self._sample(name, "before", before[name])
            if before[name].numel() == parameter.numel():  # else a shard, which has other rows
                self.arrays[f"places.{name}"] = sampled(parameter.numel()).numpy()
            assert parameter.grad is not None
            self._sample(name, "gradient", own_part(parameter.grad))
            self._remembered(optimizer, name, parameter, "before")
        yield
        counts = np.zeros(LARGEST - SMALLEST + 1, np.int64)
        unmoved = 0
        for name, parameter in trained:
            now = own_part(parameter.detach())
            self._sample(name, "after", now)
            self._remembered(optimizer, name, parameter, "after")
            update = (now - before.pop(name)).float().abs()
            self.parameters[name]["update"] = float(update.norm())
            unmoved += int((update == 0).sum())
            counts += _powers(update, now.float().abs())
        self.arrays["updates"] = counts
        self.arrays["unmoved"] = np.asarray(unmoved)

    def _sample(self, name: str, what: str, tensor: Tensor) -> None:
        flat = tensor.detach().reshape(-1)
        places = sampled(flat.numel())
        self.arrays[f"weights.{name}.{what}"] = flat[places].float().cpu().numpy()

    def _remembered(
        self, optimizer: torch.optim.Optimizer, name: str, parameter: Tensor, when: str
    ) -> None:
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                self._sample(name, f"{key}.{when}", own_part(value))

    # -- the end

    def write(self, folder: Path, step: int, rank: int, facts: Mapping[str, Any]) -> None:
        """Writes the recording, completely or not at all. Raises OSError."""
        place = records.recording_folder(folder, step)
        place.mkdir(parents=True, exist_ok=True)
        when = np.array([time for time, _ in self._memory], np.float64)
        kept = np.array([size for _, size in self._memory], np.int64)
        arrays = {**self.arrays, "memory.time": when, "memory.bytes": kept}
        contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        write_tensors(place / f"rank{rank}.safetensors", contiguous)
        told = {
            "format": records.FORMAT,
            "step": step,
            "rank": rank,
            **facts,
            "events": self.events,
        }
        names = [name for name, _ in self.module.named_parameters() if name in self.parameters]
        told |= {"layers": self.layers}
        told |= {"parameters": {name: self.parameters[name] for name in names}}
        write_json(place / f"rank{rank}.json", told)


class Unwatched:
    """Takes the place of a Recorder in ordinary steps and does nothing."""

    def forward(self, micro_batch: int, batch: Any) -> AbstractContextManager[Any]:
        return nullcontext()

    def backward(self, micro_batch: int) -> AbstractContextManager[Any]:
        return nullcontext()

    def gradients(self) -> None:
        pass

    def optimizer(self, optimizer: torch.optim.Optimizer) -> AbstractContextManager[Any]:
        return nullcontext()

    def write(self, folder: Path, step: int, rank: int, facts: Mapping[str, Any]) -> None:
        pass


class _Kept:
    """A tensor that autograd saves for backward, counted until it is freed."""

    __slots__ = ("recorder", "size", "storage", "tensor")

    def __init__(self, recorder: Recorder, tensor: Tensor) -> None:
        storage = own_part(tensor.detach()).untyped_storage()
        self.recorder, self.tensor = recorder, tensor
        self.storage, self.size = storage.data_ptr(), storage.nbytes()
        recorder.count(self.storage, self.size, 1)

    def __del__(self) -> None:
        self.recorder.count(self.storage, self.size, -1)


def stages(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yields the parts of a model in order: embeddings, each block, final norm, output head."""
    for name, part in module.named_children():
        if isinstance(part, nn.ModuleList):
            yield from ((f"{name}.{place}", block) for place, block in part.named_children())
        elif any(True for _ in part.parameters()):
            yield name, part


def layers(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yields the modules with parameters of their own: linear layers, embeddings, norms."""
    for name, part in module.named_modules():
        if name and next(part.parameters(recurse=False), None) is not None:
            yield name, part


def sampled(count: int) -> Tensor:
    """Returns the indices of a parameter's recorded numbers: at most SAMPLED, evenly spread."""
    return torch.linspace(0, max(count - 1, 0), min(count, SAMPLED)).round().long()


def dtype_name(tensor: Tensor) -> str:
    """Returns the name of a tensor's dtype: "float32", "bfloat16"."""
    return str(tensor.dtype).removeprefix("torch.")


def _sizes(tensor: Tensor) -> np.ndarray:
    """Returns the root mean square of each token's numbers: (B, T) of (B, T, C)."""
    squares = tensor.detach().float().square()
    return squares.mean(-1).sqrt().cpu().numpy() if squares.ndim else squares.numpy()


def _powers(update: Tensor, weight: Tensor) -> np.ndarray:
    """Counts the updates that are 2^k of their weight, k from SMALLEST to LARGEST; others count at
    the ends, and those that are 0 not at all.
    """
    ratio = (update / weight)[(update > 0) & (weight > 0)]
    powers = torch.log2(ratio).floor().clamp(SMALLEST, LARGEST).long() - SMALLEST
    return torch.bincount(powers, minlength=LARGEST - SMALLEST + 1).cpu().numpy()
