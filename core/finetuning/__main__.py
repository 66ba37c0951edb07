"""`python -m core.finetuning --config FILE [--run FOLDER] [--resume]`: as `core.training`, for the
configs that `core.finetuning_config` makes.

Exit codes: 0 finished or stopped, 1 failed while training, 2 the config or folder cannot be, 3
another rank is gone, 17 the process that started it is gone, 130 interrupted before training began.
"""

from __future__ import annotations

import sys

from core.finetuning.program import FINETUNING_PROGRAM
from core.training.__main__ import main

if __name__ == "__main__":
    sys.exit(main(program=FINETUNING_PROGRAM, about=__doc__))
