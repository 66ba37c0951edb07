"""One attempt at a run: from its beginning, or from a checkpoint, until it ends or is stopped.

Torch contexts (autocast, no_grad, the seeded dropout, eval mode) open and close between two yields,
so the caller may inspect the model, generate with it or leave at any `safe` moment without
changing one bit of what follows.

Several ranks run this same loop, each in its own process: they communicate through the `Parallel`
strategy, and every rank calls it in the same order.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Generator, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.fields import from_json, to_json
from core.files import is_about_writing
from core.optimization import check_groups
from core.training import checkpoints, records
from core.training.config import TrainingConfig
from core.training.control import Command, ProbeArguments, SetArguments
from core.training.events import Moment
from core.training.exponent_probe import ExponentProbe, activation_sites, exponent_interval
from core.training.faults import Fault, Faults
from core.training.health import (
    NotFiniteError,
    disk_error,
    find_not_finite,
    first_overflow,
    naming_the_one_before,
    not_finite_message,
    seeded_dropout,
)
from core.training.looking import (
    as_picture,
    evaluate_steps,
    is_due,
    probe,
    sample_seed,
    sample_steps,
    scored_heads,
)
from core.training.memory import end_message
from core.training.optimizers import build_optimizer
from core.training.parallel import Parallel, on_device, own_part
from core.training.precision import backward_context, precision_context, precision_note
from core.training.recording import Recorder, Unwatched
from core.training.records import MANIFEST, read_manifest
from core.training.runs import RunWriter
from core.training.steering import Steering
from core.training.task import Position, Task
from core.training.utilization import Utilization
from core.training.writer import probe_interval, thin_probes

LOOKS_AT_CLOCKS = 5
PAUSE = 0.05  # seconds between two reads of control.jsonl while a run is paused
Moments = Generator[Moment, None, None]


class Attempt:
    """One attempt: its state between two moments."""

    def __init__(
        self, config: TrainingConfig, folder: Path, task: Task, parallel: Parallel
    ) -> None:
        self.config = config
        self.folder = folder
        self.task = task
        self.parallel = parallel
        self.module: nn.Module  # as the task built it
        self.model: nn.Module  # computes the loss: `module` or its wrapper
        self.optimizer: torch.optim.Optimizer
        self.parameters: list[Tensor] = []
        self.faults = Faults(parallel.rank)
        self.utilization = Utilization(parallel.device)
        checkpoint = checkpoints.latest_checkpoint(folder)
        fresh = checkpoints.Progress(0, config.seed)
        with naming_the_one_before(checkpoint):
            start = checkpoints.read_progress(checkpoint) if checkpoint else fresh
        self.checkpoint = checkpoint
        self.seed = start.seed  # of the completed steps
        self.step = start.step  # whole steps tried
        self.skipped = start.skipped  # those of them that a loss scaler skipped
        self.new_optimizer = start.optimizer
        self.tokens = start.tokens
        self.rate_scale = start.rate_scale
        self.looked = start.looked and checkpoint is not None
        self.written = start.step if checkpoint else -1  # step of the newest checkpoint
        self.exponents: ExponentProbe | None = None  # of the last step, if it was probed
        self.busy = 0.0  # seconds of work in this step
        self.mark = time.perf_counter()
        self.unrecorded: dict[str, float] | None = None  # a step that has moved the weights
        self.record_next = True  # record the intermediates of the next step
        self.prepared = False  # once True, an OSError comes from writing
        self.ended = False

    def moments(self) -> Moments:
        """Runs the attempt to its end; if closed early, saves the last whole step."""
        try:
            self._open_writer()
        except OSError as error:
            raise disk_error(error, self.folder, self.step, self.written) from error
        try:
            yield from self._train()
        except GeneratorExit:
            try:
                self._leave()
            except OSError as error:
                raise self._disk_failed(error) from error
            raise
        except Exception as error:
            if isinstance(error, OSError) and (self.prepared or is_about_writing(error)):
                raise self._disk_failed(error) from error
            with suppress(OSError):  # no room even for this line
                self._end("failed", end_message(error))
            raise
        finally:
            self.writer.close()

    def _open_writer(self) -> None:
        """Opens the writer: rank 0's once every rank has read the progress, then the others'.

        If rank 0 fails, every rank raises: none is left waiting for a process that has ended.
        """
        rank, parallel = self.parallel.rank, self.parallel
        parallel.wait()
        error: OSError | ValueError | None = None
        if rank == 0:
            try:
                self.writer = RunWriter(self.folder, self.step, ranks=parallel.ranks)
            except (OSError, ValueError) as found:
                error = found
        why = parallel.first("" if error is None else end_message(error))
        if error is not None:
            raise error
        if why:
            raise ValueError(why)
        if rank:
            self.writer = RunWriter(self.folder, self.step, rank)
        if parallel.ranks > 1:
            parallel.spans.tell = self.writer.exchange

    def _train(self) -> Moments:
        self.steering = Steering(self.folder, self.writer.attempt, self.step, self.parallel)
        yield from self._prepare()
        if not self.looked:
            yield from self.steering.until_stopped(self._look())
        while self.step < self.config.steps:
            yield from self._obey()
            if self.steering.stopping:
                break
            yield from self._one_step()
            last = self.step == self.config.steps
            yield from self._look() if last else self.steering.until_stopped(self._look())
        self._write_spans()
        yield from self._obey()
        yield from self._save()
        reason = "finished" if self.step >= self.config.steps else "stopped"
        self._end(reason, f"{reason} after step {self.step}")
        yield Moment("end", self.step, True, values={"reason": reason})

    # -- before the first step

    def _prepare(self) -> Moments:
        # A branch begins at a later step than 0; the steps before used its parent's seed.
        first = read_manifest(self.folder)["attempts"][0]["from_step"]
        if self.step > first and self.seed != self.config.seed:
            raise ValueError(
                f"the steps up to {self.step} were trained with seed {self.seed}, and {MANIFEST} "
                f"now says {self.config.seed}, which draws other batches; put {self.seed} back, or "
                "branch with the new seed"
            )
        for share, message in self.task.prepare_steps(self.checkpoint):
            self.writer.preparing(self.step, share, message)
            yield Moment("prepare", self.step, values={"share": share, "message": message})
        with torch.random.fork_rng(devices=[]):  # modules first draw weights that are replaced
            generator = torch.Generator().manual_seed(self.config.seed)
            self.module = self.task.build_model(generator)
        parallel = self.parallel
        self.model = parallel.wrap(self.module)
        groups = self.task.parameter_groups(self.module)
        check_groups(groups, (p for p in self.module.parameters() if p.requires_grad))
        self.parameters = [parameter for group in groups for parameter in group["params"]]
        if not self.parameters:
            raise ValueError("every parameter is frozen; leave the task at least one to train")
        self.optimizer = build_optimizer(
            self.config, self.module, groups, self._rate(), parallel.sharded
        )
        if self.checkpoint is not None:
            with naming_the_one_before(self.checkpoint):
                checkpoints.load_checkpoint(
                    self.checkpoint, self.task, self.module, self.optimizer, parallel
                )
        self.model.train()
        count = sum(parameter.numel() for parameter in self.parameters)
        where = {"device": str(parallel.device), "threads": torch.get_num_threads()}
        where["scales"] = parallel.scales
        if parallel.device.type == "cuda":
            where["device_name"] = torch.cuda.get_device_name(parallel.device)
        held = sum(own_part(parameter).numel() for parameter in self.parameters)
        facts = {"parameters": count, "held": held, "tokens": self.tokens, **self.task.facts()}
        self.writer.event("model", self.step, {**facts, "ranks": parallel.ranks, **where})
        for note in self._notes():
            self.writer.event("note", self.step, {"message": note})
        self._compare_clocks()
        self.prepared = True
        yield Moment("prepare", self.step, True, values={"parameters": count, **self.task.facts()})

    def _compare_clocks(self) -> None:
        """Records the clocks of all ranks, each read right after a barrier."""
        times = []
        for _ in range(LOOKS_AT_CLOCKS):
            self.parallel.wait()
            times.append(time.time())
        self.writer.event("clock", self.step, {"now": times, "host": socket.gethostname()})

    def _notes(self) -> Iterator[str]:
        """Yields what the user should know about how this attempt computes."""
        if note := precision_note(self.config.precision, self.parallel.device):
            yield note
        attempts, ranks = read_manifest(self.folder)["attempts"], self.parallel.ranks
        before = attempts[-2].get("ranks", 1) if len(attempts) > 1 else ranks
        if before != ranks and self.step and self.config.model.dropout:
            yield (
                f"the steps up to {self.step} were trained on {before} ranks, the next ones on "
                f"{ranks}: dropout draws other masks from here on"
            )

    # -- one optimizer step

    def _one_step(self) -> Moments:
        self.busy, self.mark = 0.0, time.perf_counter()
        task, model, parallel, seed = self.task, self.model, self.parallel, self.config.seed
        device, precision, optimizer = parallel.device, self.config.precision, self.optimizer
        number, count = self.step + 1, self.config.micro_batches
        watcher = self._watcher(number)
        parallel.spans.step = number
        self.faults.delay_step()
        places = [Position(self.step, i, parallel.rank, parallel.ranks) for i in range(count)]
        batches, counts, own_tokens = [], [], 0
        for position in places:
            batch = task.batches("train", position)  # step: data
            counts.append(task.targets(batch))
            own_tokens += task.tokens(batch)
            batches.append((position, on_device(batch, device)))
        *valid_of_each, tokens = map(int, parallel.sums([*counts, own_tokens]))
        valid = sum(valid_of_each)
        if valid == 0:
            raise ValueError(f"the batch of step {number} has no target to learn; check the data")
        yield Moment("data", number)
        # Gradients of the sum over all valid targets of the step on all ranks: a mean of means
        # would give tokens of a short micro-batch more weight. If the counts differ, the gradients
        # are rescaled at the end. Earlier versions, which did not count in advance, did the same:
        # their runs resume bit for bit.
        divisor, total = float(max(valid_of_each[0], 1) * count), None
        for position, batch in batches:
            last = position.micro_batch == count - 1
            with (
                torch.enable_grad(),
                parallel.micro_batch(last),
                seeded_dropout(seed, position, device),
                precision_context(precision, device),
                watcher.forward(position.micro_batch, batch),
            ):
                summed = task.loss(model, batch)  # step: forward
            yield Moment("forward", number)
            with torch.enable_grad():
                loss = summed / divisor  # step: loss
            yield Moment("loss", number)
            with (
                torch.enable_grad(),
                parallel.micro_batch(last),
                backward_context(precision, device),
                watcher.backward(position.micro_batch),
            ):
                scaled = parallel.scale(loss)
                scaled.backward()  # step: backward
            total = summed.detach() if total is None else total + summed.detach()
            del loss, summed, scaled
            yield Moment("backward", number)
        if divisor != valid:
            for parameter in self.parameters:
                if parameter.grad is not None:
                    parameter.grad.mul_(divisor / valid)
        applied, where = True, ""
        if parallel.scales:
            applied = parallel.unscale(optimizer)
            where = "" if applied else first_overflow(self.module, parallel)
            yield Moment("unscale", number, values={"applied": applied})
        before, probed = parallel.state(), None
        loss_scale = before.get("loss_scale", 1.0)
        if self._counts_exponents(number):
            probed = ExponentProbe(self.parameters, loss_scale)
            probed.see_gradients()
        assert total is not None
        watcher.gradients()
        own_loss, norm = self._clip(total)
        (summed_loss,) = parallel.sums([own_loss])
        loss_value = summed_loss / valid  # step: mean_loss
        if applied and not (math.isfinite(loss_value) and math.isfinite(norm)):
            raise self._not_finite(number, batches, loss_value)
        yield Moment("clip", number, values={"loss": loss_value, "grad_norm": norm})
        rate = self._rate()
        if applied:
            for group in optimizer.param_groups:
                group["lr"] = rate
            counting = nullcontext() if probed is None else probed.update()
            with watcher.optimizer(optimizer), counting:
                optimizer.step()  # step: optimizer
        optimizer.zero_grad(set_to_none=True)
        parallel.stepped(applied)
        if not applied:  # the batch is dropped: normal while the loss scale adapts
            told = {**before, "after": parallel.state(), "where": where}
            self.writer.event("skip", number, told)  # step: skip
        skipped, self.exponents = int(not applied), probed
        self.unrecorded = {
            "step": number,
            "loss": loss_value,
            "learning_rate": rate,
            "grad_norm": norm,
            "applied": number - self.skipped - skipped,
            "skipped": skipped,
            "loss_scale": loss_scale,
            "tokens": tokens,
            "targets": valid,
        }
        yield Moment("optimizer", number, values={"applied": applied})
        facts = {**self.unrecorded, "scale": before}
        record = self._record()
        watcher.write(self.folder, number, parallel.rank, facts)
        yield Moment("schedule", number, True, values=record)

    def _watcher(self, number: int) -> Recorder | Unwatched:
        """Returns a Recorder for the attempt's first, last and requested steps, else Unwatched."""
        asked, self.record_next = self.record_next, False
        if asked or number == self.config.steps:
            return Recorder(self.task, self.module, self.parallel.device)
        return Unwatched()

    def _clip(self, total: Tensor) -> tuple[float, float]:
        """Clips the gradients' norm; returns the summed loss and the norm before."""
        norm = self.parallel.clip(self.parameters, self.config.clip or math.inf)
        # One transfer for both: each would wait for the GPU.
        loss, norm_value = torch.stack([total, norm.to(total.dtype)]).tolist()
        return loss, norm_value

    def _record(self) -> dict[str, float]:
        """Writes the record of a whole step, applied or skipped, and returns it."""
        record, self.unrecorded = self.unrecorded, None
        assert record is not None
        self.busy += time.perf_counter() - self.mark
        self.mark = time.perf_counter()
        record |= {"seconds": self.busy, "memory": records.resident_bytes()}
        record |= self.utilization.values()
        self.step, self.looked = int(record["step"]), False
        self.skipped += int(record["skipped"])
        self.tokens += int(record["tokens"])
        self.writer.step(record)
        self._write_spans()
        self.steering.step_done()
        return record

    def _write_spans(self) -> None:
        """Writes the spans that ended since the last call: "schedule" ends after the record."""
        self.writer.spans(self.parallel.spans.take(self.writer.attempt))

    def _rate(self) -> float:
        """Returns the next step's learning rate, a function of the number of applied steps."""
        return self.config.planned_rate(self.step - self.skipped) * self.rate_scale

    def _not_finite(self, number: int, batches: Any, loss: float) -> NotFiniteError:
        self.optimizer.zero_grad(set_to_none=True)
        where = find_not_finite(self.task, self.module, batches, self.config, self.parallel)
        message = not_finite_message(number, where, loss, self.written, self.config.precision)
        told = NotFiniteError(message)
        self.writer.event("not-finite", number, {"where": where, "message": str(told)})
        return told

    # -- between two steps

    def _look(self) -> Moments:
        """Runs what is due after this step: evaluation, probe, sample, checkpoint."""
        config, step = self.config, self.step
        first, last = step == 0, step == config.steps
        if last or first or is_due(step, config.evaluate_every):
            yield from self._evaluate()
        if self._is_probed(step):
            self._probe_as_planned()
            yield Moment("probe", step, True)
        if config.sample_every and (last or is_due(step, config.sample_every)):
            yield from self._sample()
        self.looked = True
        if not first and (last or is_due(step, config.checkpoint_every)):
            yield from self._save()

    def _is_probed(self, step: int) -> bool:
        """Returns True if the config schedules a probe after this step."""
        every = self.config.probe_every and probe_interval(self.config.probe_every, step)
        return bool(every) and (step == self.config.steps or is_due(step, every))

    def _counts_exponents(self, step: int) -> bool:
        every = self.config.probe_every and exponent_interval(self.config.probe_every)
        return self._is_probed(step) and (step == self.config.steps or is_due(step, every))

    def _evaluate(self) -> Moments:
        values = yield from evaluate_steps(
            self.task, self.model, self.config.precision, self.step, self.parallel
        )
        self.writer.event("evaluate", self.step, values)
        if self.parallel.ranks > 1:  # clocks drift apart, by a second a day
            self._compare_clocks()
        yield Moment("evaluate", self.step, True, values=values)

    def _sample(self) -> Moments:
        seed = sample_seed(self.config.seed, self.step)
        written = yield from sample_steps(self.task, self.module, seed, self.step)
        if self.parallel.writes:
            self.writer.sample(self.step, written.prompt, written.text, written.ids)
        yield Moment("sample", self.step, True, values={"text": written.text})

    def _save(self) -> Moments:
        if self.written != self.step:
            self._write_checkpoint()
            yield Moment("checkpoint", self.step, True)

    def _write_checkpoint(self) -> None:
        parallel = self.parallel
        progress = checkpoints.Progress(
            step=self.step,
            seed=self.config.seed,
            tokens=self.tokens,
            rate_scale=self.rate_scale,
            looked=self.looked,
            # An optimizer with state has taken a step and is no longer new.
            optimizer="" if self.optimizer.state else self.new_optimizer,
            skipped=self.skipped,
            scaler=parallel.state(),
        )
        with parallel.patience():  # the others wait while one rank writes large files
            path = checkpoints.save_checkpoint(
                self.folder, progress, self.task, self.module, self.optimizer, parallel
            )
        self.written = self.step
        self.writer.event("checkpoint", self.step, {"folder": path.name})
        if parallel.writes:
            checkpoints.thin_checkpoints(self.folder, self.config.keep_checkpoints)

    def _probe(self, id: str, ids: Any, sites: Any) -> None:
        arrays = probe(self.task, self.module, ids, sites)
        if self.parallel.writes:
            self.writer.probe(self.step, arrays, id)

    def _probe_as_planned(self) -> None:
        """Records the heads' attention on the config's text, their scores and, less often, the
        exponent histograms.
        """
        config, step = self.config, self.step
        counts = self._counts_exponents(step)
        sites = activation_sites(config.model) if counts else []
        arrays = probe(self.task, self.module, None, ("attention", *sites))
        activations = {site: arrays.pop(site) for site in sites}
        arrays["attention"] = as_picture(arrays["attention"])
        scores = scored_heads(self.task, self.module)
        if self.parallel.writes:
            if scores:
                self.writer.event("heads", step, scores)
            self.writer.probe(step, arrays)
            thin_probes(self.folder, config.probe_every, step)
        if counts:
            seen = self.exponents or ExponentProbe(self.parameters)
            seen.see_weights()
            seen.see_activations(activations)
            told, self.exponents = seen.event(self.parallel), None
            if self.parallel.writes:
                self.writer.event("exponents", step, told)

    def show_life(self) -> None:
        """Writes a heartbeat: this rank is alive."""
        self.writer.heartbeat()

    # -- commands

    def _obey(self) -> Moments:
        """Runs the new commands of control.jsonl, and waits while the run is paused."""
        for command in self.steering.replay.pop(self.step, ()):
            self._set(command)
        announced = False
        while True:
            for command in self.steering.new_commands():
                yield from self._command(command)
            if not self.steering.waits() or self.step >= self.config.steps:
                break
            if not announced:
                self.writer.event("paused", self.step, {})
                announced = True
            self.writer.heartbeat()
            yield Moment("paused", self.step, True, idle=PAUSE)
        if announced:
            self.writer.event("resumed", self.step, {})

    def _command(self, command: Command) -> Moments:
        try:
            if not self.steering.drive(command):
                yield from self._do(command)
        except (ValueError, KeyError, TypeError) as error:
            self.steering.answer(command, self.step, False, str(error))
        else:
            self.steering.answer(command, self.step)

    def _do(self, command: Command) -> Moments:
        match command.name:
            case "set":
                self._set(command)
                self.steering.replay.clear()  # this command overrides them
            case "checkpoint":
                yield from self._save()
            case "probe":
                asked = from_json(ProbeArguments, command.values, "command", some=True)
                self._probe(asked.id, asked.ids, asked.sites)
                yield Moment("probe", self.step, True)
            case "record":
                self.record_next = True
            case "fault":
                fault = from_json(Fault, command.values, "command", some=True)
                self.writer.event("fault", self.step, to_json(fault))
                self.faults.take(fault, self.parallel.ranks, self.parameters)
            case _:
                raise ValueError(f"command {command.name[:40]!r} is unknown to this version")

    def _set(self, command: Command) -> None:
        rate = from_json(SetArguments, command.values, "command", some=True).learning_rate
        planned = self.config.planned_rate(self.step - self.skipped)
        if planned <= 0:
            raise ValueError("the schedule has come down to 0 here; branch with another one")
        self.rate_scale = rate / planned
        self.writer.event("set", self.step, {"learning_rate": rate})

    # -- the end

    def _end(self, reason: str, message: str) -> None:
        self.writer.event("end", self.step, {"reason": reason, "message": message})
        self.ended = True

    def _leave(self) -> None:
        """Saves the last whole step once the caller has closed the generator.

        One of several ranks cannot do so alone: the others may be elsewhere in the step.
        """
        if self.ended:
            return
        if self.unrecorded is not None:
            self._record()
        if self.parallel.ranks == 1 and self.parameters and self.written != self.step:
            self.optimizer.zero_grad(set_to_none=True)
            self._write_checkpoint()
        self._end("stopped", f"stopped after step {self.step}")

    def _disk_failed(self, error: OSError) -> OSError:
        told = disk_error(error, self.folder, self.step, self.written)
        with suppress(OSError):  # no room even for this line; the raised error reports it
            self._end("failed", str(told.strerror))
        return told
