"""Shards: opened as one file, read by rows, and refused where one is missing or another's."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.files import read_json, write_json
from core.tensor_files import write_tensors
from core.tensor_shards import (
    INDEX_FILE,
    are_stored,
    open_tensors,
    remove_shards,
    shard_file,
    write_index,
)
from tests.core.any_json import JSON

NAME = "model.safetensors"
WHOLE = {
    "table": np.arange(21, dtype=np.float64).reshape(7, 3),
    "two": np.arange(2, dtype=np.float32),
    "step": np.array(5, np.int64),
}


def _write(folder: Path, shards: int = 3) -> Path:
    """WHOLE as so many ranks hold it: equally many rows each, the last ones what is left."""
    for shard in range(shards):
        own = {}
        for name, tensor in WHOLE.items():
            each = -(-len(tensor) // shards) if tensor.ndim else 0
            part = tensor[shard * each : (shard + 1) * each] if tensor.ndim else tensor
            if shard == 0 or (tensor.ndim and len(part)):
                own[name] = part
        write_tensors(shard_file(folder / NAME, shard, shards), own)
    write_index(folder, [NAME], shards)
    return folder / NAME


def test_shards_are_read_as_one_file(tmp_path: Path) -> None:
    path = _write(tmp_path)
    assert not path.exists() and are_stored(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "index.json",
        *(f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3)),
    ]
    stored = open_tensors(path)
    assert {name: tensor.shape for name, tensor in stored.tensors.items()} == {
        name: tensor.shape for name, tensor in WHOLE.items()
    }
    for framework in ("numpy", "torch"):
        for name, tensor in stored.read(framework=framework).items():
            np.testing.assert_array_equal(np.asarray(tensor), WHOLE[name], strict=True)


@pytest.mark.parametrize("shards", [0, 1, 3])
def test_any_rows_are_read_from_any_layout(tmp_path: Path, shards: int) -> None:
    """As ranks of another number, or one process, read what so many have written; 0: one file."""
    path = _write(tmp_path, shards) if shards else tmp_path / NAME
    if not shards:
        write_tensors(path, WHOLE)
    stored = open_tensors(path)
    for first in range(8):
        for last in range(first, 8):
            rows = stored.read(["table"], "numpy", {"table": (first, last)})["table"]
            np.testing.assert_array_equal(rows, WHOLE["table"][first:last], strict=True)


def test_a_reader_touches_no_shard_whose_rows_it_does_not_need(tmp_path: Path) -> None:
    stored = open_tensors(_write(tmp_path))
    shard_file(tmp_path / NAME, 0, 3).unlink()
    rows = stored.read(["table"], "numpy", {"table": (3, 7)})["table"]
    np.testing.assert_array_equal(rows, WHOLE["table"][3:])


def test_a_whole_file_takes_the_place_of_shards(tmp_path: Path) -> None:
    path = _write(tmp_path)
    remove_shards(path)
    assert [found.name for found in tmp_path.iterdir()] == [INDEX_FILE]
    with pytest.raises(ValueError, match=r"holds no model.safetensors, nor shards of it"):
        open_tensors(path)
    write_tensors(path, {})
    assert open_tensors(path).read() == {}


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("a pickle was opened",))


@pytest.mark.parametrize(
    ("how", "remedy"),
    [
        ("missing", "lacks model-00002-of-00003.safetensors.*copy the whole folder again"),
        ("truncated", "00002-of-00003.safetensors was cut off"),
        ("pickle", "00002-of-00003.safetensors is a pickle"),
        ("of another rank", "index.json differ about 'two'.*copy the whole folder again"),
        ("of another dtype", "index.json differ about 'table'"),
        ("surplus", "index.json differ about 'more'"),
    ],
)
def test_a_damaged_shard_is_refused_with_the_remedy(tmp_path: Path, how: str, remedy: str) -> None:
    path = _write(tmp_path)
    shard = shard_file(path, 1, 3)
    content = shard.read_bytes()
    shard.unlink()
    if how == "truncated":
        shard.write_bytes(content[:-1])
    elif how == "pickle":
        shard.write_bytes(pickle.dumps(Evil()))
    elif how == "of another rank":
        write_tensors(shard, {"table": WHOLE["table"][:3]})
    elif how == "of another dtype":
        own = {"table": WHOLE["table"][3:6].astype(np.int64), "two": WHOLE["two"][1:]}
        write_tensors(shard, own)
    elif how == "surplus":
        own = {"table": WHOLE["table"][3:6], "two": WHOLE["two"][1:], "more": WHOLE["two"]}
        write_tensors(shard, own)
    with pytest.raises(ValueError, match=remedy):
        open_tensors(path)


@pytest.mark.parametrize(
    "entry",
    [
        {"shape": [7, 3], "starts": [1, 3, 6]},  # whose rows are the first?
        {"shape": [7, 3], "starts": [0, 6, 3]},
        {"shape": [7, 3], "starts": [0, 3, 8]},
        {"shape": [7, 3], "starts": [0, 1, 2, 3]},
        {"shape": [7, 3], "starts": []},
        {"shape": [1 << 40, 3], "starts": [0, 3, 6]},
        {"shape": [7, 4], "starts": [0, 3, 6]},
        {"shape": [], "starts": [0, 0, 0]},
        {"shape": [7, -3], "starts": [0, 3, 6]},
        {"shape": [1] * 9, "starts": [0]},
        {"shape": [7, 3], "starts": [0, 3, 6], "file": "../secret.safetensors"},
        {"shape": [7, 3]},
        None,
    ],
)
def test_an_index_that_cannot_be_is_refused(tmp_path: Path, entry: object) -> None:
    path = _write(tmp_path)
    values = read_json(tmp_path / INDEX_FILE)
    values["files"][NAME]["tensors"]["table"] = entry
    write_json(tmp_path / INDEX_FILE, values)
    with pytest.raises(ValueError, match=r"index.json.*copy the whole folder again"):
        open_tensors(path)


@pytest.mark.parametrize("shards", [0, 2, 99_999, 10**9, "../3", True])
def test_another_number_of_shards_is_refused(tmp_path: Path, shards: object) -> None:
    path = _write(tmp_path)
    values = read_json(tmp_path / INDEX_FILE)
    values["files"][NAME]["shards"] = shards
    write_json(tmp_path / INDEX_FILE, values)
    with pytest.raises(ValueError, match="copy the whole folder again"):
        open_tensors(path)


@given(JSON, st.sampled_from(["", "files", NAME, "tensors", "table", "shape", "starts"]))
def test_any_json_opens_or_names_the_index_and_the_remedy(value: Any, place: str) -> None:
    with TemporaryDirectory() as folder:
        path = _write(Path(folder))
        values = read_json(path.with_name(INDEX_FILE))
        inner = values
        for key in ("files", NAME, "tensors", "table"):
            if place in inner:
                break
            inner = inner[key]
        if place:
            inner[place] = value
        try:
            path.with_name(INDEX_FILE).write_text(json.dumps(values if place else value))
        except ValueError:
            return  # a number or a letter that Python does not write
        try:
            stored = open_tensors(path)
        except ValueError as error:
            assert folder in str(error)
        else:
            assert set(stored.read()) == set(stored.tensors)
