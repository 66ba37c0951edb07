"""The plots of everyday life: things lost, found, swapped, made, shared and feared.

A plot takes a `Teller` and gives the paragraphs between them telling one whole story.
"""

from core.data.stories import lexicon
from core.data.stories.grammar import OUTDOORS, Teller, a, capital


def lost(t: Teller) -> list[str]:
    """Something is gone, is looked for in two spots, and a helper knows where it is."""
    hero, thing, where = t.hero(), t.thing(), t.place()
    helper = t.hero(0.8) if t.chance(0.5) else t.helper()
    one, two, three = t.spot(), t.spot(), t.spot()
    sad = t.sad()
    return [
        f"{t.opening(hero)} {hero.They} had {thing.a}, and {hero.they} took {thing.the} "
        "everywhere.",
        f"{t.day()}, {thing.the} was gone. "
        + t.pick((f"{hero.Name} was {sad}. ", f"{hero.Name} felt {sad}. "))
        + f"{hero.They} looked {one}. {capital(thing.the)} was not {one}. "
        f"{hero.They} looked {two}. {capital(thing.the)} was not {two}.",
        f"Then {hero.name} went {where.to} and met {helper.name}. "
        f'"Have you seen my {thing.bare}?" asked {hero.name}. '
        + t.pick(
            (
                f'"Yes," said {helper.name}. "I saw {a(thing.bare)} {three}."',
                f'"Did you look {three}?" asked {helper.name}.',
                f'"Let us look together," said {helper.name}. "Perhaps it is {three}."',
            )
        )
        + f" They ran back and looked {three}, and there was {thing.the}! "
        + t.pick(
            (
                f'"Thank you," said {hero.name}, and {hero.they} held {thing.the} tight.',
                f'"My {thing.bare}!" cried {hero.name}. "Thank you, thank you!"',
            )
        ),
        t.closing(hero, helper),
    ]


def found(t: Teller) -> list[str]:
    """Something is found, two people do not own it, the third does."""
    hero, thing, where = t.hero(0.25), t.thing(), t.place()
    first, second, owner = t.helper(), t.helper(), t.hero(0.6)
    there = t.place()
    thanks = t.pick(lexicon.FOODS)
    return [
        t.opening(hero),
        f"{t.day()}, {hero.name} found {thing.a} {where.at}. "
        f'"Whose {thing.noun} is this?" {hero.they} wondered.',
        f'{hero.Name} asked {first.name}, "Is this your {thing.bare}?" '
        f'"No," said {first.name}, "that is not my {thing.bare}." '
        f'{hero.Name} asked {second.name}, "Is this your {thing.bare}?" '
        f'"No," said {second.name}, "that is not my {thing.bare}."',
        f"Then {hero.name} went {there.to}. {capital(owner.introduced)} sat there and cried. "
        + f'"I lost my {thing.bare}," said {owner.name}. '
        f'"Look!" said {hero.name}. "I found {a(thing.bare)} {where.at}." '
        f"{owner.Name} jumped for joy and gave {hero.name} {a(thanks)}.",
        t.pick(
            (
                f"{hero.Name} found {thing.a} that day, and {hero.name} found a friend.",
                t.closing(hero, owner),
            )
        ),
    ]


def swaps(t: Teller) -> list[str]:
    """A chain of swaps that ends with what the hero wanted."""
    hero, wish, have, middle = t.hero(), t.thing(), t.thing(), t.thing()
    first, second = t.helper(), t.helper()
    place, other = t.place(), t.place()
    return [
        f"{t.opening(hero)} {hero.They} had {have.a}, but {hero.they} wanted {wish.a}.",
        f"{t.day()}, {hero.name} went {place.to} and met {first.name}. {first.Name} had "
        f"{middle.a}. "
        f'"I will give you my {middle.bare} for your {have.bare}," said {first.name}. '
        f"So {hero.name} gave {first.name} {have.the}, and {first.name} gave {hero.name} "
        f"{middle.the}.",
        f"Next, {hero.name} went {other.to} and met {second.name}. {second.Name} had {wish.a}. "
        f'"I will give you my {wish.bare} for your {middle.bare}," said {second.name}. '
        f"So {hero.name} gave {second.name} {middle.the}, and {second.name} gave {hero.name} "
        f"{wish.the}.",
        f"Now {first.name} had {have.the}, {second.name} had {middle.the}, and {hero.name} had "
        f"{wish.the}. "
        + t.pick(
            (
                f'"A good day for all of us," said {hero.name}.',
                f"{hero.Name} was {t.glad()}.",
                f"All three of them were {t.glad()}.",
                f"{hero.Name} carried {wish.the} home and sang all the way.",
            )
        ),
    ]


