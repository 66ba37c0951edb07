"""The widgets of Beams: the tree, and the settings of the search."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from core.fields import fields_of
from explorer.panes.transformer.beams import text
from explorer.panes.transformer.beams.draft import BeamsDraft
from explorer.widgets.base import set_look
from explorer.widgets.beam_scene import BeamScene
from explorer.widgets.beam_tree import BeamTreePicture
from explorer.widgets.boxes import card, name_parts, page, row
from explorer.widgets.slider_field import slider_fields
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import Switch

VALUES = {
    "beams": (1, 2, 3, 4, 5, 6, 8),
    "depth": (*range(2, 13), 15, 20),
    "length_penalty": tuple(round(0.2 * at, 1) for at in range(11)),
}


class BeamsView(QWidget):
    """`settingChanged(name, value)`, `settled`: a slider was let go."""

    settingChanged = Signal(str, object)
    settled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("transformer.beams")
        self.tree, self.use = BeamTreePicture(), QPushButton(text.USE)
        self.body = StatefulPicture(self.tree, "lines")
        about = fields_of(BeamsDraft)["sentences"]
        self.sentences = Switch(about.label)
        self.sentences.setToolTip(about.help)
        self.use.setToolTip(text.USE_HELP)
        set_look(self.use, "primary")
        name_parts(self, "transformer.beams", "tree", "sentences", "use")
        self.sliders = slider_fields(
            *("transformer.beams", BeamsDraft, VALUES, text.words_of),
            *(self.settingChanged.emit, self.settled.emit),
        )
        self.sentences.toggled.connect(lambda on: self.settingChanged.emit("sentences", on))
        sliders = row(*((one, 1) for one in self.sliders.values()), spacing=16)
        controls = row((sliders, 1), self.sentences, self.use, spacing=16)
        page((card((self.body, 1)), 1), controls, of=self)

    def set_draft(self, draft: BeamsDraft) -> None:
        for name, slider in self.sliders.items():
            slider.set_value(getattr(draft, name))
        self.sentences.setChecked(draft.sentences)

    def set_scene(self, scene: BeamScene) -> None:
        self.tree.set_scene(scene)
        self.body.show_ready()
