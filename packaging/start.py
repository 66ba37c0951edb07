"""Where the frozen app begins: before anything heavy, a child process must be told what it is."""

import multiprocessing

multiprocessing.freeze_support()

import sys  # noqa: E402

from explorer.__main__ import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
