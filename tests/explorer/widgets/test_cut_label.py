"""Which part of a line is cut where it has no room."""

from PySide6.QtGui import QFontMetricsF

from explorer.widgets.cut_label import QuoteLabel

CLICK = ", step 17 (a click opens step 20, the nearest checkpoint)"


def test_a_quotation_is_cut_before_the_words_around_it(qapp, qtbot):
    label = QuoteLabel("label")
    qtbot.addWidget(label)
    label.set_text(f"Heads on \u201cOnce upon a \u201ctime\u201d there was\u201d{CLICK}")
    wide = QFontMetricsF(label.font()).horizontalAdvance
    assert label.cut(wide(label.whole) + 1) == label.whole
    cut = label.cut(wide(f"Heads on \u201cOnce upon\u2026\u201d{CLICK}") + 1)
    assert cut == f"Heads on \u201cOnce upon\u2026\u201d{CLICK}"
    assert label.cut(wide(f"Heads{CLICK}") + 1) == f"Heads{CLICK}"
    cut = label.cut(wide("Heads, step 17 (a click opens step 20, the\u2026") + 1)
    assert cut.startswith("Heads, step 17 (a click opens step 20,") and cut.endswith("\u2026")
    label.set_text("Heads")
    assert label.cut(wide("Heads") + 1) == "Heads"
