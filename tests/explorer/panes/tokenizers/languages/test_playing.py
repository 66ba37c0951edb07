"""Every bar of Languages is a step: played, scrubbed, hovered, gone into, kept."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from core.trace import source
from tests.explorer.panes.tokenizers.small import small_bpe

PARTS = ["characters", "bytes", "tokens", "lossless", "premium"]


def bars(chart):
    """(language, tokenizer) of every bar from the top."""
    return [
        (line.language.name, name)
        for line in chart.lines
        for name, one in zip((one.name for one in chart.series), line.results, strict=True)
        if one is not None
    ]


def over(chart, row, place):
    return chart.bar_rect(row, place).center().toPoint()


def test_the_steps_are_the_bars_in_the_order_of_the_chart(pane, run_async):
    async def body():
        await pane.settled()
        player, chart = pane.player, pane.mode.view.chart
        for order in ("premium", "name"):
            pane.mode.set_order(order)
            await pane.settled()
            titles = [player.track.title(step) for step in range(player.length)]
            assert len(titles) == 50
            for title, (language, name) in zip(titles, bars(chart), strict=True):
                assert title.startswith(f"{language} with {name} ")

    run_async(body())


def test_the_cursor_marks_its_bar_and_travels_to_the_next(pane, run_async):
    async def body():
        await pane.settled()
        told = []
        pane.inspection.connect(told.append)
        player, chart = pane.player, pane.mode.view.chart
        player.seek(2)
        assert chart.current_rect() == chart.bar_rect(1, 0)
        line = chart.lines[1]
        assert told[-1].title == f"{line.language.name} with mine"
        assert told[-1].step.value("premium") == line.results[0].premium
        rows = {row.name: row for row in told[-1].rows if not isinstance(row, str)}
        tokens = line.results[0].measures.tokens
        assert rows["premium"].note.startswith(f"= {tokens:,} / ")
        assert "tokens / english" in source(told[-1].step.code).lines[-2]
        player.seek(2.5)
        first, second = chart.bar_rect(1, 0), chart.bar_rect(1, 1)
        middle = chart.current_rect()
        assert middle.top() == (first.top() + second.top()) / 2
        assert middle.width() == (first.width() + second.width()) / 2
        player.end()
        assert chart.current_rect().bottom() <= chart.height()
        for step in range(player.length - 1, 0, -1):
            player.seek(step)
            head, end = chart.bar_rect(0, 0).height() * 2, chart.height()
            rows = [chart.bar_rect(step // 2, place) for place in (0, 1)]
            assert head < rows[0].top() and rows[1].bottom() <= end
        player.start()
        assert chart.current_rect().top() >= chart.bar_rect(0, 0).top() >= 0

    run_async(body())


def test_a_click_goes_to_the_step_and_hovering_explains_without_going(pane, run_async):
    async def body():
        await pane.settled()
        told = []
        pane.inspection.connect(told.append)
        player, chart = pane.player, pane.mode.view.chart
        QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=over(chart, 2, 1))
        assert player.position == 5
        chosen = f"{chart.lines[2].language.name} with narrow"
        assert told[-1].title == chosen
        QTest.mouseMove(chart, over(chart, 4, 0))
        assert told[-1].title == f"{chart.lines[4].language.name} with mine"
        assert player.position == 5
        QTest.mouseMove(chart, QPoint(chart.width() // 2, 45))
        assert told[-1].title == chosen
        player.play()
        QTest.mouseMove(chart, over(chart, 4, 0))
        assert told[-1].title == chosen  # what plays is what is explained
        player.pause()

    run_async(body())


def test_inside_a_bar_stands_what_led_to_it(pane, run_async):
    async def body():
        await pane.settled()
        told, heads = [], []
        pane.inspection.connect(told.append)
        pane.headlineChanged.connect(heads.append)
        player, chart = pane.player, pane.mode.view.chart
        summary = pane.headline
        row = next(row for row, line in enumerate(chart.lines) if line.results[0].premium > 1)
        QTest.mouseDClick(chart, Qt.MouseButton.LeftButton, pos=over(chart, row, 0))
        assert player.depth == 1 and player.length == 5
        result = chart.lines[row].results[0]
        for step, part in enumerate(PARTS):
            player.seek(step)
            assert told[-1].step.name == f"languages.{part}"
            assert pane.headline == told[-1].step.title != summary
            assert chart.current_rect() == chart.bar_rect(row, 0)
        player.seek(2)
        numbers = {one.name: one.value for one in told[-1].rows if not isinstance(one, str)}
        assert numbers["bytes per token"] == result.measures.bytes_per_token
        assert numbers["tokens"] == f"{result.measures.tokens:,}"
        assert pane.cancel() and player.depth == 0
        assert player.position == 2 * row and pane.headline == summary

    run_async(body())


def test_what_is_lost_is_a_step_of_its_own(pane, run_async):
    async def body():
        await pane.settled()
        chart, told = pane.mode.view.chart, []
        pane.inspection.connect(told.append)
        row = next(row for row, line in enumerate(chart.lines) if line.language.code == "rus")
        pane.mode.enter("rus", 1)
        assert pane.player.length == 6
        pane.player.seek(3)
        measures = chart.lines[row].results[1].measures
        numbers = {one.name: one.value for one in told[-1].rows if not isinstance(one, str)}
        assert numbers["unknown tokens"] == f"{measures.unknown:,}"
        assert numbers["share lost"] == measures.lost_share

    run_async(body())


def test_the_cursor_stays_at_its_bar_when_the_order_or_the_tokenizers_change(pane, run_async):
    async def body():
        await pane.settled()
        player = pane.player

        def title():
            return player.track.title(player.step)

        pane.mode.choose("deu", 1)
        assert title().startswith("German with narrow ")
        pane.mode.set_order("name")
        await pane.settled()
        assert title().startswith("German with narrow ")
        pane.catalogue.add_trained("third", small_bpe(262))
        pane.mode.shown_ones.add("trained:third")
        await pane.settled()
        assert player.length == 75 and title().startswith("German with narrow ")
        pane.mode.view.search_bar.search.setText("germ")
        await pane.settled()
        assert player.length == 3 and title().startswith("German with narrow ")

    run_async(body())
