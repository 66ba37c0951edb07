"""The logic of the setup form: checks the fields, reads the text's beginning, plans the learning
rate, and estimates the cost of the run.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from core.numbers import format_bytes, format_count, format_estimate
from core.training.config import TrainingConfig
from core.training.this_machine import Machine
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.training.phases import schedule
from explorer.panes.training.run import compute, text
from explorer.panes.training.run.compute import Cost, Sources
from explorer.panes.training.run.draft import ABOUT, TrainingDraft, check, config_of, run_name
from explorer.panes.training.run.form import TYPED, VALUES, SetupForm
from explorer.runs.backend_choice import AUTO, backend_for
from explorer.state.draft import Draft, named
from explorer.state.workspace import Workspace


class Setup(QObject):
    """Holds the draft of a run, which the form shows.

    Emits `planned(TrainingConfig or None)`; `measured(machine)`, once;
    `confirmed(config, name, backend)` to start a run; `refused(reason)` if it cannot start.
    """

    planned = Signal(object)
    measured = Signal(object)
    confirmed = Signal(object, str, str)
    refused = Signal(str)

    def __init__(
        self,
        engine: Engine,
        workspace: Workspace,
        form: SetupForm,
        owner: QObject,
        run_in: str = AUTO,
    ) -> None:
        super().__init__(owner)
        self._engine, self._form = engine, form
        first = TrainingDraft(run_in=backend_for(0.0, run_in))
        self.draft = Draft(workspace, "training.options", TrainingDraft, self, first)
        self._run_in = run_in  # the user's setting for all runs
        self.errors: dict[str, str] = {}
        self.sources = Sources()
        self._read: tuple[str, str] | None = None  # text and tokenizer of `sources`
        self.config: TrainingConfig | None = None
        self.cost: Cost | None = None  # of `config`, once estimated
        self.here: Machine | None = None  # known once PyTorch is loaded
        self._reading, self._estimating = Latest(engine, owner), Latest(engine, owner)
        self._reading.came.connect(self._on_sources)
        self._estimating.came.connect(self._on_cost)
        self.draft.changed.connect(lambda _: self.plan())
        workspace.tokenizerOpened.connect(self._take_tokenizer)
        form.changed.connect(self.change)
        form.typed.connect(workspace.end_merge)

    def change(self, name: str, value: Any) -> None:
        """Changes a field, undoably; consecutive edits of one typed field merge into one change."""
        draft, field = self.draft.value.change({name: value}), self._form.fields[name]
        if draft == self.draft.value:
            self.plan()
            return
        label = ABOUT[name].label if name in VALUES else field.title
        shown = {True: "on", False: "off"}.get(value, value)
        shown = f"{value} ranks" if name == "where" and value.isdigit() else shown
        told = named(label, shown, "what it learns from" if name == "corpus" else "")
        self.draft.change(draft, told, name if VALUES.get(name) == TYPED else "")

    def _take_tokenizer(self, path: str, corpus: str) -> None:
        """Selects a newly trained tokenizer, with its text."""
        given = {"tokenizer": path} | ({"corpus": corpus} if corpus else {})
        self.draft.change(self.draft.value.change(given), "Train with this tokenizer")

    def start(self, probe_text: str) -> None:
        """Emits `confirmed` with the run, whose heads will be recorded on `probe_text`."""
        draft = self.draft.value
        if self.errors:
            self.refused.emit(next(iter(self.errors.values())))
            return
        try:
            config = config_of(draft, probe_text)
        except ValueError as error:
            self.refused.emit(str(error))
            return
        self.confirmed.emit(config, run_name(draft), draft.run_in)

    def plan(self) -> None:
        """Updates the form's fields, errors, schedule and cost."""
        draft, form = self.draft.value, self._form
        if (draft.corpus, draft.tokenizer) != self._read:
            self._look(draft.corpus, draft.tokenizer)
        self.errors = check(draft, self.sources, self.here)
        form.set_machine(text.machine_text(self.here), self.here.gpus if self.here else 0)
        form.set_draft(draft, self.errors)
        config = self.config = (
            None if self.errors else config_of(draft, vocab_size=self.sources.vocab_size)
        )
        self.cost = None
        form.set_schedule(*schedule(config))
        if config is None:
            self._estimating.stop()
            name, why = next(iter(self.errors.items()))
            form.set_cost("\u2013", "\u2013", "\u2013", f"{form.fields[name].title}: {why}")
            form.set_where("")
        else:
            if not self._engine.is_ready:
                form.set_cost("\u2026", "\u2026", "\u2026", "PyTorch is starting")
            form.set_where(text.where_text(config, self.here))
            name = "estimating a run's cost"
            self._estimating.call(compute.estimated, config, self.here, name=name)
        self.planned.emit(config)

    def refuse_corpus(self, message: str) -> None:
        """Shows an error in the text that only the run found, after the checked beginning."""
        self.sources = Sources(message, self.sources.excerpt)
        self.plan()

    def _look(self, corpus: str, tokenizer: str) -> None:
        self._read, self.sources = (corpus, tokenizer), Sources()
        look = compute.read_sources
        self._reading.ask(lambda: self._engine.io(look, corpus, tokenizer), "looking at the text")

    def _on_sources(self, sources: Sources) -> None:
        self.sources = sources
        self._form.set_excerpt(sources.excerpt)
        if sources != Sources(excerpt=sources.excerpt):
            self.plan()

    def _on_cost(self, cost: Cost) -> None:
        config, unknown = self.config, self.here is None
        self.here = cost.machine
        if unknown:
            self.measured.emit(self.here)
        if config is None or self.errors:
            return
        if unknown:  # the choices depend on the machine
            self.plan()
            return
        draft, found = self.draft.value, cost.estimate
        if cost.too_large:
            self.errors = {"size": f"T{cost.too_large[1:]}"}
            self._form.set_draft(draft, self.errors)
            self.config = None
            self.planned.emit(None)
        run_in = backend_for(found.seconds_per_step, self._run_in)
        run_in = "process" if config.ranks > 1 else run_in
        if draft.run_in != run_in and not draft.is_by_hand("run_in"):
            self.draft.begin({"run_in": run_in})
            return
        self.cost = cost
        self._form.set_cost(
            format_count(found.parameters),
            format_bytes(found.bytes),
            format_estimate(found.seconds),
            text.cost_note(config, cost, draft.run_in),
            config.ranks > 1,
        )
