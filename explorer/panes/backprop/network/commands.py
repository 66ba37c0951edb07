"""Commands of the Network mode."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from explorer.panes.backprop.network.presets import PRESETS
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.backprop.network.mode import NetworkMode


def commands(mode: NetworkMode) -> list[Action]:
    def there() -> bool:
        return mode.runner.training is not None

    def follows() -> bool:
        return mode.sample is not None

    def can_follow() -> bool:
        training = mode.runner.training
        return training is not None and len(training.data.points) > 0

    def redraw() -> None:
        mode.change_field("data_seed", mode.draft.value.data_seed + 1)

    action, ask = mode.action, mode.view.layersRequested.emit
    return [
        action("reset", "Network: start over", mode.reset, can=there),
        action(
            "reseed",
            "Network: start over with new initial weights",
            lambda: mode.reset(True),
            can=there,
        ),
        action("data", "Network: draw new points for this data set", redraw, can=there),
        action(
            "follow",
            "Network: follow a point, or go to the next one",
            lambda: mode.follow_next(1),
            can=can_follow,
        ),
        action("leave", "Network: back to training", mode.leave_sample, can=follows),
        action("deeper", "Network: add a hidden layer", lambda: ask(1), can=there),
        action("shallower", "Network: remove a hidden layer", lambda: ask(-1), can=there),
        *(
            action(
                one.id,
                f"Network: {one.title[:1].lower()}{one.title[1:]}",
                partial(mode.show_preset, one.id),
                help=one.look,
            )
            for one in PRESETS
        ),
    ]
