"""Fields of a dataclass as sliders, menus, switches and typed text, by their labels and help."""

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
    """`changed(name, value)`: by a person, while a slider is dragged or a text is typed, too;
    `released` afterwards.

    about    the dataclass, or what is known of each setting
    values   of each setting: numbers on a slider, from left to right; (value, words) in a menu;
             TYPED: a person types it into a field; None: it is on or off, or a longer text
    special  what is said of some values in place of themselves: {("top_k", 0): "all"}
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
        """Its widgets are called `name.setting`."""
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
        """A setting's value, beside its slider and in the name of a change."""
        if isinstance(value, bool):
            return "on" if value else "off"
        said = quoted(shortened(value)) if isinstance(value, str) else f"{value:g}"
        return self._special.get((setting, value), said)

    def show(self, settings: Any) -> None:
        """An instance of the dataclass; emits nothing."""
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
        """Below each typed field and menu what is wrong with it."""
        for name, field in self.widgets.items():
            if isinstance(field, Field):
                field.set_error(errors.get(name, ""))
