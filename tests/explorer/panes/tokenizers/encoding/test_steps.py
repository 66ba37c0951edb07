"""Stages, merges, the longest match and the lattice, each as core's trace tells them."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from core.tokenization.formats.library import LibraryTokenizer
from explorer.panes.tokenizers.encoding.compute import LONGEST, drawn, explain_text
from explorer.panes.tokenizers.encoding.draw_match import data_of
from explorer.panes.tokenizers.encoding.inspector import inspection
from explorer.panes.tokenizers.encoding.scene import LatticeScene, MatchScene, MergeScene, face_of
from explorer.panes.tokenizers.inside.scene import face_of_part
from tests.explorer.panes.tokenizers.small import SIZES


@pytest.mark.parametrize("kind", SIZES)
def test_every_kind_is_told_from_text_to_tokens(trained, kind):
    tokenizer = trained[kind]
    inside = explain_text(tokenizer, "The happy cat, na\u00efve \u2603")
    assert inside.ids == tuple(tokenizer.encode(inside.text).ids) and not inside.why
    stages = [moment.stage for moment in inside.steps]
    assert stages[0] == 0 and 2 in stages
    scenes = {type(moment.scene) for moment in inside.steps if moment.scene is not None}
    expected = {"wordpiece": MatchScene, "unigram": LatticeScene}.get(kind, MergeScene)
    assert scenes == {expected}


@pytest.mark.parametrize("kind", ["bpe", "sentencepiece-bpe"])
def test_the_tree_of_merges_ends_in_the_tokens(trained, kind):
    """What no merge has joined are the word's tokens; each branch is its two parts."""
    inside = explain_text(trained[kind], "the")
    scene = next(m.scene for m in inside.steps if m.scene is not None)
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
    moments = explain_text(trained["bpe"], "the").steps
    pairs = 0
    for moment, after in pairwise(moments):
        if moment.frame is not None and moment.frame.pair is not None:
            assert after.scene.branches[after.frame.shown - 1].parts == moment.frame.pair
            pairs += 1
    assert pairs


def test_what_is_taken_is_the_longest_that_is_there(trained):
    tokenizer = trained["wordpiece"]
    moments = explain_text(tokenizer, "happily").steps
    scene, frame = next((m.scene, m.frame) for m in reversed(moments) if m.scene is not None)
    taken = [scene.lookups[at] for at in frame.taken]
    assert [look.piece for look in taken] == tokenizer.encode("happily").pieces[1:-1] or [
        look.piece for look in taken
    ] == tokenizer.encode("happily").pieces
    assert all(look.there for look in taken)
    assert sum(look.there for look in scene.lookups) == len(taken)


def test_the_lattice_ends_in_the_best_path_and_can_be_drawn_from(trained):
    tokenizer = trained["unigram"]
    inside = explain_text(tokenizer, "happily", alpha=0.0, seed=3)
    scene = next(m.scene for m in inside.steps if m.scene is not None)
    assert tuple(node.id for node in inside.steps[-2].frame.path) == inside.ids
    assert scene.n_best[0].ids == list(inside.ids) and scene.alpha == 0.0
    assert all(0 <= share <= 1 for share in scene.shares)
    again = explain_text(tokenizer, "happily", alpha=0.0, seed=3)
    other = [explain_text(tokenizer, "happily", alpha=0.0, seed=seed) for seed in range(4, 10)]
    sample = [node.piece for node in scene.sample.nodes]
    assert sample == [n.piece for n in next(m.scene for m in again.steps if m.scene).sample.nodes]
    assert "".join(sample) == scene.lattice.text
    assert any(next(m.scene for m in one.steps if m.scene).sample.pieces != sample for one in other)


@pytest.mark.parametrize("kind", ["bpe", "sentencepiece-bpe"])
def test_a_word_with_dropout_is_the_one_that_is_drawn(trained, kind):
    tokenizer = trained[kind]
    inside = explain_text(tokenizer, "the happy cats", dropout=0.7, seed=4)
    assert list(inside.ids) == tokenizer.sample("the happy cats", 0.7, drawn(4)).ids
    assert inside.ids != explain_text(tokenizer, "the happy cats").ids
    asked = [one for one in inside.steps if one.step.name.endswith(".draw")]
    assert asked and any(one.frame.passed for one in asked)
    for one, after in pairwise(inside.steps):
        if one.step.name.endswith(".draw") and not one.frame.passed:
            assert after.scene.branches[after.frame.shown - 1].parts == one.frame.pair
    ends = {id(one.scene): (one.scene, one.frame) for one in inside.steps if one.scene}
    tops = []
    for scene, frame in ends.values():
        there = scene.branches[: frame.shown]
        joined = {part for branch in there for part in branch.parts or ()}
        left = [one for at, one in enumerate(there) if at not in joined]
        tops += [one.face.data for one in sorted(left, key=lambda one: one.start)]
    assert tops == [tokenizer.piece_bytes(token) for token in inside.ids]


