"""Languages as a person uses it: sorted, searched, explained, exported, stopped."""

from __future__ import annotations

from types import SimpleNamespace

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyle

from core.numbers import format_number
from core.tokenization.analysis import Measures, Premium, language_texts, measure
from explorer import theme
from explorer.panes.tokenizers.languages import compute, row_order, text
from explorer.panes.tokenizers.languages.view import LanguagesView
from explorer.widgets import encoding
from tests.explorer.panes.tokenizers.small import saved_bpe, small_bpe


def codes(pane):
    return [line.language.code for line in pane.mode.view.chart.lines]


def test_each_bar_is_the_tokens_over_those_of_english(pane, run_async):
    async def body():
        await pane.settled()
        mode = pane.mode
        assert mode.view.body.state == "ready" and len(codes(pane)) == 25
        texts = language_texts()
        assert mode.texts.source == compute.OWN and compute.OWN in mode.view.source.text()
        for identity in ("model", "trained:narrow"):
            tokenizer = pane.catalogue.get(identity).tokenizer
            english = measure(tokenizer, texts[0].text).tokens
            for language in texts:
                result = mode.premiums.results[identity, language.code]
                assert result.premium == measure(tokenizer, language.text).tokens / english

    run_async(body())


def test_languages_of_which_there_is_an_excerpt_are_said_to_be_left_out():
    texts = compute.Texts([], compute.DECLARATION, 0, ("Tamang, Eastern", "Tagalog (Tagalog)"))
    assert "(2 excerpts left out)" in text.source(texts)
    assert text.excerpts(texts).endswith("Tamang, Eastern, Tagalog (Tagalog)")
    assert not text.excerpts(compute.Texts([], compute.OWN, 0))


def test_the_dearest_come_first_and_a_search_keeps_some(pane, run_async):
    async def body():
        await pane.settled()
        chart, view = pane.mode.view.chart, pane.mode.view
        fair = [[one.premium for one in line.results if one.honest] for line in chart.lines]
        dear = [row_order.mean_premium(some) for some in fair]  # over all tokenizers
        assert dear == sorted(dear, reverse=True) and dear[0] > 2 > 1.0 in dear
        high, low = max(fair[0]), min(fair[0])
        assert f" {format_number(high)} times as many tokens as English" in pane.headline
        assert (high == low) or f" ({format_number(low)} times with " in pane.headline
        pane.mode.set_order("name")
        names = [line.language.name for line in chart.lines]
        assert names == sorted(names)
        view.search_bar.search.setText("GERM")
        assert codes(pane) == ["deu"] and "1 of 25" in view.search_bar.count.text()
        assert "German takes" in pane.headline  # of what the chart shows
        told = []
        pane.inspection.connect(told.append)
        view.search_bar.search.setText("no such language")
        assert view.body.state == "empty" and told[-1] is None
        view.search_bar.search.clear()
        assert view.body.state == "ready" and len(codes(pane)) == 25

    run_async(body())


def test_what_is_unknown_is_said_and_never_ranked_as_cheap(pane, run_async):
    async def body():
        await pane.settled()
        mode = pane.mode
        russian = mode.premiums.results["trained:narrow", "rus"]
        assert not russian.honest and russian.premium < 1
        place = codes(pane).index("rus")
        said = mode.view.chart.describe(place, 1)
        assert "of the text is lost" in said and text.MEANINGLESS in said
        assert mode.view.chart.series[1].badge[0] == "warning"
        assert mode.view.chart.series[0].badge[0] == "success"
        assert mode.view.chart.series[0].badge[1].startswith("lossless in all ")
        found = row_order.lines_of(mode.texts.texts, mode.premiums.results, ["trained:narrow"])
        fair = [line.results[0].honest for line in found]
        assert fair == sorted(fair, reverse=True) and not all(fair)

    run_async(body())


