"""Commands of the Optimizers mode."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.surfaces import SURFACES
from explorer.panes.backprop.optimizers.draft import TYPED
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.backprop.optimizers.mode import OptimizersMode


def commands(mode: OptimizersMode) -> list[Action]:
    def here() -> bool:
        return mode.active

    def runs() -> bool:
        return mode.recording is not None and bool(mode.recording.lanes)

    def is_raced(name: str) -> bool:
        return runs() and name in mode.draft.value.racers

    action, surfaces = mode.action, [(one.name, one.title) for one in SURFACES.values()]
    return [
        action("into", "Optimizers: open the current step", mode.go_into, can=runs),
        action("fit", "Optimizers: fit the surface", mode.view.map.fit),
        action("fit-ways", "Optimizers: fit all paths", mode.view.map.fit_paths, can=runs),
        action("reset", "Optimizers: reset the start and the settings", mode.reset),
        *(
            Action(
                f"backprop.optimizers.surface.{name}",
                f"Surface: {title}",
                lambda name=name: mode.set_surface(name),
                enabled=here,
                checked=lambda name=name: mode.draft.value.surface == name,
            )
            for name, title in [*surfaces, (TYPED, "a formula of your own")]
        ),
        *(
            Action(
                f"backprop.optimizers.race.{name}",
                f"Race: {rule.title}",
                lambda name=name: mode.set_races(name, name not in mode.draft.value.racers),
                enabled=here,
                checked=lambda name=name: name in mode.draft.value.racers,
            )
            for name, rule in OPTIMIZERS.items()
        ),
        *(
            action(
                f"explain.{name}",
                f"Optimizers: show the steps of {rule.title}",
                partial(mode.choose, name),
                can=partial(is_raced, name),
            )
            for name, rule in OPTIMIZERS.items()
        ),
    ]
