"""The grammar under the stories: who is in one, what they are called, how they are spoken of.

A `Teller` draws everything from one `random.Random` and only through `random()`, whose values
Python promises to keep for a seed in every version.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from core.data.stories import lexicon

Choice = TypeVar("Choice")


def a(noun: str) -> str:
    """`noun` with its indefinite article: "a kite", "an apple".

    No word of the lexicon is an exception to the rule of the first letter.
    """
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def capital(text: str) -> str:
    """`text` with its first letter in upper case and the rest as it is."""
    return text[0].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a story.

    name               how the teller speaks of them ("Mira", "the baker")
    kind               what they are ("girl", "fox", "baker")
    they, them, their  the pronouns that must agree
    """

    name: str
    kind: str
    they: str
    them: str
    their: str

    @property
    def introduced(self) -> str:
        """How one who has a name is met: "Bram the fox", "a girl named Mira"."""
        if self.kind in ("girl", "boy"):
            return f"{a(self.kind)} named {self.name}"
        return f"{self.name} the {self.kind}"

    @property
    def Name(self) -> str:
        """The name at the beginning of a sentence."""
        return capital(self.name)

    @property
    def They(self) -> str:
        """ "He" or "She", at the beginning of a sentence."""
        return capital(self.they)

    @property
    def Their(self) -> str:
        """ "His" or "Her", at the beginning of a sentence."""
        return capital(self.their)


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing with a look: `bare` is "red kite", `a` "a red kite", `the` "the red kite"."""

    noun: str
    look: str

    @property
    def bare(self) -> str:
        """Without an article: "red kite"."""
        return f"{self.look} {self.noun}"

    @property
    def a(self) -> str:
        """With the indefinite article: "a red kite"."""
        return a(self.bare)

    @property
    def the(self) -> str:
        """With the definite article: "the red kite"."""
        return f"the {self.look} {self.noun}"


@dataclass(frozen=True, slots=True)
class Place:
    """`at` says where ("by the river"), `to` the way there ("to the river")."""

    at: str
    to: str


SHE = ("she", "her", "her")
HE = ("he", "him", "his")
PLACES = tuple(Place(*entry.split("|")) for entry in lexicon.PLACES)
INDOORS = ("barn", "castle", "library", "school", "station", "mill", "cave")
OUTDOORS = tuple(place for place in PLACES if not place.at.endswith(INDOORS))


class Teller:
    """Draws the parts of one story; no name, thing, place or spot is drawn twice in it."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random
        self._used: set[object] = set()
        self.people: list[Person] = []
        self.spell: str | None = None

    def chance(self, share: float) -> bool:
        """True with probability `share`."""
        return self._random() < share

    def pick(self, options: Sequence[Choice]) -> Choice:
        """One of `options`, each as likely as any other."""
        return options[int(self._random() * len(options))]

    def fresh(self, options: Sequence[Choice]) -> Choice:
        """One of `options` that this story has not drawn yet. Raises ValueError when none is."""
        if self._used.issuperset(options):
            raise ValueError(f"this story has drawn all of {len(options)} options already")
        choice = self.pick(options)
        while choice in self._used:
            choice = self.pick(options)
        self._used.add(choice)
        return choice

    def made_up(self, syllables: int) -> str:
        """A word that no dictionary knows, such as "zorbi"."""
        parts = []
        for _ in range(syllables):
            parts.append(self.pick(lexicon.ONSETS) + self.pick(lexicon.VOWELS))
        word = "".join(parts) + self.pick(lexicon.CODAS)
        if word in lexicon.NOT_MADE_UP or word[:3] in lexicon.NOT_BEGINNINGS:
            return self.made_up(syllables)
        return word

    def made_up_name(self) -> str:
        """A made-up name that nobody in this story has: the same syllables do come up twice."""
        name = capital(self.made_up(2))
        while name in self._used:
            name = capital(self.made_up(2))
        self._used.add(name)
        return name

    def make_spell(self) -> str:
        """Three to five made-up words that this story must remember: "Zorbi kalu menta fip"."""
        words: list[str] = []
        count = 3 + int(self._random() * 3)
        while len(words) < count:
            word = self.made_up(1 + int(self._random() * 2))
            if word not in words:
                words.append(word)
        self.spell = capital(" ".join(words))
        return self.spell

    def hero(self, creature_share: float = 0.35) -> Person:
        """A named person: a girl, a boy or a creature, now and then with a made-up name."""
        female = self.chance(0.5)
        if self.chance(0.2):
            name = self.made_up_name()
        else:
            name = self.fresh(lexicon.GIRLS if female else lexicon.BOYS)
        if self.chance(creature_share):
            kind = self.fresh(lexicon.CREATURES)
        else:
            kind = "girl" if female else "boy"
        person = Person(name, kind, *(SHE if female else HE))
        self.people.append(person)
        return person

    def helper(self, kinds: Sequence[str] = lexicon.HELPERS) -> Person:
        """Somebody without a name: "the baker"."""
        kind = self.fresh(kinds)
        if kind in lexicon.WOMEN:
            female = True
        elif kind in lexicon.MEN:
            female = False
        else:
            female = self.chance(0.5)
        person = Person(f"the {kind}", kind, *(SHE if female else HE))
        self.people.append(person)
        return person

    def thing(self) -> Thing:
        """A thing whose name and look are new in this story."""
        noun = self.fresh(lexicon.THINGS)
        return Thing(noun, self.fresh(lexicon.COLORS if self.chance(0.7) else lexicon.LOOKS))

    def place(self, places: Sequence[Place] = PLACES) -> Place:
        """One of `places`, new in this story."""
        return self.fresh(places)

    def spot(self) -> str:
        """A hiding place, new in this story."""
        return self.fresh(lexicon.SPOTS)

    def day(self) -> str:
        """When the story begins."""
        return self.pick(lexicon.DAYS)

    def glad(self) -> str:
        """A word for a happy person, new in this story."""
        return self.fresh(lexicon.GLAD)

    def sad(self) -> str:
        """A word for an unhappy person, new in this story."""
        return self.fresh(lexicon.SAD)

    def opening(self, hero: Person) -> str:
        """Who the hero is, where they live and what they like."""
        nature = self.fresh(lexicon.NATURES)
        home = self.pick(lexicon.HOMES)
        hobby = self.pick(lexicon.HOBBIES)
        first = self.pick(
            (
                f"Once upon a time, there was {a(nature)} {hero.kind} named {hero.name}.",
                f"Once upon a time, there was {a(nature)} {hero.kind} named {hero.name}.",
                f"Once upon a time, {a(nature)} {hero.kind} named {hero.name} lived {home}.",
                f"There once was {a(nature)} {hero.kind} named {hero.name}.",
                f"Long ago, {a(nature)} {hero.kind} named {hero.name} lived {home}.",
            )
        )
        second = self.pick(
            (
                f"{hero.They} loved to {hobby}.",
                f"Every {self.pick(lexicon.TIMES)}, {hero.they} liked to {hobby}.",
                f"More than anything, {hero.name} loved to {hobby}.",
            )
        )
        if "lived" in first:
            return f"{first} {second}"
        return self.pick((f"{first} {hero.They} lived {home}. {second}", f"{first} {second}"))

    def closing(self, hero: Person, friend: Person) -> str:
        """How everybody felt, and the end."""
        glad = self.glad()
        return self.pick(
            (
                f"{hero.Name} was {glad}, and {friend.name} was {glad} too.",
                f"{hero.Name} went home {glad} and slept well that night.",
                f"From that day on, {hero.name} and {friend.name} were the best of friends.",
                f"And {hero.name} never forgot that day.",
                f"{hero.Name} and {friend.name} laughed until the stars came out.",
                f"That night, {hero.name} fell asleep with a smile.",
                "It was the best day of the year. The end.",
                f"Soon everybody had heard the story, and everybody was {glad}.",
                f'"You are a good friend," said {friend.name}. {hero.Name} was {glad}.',
                f'"Will you come again tomorrow?" asked {friend.name}. "Of course," said '
                f"{hero.name}.",
                f"And {friend.name} was {glad} for the rest of the week. The end.",
                f'"What a day!" said {hero.name}. {hero.They} felt {glad}.',
                f"And they all ate {a(self.pick(lexicon.FOODS))} together. The end.",
                f"{hero.Name} gave {friend.name} a big hug. They were both {glad}. The end.",
            )
        )
