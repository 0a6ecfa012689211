"""Identifiers and deterministic CBOR (docs/FORMAT.md §2)."""

from .refused import Refused, require

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def id_text(identifier):
    number = int.from_bytes(identifier, "big")
    return "".join(DIGITS[number >> 5 * place & 31] for place in reversed(range(26)))


def id_bytes(text):
    require(len(text) == 26 and text[0] in DIGITS[:8] and all(digit in DIGITS for digit in text), "no identifier")
    number = 0
    for digit in text:
        number = number << 5 | DIGITS.index(digit)
    return number.to_bytes(16, "big")


# What a value must be, as `decode` is told: one of these, a tuple of shapes for an array of that length, a list of one
# shape for an array of any length, or a dict of numbers to shapes for a map.
UNSIGNED, INTEGER, TEXT, BOOL, BYTES = "unsigned", "integer", "text", "bool", "bytes"


class Exactly(int):
    """A byte string of this length."""


class OneOf(dict):
    """One of several kinds: an array of the kind's number, and an array of one value, of the shape it stands for."""


class Optional(tuple):
    """A shape, or null."""

    def __new__(cls, shape):
        return super().__new__(cls, (shape,))


def decode(data, shape):
    """Decodes one value that fills `data`; refuses every encoding but the deterministic one."""
    value, end = _item(data, 0)
    require(end == len(data), "bytes after the value")
    _check(value, shape)
    return value


def decode_members(data, shapes):
    """Decodes a map whose members may be absent; none may be there that `shapes` does not name."""
    members, end = _item(data, 0)
    require(end == len(data), "bytes after the value")
    require(isinstance(members, dict) and set(members) <= set(shapes), "not the members of this map")
    _check(members, {key: shapes[key] for key in members})
    return members


def _head(data, at):
    require(at < len(data), "CBOR ends early")
    major, short = data[at] >> 5, data[at] & 31
    at += 1
    if short < 24:
        return major, short, short, at
    require(short < 28, "indefinite or reserved length")
    size = 1 << short - 24
    require(at + size <= len(data), "CBOR ends early")
    number = int.from_bytes(data[at : at + size], "big")
    if major != 7:
        smallest = {1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}[size]
        require(number >= smallest, "a number in more bytes than it needs")
    return major, short, number, at + size


def _item(data, at):
    major, short, number, at = _head(data, at)
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        require(at + number <= len(data), "CBOR ends early")
        raw = data[at : at + number]
        if major == 2:
            return raw, at + number
        try:
            return raw.decode("utf-8"), at + number
        except UnicodeDecodeError as error:
            raise Refused("text is not UTF-8") from error
    if major == 4:
        items = []
        for _ in range(number):
            item, at = _item(data, at)
            items.append(item)
        return items, at
    if major == 5:
        members = {}
        for _ in range(number):
            key, at = _item(data, at)
            require(isinstance(key, int) and key >= 0, "keys of maps are numbers")
            require(not members or key > max(members), "keys of maps ascend")
            members[key], at = _item(data, at)
        return members, at
    require(major == 7 and short in (20, 21, 22), "a kind of value that is not used")
    return {20: False, 21: True, 22: None}[short], at


def _check(value, shape):
    if isinstance(shape, Optional):
        if value is not None:
            _check(value, shape[0])
    elif isinstance(shape, Exactly):
        require(isinstance(value, bytes) and len(value) == shape, f"not {int(shape)} bytes")
    elif isinstance(shape, tuple):
        require(isinstance(value, list), f"not an array of {len(shape)}")
        # Absent members at the end are left out, and come back as None.
        if value and value[-1] is None and isinstance(shape[-1], Optional):
            require(len(value) != len(shape), "an absent member at the end")
        while len(value) < len(shape) and all(isinstance(part, Optional) for part in shape[len(value) :]):
            value.append(None)
        require(len(value) == len(shape), f"not an array of {len(shape)}")
        for part, part_shape in zip(value, shape):
            _check(part, part_shape)
    elif isinstance(shape, list):
        require(isinstance(value, list), "not an array")
        for part in value:
            _check(part, shape[0])
    elif isinstance(shape, OneOf):
        require(isinstance(value, list) and len(value) == 2, "not one of several kinds")
        kind, members = value
        require(type(kind) is int and kind in shape, "an unknown kind")
        _check(members, (shape[kind],))
    elif isinstance(shape, dict):
        require(isinstance(value, dict) and set(value) == set(shape), "not the members of this map")
        for key, part_shape in shape.items():
            _check(value[key], part_shape)
    else:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        fits = {
            UNSIGNED: is_number and value >= 0,
            INTEGER: is_number,
            TEXT: isinstance(value, str),
            BOOL: isinstance(value, bool),
            BYTES: isinstance(value, bytes),
        }[shape]
        require(fits, f"not of type {shape}")


def encode(value):
    """Deterministic CBOR of a value as `decode` gives it: what MACs are computed over."""
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, int):
        return _write_head(0, value) if value >= 0 else _write_head(1, -1 - value)
    if isinstance(value, bytes):
        return _write_head(2, len(value)) + value
    if isinstance(value, str):
        raw = value.encode("utf-8")
        return _write_head(3, len(raw)) + raw
    if isinstance(value, list):
        while value and value[-1] is None:  # absent members at the end of a structure
            value = value[:-1]
        return _write_head(4, len(value)) + b"".join(map(encode, value))
    raise TypeError(value)


def _write_head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for short, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | short]) + number.to_bytes(size, "big")
    raise ValueError(number)
