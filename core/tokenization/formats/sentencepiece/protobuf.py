"""The wire format of Protocol Buffers: numbered fields, one after the other.

A field is a key and a value. The key holds the field's number and the encoding of its value: a
varint (an integer in groups of seven bits, the lowest first), 4 or 8 bytes, or a length and that
many bytes, which may be a nested message.

Source: protobuf.dev, "Encoding".
"""

import struct
from collections.abc import Iterator

from core.files import GET_AGAIN

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
_FIXED = {EIGHT_BYTES: 8, FOUR_BYTES: 4}

Value = int | bytes


class Message:
    """The fields of one message.

    Every length is checked against the remaining bytes, so that nothing is read past the end and no
    memory is allocated just because a file requests it.

    data   the bytes of the message
    name   its name in error messages: "the file", "piece 3"
    """

    def __init__(self, data: bytes | memoryview, name: str) -> None:
        self._data = memoryview(data)
        self._name = name

    def fields(self) -> Iterator[tuple[int, int, Value]]:
        """Yields (number, wire type, value); a value of fixed size as its bytes.

        Raises ValueError, with a remedy, if the message is truncated or invalid.
        """
        data, place, size = self._data, 0, len(self._data)
        while place < size:
            key, place = self._varint(place)
            number, wire = key >> 3, key & 7
            if number == 0:
                raise self._broken("has a field without a number")
            value: Value
            if wire == VARINT:
                value, place = self._varint(place)
            elif wire == LENGTH:
                length, place = self._varint(place)
                if length > size - place:
                    raise self._broken(f"asks for {length:,} bytes where {size - place:,} are left")
                value = bytes(data[place : place + length])
                place += length
            elif wire in _FIXED:
                if _FIXED[wire] > size - place:
                    raise self._broken("breaks off inside a number")
                value = bytes(data[place : place + _FIXED[wire]])
                place += _FIXED[wire]
            else:
                raise self._broken(f"has a field of the unknown wire type {wire}")
            yield number, wire, value

    def _varint(self, place: int) -> tuple[int, int]:
        value = 0
        for shift in range(0, 70, 7):
            if place >= len(self._data):
                raise self._broken("breaks off inside a number")
            byte = self._data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFF_FFFF_FFFF_FFFF, place
        raise self._broken("has a number of more than ten bytes")

    def _broken(self, what: str) -> ValueError:
        return ValueError(f"{self._name} {what}: it is damaged or no such file; {GET_AGAIN}")

    def integer(self, number: int, wire: int, value: Value) -> int:
        """Returns a field's value as an unsigned 64-bit integer: negative ones are very large."""
        if wire != VARINT or not isinstance(value, int):
            raise self._broken(f"writes field {number} as something other than an integer")
        return value

    def real(self, number: int, wire: int, value: Value) -> float:
        """Returns a field's value as a 32-bit floating-point number."""
        if wire != FOUR_BYTES or not isinstance(value, bytes):
            raise self._broken(f"writes field {number} as something other than a number")
        return float(struct.unpack("<f", value)[0])

    def data(self, number: int, wire: int, value: Value) -> bytes:
        """Returns a field's value as bytes."""
        if wire != LENGTH or not isinstance(value, bytes):
            raise self._broken(f"writes field {number} as something other than bytes")
        return value

    def text(self, number: int, wire: int, value: Value) -> str:
        """Returns a field's value as text."""
        try:
            return self.data(number, wire, value).decode()
        except UnicodeDecodeError:
            raise self._broken(f"writes field {number} as bytes that are no text") from None


def varint(value: int) -> bytes:
    """Encodes an integer of at most 64 bits; a negative one as its two's complement."""
    value &= 0xFFFF_FFFF_FFFF_FFFF
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def field(number: int, value: int | float | bytes | str) -> bytes:
    """Encodes a field: integers and booleans as varints, floats in 4 bytes, the rest by length."""
    if isinstance(value, int):
        return varint(number << 3 | VARINT) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | FOUR_BYTES) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | LENGTH) + varint(len(data)) + data
