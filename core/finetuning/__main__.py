"""`python -m core.finetuning --config FILE [--run FOLDER] [--resume]`: as `core.training`, for the
configs that `core.finetuning_config` makes.
"""

from __future__ import annotations

import sys

from core.finetuning.program import FINETUNING_PROGRAM
from core.training.__main__ import main

if __name__ == "__main__":
    sys.exit(main(program=FINETUNING_PROGRAM))
