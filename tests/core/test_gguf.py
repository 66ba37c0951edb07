"""GGUF files: what was written is read, and what is broken is refused with the reason."""

import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.gguf import TENSOR_TYPES, open_gguf, read_gguf_rows, read_gguf_tensor
from tests.core.gguf_files import gguf, string

METADATA = {
    "general.architecture": "llama",
    "flag": True,
    "number": -3,
    "share": 0.5,
    "pieces": ["a", "Ġb", "漢"],
    "types": [1, 2, 3],
    "none": [],
    "nested": [[1, 2], [3]],
}


def put(folder: Path, content: bytes) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(content)
    return path


def test_metadata_of_every_kind_is_read(tmp_path: Path) -> None:
    file = open_gguf(put(tmp_path, gguf(METADATA)))
    assert list(file.metadata) == list(METADATA)
    for key, expected in METADATA.items():
        found = file.metadata[key]
        if key == "nested":
            assert [list(part) for part in found] == expected
        elif key == "types":
            assert isinstance(found, np.ndarray)
            assert found.tolist() == expected
        else:
            assert found == expected
            assert type(found) is type(expected)


@pytest.mark.parametrize("alignment", [1, 32, 64])
def test_tensors_lie_where_the_file_says(tmp_path: Path, alignment: int) -> None:
    numbers = np.arange(6, dtype="<f4").reshape(2, 3)
    halves = np.array([[0.5, -2.0]], dtype="<f2")
    content = gguf(
        {"general.alignment": alignment},
        {"a": (0, (2, 3), numbers.tobytes()), "b.weight": (1, (1, 2), halves.tobytes())},
    )
    file = open_gguf(put(tmp_path, content))
    assert file.tensors["a"].shape == (2, 3)
    assert np.array_equal(read_gguf_tensor(file, "a"), numbers)
    assert np.array_equal(read_gguf_tensor(file, "b.weight"), halves)


def number_of(name: str) -> int:
    return next(kind for kind, (known, *_) in TENSOR_TYPES.items() if known == name)


@pytest.mark.parametrize("type_name", ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"])
def test_quantized_blocks_hold_the_numbers_that_the_layout_says(
    tmp_path: Path, type_name: str
) -> None:
    """Blocks built number by number, as the format describes them."""
    rng = random.Random(0)
    bits = int(type_name[1])
    content, expected = b"", []
    for _ in range(6):
        d, m = rng.choice([0.5, -0.25, 2.0]), rng.choice([0.0, 1.5, -3.0])
        if type_name == "Q8_0":
            q = [rng.randint(-128, 127) for _ in range(32)]
            content += struct.pack("<e32b", d, *q)
            expected += [d * number for number in q]
            continue
        q = [rng.randrange(1 << bits) for _ in range(32)]
        content += struct.pack("<e", d)
        if type_name.endswith("1"):
            content += struct.pack("<e", m)
            expected += [d * number + m for number in q]
        else:
            expected += [d * (number - (1 << bits - 1)) for number in q]
        if bits == 5:
            content += sum((number >> 4) << place for place, number in enumerate(q)).to_bytes(
                4, "little"
            )
        content += bytes((q[place] & 15) | (q[place + 16] & 15) << 4 for place in range(16))
    file = open_gguf(put(tmp_path, gguf({}, {"w": (number_of(type_name), (3, 64), content)})))
    read = read_gguf_tensor(file, "w")
    assert read.dtype == np.float32
    assert read.ravel().tolist() == expected
    assert read.shape == (3, 64)


@pytest.mark.peers
@pytest.mark.parametrize(
    "type_name", [name for name, block, _ in TENSOR_TYPES.values() if block > 1]
)
def test_random_blocks_of_every_type_are_what_the_gguf_package_makes_of_them(
    tmp_path: Path, type_name: str
) -> None:
    """Random bytes hold every quantized number, and scales that are infinite or no numbers."""
    library = pytest.importorskip("gguf")
    kind = number_of(type_name)
    _, block, size = TENSOR_TYPES[kind]
    content = np.random.default_rng(kind).integers(0, 256, (60, 2, size), dtype=np.uint8)
    file = open_gguf(put(tmp_path, gguf({}, {"w": (kind, (60, 2 * block), content.tobytes())})))
    with np.errstate(invalid="ignore"):
        expected = library.quants.dequantize(
            content.reshape(60, -1), library.GGMLQuantizationType(kind)
        )
    np.testing.assert_array_equal(read_gguf_tensor(file, "w"), expected)
    np.testing.assert_array_equal(read_gguf_rows(file, "w", 7, 9), expected[7:9])
    assert read_gguf_rows(file, "w", 7, 7).shape == (0, 2 * block)


def test_bfloat16_is_widened(tmp_path: Path) -> None:
    values = np.array([1.0, -2.5, 3e38], dtype="<f4")
    upper = (values.view("<u4") >> 16).astype("<u2")
    file = open_gguf(put(tmp_path, gguf({}, {"w": (30, (3,), upper.tobytes())})))
    assert np.allclose(read_gguf_tensor(file, "w"), values, rtol=0.01)


def test_a_type_that_cannot_be_read_says_so_when_it_is_asked_for(tmp_path: Path) -> None:
    file = open_gguf(put(tmp_path, gguf({}, {"w": (0, (1,), b"\0" * 4), "x": (99, (1, 7), b"")})))
    with pytest.raises(ValueError, match="type 99, which cannot be read: choose"):
        read_gguf_tensor(file, "x")
    with pytest.raises(ValueError, match="no tensor 'y'; it holds 'w', 'x': choose"):
        read_gguf_tensor(file, "y")


HEADER = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string("key")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cut off"),
        (b"GGML" + b"\0" * 100, "not a GGUF"),
        (gguf({}, version=1), "version 1"),
        (gguf({}, version=0x03000000), "version 50331648"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "promises"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60), "promises"),
        (HEADER, "cut off"),
        (HEADER + struct.pack("<I", 77), "unknown type 77"),
        (HEADER + struct.pack("<IQ", 8, 1 << 62), "cut off"),
        (HEADER + struct.pack("<IIQ", 9, 8, 1 << 62), "cut off"),
        (HEADER + struct.pack("<IIQ", 9, 4, 1 << 62), "cut off"),
        (HEADER + struct.pack("<IIQ", 9, 55, 1) + b"\0" * 64, "unknown type 55"),
        (HEADER + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 50, "nested too deep"),
        (gguf({"general.alignment": 0}), "alignment"),
        (gguf({"general.alignment": "x"}), "alignment"),
        (gguf({}, {"w": (0, (1 << 40, 1 << 40), b"")}), "cut off: its tensor 'w'"),
        (gguf({}, {"w": (8, (2, 33), b"\0" * 68)}), "no whole blocks"),
        (gguf({}, {"w": (0, (1,) * 9, b"\0" * 4)}), "describes the tensor 'w' wrongly"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_gguf(put(tmp_path, content))


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = gguf(METADATA, {"w": (0, (2, 2), b"\0" * 16)})
    for length in range(len(whole)):
        with pytest.raises(ValueError):
            open_gguf(put(tmp_path, whole[:length]))


@given(st.data())
def test_damaged_bytes_never_do_more_than_raise_a_value_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(gguf(METADATA, {"w": (8, (2, 32), b"\1" * 68)}))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = put(tmp_path_factory.getbasetemp(), bytes(content))
    try:
        file = open_gguf(path)
        for name in file.tensors:
            read_gguf_tensor(file, name)
    except ValueError:
        pass
