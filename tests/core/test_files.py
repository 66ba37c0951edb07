"""Files: written whole or not at all, read within bounds, never unpickled."""

import errno
import io
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from core import files, tensor_files


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    files.write_atomically(path, "grün\n")
    assert path.read_bytes() == "grün\n".encode()
    files.write_atomically(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert os.listdir(path.parent) == ["a.txt"]


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_failing_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, function, full)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomically(path, "new")
    with pytest.raises(OSError, match="No space left"):
        tensor_files.write_tensors(path, {"a": np.zeros(3)})
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_text_that_has_no_bytes_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ValueError):
        files.write_atomically(path, "\ud800")
    assert path.read_text() == "old"


def test_the_rights_of_the_old_file_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o640)
    files.write_atomically(path, "new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_new_files_have_the_rights_that_the_system_gives_and_its_mask_is_never_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mask is the process's: for a moment without one, other threads' files are everybody's."""
    before = os.umask(0o027)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(os, "umask", lambda _: pytest.fail("the mask was changed"))
            files.write_atomically(tmp_path / "a.txt", "new")
            tensor_files.write_tensors(tmp_path / "b.safetensors", {"a": np.zeros(3)})
    finally:
        os.umask(before)
    modes = [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()]
    assert modes == ([0o640] * 2 if os.name == "posix" else modes)


def test_json_comes_back(tmp_path: Path) -> None:
    value = {"name": "é🙂", "list": [1, 2.5, None, True]}
    files.write_json(tmp_path / "a.json", value)
    assert files.read_json(tmp_path / "a.json") == value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"{", "not valid JSON.*cut off"),
        (b"\x80\x02}q\x00.", "not text"),
        (b"[[[[[1]]]]]", "nested more than 4"),
        (b"[" * 200_000, "nested too deep"),
        (b"1" * 5000, "a number too long"),
        (b'"' + b"x" * 9000 + b'"', "holds 9,002 bytes, more than the 8,000"),
    ],
)
def test_json_is_read_within_bounds(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    limit = 8000 if b"x" in content else files.MEGABYTE
    with pytest.raises(ValueError, match=message):
        files.read_json(path, max_bytes=limit, max_depth=4)


def test_json_as_deep_as_allowed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[[[["x"]]]]'[1:-1])
    assert files.read_json(path, max_depth=4) == [[["x"]]]


def test_lines_are_appended_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    files.append_line(path, {"step": 1, "text": "é\n\ud800"})
    files.append_line(path, [2])
    lines = path.read_bytes().split(b"\n")
    assert json.loads(lines[0]) == {"step": 1, "text": "é\n\ud800"}
    assert lines[1:] == [b"[2]", b""]


def test_a_line_that_fits_only_in_part_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jsonl"
    files.append_line(path, 1)
    write = os.write

    def until_full(handle: int, data: bytes) -> int:
        if os.fstat(handle).st_size > 2:
            raise OSError(errno.EFBIG, "File too large")
        return write(handle, data[:5])

    monkeypatch.setattr(os, "write", until_full)
    with pytest.raises(OSError, match=r"a\.jsonl cannot be written .*ulimit") as caught:
        files.append_line(path, {"a": "long enough"})
    assert caught.value.errno == errno.EFBIG
    assert path.read_bytes() == b"1\n"


@given(st.lists(st.integers(0, 70_000), max_size=3), st.integers(0, 140_000))
def test_a_torn_line_is_cut(lengths: list[int], torn: int) -> None:
    whole = b"".join(b"x" * length + b"\n" for length in lengths)
    path = FOLDER / "torn.jsonl"
    path.write_bytes(whole + b"y" * torn)
    assert files.cut_torn_line(path) == torn
    assert path.read_bytes() == whole


def test_a_line_added_while_another_looks_for_a_torn_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jsonl"
    files.append_line(path, 1)
    opened = os.fdopen

    def open_and_append(handle: int, how: str) -> object:
        file = opened(handle, how)
        seek = file.seek

        class Watched:
            """Somebody appends once the end is known."""

            def __enter__(self) -> object:
                return self

            def __exit__(self, *_: object) -> None:
                file.close()

            def __getattr__(self, name: str) -> object:
                return getattr(file, name)

            def seek(self, *where: int) -> int:
                end = int(seek(*where))
                if where[1:] == (os.SEEK_END,):
                    files.append_line(path, 2)
                return end

        return Watched()

    monkeypatch.setattr(os, "fdopen", open_and_append)
    assert files.cut_torn_line(path) == 0
    monkeypatch.undo()
    assert path.read_bytes() == b"1\n2\n"


def test_a_missing_file_has_no_torn_line(tmp_path: Path) -> None:
    assert files.cut_torn_line(tmp_path / "none") == 0


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    global FOLDER
    FOLDER = tmp_path_factory.mktemp("files")


FOLDER = Path()
ARRAYS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "scalar": np.array(3, dtype=np.int64),
    "empty": np.zeros((0, 4), dtype=np.uint8),
    "turned": np.arange(6, dtype=np.float16).reshape(2, 3).T,
}


