"""Fields of a dataclass as sliders, menus, switches and text fields, with their labels and help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QSignalBlocker, Signal
from PySide6.QtWidgets import QWidget

from core.fields import Field as About
from core.fields import fields_of
from core.tokenization.telling import quoted, shortened
from explorer.widgets.fields import Field, MenuField, TextField
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.slider_field import SliderField
from explorer.widgets.toggle import Switch

TYPED = "typed"
Values = Sequence[float] | Sequence[tuple[str, str]] | str | None


class SettingFields(QObject):
    """Emits `changed(name, value)` on input by the user, also during dragging and typing;
    `released` afterwards.

    about    the dataclass, or a description of each setting
    values   of each setting: numbers on a slider, from left to right; (value, text) in a menu;
             TYPED: a field to type into; None: a switch, or a longer text
    special  texts that replace some values: {("top_k", 0): "all"}
    """

    changed = Signal(str, object)
    released = Signal()

    def __init__(
        self,
        name: str,
        about: type | Mapping[str, About],
        values: Mapping[str, Values],
        special: Mapping[tuple[str, Any], str],
        parent: QObject,
    ) -> None:
        """Creates the fields; their widgets are named `name.setting`."""
        super().__init__(parent)
        self._special = special
        self.widgets: dict[str, Any] = {}
        known = about if isinstance(about, Mapping) else fields_of(about)
        for setting, choices in values.items():
            field = self._field(setting, known[setting], choices)
            field.setObjectName(f"{name}.{setting}")
            self.widgets[setting] = field

    def _field(self, setting: str, about: About, choices: Any) -> QWidget:
        field: Any
        emit = partial(self.changed.emit, setting)
        if choices == TYPED:
            field = TextField(setting, about.label, about.help)
            field.changed.connect(emit)
            field.editor.editingFinished.connect(self.released)
            return field
        if choices is not None and isinstance(choices[0], tuple):
            field = MenuField(setting, about.label, list(choices), about.help)
            field.changed.connect(emit)
            return field
        if choices is not None:
            field = SliderField(about.label, choices, partial(self.words, setting), about.help)
            field.changed.connect(emit)
            field.released.connect(self.released)
        elif isinstance(about.default, str):
            field = PromptLine()
            field.setMaxLength(about.longest)
            field.setPlaceholderText(about.label)
            field.setAccessibleName(about.label)
            field.promptEdited.connect(emit)
            field.rested.connect(self.released)
        else:
            field = Switch(about.label)
            field.toggled.connect(emit)
        field.setToolTip(about.help)
        return field

    def words(self, setting: str, value: Any) -> str:
        """Returns the text of a setting's value, for its slider and for the name of a change."""
        if isinstance(value, bool):
            return "on" if value else "off"
        said = quoted(shortened(value)) if isinstance(value, str) else f"{value:g}"
        return self._special.get((setting, value), said)

    def show(self, settings: Any) -> None:
        """Shows an instance of the dataclass without emitting a signal."""
        for name, field in self.widgets.items():
            value = getattr(settings, name)
            if isinstance(field, SliderField | Field):
                field.set_value(value)
            elif isinstance(field, PromptLine):
                field.set_prompt(value)
            elif isinstance(field, Switch):
                with QSignalBlocker(field):
                    field.setChecked(value)

    def set_errors(self, errors: Mapping[str, str]) -> None:
        """Shows errors below typed fields and menus."""
        for name, field in self.widgets.items():
            if isinstance(field, Field):
                field.set_error(errors.get(name, ""))
