"""Runs of other programs: logs of TensorBoard, Hugging Face's Trainer, W&B, Lightning or a script.

Reading order: series; tfevents, trainer_state, tables, one file for each format; names, run,
opening. Nothing is ever written to a log's folder.
"""

from core.training.foreign.opening import is_foreign, open_run
from core.training.foreign.run import ForeignRun
from core.training.foreign.series import Series

__all__ = ["ForeignRun", "Series", "is_foreign", "open_run"]
