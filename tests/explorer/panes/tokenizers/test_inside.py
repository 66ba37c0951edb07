"""Inside: stages, merges, the longest match and the lattice, each as core's trace tells them."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from core.data import story_text
from core.tokenization import train_tokenizer
from explorer.panes.tokenizers.inside.looking import LONGEST, look_inside
from explorer.panes.tokenizers.inside.scenes import LatticeScene, MatchScene, MergeScene
from explorer.panes.tokenizers.modes import MODES
from tests.explorer.panes.tokenizers.small import small_bpe

INSIDE = next(spec for spec in MODES if spec.id == "inside")
TEXT = "the cats"
SIZES = {"bpe": 300, "wordpiece": 150, "sentencepiece-bpe": 150, "unigram": 120}


@pytest.fixture(scope="module")
def trained():
    text = story_text(1, 8000)
    return {kind: train_tokenizer(kind, [text], vocab_size=size) for kind, size in SIZES.items()}


@pytest.fixture
def pane(make_pane, context):
    source = SimpleNamespace(name="mine", tokenizer=small_bpe(), close=lambda: None)
    context.workspace.set_model_source(source)

    def begin(pane):
        pane.mode.set_text(TEXT)

    return make_pane(INSIDE, then=begin)


# what is looked at


@pytest.mark.parametrize("kind", SIZES)
def test_every_kind_is_told_from_text_to_tokens(trained, kind):
    tokenizer = trained[kind]
    inside = look_inside(tokenizer, "The happy cat, na\u00efve \u2603")
    assert inside.ids == tuple(tokenizer.encode(inside.text).ids) and not inside.why
    stages = [moment.stage for moment in inside.moments]
    assert stages[0] == 0 and 2 in stages
    scenes = {type(moment.scene) for moment in inside.moments if moment.scene is not None}
    expected = {"wordpiece": MatchScene, "unigram": LatticeScene}.get(kind, MergeScene)
    assert scenes == {expected}


@pytest.mark.parametrize("kind", ["bpe", "sentencepiece-bpe"])
def test_the_tree_of_merges_ends_in_the_tokens(trained, kind):
    """What no merge has joined are the word's tokens; each branch is its two parts."""
    inside = look_inside(trained[kind], "the")
    scene = next(m.scene for m in inside.moments if m.scene is not None)
    branches = scene.branches
    for branch in branches[scene.letters :]:
        left, right = (branches[part] for part in branch.parts)
        assert (branch.start, branch.end) == (left.start, right.end) and left.end == right.start
        assert branch.face.data == left.face.data + right.face.data
        assert branch.level > max(left.level, right.level)
    joined = {part for branch in branches for part in branch.parts or ()}
    tops = [one for at, one in enumerate(branches) if at not in joined]
    pieces = [one.face.data for one in sorted(tops, key=lambda one: one.start)]
    assert len(pieces) == len(inside.ids) and b"".join(pieces).strip() == b"the"
    assert len(branches) > scene.letters


def test_the_chosen_pair_is_what_the_next_step_joins(trained):
    moments = look_inside(trained["bpe"], "the").moments
    pairs = 0
    for moment, after in pairwise(moments):
        if moment.frame is not None and moment.frame.pair is not None:
            assert after.scene.branches[after.frame.shown - 1].parts == moment.frame.pair
            pairs += 1
    assert pairs


def test_what_is_taken_is_the_longest_that_is_there(trained):
    tokenizer = trained["wordpiece"]
    moments = look_inside(tokenizer, "happily").moments
    scene, frame = next((m.scene, m.frame) for m in reversed(moments) if m.scene is not None)
    taken = [scene.looks[at] for at in frame.taken]
    assert [look.piece for look in taken] == tokenizer.encode("happily").pieces[1:-1] or [
        look.piece for look in taken
    ] == tokenizer.encode("happily").pieces
    assert all(look.there for look in taken)
    assert sum(look.there for look in scene.looks) == len(taken)


def test_the_lattice_ends_in_the_best_path_and_can_be_drawn_from(trained):
    tokenizer = trained["unigram"]
    inside = look_inside(tokenizer, "happily", alpha=0.0, seed=3)
    scene = next(m.scene for m in inside.moments if m.scene is not None)
    assert tuple(node.id for node in inside.moments[-2].frame.path) == inside.ids
    assert scene.n_best[0].ids == list(inside.ids) and scene.alpha == 0.0
    assert all(0 <= share <= 1 for share in scene.shares)
    again = look_inside(tokenizer, "happily", alpha=0.0, seed=3)
    other = [look_inside(tokenizer, "happily", alpha=0.0, seed=seed) for seed in range(4, 10)]
    sample = [node.piece for node in scene.sample.nodes]
    assert sample == [n.piece for n in next(m.scene for m in again.moments if m.scene).sample.nodes]
    assert "".join(sample) == scene.lattice.text
    assert any(
        next(m.scene for m in one.moments if m.scene).sample.pieces != sample for one in other
    )


def test_a_text_is_cut_and_special_tokens_are_told(trained):
    tokenizer = trained["bpe"]
    inside = look_inside(tokenizer, "a" * 3 * LONGEST)
    assert len(inside.text) == LONGEST
    special = next(iter(tokenizer.special_tokens))
    moments = look_inside(tokenizer, f"cat{special}dog").moments
    told = {moment.step.name: moment.word for moment in moments if moment.word >= 0}
    assert told["encoding.special"] == 1 and told["encoding.model"] == 2


