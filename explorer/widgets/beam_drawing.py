"""Draws the tree of a beam search from left to right and, below it, its result beside greedy."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath

from core.numbers import format_fixed
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, elide, put_text
from explorer.widgets.beam_scene import BeamScene, share
from explorer.widgets.token_strip import chip, draw_chip

PITCH, EDGE, SUM = 78, 20, 46  # px: the least width of a column, its edge, the number after it
ROW, CHIP, WIDEST = 44, 20, 92  # px: the highest row, a chip's height, its greatest width
LINE, THICK = 20, 7  # px: a line of text, the widest edge
GREEDY, ROOT = 1, -1  # greedy's series; the token before the tree
LINES = ("Beams", "Greedy")
OPACITY = {"hidden": 0.0, "dropped": 0.45, "passed": 0.6, "new": 1.0, "alive": 1.0, "best": 1.0}


class TreeLayout:
    """Positions of the nodes; a tree wider than the picture is scrolled to the cursor."""

    def __init__(self, area: QRectF, scene: BeamScene, position: float) -> None:
        now = theme.current()
        self.scene = scene
        self.lines = area.adjusted(0, area.height() - 2 * now.px(LINE), 0, 0)
        self.area = area.adjusted(0, 0, 0, -2 * now.px(LINE) - 4)
        room, count = area.width() - now.px(SUM), scene.tree.depth + 1
        self.pitch = max(room / count, now.px(PITCH))
        here = scene.moment(int(position))[0] + 1 if scene.moments else 1
        self.left = area.left() - max(0.0, min(here + 1, count) * self.pitch - room)
        self.row = min(self.area.height() / scene.tallest, now.px(ROW))

    def chip(self, node: int) -> QRectF:
        """Returns the rectangle of a node; -1 is the token before the tree."""
        now = theme.current()
        depth = self.scene.tree.nodes[node].depth if node >= 0 else 0
        row = self.scene.rows[node] if node >= 0 else 0.0
        high = min(self.row - 2, now.px(CHIP))
        wide = min(self.pitch - now.px(EDGE), now.px(WIDEST))
        y = self.area.center().y() + row * self.row
        return QRectF(self.left + depth * self.pitch, y - high / 2, wide, high)

    def edge(self, node: int) -> QPainterPath:
        start, end = self.chip(self.scene.tree.nodes[node].parent), self.chip(node)
        first, last = (
            QPointF(start.right(), start.center().y()),
            QPointF(end.left(), end.center().y()),
        )
        bend = QPointF((last.x() - first.x()) / 2, 0)
        path = QPainterPath(first)
        path.cubicTo(first + bend, last - bend, last)
        return path

    def node_at(self, point: QPointF, step: int) -> int | None:
        nodes = range(len(self.scene.pieces))
        seen = (one for one in nodes if self.scene.state(one, step) != "hidden")
        return next((one for one in seen if self.chip(one).contains(point)), None)


def draw_still(painter: QPainter, layout: TreeLayout, step: int) -> None:
    """Draws everything that does not change from this step to the next."""
    scene = layout.scene
    nodes = [node for node in _in_sight(layout) if not _changes(scene, node, step)]
    painter.save()
    painter.setClipRect(layout.area)
    _draw_nodes(painter, layout, nodes, step)
    _draw_node(painter, layout, ROOT, "alive", False)
    painter.restore()
    _draw_texts(painter, layout)


def draw_moving(painter: QPainter, layout: TreeLayout, position: float, hovered: int) -> None:
    """Draws the changing nodes and the hovered one at `position`, in steps."""
    scene, step = layout.scene, int(position)
    painter.save()
    painter.setClipRect(layout.area)
    nodes = [node for node in _in_sight(layout) if _changes(scene, node, step)]
    _draw_nodes(painter, layout, nodes, position)
    if hovered != ROOT and (state := scene.state(hovered, step)) != "hidden":
        _draw_node(painter, layout, hovered, state, True)
    painter.restore()


def _in_sight(layout: TreeLayout) -> list[int]:
    """Returns the nodes of the visible columns, those of the best text last, that is, on top."""
    scene, left, wide = layout.scene, layout.area.left(), 2 * layout.pitch
    nodes = range(len(scene.pieces))
    seen = (
        n for n in nodes if layout.left + scene.tree.nodes[n].depth * layout.pitch > left - wide
    )
    return sorted(seen, key=lambda node: node in scene.best)


def _changes(scene: BeamScene, node: int, step: int) -> bool:
    is_told = scene.tree.nodes[node].depth in (scene.moment(step)[0], scene.moment(step + 1)[0])
    return is_told or scene.state(node, step) != scene.state(node, step + 1)


def _draw_nodes(
    painter: QPainter, layout: TreeLayout, nodes: Sequence[int], position: float
) -> None:
    """Draws the edges, then the nodes at both of their ends above them."""
    scene = layout.scene
    looks = {node: look for node in nodes if (look := _look(scene, node, position))[1] > 0}
    for node, (state, solid) in looks.items():
        painter.setOpacity(solid)
        _draw_edge(painter, layout, node, state)
    parents = {scene.tree.nodes[node].parent for node in looks} - {ROOT}
    for node in dict.fromkeys([*parents, *looks]):
        state, solid = _look(scene, node, position)
        painter.setOpacity(1.0)
        painter.fillRect(layout.chip(node), theme.current().color("surface"))
        painter.setOpacity(solid)
        _draw_node(painter, layout, node, state, False)
        depth, what = scene.moment(int(position))
        if scene.tree.nodes[node].depth == depth:
            _draw_sum(painter, layout, node, what)
    painter.setOpacity(1.0)


def _look(scene: BeamScene, node: int, position: float) -> tuple[str, float]:
    """Returns a node's state and its opacity, interpolated between two steps."""
    step = int(position)
    state, later = scene.state(node, step), scene.state(node, step + 1)
    solid = OPACITY[state] + (OPACITY[later] - OPACITY[state]) * (position - step)
    return later if state == "hidden" else state, solid


