"""Fables: a moral for every plot, behind the end of its story."""

from __future__ import annotations

from core.data.fables import END, MORALS, fable
from core.data.stories import EVERYDAY, magic_plots, tell


def test_every_plot_has_a_moral_of_its_own() -> None:
    assert set(MORALS) == {plot.__name__ for plot in (*EVERYDAY, *magic_plots.PLOTS)}
    assert len(set(MORALS.values())) == len(MORALS)


def test_a_fable_is_the_end_of_a_story_and_its_moral() -> None:
    cut = 0
    for seed in range(200):
        told, made = tell(seed), fable(seed)
        assert told.text.endswith(made.prompt) and END / 2 < len(made.prompt) <= END
        assert made.answer == f"\nThe moral: {MORALS[told.plot]}"
        assert made.prompt[0].isupper() or made.prompt[0] == '"'
        cut += made.prompt != told.text
    assert 0 < cut < 200
