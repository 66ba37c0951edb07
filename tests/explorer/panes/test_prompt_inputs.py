"""The prompt has room to be read, beside the names of the modes or below them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.moded import ModesStrip
from explorer.panes.prompt_inputs import PROMPT, PromptInputs
from explorer.panes.transformer.modes import MODES
from tests.explorer.waiting import turn


@pytest.mark.parametrize(("name", "rows"), [("smollm2", 2), ("stories (bundled)", 2), ("a", 1)])
def test_a_prompt_is_wide_enough_to_be_read_whatever_the_model_is_called(qapp, qtbot, name, rows):
    theme.apply(qapp, "light", 1.0, "off")
    host = QWidget()
    qtbot.addWidget(host)
    host.show()
    strip, inputs = ModesStrip("transformer", MODES), PromptInputs("transformer.generate")
    mode = SimpleNamespace(id="generate", title="Generate", teaches="", input_strip=lambda: inputs)
    strip.add(mode)
    strip.setParent(host)
    strip.resize(791 if rows > 1 else 1200, theme.current().px("inputs"))
    strip.show()
    strip.show_mode("generate")
    inputs.set_model(name, "")
    turn()
    turn()
    assert inputs.prompt.width() >= PROMPT
    assert (strip.extra_height > 0) == (rows > 1)
    theme.apply(qapp, "light", 1.0, "full")
