"""Has the map drawn on the engine whenever another part of the plane is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.optimization.stationary import stationary_points_steps
from core.optimization.surfaces import Surface
from explorer import errors, tasks
from explorer.engine import SUPERSEDED, EngineDied
from explorer.latest import Latest
from explorer.panes.backprop.optimizers.looks import inks
from explorer.panes.backprop.optimizers.relief import relief

if TYPE_CHECKING:
    from explorer.panes.backprop.optimizers.mode import OptimizersMode


class Surveyor:
    """One map at a time; while it is drawn the last one is moved and stretched in its place."""

    def __init__(self, mode: OptimizersMode) -> None:
        self._mode = mode
        self._drawn: tuple[Any, ...] = ()
        self._busy = False
        self._searched: Surface | None = None
        self._search = Latest(mode.engine, mode)
        self._search.came.connect(mode.showing.show_level_places)
        self._search.failed.connect(self._on_search_failed)
        mode.view.map.viewChanged.connect(self.look)

    def look(self) -> None:
        """Asks for the map of what is seen, unless it is there."""
        mode = self._mode
        if mode.surface is None or not mode.engine.alive or self._busy or not tasks.in_loop():
            return
        if mode.view.map.isVisible() and self._wanted() != self._drawn:
            self._busy = True
            mode.spawn(self._draw())

    def find_level_places(self) -> None:
        """Minima and saddles of the surface, once for each."""
        mode = self._mode
        if mode.surface is None or mode.surface is self._searched:
            return
        self._searched = mode.surface
        self._search.ask(stationary_points_steps(mode.surface), "looking for minima")

    def _on_search_failed(self, _: str) -> None:
        """The map is there without them."""
        if not self._mode.engine.alive:  # another engine will
            self._searched = None

    def _wanted(self) -> tuple[Any, ...]:
        picture = self._mode.view.map
        return (
            self._mode.surface, picture.span, picture.width(), picture.height(),
            picture.devicePixelRatioF(), inks(),
        )  # fmt: skip

    async def _draw(self) -> None:
        mode = self._mode
        try:
            while (wanted := self._wanted()) != self._drawn and wanted[0] is not None:
                key = (mode.objectName(), "relief")
                found = await mode.engine.call(relief, *wanted, key=key)
                if found is SUPERSEDED:
                    return
                self._drawn = wanted
                if wanted[0] is mode.surface:
                    mode.view.map.set_relief(found)
                    finite = found.is_finite
                    text = "" if finite else "The surface has no height anywhere that is seen."
                    mode.view.map.set_note(text)
        except (ValueError, EngineDied) as error:
            mode.view.body.show_error(str(error))
        except Exception as error:  # the picture must not wait for ever
            errors.report(error, "drawing the map")
            mode.view.body.show_error(str(error))
        finally:
            self._busy = False
