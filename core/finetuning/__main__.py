"""`python -m core.finetuning --config FILE [--run FOLDER] [--resume]`: fine-tunes without a window.

FILE holds `core.finetuning_config(...).to_json()` as JSON. A config of several ranks gets a process
for each, as in `core.training`.

`--estimate BASE` prints what each method needs on a base such as stories, and `--estimate --config
FILE` what a run needs: numbers that learn, memory, time, and bytes saved.

Exit codes: 0 finished or stopped, 1 failed while training, 2 invalid config or folder, 3 another
rank is gone, 17 the parent process is gone, 130 interrupted before training began.
"""

from __future__ import annotations

import sys

from core.finetuning.program import FINETUNING_PROGRAM
from core.training.__main__ import main

if __name__ == "__main__":
    sys.exit(main(program=FINETUNING_PROGRAM, about=__doc__))
