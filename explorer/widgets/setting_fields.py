"""Fields of a dataclass as sliders, switches, typed numbers and texts, by their labels and help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QSignalBlocker, Signal
from PySide6.QtWidgets import QWidget

from core.fields import Field, fields_of
from core.tokenization.telling import quoted, shortened
from explorer.widgets.fields import TextField
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.slider_field import SliderField
from explorer.widgets.toggle import Switch


class SettingFields(QObject):
    """`changed(name, value)`: by a person, while a slider is dragged or a text is typed, too;
    `released` afterwards.

    kind     the dataclass
    values   of each setting, from left to right; None: it is on or off, or a text; a Field: it is a
             number, which the dataclass keeps as it was typed
    special  what is said of some values in place of themselves: {("top_k", 0): "all"}
    """

    changed = Signal(str, object)
    released = Signal()

    def __init__(
        self,
        name: str,
        kind: type,
        values: Mapping[str, Sequence[float] | Field | None],
        special: Mapping[tuple[str, Any], str],
        parent: QObject,
    ) -> None:
        """Its widgets are called `name.setting`."""
        super().__init__(parent)
        self._special = special
        self.widgets: dict[str, QWidget] = {}
        for setting, choices in values.items():
            about = choices if isinstance(choices, Field) else fields_of(kind)[setting]
            field: Any
            if isinstance(choices, Field):
                field = TextField(setting, about.label, about.help)
                field.changed.connect(partial(self.changed.emit, setting))
                field.editor.editingFinished.connect(self.released)
            elif choices is not None:
                field = SliderField(about.label, choices, partial(self.words, setting), about.help)
                field.changed.connect(partial(self.changed.emit, setting))
                field.released.connect(self.released)
            elif isinstance(about.default, str):
                field = PromptLine()
                field.setMaxLength(about.longest)
                field.setPlaceholderText(about.label)
                field.setAccessibleName(about.label)
                field.promptEdited.connect(partial(self.changed.emit, setting))
                field.rested.connect(self.released)
            else:
                field = Switch(about.label)
                field.toggled.connect(partial(self.changed.emit, setting))
            field.setToolTip(about.help)
            field.setObjectName(f"{name}.{setting}")
            self.widgets[setting] = field

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
            if isinstance(field, SliderField | TextField):
                field.set_value(value)
            elif isinstance(field, PromptLine):
                field.set_prompt(value)
            elif isinstance(field, Switch):
                with QSignalBlocker(field):
                    field.setChecked(value)

    def set_errors(self, errors: Mapping[str, str]) -> None:
        """What is wrong with a typed number, below it, by setting."""
        for name, field in self.widgets.items():
            if isinstance(field, TextField):
                field.set_error(errors.get(name, ""))
