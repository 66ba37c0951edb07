"""Fields of a dataclass as sliders, switches and lines of text, by their labels and their help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QSignalBlocker, Signal
from PySide6.QtWidgets import QWidget

from core.fields import fields_of
from core.tokenization.telling import quoted, shortened
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.slider_field import SliderField
from explorer.widgets.toggle import Switch


class SettingFields(QObject):
    """`changed(name, value)`: by a person, while a slider is dragged or a text is typed, too;
    `released` afterwards.

    kind     the dataclass
    values   of each setting, from left to right; None: it is on or off, or a text
    special  what is said of some values in place of themselves: {("top_k", 0): "all"}
    """

    changed = Signal(str, object)
    released = Signal()

    def __init__(
        self,
        name: str,
        kind: type,
        values: Mapping[str, Sequence[float] | None],
        special: Mapping[tuple[str, Any], str],
        parent: QObject,
    ) -> None:
        """Its widgets are called `name.setting`."""
        super().__init__(parent)
        self._special = special
        self.widgets: dict[str, QWidget] = {}
        for setting, choices in values.items():
            about = fields_of(kind)[setting]
            field: Any
            if choices is not None:
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
            if isinstance(field, SliderField):
                field.set_value(value)
            elif isinstance(field, PromptLine):
                field.set_prompt(value)
            elif isinstance(field, Switch):
                with QSignalBlocker(field):
                    field.setChecked(value)
