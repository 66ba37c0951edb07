"""The widgets of Beams: the tree, and the settings of the search."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from explorer.panes.transformer.beams import text
from explorer.panes.transformer.beams.draft import BeamsDraft
from explorer.widgets.beam_scene import BeamScene
from explorer.widgets.beam_tree import BeamTreePicture
from explorer.widgets.boxes import card, name_parts, page, row
from explorer.widgets.push_button import push_buttons
from explorer.widgets.setting_fields import SettingFields
from explorer.widgets.stateful import StatefulPicture

NAME = "transformer.beams"
VALUES = {
    "beams": (1, 2, 3, 4, 5, 6, 8),
    "depth": (*range(2, 13), 15, 20),
    "length_penalty": tuple(round(0.2 * at, 1) for at in range(11)),
    "sentences": None,
}


class BeamsView(QWidget):
    """Lays out the parts, whose signals report what the user chooses."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = BeamTreePicture()
        self.body = StatefulPicture(self.tree, "lines")
        name_parts(self, NAME, "tree")
        self.buttons = push_buttons(NAME, text.BUTTONS, {"use": "primary"})
        self.settings = SettingFields(NAME, BeamsDraft, VALUES, text.SPECIAL, self)
        *sliders, sentences = self.settings.widgets.values()
        left = row(*((one, 1) for one in sliders), spacing=16)
        controls = row((left, 1), sentences, *self.buttons.values(), spacing=16)
        page((card((self.body, 1)), 1), controls, of=self)

    def set_scene(self, scene: BeamScene | None) -> None:
        """Shows a search; None disables the button that appends its best text."""
        self.buttons["use"].setEnabled(scene is not None)
        if scene is not None:
            self.tree.set_scene(scene)
            self.body.show_ready()
