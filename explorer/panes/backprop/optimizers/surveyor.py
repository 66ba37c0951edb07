"""Has the map drawn on the engine whenever another part of the plane is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.optimization.stationary import stationary_points_steps
from core.optimization.surfaces import Surface
from explorer import theme
from explorer.engine import tasks
from explorer.engine.latest import Latest
from explorer.panes.backprop.optimizers.looks import inks
from explorer.panes.backprop.optimizers.relief import ROUGH, Relief, relief_steps
from explorer.panes.backprop.optimizers.swinging import told

if TYPE_CHECKING:
    from explorer.panes.backprop.optimizers.mode import OptimizersMode


class Surveyor:
    """One map at a time; while it is drawn the last one is moved and stretched in its place, and
    around it lies a rough one that is soon there.
    """

    def __init__(self, mode: OptimizersMode) -> None:
        self._mode = mode
        self._drawn: tuple[Any, ...] = ()
        self._asked: tuple[Any, ...] = ()
        self._is_rough = False  # what was asked for
        self._known: tuple[Any, ...] = ()  # what was drawn last, be it roughly
        self._map = Latest(mode.engine, mode, foreground=True)
        self._map.came.connect(self._on_drawn)
        self._map.failed.connect(self._on_map_failed)
        self._map.ended.connect(self.look)  # it may have been moved meanwhile
        self._searched: Surface | None = None
        self._search = Latest(mode.engine, mode)
        self._search.came.connect(mode.showing.show_level_places)
        self._search.failed.connect(lambda _: None)  # the map is there without them
        mode.view.map.viewChanged.connect(self.look)

    def look(self) -> None:
        """Asks for the map of what is seen, unless it is there."""
        mode = self._mode
        if mode.surface is None or not tasks.in_loop():
            return
        wanted = self._wanted()
        if not mode.view.map.isVisible() or wanted == self._drawn:
            return
        rough = not self._covers(wanted)
        if rough:
            wanted = (*wanted[:4], ROUGH, *wanted[5:])
        if self._map.running:
            another = self._asked[0] is not mode.surface or (rough and not self._is_rough)
        else:
            another = wanted != self._asked  # else it could not be drawn
        if another:
            self._asked, self._is_rough = wanted, rough
            self._map.ask(lambda: relief_steps(*wanted), "drawing the map")

    def _covers(self, wanted: tuple[Any, ...]) -> bool:
        """Whether all that is seen has been drawn, if only roughly."""
        if not self._known or self._known[0] is not wanted[0]:
            return False
        left, right, bottom, top = wanted[1]
        known = self._known[1]
        room = 1e-6 * (right - left)
        across = known[0] <= left + room and right <= known[1] + room
        return across and known[2] <= bottom + room and top <= known[3] + room

    def find_level_places(self) -> None:
        """Minima and saddles of the surface, once for each."""
        mode = self._mode
        if mode.surface is None or mode.surface is self._searched:
            return
        surface = self._searched = mode.surface
        start = mode.draft.value.start or surface.start
        self._search.ask(lambda: stationary_points_steps(surface, near=start), "looking for minima")

    def _wanted(self) -> tuple[Any, ...]:
        picture = self._mode.view.map
        return (
            self._mode.surface, picture.span, picture.width(), picture.height(),
            picture.devicePixelRatioF(), inks(), theme.current().zoom,
        )  # fmt: skip

    def _on_map_failed(self, message: str) -> None:
        self._mode.view.body.show_error(message)

    def _on_drawn(self, found: Relief) -> None:
        mode = self._mode
        self._known = self._asked
        if self._is_rough:
            if self._known[0] is mode.surface:
                mode.view.map.ground.set_rough(found)
                mode.view.map.update()
            return
        self._drawn = self._asked
        if self._drawn[0] is mode.surface:
            mode.view.map.set_relief(found)
            nowhere = "The surface has no height anywhere that is seen."
            mode.view.set_note(told(found.swings) if found.is_finite else nowhere)
