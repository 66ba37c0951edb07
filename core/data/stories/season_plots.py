"""The plots of weather, gardens and games."""

from core.data.stories import lexicon
from core.data.stories.grammar import OUTDOORS, Teller, a, capital


def guests(t: Teller) -> list[str]:
    """A storm outside, a small house, and one knock after another."""
    hero, one, two, three = t.hero(0.2), t.hero(1.0), t.hero(1.0), t.hero(1.0)
    food, thing = t.pick(lexicon.FOODS), t.thing()
    weather = t.pick(
        (
            "It rained and rained.",
            "Snow fell all day long.",
            "The wind blew hard.",
            "A storm came up.",
        )
    )
    ask = t.pick(("May I come in?", "Is there room for me?", "Can I stay with you tonight?"))
    yes = t.pick(("Of course", "There is always room", "Come in, come in", "Sit by the fire"))
    return [
        f"{t.opening(hero)} {weather}",
        f'Knock, knock! {one.Name} the {one.kind} stood at the door. "{ask}" asked {one.name}. '
        f'"{yes}," said {hero.name}. '
        f'Knock, knock! {two.Name} the {two.kind} stood at the door. "{ask}" asked {two.name}. '
        f'"{yes}," said {hero.name}. '
        f'Knock, knock! {three.Name} the {three.kind} stood at the door. "{ask}" asked '
        f"{three.name}. "
        f'"{yes}," said {hero.name}.',
        f"{one.Name} had brought {a(food)}, {two.name} had brought {thing.a}, and {three.name} "
        "knew a "
        f"good story. {hero.Name}, {one.name}, {two.name} and {three.name} sat close together, and "
        f"nobody was cold.",
        t.pick(
            (
                f"In the morning, the sun came out, and they all ate {a(t.pick(lexicon.FOODS))}. "
                "The end.",
                f'"This is the best house of all," said {one.name}. {hero.Name} was {t.glad()}.',
                f'"Can we stay for ever?" asked {two.name}. {hero.Name} laughed. "{yes}," '
                f"{hero.they} said.",
                "They told stories until they fell asleep, one after the other. The end.",
                f"From that day on, {hero.name} was never {t.sad()} again.",
                f'"Thank you," said {three.name}. "Thank you," said {two.name}. "Thank you," '
                f"said {one.name}.",
            )
        ),
    ]


def seed(t: Teller) -> list[str]:
    """Something is planted and does not grow, until it does."""
    hero, giver, neighbor = t.hero(), t.helper(lexicon.WISE), t.hero(0.6)
    where = t.place(OUTDOORS)
    plant, crop = t.pick(
        (
            ("pumpkin", "a pumpkin as big as a wagon"),
            ("sunflower", "a sunflower as tall as a house"),
            ("bean", "a hundred green beans"),
            ("rose", "a rose as red as the evening sun"),
            ("pear tree", "a tree full of sweet pears"),
            ("melon", "three round melons"),
        )
    )
    patience = t.pick(("Wait and see", "Good things take time", "Every day a little more"))
    return [
        t.opening(hero),
        f'{t.day()}, {giver.name} gave {hero.them} a seed. "What will it be?" asked {hero.name}. '
        f'"{patience}," said {giver.name}. {hero.Name} planted the seed {where.at}.',
        f"On Monday, {hero.name} gave it water, but nothing grew. On Tuesday, {hero.name} gave it "
        f'water, but nothing grew. "It will never grow," said {neighbor.introduced}. '
        f'"{patience}," said {hero.name}. On Wednesday, there was a little green leaf.',
        f"The leaf grew and grew, and by the end of the summer there was {crop}! "
        f'"So it was a {plant}!" said {hero.name}. {hero.They} shared it with {neighbor.name}. '
        + t.closing(hero, neighbor),
    ]


def seek(t: Teller) -> list[str]:
    """Hide and seek, where one player is hard to find."""
    hero, one, two = t.hero(), t.hero(), t.hero()
    spot, other, last, thing = t.spot(), t.spot(), t.spot(), t.thing()
    gave_away = t.pick(
        ("sneezed", "giggled", "began to sing", "hiccuped", "yawned", "laughed out loud")
    )
    return [
        f"{t.opening(hero)} {hero.Their} friends were {a(one.kind)} named {one.name} and "
        f"{a(two.kind)} "
        f"named {two.name}.",
        f"{t.day()}, they played hide and seek. {hero.Name} closed {hero.their} eyes and counted. "
        f'"One, two, three, four, five! Here I come!" {one.Name} hid {spot}, and {two.name} hid '
        f"{last}.",
        f"{hero.Name} looked {spot}. "
        f'"I found you, {one.name}!" said {hero.name}. Then {hero.name} and {one.name} looked for '
        f"{two.name}. They looked {other}, but there was only {thing.a}. They waited and "
        "listened. Then "
        f"{two.name} {gave_away}. "
        f'"I found you, {two.name}!" said {hero.name}. "You were {last}!"',
        f'"Now it is my turn to count," said {t.pick((one, two)).name}. ' + t.closing(hero, two),
    ]


def race(t: Teller) -> list[str]:
    """A race that the fast one loses by kindness, or wins and shares."""
    hero, rival, judge = t.hero(), t.hero(0.8), t.helper()
    start, goal, prize = t.place(), t.place(OUTDOORS), t.thing()
    trouble, help_ = t.pick(
        (
            ("fell and hurt {their} foot", "helped {them} up"),
            ("got stuck in the mud", "pulled {them} out"),
            ("took the wrong path", "called {them} back"),
            ("lost {their} shoe", "found it for {them}"),
        )
    )
    trouble = trouble.format(their=rival.their)
    help_ = help_.format(them=rival.them)
    return [
        f"{t.opening(hero)} {rival.Name} the {rival.kind} was the fastest of all."
        if rival.kind not in ("girl", "boy")
        else f"{t.opening(hero)} A {rival.kind} named {rival.name} was the fastest of all.",
        f'{t.day()}, {judge.name} said, "Whoever comes {goal.to} first will win {prize.a}!" '
        f"{hero.Name} and {rival.name} stood side by side {start.at}. "
        f'"One, two, three, go!" said {judge.name}.',
        f"{rival.Name} ran ahead. {hero.Name} ran behind. But then {rival.name} {trouble}. "
        f'"Do not stop for me," said {rival.name}. "Of course I will stop," said {hero.name}, and '
        f"{hero.they} {help_}.",
        f"In the end, {hero.name} and {rival.name} came {goal.to} together. "
        f'"Who won?" asked {judge.name}. "{rival.Name} did," said {hero.name}. "{hero.Name} '
        'did," said '
        f"{rival.name}. {capital(judge.name)} laughed and gave {prize.the} to both of them. "
        + t.closing(hero, rival),
    ]


PLOTS = (guests, seed, seek, race)
