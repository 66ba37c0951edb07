"""Paths at which no file lies that anybody could have meant, for whatever the program opens.

``python -m tests.core.hostile.places`` prints a line of JSON for each path and each way to open it.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def file(path: Path) -> None:
    path.write_bytes(b"x\n")


def empty(path: Path) -> None:
    path.touch()


def unix_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's path has at most 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def itself(path: Path) -> None:
    path.symlink_to(path.name)


# What a path may be instead of what it should be.
INSTEAD: dict[str, Callable[[Path], None]] = {
    "a pipe": pipe,
    "a folder": folder,
    "a file": file,
    "an empty file": empty,
    "a socket": unix_socket,
    "a device": link("/dev/zero"),
    "a terminal": link("/dev/tty"),
    "a link to itself": itself,
    "a link to nothing": link("nothing"),
    "the memory": link("/proc/self/mem"),
    "the system's messages": link("/proc/kmsg"),
    "a file of no length": link("/proc/self/environ"),
    "the root": link("/"),
}

PATHS: dict[str, Callable[[Path], Path]] = {
    **{f"{what} instead": (lambda where, make=make: made(where / "x", make))
       for what, make in INSTEAD.items()},
    "nothing": lambda where: where / "x",
    "a name of 300 letters": lambda where: where / ("x" * 300),
    "a path of 5,000 letters": lambda where: where / "/".join(["x" * 99] * 50),
    "a path through a file": lambda where: made(where / "f", file) / "x",
    "a path through itself": lambda where: made(where / "l", itself) / "x",
    "a path with a zero byte": lambda where: where / "a\0b",
    "a path that is no text": lambda where: where / "a\udcffb",
}  # fmt: skip


def made(path: Path, make: Callable[[Path], None]) -> Path:
    make(path)
    return path


# -- what opens a path that somebody names ---------------------------------------------------------


def open_run(path: Path) -> object:
    from core.training.foreign import open_run

    return open_run(path)


def open_reader(path: Path) -> object:
    from core.training.reader import RunReader

    return RunReader(path)


def load(path: Path) -> object:
    import core

    return core.load(path)


def describe(path: Path) -> object:
    from core.inference.loading import config_of, vocabulary_of

    return config_of(path), vocabulary_of(path)


def tokenizer(path: Path) -> object:
    from core.tokenization import open_tokenizer

    return open_tokenizer(path)


def tensors(path: Path) -> object:
    from core.tensor_files import read_tensors

    return read_tensors(path)


def stored(path: Path) -> object:
    from core.tensor_shards import open_tensors

    return open_tensors(path).read()


def embeddings(path: Path) -> object:
    from core.tokenization.analysis.embeddings import read_embeddings

    return read_embeddings(path)


def metadata(path: Path) -> object:
    from core.gguf import open_gguf

    return open_gguf(path)


def text(path: Path) -> object:
    from core.data import character_tokenizer, open_corpus

    return open_corpus(path, character_tokenizer(path), path.parent / "cache")


def examples(path: Path) -> object:
    from core.finetuning.example_files import read_examples_steps
    from core.finetuning.settings import FinetuningSettings
    from core.inference.loading import load

    return list(read_examples_steps(load(), FinetuningSettings(data=str(path)), 64))


def adapter(path: Path) -> object:
    from core.finetuning.peft_reader import load_adapter
    from tests.core.hostile.attacks import adaptable

    return load_adapter(adaptable(), path)


def progress(path: Path) -> object:
    from core.training.checkpoints import read_progress

    return read_progress(path)


def json_file(path: Path) -> object:
    from core.files import read_json

    return read_json(path)


def new_run(path: Path) -> object:
    from core.training.runs import create_run
    from tests.core.hostile.attacks import training_config

    return create_run(path, training_config())


def write(path: Path) -> object:
    from core.files import append_line, write_atomically

    append_line(path, 1)
    return write_atomically(path, "x")


OPENERS: dict[str, Callable[[Path], Any]] = {
    one.__name__: one
    for one in (
        *(open_run, open_reader, load, describe, tokenizer, tensors, stored, embeddings, metadata),
        *(text, examples, adapter, progress, json_file, new_run, write),
    )
}


def main() -> None:
    from tests.core.hostile.processes import has_remedy
    from tests.core.hostile.worker import LIMIT, in_fork, outcome, warm_up

    warm_up()
    load(Path("stories"))
    for opener in OPENERS.values():
        for name, at in PATHS.items():
            with tempfile.TemporaryDirectory() as folder:
                path = at(Path(folder))
                told = in_fork(lambda o=opener, p=path: outcome(lambda: o(p)), LIMIT)  # type: ignore[misc]
            if told["kind"] == "refused" and not has_remedy(told["message"].replace(folder, "")):
                told["kind"] = "refused without a remedy"
            print(json.dumps({"opener": opener.__name__, "path": name, **told}), flush=True)


if __name__ == "__main__":
    main()
