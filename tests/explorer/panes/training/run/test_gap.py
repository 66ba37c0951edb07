"""What the pane tells of training and validation, and of the text that its heads read."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from core.tensor_files import read_tensors
from core.training.reader import EVALUATION_DTYPE
from explorer import theme
from explorer.panes.attention.pane import AttentionPane
from explorer.panes.attention.selected_head import clearest_query
from explorer.panes.training.run.charts import guessing
from explorer.panes.training.run.draft import TrainingDraft, config_of
from explorer.panes.training.run.generalization_gap import gap, gap_note
from explorer.panes.training.run.text import heads_title
from explorer.panes.training.run.view import LEAST_SIDE, RunView
from explorer.runs.sources import BundledSource
from tests.explorer.conftest import dispose
from tests.explorer.panes.training.run.conftest import started, state_of
from tests.explorer.panes.training.run.test_lines import loss_at, recorded
from tests.explorer.waiting import until


def measured(data, *losses):
    rows = [(10 * at, *pair, 0.0) for at, pair in enumerate(losses, 1)]
    return replace(data, evaluations=np.array(rows, EVALUATION_DTYPE))


@pytest.fixture
def data(tmp_path):
    return recorded(tmp_path / "run", range(1, 31), 0.0)


def test_a_gap_between_training_and_validation_is_told_where_it_was_measured(data):
    told = measured(data, (3.0, 3.02), (1.0, 1.4))
    assert "step 10" in gap(told, 15)[0] and "only 0.020 higher" in gap(told, 15)[1]
    assert "0.400 higher" in gap(told, 20)[1] and "start of a story" in gap(told, 20)[1]
    own = replace(told, config=replace(told.config, corpus="/a/text.txt"))
    assert "has read" in gap(own, 20)[1]
    assert gap_note(told) == "evaluation at step 20: validation 1.400, training 1.000"
    below = measured(data, (1.0, 0.9))
    assert "0.100 lower" in gap(below, 99)[1]
    assert gap_note(below) == "evaluation at step 10: validation 0.900, training 1.000"
    assert gap(told, 5) == [] and gap_note(measured(data)) == ""
    assert gap(measured(data, (math.nan, 1.0)), 99) == []
    model = replace(told.config.model, dropout=0.1)
    dropping = replace(told, config=replace(told.config, model=model))
    assert any("dropout" in line for line in gap(dropping, 20))
    assert "training curve" in gap(told, 20)[-1] and "random" in gap(told, 20)[-1]


def test_a_run_that_has_learned_nothing_is_not_praised_for_having_no_gap(data):
    told = gap(measured(data, (7.4, 7.4), (1000.0, 1000.0)), 20)
    assert "as low" in told[1] and "has not learned the text" in told[1]
    assert not any("also holds" in line for line in told)


def test_the_heads_title_quotes_a_text_from_its_first_sign_on():
    assert heads_title("\n    return x", 17) == "Heads reading \u201creturn x\u201d, step 17"
    assert heads_title("  \n", None) == "Heads reading \u201c\u2423\u2423\u2423\u201d"
    assert heads_title("", None) == "Heads"


def test_weights_that_have_learned_nothing_yet_get_no_verdict(data):
    begun = np.array([(0, 7.3, 7.31, 0.0)], EVALUATION_DTYPE)
    data = replace(data, evaluations=begun)
    assert gap(data, 9) == [] and gap_note(data) == ""


def test_the_loss_of_a_guess_is_drawn_for_a_run_that_began_near_it(data):
    first = loss_at(1, 0.0)
    (line,) = guessing(replace(data, vocabulary=round(math.exp(first))), 50.0)
    assert line.y.tolist() == pytest.approx([first, first], abs=0.02)
    assert line.x.tolist() == [0.0, 50.0]
    assert guessing(replace(data, vocabulary=10**9), 50.0) == [], "it began far below a guess"
    assert guessing(replace(data, vocabulary=0), 50.0) == []


def test_a_text_of_ones_own_brings_its_own_prompt_until_a_person_writes_one(tmp_path):
    own = TrainingDraft().change({"corpus": str(tmp_path / "a.py")})
    assert own.sample_prompt == "" == config_of(own, "Once upon a cat").probe_text
    assert own.change({"corpus": "stories"}).sample_prompt == TrainingDraft().sample_prompt
    written = TrainingDraft().change({"sample_prompt": "def "}).change({"corpus": "/a/b.py"})
    assert written.sample_prompt == "def "
    assert config_of(TrainingDraft(), "A cat").probe_text == "A cat"


def test_a_program_is_sampled_from_its_own_words_with_its_indentation(
    make_pane, run_async, tmp_path
):
    program = tmp_path / "program.py"
    program.write_text("".join(f"def f{n}(x):\n    return x + {n}\n\n" for n in range(400)))

    async def body():
        pane = make_pane(corpus=str(program), steps="20", sample_every="10", block_size="8")
        await pane.settled()
        assert "\n    return" in pane.form.excerpt
        await started(pane, 10)
        await until(lambda: state_of(pane) == "finished", "its end")
        await until(lambda: pane.follower.data.samples, "a sample")
        data = pane.follower.data
        assert data.samples[0].prompt in program.read_text()
        assert data.probe_text in program.read_text()
        shown = data.probe_text.lstrip().replace("\n", "\u21b5")
        await until(lambda: shown in pane.view.heads_title.whole, "the heads' text")

    run_async(body())


def test_every_part_of_the_picture_shows_the_step_whose_phases_are_open(make_pane, run_async):
    async def body():
        pane = make_pane(steps="4000", sample_every="5", checkpoint_every="10")
        pane.widget().window().show()
        pane.shown()
        await started(pane, 12)
        pane.player.end()
        pane.enter_phase(3)
        step = pane.cursor.inside.step
        view = pane.view
        await until(lambda: pane.follower.data.step > step + 12, "later steps")
        await until(lambda: view.samples.samples and pane.snapshots.step is not None, "both")
        assert view.charts.loss.cursor == step
        assert ("step shown", f"{step:,}") in view.card.text.numbers
        assert all(sample.step <= step for sample in view.samples.samples)
        assert pane.snapshots.step <= step
        pane.view.card.asked.emit("stop")
        await until(lambda: state_of(pane) == "stopped", "its end")
        pane.left()
        pane.widget().window().hide()

    run_async(body())


@pytest.mark.parametrize("at", ["newest", "past"])
def test_a_head_opens_in_attention_at_that_step(at, make_pane, run_async, qtbot):
    async def body():
        pane = make_pane(steps="40", checkpoint_every="10")
        told = []
        pane.statusRequested.connect(told.append)
        attention = AttentionPane(pane.context)
        qtbot.addWidget(attention)
        attention.join_workspace()
        await pane.workspace.open_model(BundledSource(pane.engine))
        await attention.settled()
        await started(pane, 12)
        await until(lambda: state_of(pane) == "finished", "its end")
        await pane.settled()
        if at == "past":
            pane.cursor.seek_step(17)
            await until(lambda: pane.snapshots.step == 17, "the heads of step 17")
        pane.workspace.select(token=2)  # picked in the text before
        for layer, head in ((1, 0), (0, 1)):
            pane.view.mosaic.headClicked.emit(layer, head)
            await pane.settled()
            await attention.settled()
            workspace, data = pane.workspace, pane.follower.data
            assert workspace.value("pane") == "attention"
            heads = attention.reader.heads
            assert attention.choice.place[:2] == (layer, head)
            if (layer, head) == (1, 0):
                assert attention.choice.place[2] == clearest_query(heads, layer, head)
            assert workspace.prompt == data.probe_text == attention.reader.heads.prompt.text
            place = data.folder if at == "newest" else data.checkpoints[20]
            assert workspace.model_source.address == str(place)
        if at == "past":
            recorded = read_tensors(data.probes[17])
            np.testing.assert_allclose(heads.attention * 255, recorded["attention"], atol=1e-3)
            assert (heads.version, heads.vectors) == (17, 20)
            for said in (told[-1], attention.inputs.source_button.text()):
                assert "20" in said and "17" in said, "that the rest is another step's is told"
            version = attention.view.panel.version
            assert version.text() == "heads recorded at step 17"
            await until(lambda: attention.playback.track is not None, "the steps")
            attention.set_mode("steps")
            assert "20" in version.text() and "17" in version.text()
            attention.set_mode("map")
            workspace.set_prompt("Another text")
            await attention.settled()
            assert attention.reader.heads.vectors is None and "20" in version.text()
        attention.left()

    run_async(body())


@pytest.mark.parametrize("zoom", [1.0, 1.5])
def test_the_heads_title_is_whole_for_large_steps_in_the_least_room(qapp, zoom):
    """But for the text that they read, which gives way."""
    theme.apply(qapp, "light", zoom, "off")
    view = RunView()
    room = theme.current().px(LEAST_SIDE) - 24
    view.set_heads(heads_title("Once upon a time there was a cat", 12_345))
    assert view.heads_title.cut(room).endswith("step 12,345")
    dispose(view)
