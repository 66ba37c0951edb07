"""`python -m core.finetuning --config FILE [--run FOLDER] [--resume]`: fine-tunes without a window.

The file is what `core.finetuning_config(...).to_json()` holds, as JSON. What it will take is told
by `core.finetuning.estimates.estimate_finetuning`. Exit codes are those of `core.training`.
"""

from __future__ import annotations

import sys

from core.finetuning.program import FINETUNING_PROGRAM
from core.training.__main__ import main

if __name__ == "__main__":
    sys.exit(main(program=FINETUNING_PROGRAM, about=__doc__))
