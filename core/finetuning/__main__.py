"""`python -m core.finetuning --config FILE [--run FOLDER] [--resume]`: fine-tunes without a window.

The file is what `core.finetuning_config(...).to_json()` holds, as JSON. A config of several ranks
gets a process for each, as in `core.training`.

`--estimate BASE` prints what each method takes on a base such as stories, and `--estimate --config
FILE` what a run takes: how many numbers learn, memory, time, and what is saved.

Exit codes: 0 finished or stopped, 1 failed while training, 2 the config or folder cannot be, 3
another rank is gone, 17 the process that started it is gone, 130 interrupted before training began.
"""

from __future__ import annotations

import sys

from core.finetuning.program import FINETUNING_PROGRAM
from core.training.__main__ import main

if __name__ == "__main__":
    sys.exit(main(program=FINETUNING_PROGRAM, about=__doc__))
