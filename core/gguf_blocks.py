"""The blocks in which GGUF files store quantized tensors, unpacked to float32.

A block is a run of numbers that share a scale: 32 of them in the older types, 256 in the "K" types,
whose 8 or 16 groups have their own small scales. A number is d * q, d * (q - half) or d * q + m; in
the K types d is the block's scale times the group's. The type's name gives the bits of q.

Letters in shapes: n blocks. Source: ggml's ggml-common.h (layout of a block's bytes) and
ggml-quants.c (`dequantize_row_*`, their meaning).
"""

from collections.abc import Callable

import numpy as np


def _halves(data: np.ndarray) -> np.ndarray:
    """Reads float16 scales, one column: (n, 2) bytes -> (n, 1) numbers."""
    return np.ascontiguousarray(data).view("<f2").astype(np.float32)


def _parts(data: np.ndarray, bits: int) -> np.ndarray:
    """Splits bytes into parts of `bits` bits, lowest first: (n, bytes) -> (n, 8 / bits, bytes)."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    return data[:, None, :] >> shifts[:, None] & np.uint8((1 << bits) - 1)


def _runs(data: np.ndarray, length: int, bits: int) -> np.ndarray:
    """Splits runs of `length` bytes: first the low bits of a whole run, then the next."""
    return _parts(data.reshape(-1, length), bits).reshape(len(data), data.shape[1] * 8 // bits)


# -- 32 numbers -----------------------------------------------------------------------------------


def _fifth_bits(data: np.ndarray) -> np.ndarray:
    """Unpacks (n, 4) bytes of 32 bits, lowest first, to (n, 32) numbers, 0 or 16."""
    return np.unpackbits(data, axis=1, bitorder="little") * np.float32(16)


def _q4_0(data: np.ndarray) -> np.ndarray:
    """Unpacks d, then 16 bytes of two numbers each."""
    blocks = data.reshape(-1, 18)
    return _halves(blocks[:, :2]) * (_runs(blocks[:, 2:], 16, 4) - np.float32(8))


def _q4_1(data: np.ndarray) -> np.ndarray:
    """Unpacks d and m, then as Q4_0."""
    blocks = data.reshape(-1, 20)
    return _halves(blocks[:, :2]) * _runs(blocks[:, 4:], 16, 4) + _halves(blocks[:, 2:4])


def _q5_0(data: np.ndarray) -> np.ndarray:
    """Unpacks d, 4 bytes of fifth bits, then as Q4_0."""
    blocks = data.reshape(-1, 22)
    q = _runs(blocks[:, 6:], 16, 4) + _fifth_bits(blocks[:, 2:6])
    return _halves(blocks[:, :2]) * (q - 16)


def _q5_1(data: np.ndarray) -> np.ndarray:
    """Unpacks d and m, then as Q5_0."""
    blocks = data.reshape(-1, 24)
    q = _runs(blocks[:, 8:], 16, 4) + _fifth_bits(blocks[:, 4:8])
    return _halves(blocks[:, :2]) * q + _halves(blocks[:, 2:4])


def _q8_0(data: np.ndarray) -> np.ndarray:
    """Unpacks d, then 32 signed bytes."""
    blocks = data.reshape(-1, 34)
    return _halves(blocks[:, :2]) * blocks[:, 2:].view(np.int8).astype(np.float32)


# -- 256 numbers, in groups of 16 or 32 -----------------------------------------------------------


def _in_groups(scale: np.ndarray, q: np.ndarray, minimum: np.ndarray | None = None) -> np.ndarray:
    """Returns scale * q - minimum, both (n, groups), one number for each group of q (n, 256)."""
    n, groups = scale.shape
    grouped = q.reshape(n, groups, 256 // groups).astype(np.float32)
    grouped *= scale[:, :, None]
    if minimum is not None:
        grouped -= minimum[:, :, None]
    return grouped


def _q2_k(data: np.ndarray) -> np.ndarray:
    """Unpacks 16 bytes (scale, minimum: 4 bits each), 64 bytes of q, d, the minimums' scale."""
    blocks = data.reshape(-1, 84)
    scales, minimums = blocks[:, :16] & 15, blocks[:, :16] >> 4
    q = _runs(blocks[:, 16:80], 32, 2)
    d, m = _halves(blocks[:, 80:82]), _halves(blocks[:, 82:])
    return _in_groups(d * scales, q, m * minimums)


