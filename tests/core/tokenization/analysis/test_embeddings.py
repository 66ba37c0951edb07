"""The table of embeddings of a model on the disk, read block by block."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.gguf import open_gguf, read_gguf_rows, read_gguf_tensor
from core.tensor_files import write_tensors
from core.tokenization import train_tokenizer
from core.tokenization.analysis import embeddings as reading
from core.tokenization.analysis import glitches
from core.tokenization.analysis.embeddings import GGUF_NAME, read_embeddings_steps
from core.tokenization.analysis.glitches import NEVER, never_written, never_written_steps
from tests.core.gguf_files import gguf

F16, Q8_0 = 1, 8
SHAPE = (10, 32)


def counted(steps: Generator[float, None, Any]) -> tuple[list[float], Any]:
    """What a job yields, and what it returns."""
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return told, end.value


@pytest.fixture
def blocks_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS", 3)
    monkeypatch.setattr(glitches, "ROWS", 3)


def quantized(folder: Path, shape: tuple[int, ...] = SHAPE) -> Path:
    """A GGUF file whose table has one block of Q8_0 a row."""
    rng = np.random.default_rng(0)
    rows = int(np.prod(shape)) // 32
    scales = rng.normal(size=(rows, 1)).astype("<f2")
    numbers = rng.integers(-128, 128, size=(rows, 32)).astype(np.int8)
    content = np.hstack([scales.view(np.uint8), numbers.view(np.uint8)]).tobytes()
    path = folder / "m.gguf"
    path.write_bytes(gguf({}, {GGUF_NAME: (Q8_0, shape, content)}))
    return path


@pytest.mark.usefixtures("blocks_of_three")
def test_the_blocks_of_a_gguf_table_are_the_whole_table(tmp_path: Path) -> None:
    path = quantized(tmp_path)
    whole = read_gguf_tensor(open_gguf(path), GGUF_NAME)
    told, table = counted(read_embeddings_steps(path))
    assert told == [0.0, 0.0, 0.3, 0.6, 0.9]
    np.testing.assert_array_equal(table, whole)
    np.testing.assert_array_equal(read_gguf_rows(open_gguf(path), GGUF_NAME, 4, 6), whole[4:6])


def test_rows_that_are_not_there_are_refused(tmp_path: Path) -> None:
    file = open_gguf(quantized(tmp_path))
    for first, last in ((-1, 2), (3, 2), (0, 11)):
        with pytest.raises(ValueError, match="has no rows"):
            read_gguf_rows(file, GGUF_NAME, first, last)
    with pytest.raises(ValueError, match="has no tensor"):
        read_gguf_rows(file, "other", 0, 1)


def test_a_gguf_table_without_numbers_ends_at_once(tmp_path: Path) -> None:
    """A damaged file may promise any number of rows without a number in them."""
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf({}, {GGUF_NAME: (F16, (1 << 40, 0), b"")}))
    assert counted(read_embeddings_steps(path))[1].shape == (1 << 40, 0)


@pytest.mark.usefixtures("blocks_of_three")
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_checkpoint_s_table_becomes_float32(tmp_path: Path, dtype: type) -> None:
    rows = np.random.default_rng(0).normal(size=SHAPE).astype(dtype)
    write_tensors(tmp_path / "model.safetensors", {"wte.weight": rows})
    told, table = counted(read_embeddings_steps(tmp_path))
    assert table.dtype == np.float32 and len(told) > 1
    np.testing.assert_array_equal(table, rows.astype(np.float32))


@pytest.mark.usefixtures("blocks_of_three")
def test_bytes_that_no_text_holds_are_looked_for_block_by_block() -> None:
    tokenizer = train_tokenizer("bpe", "the cat sat", 258)
    told, found = counted(never_written_steps(tokenizer))
    assert len(told) == 86 and told == sorted(told)
    assert found == never_written(tokenizer)
    assert {tokenizer.piece_bytes(token) for token in found} == NEVER
