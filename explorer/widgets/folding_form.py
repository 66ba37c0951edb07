"""A form with a few fields and more behind a button; it scrolls if it is too high."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.boxes import column, grid, row
from explorer.widgets.fields import Field, TextField
from explorer.widgets.form import scrolling
from explorer.widgets.more_button import MoreButton
from explorer.widgets.setting_fields import SettingFields

Rows = Sequence[Sequence[str | QWidget]]  # names of fields and widgets, side by side in a row


class FoldingForm(QWidget):
    """Emits `changed(field, value)`, and `typed` when a field is left. Its width follows the zoom.

    `shown` is always visible, `deep` behind More, which opens by itself for an error in it.
    """

    changed = Signal(str, object)
    typed = Signal()

    def __init__(
        self,
        prefix: str,
        fields: Iterable[Field],
        shown: Rows,
        deep: Rows,
        wide: int,
        settings: SettingFields | None = None,
        foot: Sequence[QWidget] = (),
    ) -> None:
        """Creates the form; `prefix` begins the names by which lessons find the fields, `wide` is
        in px, `settings` are further fields, and `foot` stays below the form, its last widget
        beside More.
        """
        super().__init__()
        self._wide, self._deep_rows = wide, deep
        self.fields: dict[str, Any] = {field.name: field for field in fields}
        deep_fields = QWidget()
        self.more = MoreButton(f"{prefix}.more", deep_fields)
        for name, field in self.fields.items():
            field.setObjectName(f"{prefix}.{name}")
            field.changed.connect(lambda text, name=name: self.changed.emit(name, text))
            if isinstance(field, TextField):
                field.editor.editingFinished.connect(self.typed)  # type: ignore[attr-defined]
        if settings is not None:
            self.fields |= settings.widgets
            settings.changed.connect(self.changed)
            settings.released.connect(self.typed)
        grid(self._named(deep), of=deep_fields)
        more = [] if foot else [row(self.more, 1)]
        form = column(grid(self._named(shown)), *more, deep_fields, 1)
        form.setContentsMargins(0, 0, 12, 0)
        area = scrolling(form)
        end = [*foot[:-1], row((foot[-1], 1), self.more)] if foot else []
        column((area, 1), *end, of=self, spacing=4)
        see = partial(area.ensureWidgetVisible, deep_fields)
        self.more.toggled.connect(lambda on: on and QTimer.singleShot(0, self, see))
        theme.changed.connect(self._restyle)
        self._restyle()

    def _named(self, rows: Rows) -> list[list[QWidget]]:
        named = self.fields.get
        return [[named(one) if isinstance(one, str) else one for one in names] for names in rows]

    def _restyle(self) -> None:
        self.setFixedWidth(theme.current().px(self._wide))

    def set_values(self, values: Mapping[str, str], errors: Mapping[str, str]) -> None:
        """Shows values and errors of the fields."""
        for name, field in self.fields.items():
            field.set_value(values[name])
            field.set_error(errors.get(name, ""))
        self.open_for(errors)

    def open_for(self, errors: Mapping[str, str]) -> None:
        """Opens More if a field behind it has an error."""
        if any(name in errors for names in self._deep_rows for name in names):
            self.more.setChecked(True)
