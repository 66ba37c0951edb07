"""Changes a sound file at random: bytes, lines, or the values of its JSON."""

from __future__ import annotations

import copy
import json
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

from tests.core.hostile.formats import as_json

NESTED: list[Any] = []
for _ in range(40):
    NESTED = [NESTED]
JUNK: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2, 2**31, 2**32 - 1, 2**63, -(2**63), 10**12, -(10**12)),
    *(10**30, 10**400, 0.5, -0.0, 1e308, -1e308, float("inf"), float("nan"), "", "a", " ", "\0"),
    *("\ud800", "漢", "e\u0301", "a" * 5000, "▁", "Ġ", "##", "<unk>", "[UNK]", "..", "/", "1e5"),
    *([], {}, [[]], [{}], ["a"], [1, 2], [-1], NESTED, {"type": "Sequence"}, {"type": "ByteLevel"}),
    *({"type": "Fuse"}, {"": ""}, {"type": "FixedLength", "length": 0}),
)
NUMBERS = (0, 1, 7, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
TEXTS = ("\ufeff", "\r\n", "\0", "\u2028", "\ud83d", "\x1b[2J", "9" * 6000, "a" * 20_000, '"', "{")


def mutated(content: bytes, rng: random.Random) -> bytes:
    """The file with one to four changes of one kind."""
    kinds: list[Callable[[bytes, random.Random], bytes]] = [_bytes, _cut, _integer, _text, _lines]
    value = as_json(content)
    if isinstance(value, dict | list) and rng.random() < 0.7:
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            value = change_json(value, rng)
        return json.dumps(value).encode("utf-8", "surrogatepass")
    if b"\n{" in content and rng.random() < 0.6:  # lines of JSON
        return _json_lines(content, rng)
    if content[8:9] == b"{" and rng.random() < 0.6:  # the header of safetensors
        return _header(content, rng)
    change = rng.choice(kinds)
    for _ in range(rng.choice((1, 1, 2, 4))):
        content = change(content, rng)
    return content


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands; of what is long a few places."""
    if path:
        yield path
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    some = list(keys)
    for key in some if len(some) < 20 else [some[0], some[len(some) // 2], some[-1]]:
        yield from _places(value[key], (*path, key))


def change_json(value: Any, rng: random.Random) -> Any:
    """Another value, one less, one twice, or one more under another name."""
    places = list(_places(value))
    if not places:
        return _junk(rng)
    path = rng.choice(places)
    inside = value
    for key in path[:-1]:
        inside = inside[key]
    key, what = path[-1], rng.random()
    if what < 0.1:
        del inside[key]
    elif what < 0.2 and isinstance(inside, list):
        inside.extend([inside[key]] * rng.choice((1, 3, 200)))
    elif what < 0.3 and isinstance(inside, dict):
        inside[str(rng.choice(JUNK))[:50]] = inside[key]
    elif what < 0.4:
        donor = rng.choice(places)
        found = value
        for step in donor:
            found = found[step]
        inside[key] = json.loads(json.dumps(found))
    else:
        inside[key] = _junk(rng)
    return value


def _junk(rng: random.Random) -> Any:
    """A copy: a later change must not reach what the next file is changed to."""
    return copy.deepcopy(rng.choice(JUNK))


def _header(content: bytes, rng: random.Random) -> bytes:
    """JSON with its length before it, and data behind it."""
    length = int.from_bytes(content[:8], "little")
    value = as_json(content[8 : 8 + length])
    changed = json.dumps(change_json(value, rng)).encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(changed)) + changed + content[8 + length :]


def _json_lines(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    place = rng.randrange(len(lines))
    value = as_json(lines[place])
    if isinstance(value, dict):
        lines[place] = json.dumps(change_json(value, rng)).encode("utf-8", "surrogatepass")
    else:
        lines[place] = rng.choice((b"?", b"[" * 2000, b"{}", b"\xff"))
    return b"\n".join(lines)


def _bytes(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 2, 8))):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def _cut(content: bytes, rng: random.Random) -> bytes:
    start, stop = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return rng.choice((content[:start], content[:start] + content[stop:], content[start:stop]))


def _integer(content: bytes, rng: random.Random) -> bytes:
    """Where a size or a count may stand; headers come first, so most often there."""
    size = rng.choice((4, 8))
    data = struct.pack("<Q", rng.choice(NUMBERS))[:size]
    place = rng.randrange(min(len(content), rng.choice((16, 64, 1 << 20))) + 1)
    return content[:place] + data + content[place + size :]


def _text(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + rng.choice(TEXTS).encode("utf-8", "surrogatepass") + content[place:]


def _lines(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    place = rng.randrange(len(lines))
    lines[place : place + 1] = rng.choice(
        ([], [lines[place]] * 2, [lines[place]] * 500, [b""], [b" "], [lines[place][::-1]])
    )
    return b"\n".join(lines)