def _draw_edge(painter: QPainter, layout: TreeLayout, node: int, state: str) -> None:
    now, path, scene = theme.current(), layout.edge(node), layout.scene
    role = {"best": now.color("accent"), "alive": now.series(0), "new": now.series(0)}
    wide = 1 + now.px(THICK) * share(scene.tree.nodes[node])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(now.pen(role.get(state, now.color("outline")), wide))
    painter.drawPath(path)
    if node in scene.greedy and node not in scene.best:
        pen = now.pen(now.series(GREEDY), 2)
        pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawPath(path)


def _draw_node(painter: QPainter, layout: TreeLayout, node: int, state: str, hovered: bool) -> None:
    now, scene, rect = theme.current(), layout.scene, layout.chip(node)
    best, piece = state == "best", scene.pieces[node] if node >= 0 else scene.root
    fill = now.color("accent" if best else "raised" if hovered or node < 0 else "surface")
    edge = now.color(
        "accent" if best else "divider" if state in ("dropped", "passed") else "outline"
    )
    if node in scene.greedy and not best:
        edge = now.series(GREEDY)
    ink = theme.ink_on(fill) if best else now.color("text")
    draw_chip(painter, rect, chip(0, piece).text, fill, edge, ink)
    if node >= 0 and scene.tree.nodes[node].fate == "finished" and state != "new":
        painter.fillRect(QRectF(rect.right() - 3, rect.top(), 3, rect.height()), edge)


def _draw_sum(painter: QPainter, layout: TreeLayout, node: int, what: str) -> None:
    """Draws the log-probability of the text, with its rank once candidates are chosen; at the end
    only the scores of finished texts, which are the ones compared.
    """
    now, rect, one = theme.current(), layout.chip(node), layout.scene.tree.nodes[node]
    if what == "finish":
        told = format_fixed(one.score) if one.fate == "finished" else ""
    else:
        told = format_fixed(one.sum) + ("" if what == "score" else f"  {one.place + 1}.")
    place = QRectF(rect.right() + 4, rect.top(), now.px(2 * SUM), rect.height())
    put_text(painter, place, told, now.font("label"), now.color("muted"), LEFT)


def _draw_texts(painter: QPainter, layout: TreeLayout) -> None:
    """Draws the text found and the greedy text with their log-probabilities and scores."""
    now = theme.current()
    font, label, wide = now.font("mono", mono=True), now.font("label"), now.px(64)
    inks = (now.color("accent"), now.series(GREEDY))
    rows = zip(LINES, layout.scene.texts, inks, strict=True)
    for at, (name, (written, total, score), ink) in enumerate(rows):
        line = QRectF(layout.lines)
        line.setHeight(now.px(LINE))
        line.translate(0, at * now.px(LINE))
        put_text(painter, line, name, now.font("label", 600), ink, LEFT)
        numbers = f"{format_fixed(total)} nats, score {format_fixed(score)}"
        put_text(painter, line, numbers, label, now.color("muted"), RIGHT)
        place = line.adjusted(wide, 0, -2.8 * wide, 0)
        told = elide(chip(0, written).text, font, place.width())
        put_text(painter, place, told, font, now.color("text"), LEFT)
