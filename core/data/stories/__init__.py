"""Little stories without end: the text that the bundled model and a first training run learn from.

`story(seed)` is a pure function, the same in every Python version, so that nothing needs to be
stored or downloaded: a corpus is a range of seeds. Read in this order: lexicon, grammar,
everyday_plots, magic_plots, season_plots.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from core.data.stories import everyday_plots, magic_plots, season_plots
from core.data.stories.grammar import Person, Teller

MAGIC_SHARE = 0.4  # of the stories have a spell or a song
EVERYDAY = everyday_plots.PLOTS + season_plots.PLOTS


@dataclass(frozen=True, slots=True)
class Story:
    """A story with what its teller knew: the plot's name, who is in it, and its spell, if any."""

    text: str
    plot: str
    people: tuple[Person, ...]
    spell: str | None


def tell(seed: int) -> Story:
    """The story of this seed with its cast. Raises ValueError for a negative seed."""
    if seed < 0:
        raise ValueError(f"a story's seed must be 0 or more, not {seed}")
    teller = Teller(seed)
    magic = teller.chance(MAGIC_SHARE)
    plot = teller.pick(magic_plots.PLOTS if magic else EVERYDAY)
    text = " ".join(" ".join(plot(teller)).split())
    return Story(text, plot.__name__, tuple(teller.people), teller.spell)


def story(seed: int) -> str:
    """The story of this seed: one paragraph of 80 to 220 words.

    Raises ValueError for a negative seed.
    """
    return tell(seed).text


def stories(seed: int) -> Iterator[str]:
    """Stories without end: those of the seeds `seed`, `seed + 1`, ..."""
    while True:
        yield story(seed)
        seed += 1


def story_text(seed: int, n_characters: int) -> str:
    """The first `n_characters` of the stories from `seed` on, separated by blank lines."""
    parts: list[str] = []
    length = 0
    for text in stories(seed):
        parts.append(text)
        length += len(text) + 2
        if length >= n_characters:
            break
    return "\n\n".join(parts)[:n_characters]