def test_a_chosen_bar_is_explained_by_its_formula_and_line(pane, run_async):
    async def body():
        await pane.settled()
        told = []
        pane.inspection.connect(told.append)
        chart = pane.mode.view.chart
        rect = chart.bar_rect(1, 1)
        point = QPointF(rect.left() + 2, rect.center().y()).toPoint()
        QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=point)
        line = chart.lines[1]
        assert told[-1].title == f"{line.language.name} with narrow"
        step = told[-1].step
        assert step.value("premium") == line.results[1].premium
        assert step.value("tokens") / step.value("english") == step.value("premium")
        QTest.keyClick(chart, Qt.Key.Key_Down)
        QTest.keyClick(chart, Qt.Key.Key_Left)
        assert told[-1].title == f"{chart.lines[2].language.name} with mine"
        for _ in range(30):
            QTest.keyClick(chart, Qt.Key.Key_PageDown)
        assert told[-1].title.startswith(chart.lines[-1].language.name)
        assert chart.bar_rect(24, 0).bottom() <= chart.height()

    run_async(body())


def test_the_numbers_can_be_taken_out_a_row_for_each_language_and_tokenizer(pane, run_async):
    async def body():
        await pane.settled()
        numbers = pane.pictures()["languages-premiums"].displayed()
        assert {len(column) for column in numbers.values()} == {50}
        assert set(numbers["tokenizer"].tolist()) == {"mine", "narrow"}
        rows = encoding.as_csv(numbers).splitlines()
        assert rows[0].startswith("language,code,tokenizer,premium")
        hindi = [row for row in rows if row.startswith("Hindi,hin,")]
        assert len(hindi) == 2
        told = dict(zip(rows[0].split(","), hindi[1].split(","), strict=True))
        result = pane.mode.premiums.results["trained:narrow", "hin"]
        assert told["tokenizer"] == "narrow" and float(told["premium"]) == result.premium
        assert float(told["lossless"]) == float(told["fair count"]) == 0

    run_async(body())


class Refuses:
    """A tokenizer that cannot read what is not Latin."""

    kind, vocab_size, special_tokens, unknown_id = "bpe", 3, {}, None

    def encode(self, text, *, specials=True):
        if not text.isascii():
            raise ValueError("this one reads ASCII alone: choose another")
        return small_bpe().encode(text)

    def decode(self, ids):
        return small_bpe().decode(ids)


def test_a_tokenizer_that_fails_is_marked_in_its_place_and_the_others_stay(
    pane, run_async, tmp_path, monkeypatch
):
    async def body():
        await pane.settled()
        mode, chart = pane.mode, pane.mode.view.chart
        broken = tmp_path / "tokenizer.json"
        broken.write_text("{")
        said = []
        pane.statusRequested.connect(said.append)
        mode.shown_ones.add_files([broken])
        pane.catalogue.add_trained("refuses", Refuses())
        mode.shown_ones.add("trained:refuses")
        await pane.settled()
        assert mode.view.body.state == "ready" and len(chart.series) == 4
        assert [one.badge[0] for one in chart.series] == ["success", "warning", "error", "error"]
        assert "choose another" in chart.series[3].about
        said.sort(key=lambda one: "JSON" not in one)  # a file and a measurement end in either order
        assert [chart.series[2].name in one and "JSON" in one for one in said] == [True, False]
        assert said[1] == "refuses: this one reads ASCII alone: choose another"
        told = []
        pane.inspection.connect(told.append)
        chart.hovered.emit(chart.lines[0].language.code, 2)
        assert (
            told[-1].title == f"{chart.series[2].name} cannot be used"
            and "JSON" in told[-1].rows[0]
        )
        chart.hovered.emit("", 0)
        assert all(line.results[2] is None for line in chart.lines)
        assert chart.lines[0].results[0] is not None
        chart.grab()
        said = chart.said_at(QPointF(chart.width() * 0.6, 10))
        assert "Click to try again" in said and "JSON" in said and chart.series[2].name in said
        assert "25 of 25 texts" in chart.said_at(QPointF(4, 10))
        assert "Click to try again" in chart.describe(1, 2) and chart.describe(-1, 2) == ""
        small_bpe().save(broken)
        point = QPointF(chart.width() * 0.6, 10).toPoint()
        QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=point)
        await pane.settled()
        assert chart.series[2].badge[0] == "success" and chart.lines[0].results[2] is not None
        by_id = {action.id: action for action in pane.actions()}
        assert by_id["tokenizers.languages.retry"].enabled()

    run_async(body())


