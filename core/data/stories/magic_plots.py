"""The plots with made-up words that somebody must remember word for word.

Nobody can learn such a spell by heart beforehand, because its syllables are drawn anew in every
story: the only way to know how it goes on is to look back at where it was said before. This is
what makes a head that copies ("induction", Olsson et al. 2022, section 2) worth having.
"""

from core.data.stories import lexicon
from core.data.stories.grammar import Teller, a


def door(t: Teller) -> list[str]:
    """A spell opens what is shut."""
    hero, wise, inside, where = t.hero(), t.helper(lexicon.WISE), t.thing(), t.place()
    spell = t.make_spell()
    shut = t.pick(("door", "gate", "chest", "cave", "tower", "iron box"))
    return [
        t.opening(hero),
        f"{t.day()}, {hero.name} saw a closed {shut} {where.at}. {hero.They} pushed, but the "
        f"{shut} did "
        f'not open. {wise.Name} came by. "You need the magic words," said {wise.name}. '
        f'"The magic words are: {spell}. Can you remember them?"',
        t.pick(
            (
                f'"{spell}," said {hero.name} very slowly. "Yes, I can."',
                f'"{spell}," whispered {hero.name}. "{spell}. I will not forget."',
                f"{hero.Name} nodded and thought about the words all night long.",
            )
        ),
        f"{t.pick(('Then', 'The next day,', 'Soon'))} {hero.name} went back to the {shut}. "
        + t.pick(("In a clear voice, ", "In a loud voice, ", "Standing very still, "))
        + f'{hero.they} said, "{spell}!" The {shut} opened, and inside was {inside.a}. '
        + t.pick(
            (
                f"{hero.Name} took {inside.the} home. ",
                f"{hero.Name} gave {inside.the} to {wise.name}. ",
                f'"How pretty!" said {hero.name}, and {hero.they} picked up {inside.the}. ',
            )
        )
        + t.closing(hero, wise),
    ]


def song(t: Teller) -> list[str]:
    """A song from home is sung in the dark, and somebody who knows it hears it."""
    hero, singer, friend, where = (
        t.hero(),
        t.helper(("grandmother", "grandfather")),
        t.hero(0.7),
        t.place(),
    )
    words = t.make_spell()
    family = singer.kind
    return [
        f"{t.opening(hero)} {hero.Their} {family} had taught {hero.them} an old song. It went "
        "like this: "
        f'"{words}."',
        f"{t.day()}, {hero.name} went {where.to}. {hero.They} walked and walked until it was "
        "dark, and "
        f"then {hero.they} did not know the way home. {hero.Name} was {t.sad()}. "
        f'To feel better, {hero.they} sang the old song. "{words}," sang {hero.name}.',
        t.pick(
            (
                f'Not far away, {friend.introduced} heard the song. "{words}," sang '
                f"{friend.name}. ",
                f'Somebody sang back, "{words}." It was {friend.introduced}. ',
            )
        )
        + f'"I know that song too," said {friend.name}. "Come, I will show you the way." '
        f"Hand in hand, {hero.name} and {friend.name} walked home. " + t.closing(hero, friend),
    ]


def dragon(t: Teller) -> list[str]:
    """Somebody big is awake or asleep, and only the words change it."""
    hero, wise, where, treasure = t.hero(), t.helper(lexicon.WISE), t.place(), t.thing()
    big = t.fresh(("dragon", "giant", "bear", "troll", "lion"))
    spell = t.make_spell()
    asleep = t.chance(0.5)
    state, change = ("slept", "wake up") if asleep else ("roared day and night", "be quiet")
    after = "opened one eye" if asleep else "lay down and smiled"
    return [
        t.opening(hero),
        f"A big {big} {state} {where.at}, right on top of {hero.name}'s {treasure.bare}. "
        f'"If you want the {big} to {change}," said {wise.name}, "you must say: {spell}."',
        f"So {hero.name} went {where.to}. "
        + t.pick(
            (
                f"All the way {hero.they} said the words again and again: {spell}, "
                f"{spell.lower()}. ",
                f"{hero.They} was so nervous that {hero.their} knees shook. ",
                f"{hero.They} tried to remember what {wise.name} had said. ",
            )
        )
        + f"The {big} was as big as a house. "
        f'"{spell}!" cried {hero.name}. '
        f"The {big} {after}. "
        + t.pick(
            (
                f'"{spell}," said the {big}. "Nobody has said that to me for a hundred years." ',
                f'"Who taught you to say {spell.lower()}?" asked the {big}. "{wise.Name} did," '
                "said "
                f"{hero.name}. ",
            )
        )
        + f"Then the {big} gave {hero.name} {treasure.the}.",
        t.closing(hero, wise),
    ]


def stranger(t: Teller) -> list[str]:
    """Somebody from far away says something that nobody understands, until a child does."""
    hero, guest, where, thing = t.hero(0.2), t.hero(1.0), t.place(), t.thing()
    other = t.helper()
    words = t.make_spell()
    return [
        t.opening(hero),
        f"{t.day()}, {a(guest.kind)} named {guest.name} came from far away. {guest.Name} stood "
        f'{where.at} and said, "{words}." Nobody knew what it meant. '
        + t.pick(
            (
                f"{other.Name} gave {guest.them} {a(t.pick(lexicon.FOODS))}, but {guest.name} "
                "shook "
                f'{guest.their} head. "{words}," {guest.they} said again.',
                f'"Speak louder!" said {other.name}. "{words}!" said {guest.name}.',
            )
        ),
        f"{hero.Name} listened well. Then {hero.they} fetched {thing.a} and held it up. "
        f'"{words}?" asked {hero.name}. "{words}!" cried {guest.name}, and {guest.they} danced '
        "around "
        f"{thing.the}. Now everybody knew what the words meant: {thing.a}.",
        t.closing(hero, guest),
    ]


def forgetful(t: Teller) -> list[str]:
    """One forgets the words on the way, the other one has kept them."""
    hero, friend, wise = t.hero(), t.hero(), t.helper(lexicon.WISE)
    where, thing = t.place(), t.thing()
    spell = t.make_spell()
    first = " ".join(spell.split()[:-1])
    last = spell.split()[-1]
    return [
        f"{t.opening(hero)} {hero.Name} had a friend, {a(friend.kind)} named {friend.name}.",
        f'{t.day()}, {wise.name} told them a secret. "There is a magic {thing.noun} {where.at}," '
        "said "
        f'{wise.name}. "Say {spell}, and it will shine like the sun."',
        f"{hero.Name} and {friend.name} went {where.to} and found {thing.a}. "
        f'"I forgot the words!" said {hero.name}. "Do you remember them?" {friend.Name} closed '
        f"{friend.their} eyes and thought. "
        f'"{first}," said {friend.name}, "and then {last}."',
        f'"{spell}!" they called together. And {thing.the} began to shine like the sun. '
        + t.closing(hero, friend),
    ]


PLOTS = (door, song, dragon, stranger, forgetful)
