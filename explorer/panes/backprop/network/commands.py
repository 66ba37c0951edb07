"""Commands of the Network mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.backprop.network.presets import PRESETS
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.backprop.network.mode import NetworkMode


def commands(mode: NetworkMode) -> list[Action]:
    def there() -> bool:
        return mode.active and mode.runner.training is not None

    def follows() -> bool:
        return there() and mode.sample is not None

    def can_follow() -> bool:
        training = mode.runner.training
        return there() and training is not None and len(training.data.points) > 0

    return [
        Action("backprop.network.reset", "Network: start over", mode.reset, enabled=there),
        Action(
            "backprop.network.reseed",
            "Network: start over with new initial weights",
            lambda: mode.reset(True),
            enabled=there,
        ),
        Action(
            "backprop.network.data",
            "Network: draw new points for this data set",
            lambda: mode.change_field("data_seed", mode.draft.value.data_seed + 1),
            enabled=there,
        ),
        Action(
            "backprop.network.follow",
            "Network: follow a point, or the next one",
            lambda: mode.follow_next(1),
            enabled=can_follow,
        ),
        Action(
            "backprop.network.leave",
            "Network: back to training",
            mode.leave_sample,
            enabled=follows,
        ),
        Action(
            "backprop.network.deeper",
            "Network: add a hidden layer",
            lambda: mode.view.layersRequested.emit(1),
            enabled=there,
        ),
        Action(
            "backprop.network.shallower",
            "Network: remove a hidden layer",
            lambda: mode.view.layersRequested.emit(-1),
            enabled=there,
        ),
        *(
            Action(
                f"backprop.network.{one.id}",
                f"Network: {one.title[:1].lower()}{one.title[1:]}",
                lambda name=one.id: mode.show_preset(name),  # type: ignore[misc]
                enabled=lambda: mode.active,
                help=one.look,
            )
            for one in PRESETS
        ),
    ]
