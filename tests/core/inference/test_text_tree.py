"""Texts that begin alike, as a tree."""

from __future__ import annotations

from core.inference.text_tree import MOST_BACK, Text, TextTree, branches


def grown(*texts: Text) -> TextTree:
    tree = TextTree()
    for text in texts:
        tree.go(text)
    return tree


def test_a_text_takes_the_place_of_the_one_that_it_continues() -> None:
    assert grown((5, 6), (7,), (5, 6, 8)).texts == [(5, 6, 8), (7,)]
    assert grown((5, 6), (5, 6), (5,)).texts == [(5, 6)]
    assert grown((5, 6), (5, 9)).texts == [(5, 6), (5, 9)]
    assert grown((5, 6), ()).texts == [(5, 6)]


def test_branches_end_at_forks_and_where_the_text_ends() -> None:
    tree = grown((1, 2, 3, 4), (1, 2, 9), (7,))
    told = [(one.indent, one.tokens) for one in tree.branches()]
    assert told == [(0, (1, 2)), (1, (3, 4)), (1, (9,)), (0, (7,))]
    tree.go((1, 2, 3))
    told = [(one.indent, one.tokens) for one in tree.branches()]
    assert told == [(0, (1, 2)), (1, (3,)), (2, (4,)), (1, (9,)), (0, (7,))]
    texts = [one.text for one in branches(tree.texts, (1, 2))]
    assert texts == [(1, 2), (1, 2, 3, 4), (1, 2, 9), (7,)]
    assert branches([]) == [] and branches(tree.texts, (3,)) == branches(tree.texts)


def test_own_tokens_along_the_way_make_the_whole_text() -> None:
    way: list[Text] = []
    for one in grown((1, 2, 3), (1, 2, 4, 5), (1, 2, 4, 6), (1, 8), (1, 2, 4)).branches():
        way = [*way[: one.indent], one.tokens]
        assert sum(way, ()) == one.text


def test_back_goes_the_way_that_was_come() -> None:
    tree, seen = grown((1,), (1, 2), (3,), (1, 2)), []
    while tree.past:
        tree.back()
        seen.append(tree.here)
    assert seen == [(3,), (1, 2), (1,), ()]
    tree.back()
    assert tree.here == () and tree.texts == [(1, 2), (3,)]
    assert len(grown(*((one,) for one in range(MOST_BACK + 9))).past) == MOST_BACK


def test_a_text_may_fork_at_each_of_many_tokens() -> None:
    tree = grown(*((0,) * count + (1,) for count in range(300)))
    assert max(one.indent for one in tree.branches()) == 298
