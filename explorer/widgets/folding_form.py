"""A form of few fields, and More: it scrolls where it is higher than its room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.boxes import column, grid, row
from explorer.widgets.fields import Field, TextField
from explorer.widgets.form import scrolling
from explorer.widgets.more_button import MoreButton

Rows = Sequence[Sequence[str]]  # names of fields, those of a row side by side


class FoldingForm(QWidget):
    """`changed(field, text)`; `typed`: a field was left. Its width follows the zoom.

    `shown` is always seen, `deep` behind More, which opens by itself where one of them is wrong.
    """

    changed = Signal(str, str)
    typed = Signal()

    def __init__(
        self,
        prefix: str,
        fields: Iterable[Field],
        shown: Rows,
        deep: Rows,
        wide: int,
        parent: QWidget | None = None,
    ) -> None:
        """`prefix` of the names by which lessons find the fields; `wide` in px."""
        super().__init__(parent)
        self._wide, self._deep_rows = wide, deep
        self.fields = {field.name: field for field in fields}
        deep_fields = QWidget()
        self.more = MoreButton(f"{prefix}.more", deep_fields)
        for name, field in self.fields.items():
            field.setObjectName(f"{prefix}.{name}")
            field.changed.connect(lambda text, name=name: self.changed.emit(name, text))
            if isinstance(field, TextField):
                field.editor.editingFinished.connect(self.typed)  # type: ignore[attr-defined]
        grid(self._named(deep), of=deep_fields)
        form = column(grid(self._named(shown)), row(self.more, 1), deep_fields, 1)
        form.setContentsMargins(0, 0, 12, 0)
        column(scrolling(form), of=self)

    def _named(self, rows: Rows) -> list[list[QWidget]]:
        return [[self.fields[name] for name in names] for names in rows]

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setFixedWidth(theme.current().px(self._wide))

    def set_values(self, values: Mapping[str, str], errors: Mapping[str, str]) -> None:
        """Shows the fields and, beside each, what is wrong with it."""
        for name, field in self.fields.items():
            field.set_value(values[name])
            field.set_error(errors.get(name, ""))
        if any(name in errors for names in self._deep_rows for name in names):
            self.more.setChecked(True)
