"""What the attention pane adds to menus, palette and keys, and the views that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from explorer.panes.attention import model
from explorer.panes.attention import story as stories
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.attention.pane import AttentionPane


def pane_actions(pane: AttentionPane) -> list[Action]:
    def known() -> bool:
        return pane.looker.heads is not None

    def traced() -> bool:
        return pane.playback.track is not None

    def mode(name: str) -> Callable[[], None]:
        return lambda: pane.set_mode(name)

    def shows(name: str) -> Callable[[], bool]:
        return lambda: pane.choices.mode == name

    names = (("map", "Heat map"), ("arcs", "Arcs between tokens"), ("steps", "Steps of the query"))
    names += (("compare", "Compare with another text"),)
    modes = [
        Action(
            f"attention.{name}",
            f"Attention: {text}",
            mode(name),
            f"Alt+{place}",
            traced if name == "steps" else known,
            checked=shows(name),
        )
        for place, (name, text) in enumerate(names, start=1)
    ]
    return [
        *modes,
        Action(
            "attention.walk",
            "Attention: walk through the tokens",
            lambda: pane.set_walking(not pane.playback.walking),
            "Ctrl+Shift+W",
            traced,
            checked=lambda: pane.playback.walking,
        ),
        Action(
            "attention.hide_first",
            "Attention: hide the first token",
            lambda: pane.choose(hide_first=not pane.choices.hide_first),
            "Ctrl+Shift+H",
            known,
            checked=lambda: pane.choices.hide_first,
        ),
        Action(
            "attention.sort",
            "Attention: sort the heads by their score",
            lambda: pane.choose(sorted=not pane.choices.sorted),
            "Ctrl+Shift+S",
            known,
            checked=lambda: pane.choices.sorted,
        ),
        Action(
            "attention.induction",
            "Attention: choose the strongest head of this score",
            lambda: choose_strongest(pane),
            "Ctrl+Shift+B",
            known,
        ),
        Action(
            "attention.head_off",
            "Attention: switch this head off",
            pane.head_switch.toggle,
            "Ctrl+Shift+X",
            lambda: known() and pane.head_switch.is_possible,
            checked=lambda: pane.chosen is not None and pane.chosen[:2] in pane.head_switch.off,
        ),
        Action(
            "attention.all_on",
            "Attention: switch all heads on",
            pane.head_switch.all_on,
            "",
            lambda: bool(pane.head_switch.off),
        ),
        Action(
            "attention.append",
            "Attention: append the token that is expected next",
            pane.source_controller.append,
            "Ctrl+Shift+A",
            lambda: pane.expected is not None and not pane.expected.why_not,
        ),
        Action(
            "attention.next_token",
            "Attention: next query token",
            lambda: move_query(pane, 1),
            "Ctrl+Alt+Right",
            known,
        ),
        Action(
            "attention.previous_token",
            "Attention: previous query token",
            lambda: move_query(pane, -1),
            "Ctrl+Alt+Left",
            known,
        ),
        Action(
            "attention.update",
            "Attention: look at the model again",
            pane.source_controller.update_heads,
            "F5",
        ),
        Action("attention.prompt", "Attention: type a text", lambda: focus_prompt(pane), "Ctrl+L"),
    ]


def choose_strongest(pane: AttentionPane) -> None:
    """The head that has the most of the chosen score, with the query that shows it; of two texts,
    the head that differs most.
    """
    heads = pane.looker.heads
    if heads is not None:
        difference = pane.comparison.difference
        score = heads.score(pane.choices.score) if difference is None else difference
        layer, head = model.strongest(score)
        token = model.telling_query(heads, layer, head)
        pane.workspace.select(layer=layer, head=head, token=token)


def move_query(pane: AttentionPane, by: int) -> None:
    """To the token after (1) or before (-1) the query, not beyond the text."""
    heads, chosen = pane.looker.heads, pane.chosen
    if heads is not None and chosen is not None:
        token = min(max(chosen[2] + by, 0), heads.n_tokens - 1)
        if token != chosen[2]:  # one that is picked again would be let go
            pane.pick_query(token)


def focus_prompt(pane: AttentionPane) -> None:
    pane.inputs.prompt.setFocus()
    pane.inputs.prompt.selectAll()


def pane_views(pane: AttentionPane) -> dict[str, Callable[[], None]]:
    """Heat map, arcs, the settled picture of each of the steps, and their end in other cases."""

    def shown(mode: str) -> Callable[[], None]:
        return lambda: pane.set_mode(mode)

    def step(place: int) -> Callable[[], None]:
        def bring() -> None:
            pane.set_mode("steps")
            pane.player.seek(place)

        return bring

    def compared(view: str) -> Callable[[], None]:
        def bring() -> None:
            pane.choose(compared=view)
            pane.set_mode("compare")

        return bring

    def sorted_heads() -> None:
        pane.set_mode("map")
        pane.choose(sorted=True, least=0.1, hide_first=True)

    def as_before() -> None:
        pane.choose(sorted=False, least=0.0, hide_first=False)
        pane.set_mode("arcs")

    views: dict[str, Callable[[], None]] = {
        "heat-map": shown("map"),
        "sorted": sorted_heads,
        "arcs": as_before,
        "compare": compared("difference"),
        "compare-sides": compared("sides"),
    }
    for place, name in enumerate(stories.STEPS):
        views[f"step-{place + 1}-{name}"] = step(place)
    end = step(stories.PREDICT)

    async def heads_off() -> None:
        for head in (1, 0):
            pane.workspace.select(head=head)
            await pane.settled()
            pane.head_switch.toggle()
            await pane.settled()
        end()

    async def earlier() -> None:
        pane.head_switch.all_on()
        pane.workspace.select(token=5)
        await pane.settled()
        end()

    return {**views, "heads-off": heads_off, "token-that-came": earlier}
