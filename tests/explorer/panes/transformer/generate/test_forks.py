"""The tree of the texts that were written."""

from __future__ import annotations

from explorer.panes.transformer.generate.forks import ROOT, Forks


def test_a_text_that_was_written_before_is_the_same_node() -> None:
    forks = Forks()
    first = forks.add([5, 6, 7])
    assert forks.add([5, 6, 7]) == first and forks.add([5, 6]) == forks.parents[first]
    assert forks.text(first) == [5, 6, 7] and forks.add([]) == ROOT
    forks.add([5, 8])
    assert [forks.text(end) for end in forks.ends()] == [[5, 6, 7], [5, 8]]


def test_branches_end_at_forks_and_where_the_text_ends() -> None:
    forks = Forks()
    assert forks.branches() == []
    forks.go(forks.add([1, 2, 3, 4]))
    assert [one.tokens for one in forks.branches()] == [(1, 2, 3, 4)]
    forks.add([1, 2, 9])
    forks.go(forks.add([1, 2, 3]))
    told = [(one.indent, one.tokens) for one in forks.branches()]
    assert told == [(0, (1, 2)), (1, (3,)), (2, (4,)), (1, (9,))]


def test_back_goes_the_way_that_was_come() -> None:
    forks, texts = Forks(), ([1], [1, 2], [3], [1, 2])
    for text in texts:
        forks.go(forks.add(text))
    seen = []
    while forks.past:
        forks.back()
        seen.append(forks.text(forks.here))
    assert seen == [[3], [1, 2], [1], []]
    forks.back()
    assert forks.here == ROOT


def test_a_long_text_has_no_depth_limit() -> None:
    forks = Forks()
    forks.go(forks.add(range(5000)))
    assert len(forks.branches()[0].tokens) == 5000
