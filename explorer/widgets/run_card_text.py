"""The text of a run's card. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass

AGAIN = "There is no checkpoint, so training begins again at step 0"


@dataclass(frozen=True)
class CardText:
    """The text of a card. `numbers` are (title, value); `buttons` are ids of BUTTONS; a run that is
    `alarming` continues but needs the user.
    """

    name: str
    state: str
    step: int
    steps: int
    note: str = ""
    numbers: tuple[tuple[str, str], ...] = ()
    buttons: tuple[str, ...] = ()
    message: str = ""  # the failure or what needs the user, with the remedy
    refusals: tuple[tuple[str, str], ...] = ()  # (button, why it is disabled)
    alarming: bool = False