def _q3_k(data: np.ndarray) -> np.ndarray:
    """Unpacks 32 bytes of third bits, 64 of the other two, 12 with 16 scales of 6 bits, d.

    If the third bit is 0, 4 is subtracted. The scales' low 4 bits are in 8 bytes, as in Q4_0; their
    high 2 in the last 4 bytes. 32 represents 0.
    """
    blocks = data.reshape(-1, 110)
    q = _runs(blocks[:, 32:96], 32, 2).astype(np.int8)
    q += (_runs(blocks[:, :32], 32, 1).astype(np.int8) - 1) * 4
    low, high = _runs(blocks[:, 96:104], 8, 4), _runs(blocks[:, 104:108], 4, 2)
    scales = (low | high << 4).astype(np.float32) - 32  # (n, 16)
    return _in_groups(_halves(blocks[:, 108:]) * scales, q)


def _scales_and_minimums(data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unpacks 8 scales and 8 minimums of 6 bits each from 12 bytes: (n, 12) -> (n, 8), (n, 8).

    The first four of each take 6 bits of a byte; the other four have their low 4 bits in the last
    four bytes, and their high 2 in the unused bits of the others.
    """
    first, second, last = data[:, :4], data[:, 4:8], data[:, 8:]
    scales = np.concatenate([first & 63, last & 15 | first >> 6 << 4], axis=1)
    minimums = np.concatenate([second & 63, last >> 4 | second >> 6 << 4], axis=1)
    return scales, minimums


def _q4_k(data: np.ndarray) -> np.ndarray:
    """Unpacks d, the minimums' scale, 12 bytes of scales and minimums, 128 bytes of q."""
    blocks = data.reshape(-1, 144)
    scales, minimums = _scales_and_minimums(blocks[:, 4:16])
    d, m = _halves(blocks[:, :2]), _halves(blocks[:, 2:4])
    return _in_groups(d * scales, _runs(blocks[:, 16:], 32, 4), m * minimums)


def _q5_k(data: np.ndarray) -> np.ndarray:
    """Unpacks as Q4_K, with 32 bytes of fifth bits before q."""
    blocks = data.reshape(-1, 176)
    scales, minimums = _scales_and_minimums(blocks[:, 4:16])
    d, m = _halves(blocks[:, :2]), _halves(blocks[:, 2:4])
    q = _runs(blocks[:, 48:], 32, 4) | _runs(blocks[:, 16:48], 32, 1) << 4
    return _in_groups(d * scales, q, m * minimums)


def _q6_k(data: np.ndarray) -> np.ndarray:
    """Unpacks 128 bytes of low 4 bits, 64 of high 2 bits, 16 signed scales, d. 32 represents 0."""
    blocks = data.reshape(-1, 210)
    q = _runs(blocks[:, :128], 64, 4) | _runs(blocks[:, 128:192], 32, 2) << 4
    scales = blocks[:, 192:208].view(np.int8).astype(np.float32)
    return _in_groups(_halves(blocks[:, 208:]) * scales, q.astype(np.int8) - np.int8(32))


# Unpacks the bytes of a tensor, by its type; the result does not yet have the tensor's shape.
UNPACK: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "F32": lambda data: data.view("<f4"),
    "F16": lambda data: data.view("<f2").astype(np.float32),
    "BF16": lambda data: (data.view("<u2").astype(np.uint32) << 16).view(np.float32),
    "Q4_0": _q4_0,
    "Q4_1": _q4_1,
    "Q5_0": _q5_0,
    "Q5_1": _q5_1,
    "Q8_0": _q8_0,
    "Q2_K": _q2_k,
    "Q3_K": _q3_k,
    "Q4_K": _q4_k,
    "Q5_K": _q5_k,
    "Q6_K": _q6_k,
}
