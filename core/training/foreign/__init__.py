"""Other people's runs: what TensorBoard, a Trainer, W&B, Lightning or a script has logged.

Reading order: series; tfevents, trainer_state, tables, one file for each format; names, run,
opening. Nothing is ever written beside a log.
"""

from core.training.foreign.opening import is_foreign, open_run
from core.training.foreign.run import ForeignRun
from core.training.foreign.series import Series

__all__ = ["ForeignRun", "Series", "is_foreign", "open_run"]