def rows_of(inside, name):
    """The live numbers of every step of this name: rows of (name, value, note) as text."""
    return [
        [
            (row.name, str(row.value), row.note) if not isinstance(row, str) else ("", row, "")
            for row in inspection("x", one).rows[1:]  # behind the symbols of the formula
        ]
        for one in inside.steps
        if one.step.name == name
    ]


@pytest.mark.parametrize("kind", ["bpe", "sentencepiece-bpe"])
def test_a_choice_tells_by_what_and_among_which_pairs(trained, kind):
    inside = explain_text(trained[kind], "the happy cats and that little bird said there")
    name = "bpe.choose" if kind == "bpe" else "sentencepiece-bpe.choose"
    chosen = [one for one in inside.steps if one.step.name == name and one.frame.pair]
    rows = [row for row in rows_of(inside, name) if " + " in row[0][0]]
    assert len(rows) == len(chosen) > 3
    for one, [best, *rivals] in zip(chosen, rows, strict=True):
        left, right = (one.scene.branches[at].face.text for at in one.frame.pair)
        assert best[0] == f"{left} + {right}" and best[1] == one.frame.why
        assert one.frame.why in one.step.title, "picture, headline and numbers say the same"
        assert best[2] == ("the best pair" if rivals else "the only pair")
    if kind == "bpe":
        ranks = [[int(row[1].removeprefix("rank ")) for row in one if row[0]] for one in rows]
        assert all(one == sorted(one) for one in ranks) and max(map(len, ranks)) > 1
    else:
        assert all("score" in row[1] and "rank" in row[1] for one in rows for row in one)


def test_what_is_drawn_is_told_with_its_numbers(trained):
    for kind in ("bpe", "sentencepiece-bpe"):
        inside = explain_text(trained[kind], "the happy cats", dropout=0.5, seed=2)
        name = "bpe.draw" if kind == "bpe" else "sentencepiece-bpe.draw"
        drawn_ones = [one for one in inside.steps if one.step.name == name]
        for one, rows in zip(drawn_ones, rows_of(inside, name), strict=True):
            assert rows[0][:2] == ("u", str(float(one.step.value("draw"))))
            assert ("skipped" in rows[0][2]) == one.frame.passed
            assert rows[1][:2] == ("p", "0.5") and " + " in rows[2][0]
            assert rows[2][2] == "the pair tried", "chance may leave others to try"


@pytest.mark.parametrize("kind", SIZES)
def test_every_formula_has_its_numbers(trained, kind):
    """Nothing but a lattice as a whole stands there without any."""
    inside = explain_text(trained[kind], "The happy cat \u2603")
    for one in inside.steps:
        symbols, *rows = inspection("x", one).rows
        assert isinstance(symbols, str)
        assert rows or one.step.name.startswith("unigram."), one.step.name
    [last] = rows_of(inside, "encoding.post-processor")
    assert last[0][:2] == ("n", str(len(inside.ids)))
    assert last[1][2] == f"id {inside.ids[0]:,}"
    for look in rows_of(inside, "wordpiece.look"):
        assert [row[0] for row in look] == ["i", "j", "piece"]
    for word in rows_of(inside, "encoding.model"):
        assert word[0][0] == "k" and int(word[0][1]) >= 1