# the mode


def test_the_steps_are_played_with_formula_and_code(pane, run_async):
    async def body():
        await pane.settled()
        mode, told = pane.mode, []
        pane.inspection.connect(told.append)
        mode.inspect()
        assert pane.player.length == len(mode.moments) > 5
        for place in range(pane.player.length):
            pane.player.seek(place)
            moment = mode.moments[place]
            assert told[-1].step is moment.step and pane.headline == moment.step.title
            shown = mode.view.word.displayed()
            if moment.frame is not None:
                assert len(shown["branches"]) == moment.frame.shown
        spans = mode.view.stages.displayed()
        tokenizer = pane.catalogue.get("model").tokenizer
        assert np.array_equal(spans["model"], tokenizer.encode(TEXT).spans)

    run_async(body())


@pytest.mark.parametrize("kind", SIZES)
def test_every_step_of_every_kind_is_drawn(pane, trained, run_async, kind):
    async def body():
        mode = pane.mode
        mode.choose(pane.catalogue.add_trained(kind, trained[kind]))
        mode.set_text("The happy cat \u2603")
        await pane.settled()
        assert mode.view.body.state == "ready" and mode.draws == (kind == "unigram")
        for place in range(0, pane.player.length, 3):
            pane.player.seek(place + 0.5)
            mode.view.grab()
            assert mode.view.word._broken is None and mode.view.stages._broken is None

    run_async(body(), 60)


def test_alpha_keeps_the_place_and_can_be_undone(pane, trained, run_async):
    async def body():
        mode = pane.mode
        mode.choose(pane.catalogue.add_trained("unigram", trained["unigram"]))
        await pane.settled()
        pane.player.seek(4)
        mode.inputs.alpha.setValue(10)
        await pane.settled()
        scene = next(m.scene for m in mode.moments if m.scene is not None)
        assert scene.alpha == mode.alpha == 0.5 and pane.player.position == 4
        pane.workspace.undo()
        await pane.settled()
        assert mode.alpha == 1.0
        state = mode.state()
        mode.restore({**state, "text": "a hat", "alpha": -3, "tokenizer": "model"})
        await pane.settled()
        assert (mode.text, mode.alpha, mode.chosen) == ("a hat", 1.0, "model")

    run_async(body())


def test_what_cannot_be_shown_says_why(pane, run_async, tmp_path):
    async def body():
        mode = pane.mode
        mode.set_text("")
        await pane.settled()
        assert mode.view.body.state == "empty" and pane.player.length == 0
        mode.view.body.actionRequested.emit()
        await pane.settled()
        assert mode.text and pane.player.length
        broken = tmp_path / "tokenizer.json"
        broken.write_text("{")
        mode.choose(pane.catalogue.add_file(broken))
        await pane.settled()
        assert mode.view.body.state == "error" and pane.player.length == 0
        mode.choose("model")
        await pane.settled()
        assert mode.view.body.state == "ready" and pane.player.length

    run_async(body())


def test_a_session_comes_back_to_its_step(pane, run_async):
    async def body():
        pane.player.seek(6)
        state = pane.mode.state()
        pane.player.seek(0)
        pane.mode.restore(state)
        await pane.settled()
        assert pane.player.position == 6

    run_async(body())


def test_a_download_that_failed_says_so_until_it_is_tried_again(pane, run_async):
    async def body():
        mode = pane.mode
        away = next(entry for entry in pane.catalogue.entries if not entry.here)
        pane.workspace.change("tokenizers.inside.chosen", away.id, "Look inside it")
        pane.catalogue.failed.emit(away.id, "the line is cut; try again")
        pane.catalogue.changed.emit()
        await pane.settled()
        assert mode.view.body.state == "error" and pane.player.length == 0
        assert "try again" in mode._errors[away.id]
        mode.choose("model")
        await pane.settled()
        assert mode.view.body.state == "ready"

    run_async(body())


def test_training_sends_a_tokenizer_here(pane, trained, run_async):
    async def body():
        name = pane.catalogue.add_trained("mine too", trained["bpe"])
        pane.mode.take({"tokenizer": name, "text": "a cat"})
        await pane.settled()
        assert pane.mode.chosen == name and pane.mode.inside.text == "a cat"

    run_async(body())


def test_parts_of_characters_are_bytes_in_every_picture(pane, run_async):
    async def body():
        pane.mode.set_text("caf\u00e9 \u2603")
        await pane.settled()
        rows = dict(pane.mode.view.stages._rows)
        model = [part.text for part in rows["model"]]
        assert {"C3", "A9", "E2", "98", "83"} <= set(model)
        assert "\u2423\u2603" in [part.text for part in rows["pre-tokenizer"]]
        scene = pane.mode.moments[-2].scene
        texts = [branch.face.text for branch in scene.branches[: scene.letters]]
        assert texts == ["\u2423", "E2", "98", "83"]

    run_async(body())


def test_the_word_is_drawn_larger_and_smaller_by_actions(pane):
    word = pane.mode.view.word
    pane.player.seek(pane.player.length - 2)
    by_id = {action.id: action for action in pane.actions()}
    before = word.sizeHint().width()
    by_id["tokenizers.inside.larger"].run()
    assert word.zoom == 1.25 and word.sizeHint().width() > before
    for _ in range(20):
        by_id["tokenizers.inside.smaller"].run()
    assert word.zoom == 0.6