def shared(t: Teller) -> list[str]:
    """Two friends want the same thing, quarrel, and find a way to share it."""
    one, two, thing, where = t.hero(), t.hero(), t.thing(), t.place()
    wise = t.helper(lexicon.WISE)
    turn = t.pick(
        (
            (
                f'"Let {one.name} have {thing.the} today," said {wise.name}, '
                f'"and let {two.name} have {thing.the} tomorrow."',
                f"So {one.name} had {thing.the} that day, and {two.name} had {thing.the} the "
                "next day.",
            ),
            (
                f'"Let {one.name} have {thing.the} in the morning," said {wise.name}, '
                f'"and let {two.name} have {thing.the} in the evening."',
                f"So {one.name} had {thing.the} in the morning, and {two.name} had {thing.the} "
                "in the evening.",
            ),
        )
    )
    return [
        f"{t.opening(one)} {one.Their} best friend was {a(two.kind)} named {two.name}.",
        f"{t.day()}, {one.name} and {two.name} found {thing.a} {where.at}. "
        f'"I saw {thing.the} first!" said {one.name}. '
        f'"No, I saw {thing.the} first!" said {two.name}. '
        f"{one.Name} pulled and {two.name} pulled. {two.Name} was {t.sad()}.",
        f'{capital(wise.name)} heard them and came closer. "What is the matter?" {wise.they} '
        "asked. "
        f"{turn[0]} {turn[1]}",
        t.pick(
            (
                f'"I am sorry," said {one.name}. "I am sorry too," said {two.name}. ',
                f'"That was easy," said {two.name}, and {one.name} laughed. ',
                f'"You can play with it now," said {one.name}. "We can play together," said '
                f"{two.name}. ",
            )
        )
        + t.closing(one, two),
    ]


def stuck(t: Teller) -> list[str]:
    """Something hangs or lies too far away; two tries fail, the third works."""
    hero, thing, where = t.hero(), t.thing(), t.place(OUTDOORS)
    first, second, last = t.hero(0.9), t.helper(), t.helper(lexicon.WISE)
    trouble, near = t.pick(
        (
            ("got caught in a tall tree", "in the tree"),
            ("fell into a deep hole", "in the hole"),
            ("rolled under a heavy rock", "under the rock"),
            ("landed on a high roof", "on the roof"),
            ("fell into a muddy pond", "in the pond"),
        )
    )
    tool = t.pick(("a long stick", "a strong rope", "a tall ladder", "a big net", "an iron hook"))
    return [
        f"{t.opening(hero)}",
        f"{t.day()}, {hero.name} played with {thing.a} {where.at}. Suddenly {thing.the} {trouble}. "
        f'"Oh no!" said {hero.name}. "My {thing.bare} is {near}!"',
        f"{capital(first.introduced)} came by and tried to help. "
        f"{first.Name} jumped and jumped, but {thing.the} was still {near}. "
        f"{second.Name} came by and tried to help. {second.Name} pushed and pulled, but "
        f"{thing.the} was "
        f"still {near}.",
        f"Then {last.name} came with {tool}. "
        + f"{last.They} reached as far as {last.they} could, and slowly, slowly, "
        f"{thing.the} came back. " + f'"Here is your {thing.bare}," said {last.name}. '
        f'"Thank you!" said {hero.name}. ' + t.closing(hero, t.pick((first, last))),
    ]


