"""Trained runs for the pictures of a snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from core.training.config import TrainingConfig
from explorer.panes.modes import Mode

PATIENCE = 120.0  # seconds


async def trained(mode: Mode, configs: Mapping[str, TrainingConfig]) -> list[Path]:
    """Returns the folders of runs by name; each is trained once for all pictures, in parallel."""
    runs, waited = mode.context.runs, 0.0
    folders = [runs.folder() / name for name in configs]
    for folder in folders:
        if not folder.exists():
            runs.start(runs.new(configs[folder.name], folder.name), "process")
    while any(map(runs.running_here, folders)) and waited < PATIENCE:
        await asyncio.sleep(0.1)
        waited += 0.1
    return folders