def test_all_that_failed_is_tried_again(pane, run_async, tmp_path):
    """One that is tried again leaves the list at once: its neighbor was passed over."""

    async def body():
        await pane.settled()
        files = [tmp_path / name for name in ("first.json", "second.json")]
        for file in files:
            file.write_text("{")
        pane.mode.shown_ones.add_files(files)
        await pane.settled()
        assert [one.badge[0] for one in pane.mode.view.chart.series][2:] == ["error", "error"]
        for file in files:
            small_bpe().save(file)
        pane.mode.retry()
        await pane.settled()
        assert [one.badge[0] for one in pane.mode.view.chart.series][2:] == ["success", "success"]

    run_async(body())


def test_whether_a_text_comes_back_stands_behind_each_bar(pane, run_async):
    async def body():
        await pane.settled()
        results = pane.mode.premiums.results
        for one in results.values():
            icon, said = text.mark(one)
            assert (icon == "success") == one.measures.lossless
            assert ("unknown" in said) == (one.measures.unknown > 0)
            assert ("no fair comparison" in said) == (not one.honest)
        assert {text.mark(one)[0] for one in results.values()} == {"success", "warning"}

    run_async(body())


class Drops:
    """A tokenizer of Latin letters that leaves out what it cannot spell, without a token."""

    kind, special_tokens, unknown_id = "bpe", {}, None

    def __init__(self):
        self.inner = small_bpe()
        self.vocab_size = self.inner.vocab_size

    def encode(self, text, *, specials=True):
        found = self.inner.encode("".join(one for one in text if one.isascii()))
        place, spans = 0, []
        data = text.encode()
        for start, end in found.spans:
            while data[place] >= 0x80:
                place += 1
            spans.append((place, place + end - start))
            place += end - start
        return SimpleNamespace(text=text, ids=found.ids, spans=spans, pieces=found.pieces)

    def decode(self, ids):
        return self.inner.decode(ids)


def test_what_is_dropped_without_a_token_is_drawn_and_told_as_lost(pane, run_async):
    async def body():
        await pane.settled()
        mode, chart = pane.mode, pane.mode.view.chart
        pane.catalogue.add_trained("drops", Drops())
        mode.shown_ones.add("trained:drops")
        await pane.settled()
        hindi = mode.premiums.results["trained:drops", "hin"]
        assert hindi.premium < 1 and not hindi.measures.unknown and not hindi.honest
        assert text.mark(hindi)[1].startswith("no fair comparison: ")
        assert text.mark(hindi)[1].endswith("% of the text is dropped")
        said = chart.describe(codes(pane).index("hin"), 2)
        assert "has no token" in said and text.MEANINGLESS in said
        fair = [one for key, one in mode.premiums.results.items() if key[0] == "trained:drops"]
        assert "cannot be compared" in text.headline([("drops", fair)])
        row = codes(pane).index("hin")
        chart.choose(row, 0)  # in sight
        image = chart.grab().toImage()
        bar = chart.bar_rect(row, 2)
        colors = {
            image.pixelColor(int(x), int(bar.center().y())).name()
            for x in range(int(bar.left()) + 2, int(bar.right()) - 2)
        }
        assert len(colors) > 1  # hatched

    run_async(body())


def test_another_tokenizer_is_measured_alone_and_escape_stops_it(pane, run_async):
    async def body():
        await pane.settled()
        mode, kept = pane.mode, dict(pane.mode.premiums.results)
        pane.catalogue.add_trained("third", small_bpe(262))
        mode.shown_ones.add("trained:third")
        assert mode.premiums.running and mode.premiums.total == 25
        assert pane.cancel() and not mode.premiums.running
        assert all(mode.premiums.results[key] is one for key, one in kept.items())
        mode.ask()
        await pane.settled()
        assert len(mode.view.chart.lines[0].results) == 3
        assert all(one is not None for line in mode.view.chart.lines for one in line.results)

    run_async(body())


def test_a_seventh_tokenizer_is_refused_with_the_remedy(pane, run_async, tmp_path):
    async def body():
        await pane.settled()
        said, shown = [], pane.mode.shown_ones
        pane.statusRequested.connect(said.append)
        for number in range(4):
            pane.catalogue.add_trained(f"more {number}", small_bpe(262 + number))
            shown.add(f"trained:more {number}")
        pane.take_files([str(saved_bpe(tmp_path / "seventh.json"))])
        await pane.settled()
        assert [words.endswith(": remove one first") for words in said] == [True] and len(
            shown.ids
        ) == 6

    run_async(body())