def afraid(t: Teller) -> list[str]:
    """Somebody is afraid, a friend stays near, and the fear gets small."""
    hero, friend, thing, where = t.hero(), t.hero(), t.thing(), t.place()
    fear = t.pick(lexicon.FEARS)
    brave = t.pick(
        (
            "I am small, but I am brave",
            "One step, and then one more",
            "Big fear, go away",
            "I can do it, I can do it",
            "Slow and steady, here I come",
        )
    )
    return [
        f"{t.opening(hero)} {hero.They} had a friend, {a(friend.kind)} named {friend.name}. "
        f"But {hero.name} was afraid of {fear}.",
        f"{t.day()}, {hero.name} and {friend.name} went {where.to}.",
        f'"I want to go home," said {hero.name}. "I am afraid of {fear}." '
        f'{friend.Name} gave {hero.them} {thing.a}. "Hold {thing.the}," said {friend.name}, '
        f'"and say: {brave}."',
        f'{hero.Name} held {thing.the}. "{brave}," said {hero.name}. {hero.They} took a deep '
        "breath. "
        f'"{brave}," {hero.they} said again, louder this time. And then {hero.name} was not '
        "afraid of "
        f"{fear} any more.",
        t.pick(
            (
                f'"You did it!" said {friend.name}. ',
                f'"I did it!" said {hero.name}. ',
                f"{hero.Name} wanted to give {thing.the} back, but {friend.name} shook "
                f"{friend.their} "
                f'head. "Keep {thing.the}," said {friend.name}. ',
            )
        )
        + t.closing(hero, friend),
    ]


def basket(t: Teller) -> list[str]:
    """A walk with a basket: each meeting adds one thing, and the end counts them all."""
    hero, goal = t.hero(), t.helper(("old woman", "old man", "teacher", "doctor", "king", "queen"))
    first, second, third = t.helper(), t.helper(), t.hero(0.9)
    one, two, three = t.fresh(lexicon.FOODS), t.thing(), t.fresh(lexicon.FOODS)
    places = t.place(), t.place(), t.place()
    return [
        f"{t.opening(hero)}",
        f"{t.day()}, {hero.name} took an empty basket and set out to visit {goal.name}. "
        f"{capital(places[0].at)}, {hero.they} met {first.name}. "
        f'"Here is {a(one)} for {goal.name}," said {first.name}. '
        f"{capital(places[1].at)}, {hero.they} met {second.name}. "
        f'"Here is {two.a} for {goal.name}," said {second.name}. '
        f"{capital(places[2].at)}, {hero.they} met {third.introduced}. "
        f'"Here is {a(three)} for {goal.name}," said {third.name}.',
        f"At last {hero.name} stood at the door. Knock, knock, knock! "
        f'"Who is there?" asked {goal.name}. "It is me, {hero.name}!" '
        f"In the basket there were {a(one)} from {first.name}, {two.a} from {second.name} and "
        f"{a(three)} from {third.name}.",
        f'"What a fine basket!" said {goal.name}. ' + t.closing(hero, goal),
    ]


def gift(t: Teller) -> list[str]:
    """A present is made, spoilt, and mended together."""
    hero, friend, maker = t.hero(), t.hero(), t.helper()
    thing, where = t.thing(), t.place()
    spoilt, mended = t.pick(
        (
            ("it broke in two", "glued it together"),
            ("it fell into the mud", "washed it clean"),
            ("it got a big hole", "sewed the hole shut"),
            ("it lost its color", "painted it again"),
        )
    )
    return [
        f"{t.opening(hero)} {hero.They} had a friend, {a(friend.kind)} named {friend.name}.",
        f"{t.day()}, {hero.name} said, \"Tomorrow is {friend.name}'s birthday. "
        f'I will make {friend.them} {thing.a}." {hero.Name} worked all day, and {thing.the} was '
        "almost "
        f"ready. But then {hero.name} slipped, and {spoilt}. {hero.Name} was {t.sad()}.",
        f"{hero.They} carried {thing.the} {where.to} and showed it to {maker.name}. "
        f'"Do not cry," said {maker.name}. "I can help you." Side by side they {mended}. '
        f"Now {thing.the} was as good as new.",
        f"The next day, {hero.name} gave {thing.the} to {friend.name}. "
        f'"For me?" asked {friend.name}. "{capital(thing.a)}! I always wanted {thing.a}!" '
        + t.closing(hero, friend),
    ]


PLOTS = (lost, found, swaps, shared, stuck, afraid, basket, gift)