def test_arrays_come_back_and_the_reference_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensor_files.write_tensors(path, ARRAYS, {"format": "1"})
    for read in (tensor_files.read_tensors(path), safetensors.numpy.load_file(path)):
        assert set(read) == set(ARRAYS)
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(read[name], array)
            assert read[name].dtype == array.dtype
    opened = tensor_files.open_safetensors(path)
    assert opened.metadata == {"format": "1"}
    assert opened.tensors["turned"].shape == (3, 2)
    assert list(tensor_files.read_tensors(path, ["a"])) == ["a"]
    with pytest.raises(ValueError, match="no tensor 'b'"):
        tensor_files.read_tensors(path, ["a", "b"])
    with pytest.raises(ValueError, match='choose "numpy" or "torch"'):
        tensor_files.read_tensors(path, framework="jax")


def test_no_tensors_are_a_file_too(tmp_path: Path) -> None:
    tensor_files.write_tensors(tmp_path / "a.safetensors", {})
    assert tensor_files.read_tensors(tmp_path / "a.safetensors") == {}


def test_bfloat16_is_widened_exactly_for_numpy(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    numbers = torch.randn(40, 3, generator=torch.Generator().manual_seed(0)).bfloat16()
    numbers[0] = torch.tensor([float("inf"), float("nan"), -0.0])
    tensors = {"f": torch.ones(2), "b": numbers.T}
    tensor_files.write_tensors(path, tensors)
    assert tensor_files.open_safetensors(path).tensors["b"].dtype == "BF16"
    widened = tensor_files.read_tensors(path)["b"]
    assert widened.dtype == np.float32
    np.testing.assert_array_equal(widened, numbers.T.float().numpy())
    kept = tensor_files.read_tensors(path, framework="torch")["b"]
    assert kept.dtype == torch.bfloat16
    assert torch.equal(safetensors.torch.load_file(path)["f"], tensors["f"])


def test_tied_or_mixed_tensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    weight = torch.ones(3)
    with pytest.raises(ValueError, match="share memory"):
        tensor_files.write_tensors(path, {"a": weight, "b": weight})
    with pytest.raises(ValueError, match="mixed"):
        tensor_files.write_tensors(path, {"a": weight, "b": np.ones(3)})
    assert not list(tmp_path.iterdir())


def test_a_type_that_numpy_lacks_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensor_files.write_tensors(path, {"a": torch.zeros(3, dtype=torch.float8_e4m3fn)})
    with pytest.raises(ValueError, match="read it with torch"):
        tensor_files.read_tensors(path)
    assert tensor_files.read_tensors(path, framework="torch")["a"].dtype == torch.float8_e4m3fn


def pickled(protocol: int) -> bytes:
    return pickle.dumps({"weight": [1.0]}, protocol)


def zipped() -> bytes:
    buffer = io.BytesIO()
    torch.save({"weight": torch.ones(2)}, buffer)
    assert zipfile.is_zipfile(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_a_pickle_in_disguise_is_never_opened(tmp_path: Path, framework: str) -> None:
    path = tmp_path / "model.safetensors"
    for content in (zipped(), *(pickled(protocol) for protocol in range(2, 6)), b"PK"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is a pickle.*convert it to safetensors"):
            tensor_files.read_tensors(path, framework=framework)


@pytest.mark.parametrize("length", [0x0280, 0x0480, 0x4B50])
def test_a_header_whose_length_looks_like_a_pickle_is_read(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.safetensors"
    header = {"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}
    raw = json.dumps(header).encode()
    path.write_bytes(length.to_bytes(8, "little") + raw + b" " * (length - len(raw)) + b"\x07")
    assert path.read_bytes()[:2] in (b"PK", b"\x80\x02", b"\x80\x04")
    assert tensor_files.read_tensors(path)["a"].tolist() == [7]


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    tensor_files.write_tensors(path, ARRAYS)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"is empty|not a safetensors|was cut off"):
            tensor_files.open_safetensors(path)


def described(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(raw) if length is None else length
    return size.to_bytes(8, "little") + raw + data


def one(dtype: object = "F32", shape: object = (1,), offsets: object = (0, 4)) -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"GGUF\x03\x00\x00\x00\x00\x00", "is a GGUF file"),
        (b"hello, I am a text", "not a safetensors file"),
        (described(b"{}", length=1 << 60), "not a safetensors file"),
        (described(b"{}", length=1 << 20), "cut off inside its header"),
        (described(b"{'a'}"), "the header of .* is not valid JSON"),
        (described(b'{"a":\xff\xff}'), "the header of .* is not text"),
        (described(b'{"a":' + b"[" * 100_000), "the header of .* is nested too deep"),
        (described({"__metadata__": 3}), "damaged metadata"),
        (
            described(json.dumps(one())[:-1].encode() + b"," + json.dumps(one())[1:].encode()),
            "the header of .* describes 'a' twice: get",
        ),
        (described(b'{"__metadata__":{},"__metadata__":{}}'), "'__metadata__' twice: get"),
        (described(b'{"a":{"dtype":"F32","dtype":"I32"}}'), "'dtype' twice: get"),
        (described({"a": 3}), "'a' wrongly"),
        (described(one(shape=[-1]), b"1234"), "'a' wrongly"),
        (described(one(shape=[True]), b"1234"), "'a' wrongly"),
        (described(one(shape=None), b"1234"), "'a' wrongly"),
        (described(one(offsets=[0]), b"1234"), "'a' wrongly"),
        (described(one(offsets=[4, 0]), b"1234"), "'a' wrongly"),
        (described(one(shape=[2]), b"1234"), "'a' wrongly"),
        (described(one(shape=[1 << 62, 1 << 62]), b"1234"), "'a' wrongly"),
        (described(one("F7"), b"1234"), "'F7', which is not known"),
        (described(one(["F32"]), b"1234"), "which is not known"),
        (described(one(), b"123"), "was cut off"),
        (described(one(), b"12345"), "1 bytes nobody described"),
        (described(one(offsets=[4, 8]), b"12345678"), "leaves a gap"),
        (described(one() | {"b": one()["a"]}, b"1234"), "overlaps"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        tensor_files.open_safetensors(path)
    with pytest.raises(ValueError, match=message):
        tensor_files.read_tensors(path)


def test_tensors_may_be_read_by_whoever_may_read_other_files(tmp_path):
    tensor_files.write_tensors(tmp_path / "t.safetensors", {"a": np.zeros(2)})
    (tmp_path / "other").write_text("")
    assert (tmp_path / "t.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_a_full_disk_is_an_os_error_whoever_meets_it(tmp_path, monkeypatch, kind):
    """The library that writes tensors has an error of its own for what the system says."""
    from safetensors import SafetensorError

    def full(*args, **kwargs):
        raise SafetensorError(
            "Error while serializing: I/O error: No space left on device (os error 28)"
        )

    monkeypatch.setattr(f"safetensors.{kind}.save_file", full)
    value = np.zeros(3) if kind == "numpy" else torch.zeros(3)
    with pytest.raises(OSError) as caught:
        tensor_files.write_tensors(tmp_path / "a.safetensors", {"a": value})
    assert caught.value.errno == errno.ENOSPC and not list(tmp_path.iterdir())


def test_commas_and_brackets_in_a_text_are_no_values(tmp_path):
    text = ",[{" * 400_000 + '\\"'
    files.write_json(tmp_path / "session.json", {"text": text})
    assert files.read_json(tmp_path / "session.json") == {"text": text}