def test_a_tokenizer_keeps_its_color_while_it_is_there(pane, run_async):
    async def body():
        await pane.settled()
        chart, shown = pane.mode.view.chart, pane.mode.shown_ones
        series = theme.current().series
        pane.catalogue.add_trained("third", small_bpe(262))
        shown.add("trained:third")
        await pane.settled()
        assert [one.color for one in chart.series] == [0, 1, 2]
        shown.remove(0)
        assert [one.color for one in chart.series] == [1, 2]
        row = chart.grab().toImage()
        bar = chart.bar_rect(0, 1)
        pixel = row.pixelColor(int(bar.left()) + 3, int(bar.center().y()))
        assert pixel.name() == series(2).name()
        shown.add("model")
        await pane.settled()
        assert [one.color for one in chart.series] == [1, 2, 0]

    run_async(body())


def test_state_comes_back(pane, run_async):
    async def body():
        await pane.settled()
        bar = {"code": "deu", "tokenizer": "trained:narrow"}
        state = {"version": 1, "order": "name", "scope": "all", "bar": bar}
        pane.mode.restore(state)
        await pane.settled()
        assert pane.mode.state() == state
        assert pane.player.track.title(pane.player.step).startswith("German with narrow")
        pane.mode.restore({"order": "nonsense", "scope": 3, "bar": ["deu"]})
        assert pane.mode.order == "name" and pane.mode.state() == state

    run_async(body())


def test_it_draws_before_and_after(pane, run_async):
    async def body():
        await pane.settled()
        chart = pane.mode.view.chart
        failed = []
        chart.paintFailed.connect(failed.append)
        for lines in (chart.lines, []):
            chart.set_lines(lines, chart.series)
            image = QImage(600, 300, QImage.Format.Format_RGB32)
            painter = QPainter(image)
            chart.draw(painter)
            painter.end()
        assert not failed

    run_async(body())


def test_all_tokenizers_are_told_of_and_the_tokens_stand_beside_the_premium():
    texts = language_texts()[:3]
    some = [premium_of(*one) for one in zip(texts, (1.0, 2.0, 3.0), strict=True)]
    other = [premium_of(*one) for one in zip(texts, (1.0, 9.0, 4.0), strict=True)]
    results = {("a", one.language.code): one for one in some}
    results |= {("b", one.language.code): one for one in other}
    lines = row_order.lines_of(texts, results, ["a", "b"])
    assert [line.language for line in lines] == [texts[1], texts[2], texts[0]]
    said = text.headline([("A", some), ("B", other)])
    begins = f"With B, {texts[1].name} takes 9 times as many tokens as English"
    median = "the median language takes 6.50 times as many"
    assert said == f"{begins} (2 times with A); {median}"
    assert text.headline([("B", other)]) == f"{begins}; {median}"
    assert text.mark(other[1]) == ("success", "9\u00d7  900")


def premium_of(language, rate):
    measures = Measures(int(100 * rate), 300, 300, 50, 0, 0, 0, True)
    return Premium("", language, measures, rate)


def test_how_the_chart_is_read_is_seen_whole_in_the_smallest_window(pane, run_async):
    async def body():
        pane.resize(824, 582)  # what a window of 1280 x 720 leaves beside the inspector
        await pane.settled()
        view = pane.mode.view
        view.source.set_text("Text: the Universal Declaration of Human Rights; " * 4)
        key = view.key
        assert key.width() >= key.sizeHint().width() and "\u2026" not in key.text()
        assert view.rect().contains(key.mapTo(view, key.rect().bottomRight()))
        assert view.source.text().endswith("\u2026") and view.source.toolTip()

    run_async(body())


def test_how_many_languages_is_seen_beside_a_scroll_bar(qtbot, qapp):
    """In a window of 1280 px at a large zoom: it goes on in a further row."""
    theme.apply(qapp, "light", 1.77, "off")
    now = theme.current()
    view = LanguagesView()
    qtbot.addWidget(view)
    view.search_bar.set_waiting("")
    view.search_bar.count.setText(text.shown(25, 25))
    bar = view.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
    seen = 1280 - now.px("rail") - now.px("inspector_strip") - bar
    view.resize(seen, 900)
    view.show()
    qapp.processEvents()
    assert view.search_bar.count.isVisible() and view.search_bar.count.geometry().right() < seen
    assert view.search_bar.count.width() >= view.search_bar.count.sizeHint().width()