def test_a_librarys_steps_tell_what_came_out(trained, tmp_path):
    trained["bpe"].save(tmp_path / "tokenizer.json")
    theirs = LibraryTokenizer(json.loads((tmp_path / "tokenizer.json").read_text()), "theirs")
    inside = explain_text(theirs, "the happy cat")
    assert rows_of(inside, "encoding.normalizer")[0][0][:2] == (
        "normalize(x)",
        "the\u2423happy\u2423cat",
    )
    encoding = theirs.encode("the happy cat")
    assert [row[1] for row in rows_of(inside, "encoding.pre-tokenizer")[0]][:2] == ["3", "the"]
    for name in ("encoding.model", "encoding.post-processor"):
        [rows] = rows_of(inside, name)
        assert int(rows[0][1]) == len(encoding.ids)
        assert rows[1][1] == encoding.pieces[0]
    cut = rows_of(explain_text(theirs, "naïve cat\n"), "encoding.pre-tokenizer")[0]
    assert [row[1] for row in cut][1:] == ["naïve", "\u2423cat", "\u21b5"]
    spelled = json.loads(trained_with_spaces(trained, tmp_path))
    rows = rows_of(explain_text(LibraryTokenizer(spelled, "theirs"), "the cat"), "encoding.model")
    assert all("\u2581" not in row[1] for row in rows[0]) and rows[0][1][1].startswith("\u2423")


def trained_with_spaces(trained, folder):
    """A tokenizer.json of the kind bpe whose pieces spell a space as SentencePiece does."""
    trained["sentencepiece-bpe"].save(folder / "spaces.json")
    return (folder / "spaces.json").read_text()


@pytest.mark.parametrize("kind", SIZES)
def test_a_piece_has_one_color_at_every_stage_and_in_its_picture(trained, kind):
    """The stages spell pieces, the picture below spells pieces: the same bytes give the color."""
    inside = explain_text(trained[kind], "the cat, the hat")
    model = next(stage for stage in inside.stages if stage.name == "model")
    faces = [
        face_of_part(kind, "model", part, inside.text.encode()[slice(*span)])
        for part, span in zip(model.parts, model.spans, strict=True)
    ]
    drawn_ones: dict[str, bytes] = {}
    for one in inside.steps:
        if isinstance(one.scene, MergeScene):
            drawn_ones |= {branch.face.text: branch.face.data for branch in one.scene.branches}
        elif isinstance(one.scene, LatticeScene):
            for node in one.scene.lattice.nodes:
                face = face_of(kind, node.piece)
                drawn_ones[face.text] = face.data
        elif isinstance(one.scene, MatchScene):
            drawn_ones |= {look.piece: data_of(one.scene, look) for look in one.scene.lookups}
    assert len(faces) > 4
    for face in faces:
        assert drawn_ones[face.text] == face.data
    assert len({face.text for face in faces}) == len({face.data for face in faces})


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram"])
def test_of_another_librarys_tokenizer_the_stages_are_told(trained, kind, tmp_path):
    trained[kind].save(tmp_path / "tokenizer.json")
    theirs = LibraryTokenizer(json.loads((tmp_path / "tokenizer.json").read_text()), "theirs")
    inside = explain_text(theirs, "the happy cat")
    assert [one.step.name for one in inside.steps][-1] == "encoding.post-processor"
    assert all(one.scene is None for one in inside.steps) and "Another library" in inside.why


def test_a_text_is_cut_and_special_tokens_are_told(trained):
    tokenizer = trained["bpe"]
    inside = explain_text(tokenizer, "a" * 3 * LONGEST)
    assert len(inside.text) == LONGEST
    special = next(iter(tokenizer.special_tokens))
    moments = explain_text(tokenizer, f"cat{special}dog").steps
    told = {moment.step.name: moment.word for moment in moments if moment.word >= 0}
    assert told["encoding.special"] == 1 and told["encoding.model"] == 2


def test_the_numbers_of_a_lattice_are_called_as_its_formulas_call_them(trained):
    inside = explain_text(trained["unigram"], "the happy cats")
    for name, letter, key in (
        ("unigram.keep", "j", "place"),
        ("unigram.backtrace", "i*", "place"),
        ("unigram.take", "best possible total", "promise"),
        ("unigram.forward", "a", "total"),
    ):
        steps = [one.step for one in inside.steps if one.step.name == name]
        assert steps
        for step, rows in zip(steps, rows_of(inside, name), strict=True):
            numbers = {row[0]: row[1] for row in rows}
            assert float(numbers[letter]) == float(step.value(key))
            assert not {"winner", "promise", "place"} & numbers.keys()


def test_what_is_listed_is_numbered_as_in_the_formula(trained):
    inside = explain_text(trained["bpe"], "happy cats")
    for name, letter in (("bpe.bytes", "b"), ("encoding.model", "t")):
        for size, *rows in rows_of(inside, name):
            names = [row[0] for row in rows if row[0]]
            assert names == [f"{letter}{index}" for index in "₁₂₃₄₅₆₇₈"[: int(size[1])]]
