"""Which intent of the view leads where: one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.state.workspace import DEFAULT_PROMPT

if TYPE_CHECKING:
    from explorer.panes.attention.pane import AttentionPane


def connect(pane: AttentionPane) -> None:
    """Every signal of the pane's parts, and what it leads to."""
    workspace, panel, head = pane.workspace, pane.view.panel, pane.view.head
    inspecting = pane.inspecting
    workspace.promptChanged.connect(pane.source_controller.on_prompt)
    workspace.modelChanged.connect(pane.source_controller.on_model)
    workspace.selectionChanged.connect(pane.on_selection)
    pane.inputs.promptEdited.connect(pane.source_controller.on_prompt_typed)
    pane.inputs.prompt.editingFinished.connect(workspace.end_merge)
    pane.inputs.prompt.rested.connect(workspace.end_merge)
    for signal, slot in (
        (pane.looker.promptRead, pane.source_controller.on_prompt_read),
        (pane.looker.emptied, pane.source_controller.on_emptied),
        (pane.looker.asked, pane.view.show_waiting),
        (pane.looker.unanswered, pane.source_controller.on_unanswered),
        (pane.looker.headsCame, pane.source_controller.on_heads),
        (pane.looker.mosaicCame, pane.comparison.on_mosaic),
        (pane.looker.failed, pane.source_controller.on_failed),
        (pane.looker.moved, pane.source_controller.show_version),
        (pane.playback.trackChanged, pane.on_track),
        (pane.playback.queryReached, pane.on_query_reached),
        (pane.playback.walkingChanged, head.set_walking),
        (pane.player.positionChanged, pane.on_position),
        (pane.player.stepChanged, pane.on_step),
        (pane.player.playingChanged, pane.on_playing),
        (panel.mosaic.headHovered, pane.on_head_hovered),
        (panel.mosaic.headClicked, pane.on_head_clicked),
        (panel.mosaic.headUnlocked, pane.on_unlocked),
        (panel.mosaic.currentChanged, pane.choose_head),
        (panel.mosaic.cellPixelsChanged, pane.on_cell_pixels),
        (panel.scoreChosen, lambda name: pane.choose(score=name)),
        (panel.sortToggled, lambda on: pane.choose(sorted=on)),
        (panel.thresholdChosen, lambda least: pane.choose(least=least)),
        (head.heat.cellHovered, inspecting.point_at),
        (head.heat.cellClicked, inspecting.cell_clicked),
        (head.heat.currentChanged, inspecting.point_at),
        (head.arcs.tokenHovered, inspecting.arc_hovered),
        (head.arcs.tokenClicked, pane.pick_query),
        (head.stage.keyHovered, lambda key: inspecting.point_at(0, key)),
        (head.stage.keyClicked, inspecting.key_clicked),
        (head.modeChosen, pane.set_mode),
        (head.hideToggled, lambda on: pane.choose(hide_first=on)),
        (head.walkToggled, pane.set_walking),
        (head.compared.textEdited, lambda text: pane.choose(second=text)),
        (head.compared.viewChosen, lambda view: pane.choose(compared=view)),
        (head.compared.cellHovered, inspecting.point_at),
        (head.compared.picture.retryRequested, pane.comparison.retry),
        (panel.offToggled, pane.head_switch.toggle),
        (panel.allOnRequested, pane.head_switch.all_on),
        (head.appendRequested, pane.source_controller.append),
        (head.stage.tokenClicked, pane.source_controller.append),
        (panel.updateRequested, pane.source_controller.update_heads),
        (pane.view.tokens.tokenClicked, pane.pick_query),
        (pane.view.exampleRequested, lambda: workspace.set_prompt(DEFAULT_PROMPT)),
        (pane.view.retryRequested, pane.looker.again),
        (pane.view.cancelRequested, pane.looker.cancel),
        (pane.view.bundledRequested, pane.models.open_bundled),
        (pane.view.body.stateChanged, pane.on_body_state),
    ):
        signal.connect(slot)
