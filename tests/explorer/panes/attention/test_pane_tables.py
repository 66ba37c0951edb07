"""What the pane gives away: pictures, tables, an animation."""

from __future__ import annotations

import csv
import io

from PIL import Image
from PySide6.QtGui import QGuiApplication

from explorer.shell import export
from tests.explorer.panes.attention.conftest import open_model


def test_pictures_are_exported(pane, tmp_path, run_async):
    from explorer.shell import export

    async def body():
        await open_model(pane, tmp_path)
        pane.set_mode("steps")
        stage = pane.view.head.steps
        for kind in ("png", "svg", "csv", "gif"):
            await export.save(pane, stage, kind, tmp_path / f"steps.{kind}")
            assert (tmp_path / f"steps.{kind}").stat().st_size > 500

    run_async(body())


def test_exported_numbers_say_model_head_and_prompt(pane, tmp_path, run_async):
    async def body():
        source = await open_model(pane, tmp_path)
        pane.set_mode("steps")
        view = pane.view
        layer, head, query = (str(one) for one in pane.choice.place)
        expected = {
            view.head.heat: {"layer": layer, "head": head},
            view.head.steps: {"layer": layer, "head": head, "query": query},
            view.panel.mosaic: {},
        }
        for picture, about in expected.items():
            await export.save(pane, picture, "csv", tmp_path / "a.csv")
            with open(tmp_path / "a.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            about |= {"model": source.name, "prompt": pane.workspace.prompt}
            assert rows and all(about.items() <= row.items() for row in rows)
            assert ("layer" in rows[0]) is ("layer" in about)
            await export.copy_numbers(pane, picture)
            copied = list(csv.DictReader(io.StringIO(QGuiApplication.clipboard().text())))
            assert copied == rows

    run_async(body())


def test_the_tables_name_tokens_and_dimensions(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        shown = []
        pane.inspection.connect(shown.append)
        labels = pane.reader.prompt.labels
        for step in range(11):
            pane.set_mode("steps")
            pane.player.seek(step)
            pane.inspect()
            told = shown[-1]
            for name, array in told.table.items():
                rows, columns = told.labels[name]
                sizes = [len(rows), len(columns)] if array.ndim == 2 else [len(rows)]
                assert sizes == list(array.shape), (step, name)
                if step < 8:
                    assert rows[0] in (f"0 {labels[0]}", "d0"), (step, name)
                else:
                    first = {"heads": "head 0", "w_o": "d0", "probability": rows[0]}
                    assert rows[0] == first.get(name, "c0"), (step, name)
        named = pane.view.head.steps.table_labels()
        for name, array in pane.view.head.steps.displayed().items():
            if array.ndim:
                assert len(named[name][0]) == array.shape[0]
                assert array.ndim == 1 or len(named[name][1]) == array.shape[1]
        pane.set_mode("map")
        pane.inspect()
        assert shown[-1].labels["weights"][0][1].startswith("1 ")
        assert list(shown[-1].labels["q"][0])[:2] == ["d0", "d1"]

    run_async(body())


def test_an_animation_of_the_steps_leaves_the_pane_as_it_was(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.click_cell(3, 1)
        await pane.settled()
        before = (pane.state(), pane.pinned, pane.player.position, pane.headline)
        await export.save(pane, pane.view.head.heat, "gif", tmp_path / "steps.gif")
        await pane.settled()
        after = (pane.state(), pane.pinned, pane.player.position, pane.headline)
        assert after == before and before[1] == (3, 1)
        assert not pane.reader.steady
        with Image.open(tmp_path / "steps.gif") as film:
            assert film.n_frames > 8, "the steps move, though the heat map was on the screen"

    run_async(body())
