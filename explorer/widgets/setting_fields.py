"""Fields of a dataclass as sliders and switches, by their labels and their help."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QSignalBlocker, Signal
from PySide6.QtWidgets import QWidget

from core.fields import fields_of
from explorer.widgets.slider_field import SliderField
from explorer.widgets.toggle import Switch


class SettingFields(QObject):
    """`changed(name, value)`: by a person, while a slider is dragged, too; `released` afterwards.

    kind    the dataclass
    values  of each setting, from left to right; of one that is on or off None
    words   of a setting's value
    """

    changed = Signal(str, object)
    released = Signal()

    def __init__(
        self,
        name: str,
        kind: type,
        values: Mapping[str, Sequence[float] | None],
        words: Callable[[str, Any], str],
        parent: QObject,
    ) -> None:
        """Its widgets are called `name.setting`."""
        super().__init__(parent)
        self.widgets: dict[str, QWidget] = {}
        for setting, choices in values.items():
            about = fields_of(kind)[setting]
            field: Any
            if choices is None:
                field = Switch(about.label)
                field.setToolTip(about.help)
                field.toggled.connect(partial(self.changed.emit, setting))
            else:
                field = SliderField(about.label, choices, partial(words, setting), about.help)
                field.changed.connect(partial(self.changed.emit, setting))
                field.released.connect(self.released)
            field.setObjectName(f"{name}.{setting}")
            self.widgets[setting] = field

    def show(self, settings: Any) -> None:
        """An instance of the dataclass; emits nothing."""
        for name, field in self.widgets.items():
            value = getattr(settings, name)
            if isinstance(field, SliderField):
                field.set_value(value)
            elif isinstance(field, Switch):
                with QSignalBlocker(field):
                    field.setChecked(value)
