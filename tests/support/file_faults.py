"""Files with a fault: bytes, cells and lines of a valid one changed at random."""

import re

CELLS = [b"nan", b"inf", b"-inf", b"1e300", b"12,5", b"", b"abc", b"1_0", b"0x10", b'"']
CELLS += [
    b"1 2",
    b"True",
    b"null",
    b"9" * 400,
    b"-1",
    b"1.5",
    b"'",
    b"#",
    b"\xff",
    b"\0",
]
MARKS = b" ,;\t\n\r\"'#_{}[]:.-+0123456789eExyz\0\xff\xc3"
SEPARATORS = re.compile(rb"([\s,;\[\]{}:]+)")


def mutate(data, generator, *, faults):
    """Return the data with so many faults."""
    for _ in range(faults):
        change = CHANGES[generator.integers(len(CHANGES))]
        data = change(data, generator)
    return data


def _byte(data, generator):
    at = int(generator.integers(len(data) + 1))
    mark = MARKS[generator.integers(len(MARKS))]
    kept = data[at + int(generator.integers(2)) :]
    return data[:at] + bytes([mark]) * int(generator.integers(2)) + kept


def _bit(data, generator):
    changed = bytearray(data or b"\0")
    changed[int(generator.integers(len(changed)))] ^= 1 << int(generator.integers(8))
    return bytes(changed)


def _cut(data, generator):
    """Cut the end off, but not all rows: one alone may be a whole file."""
    return data[: int(generator.integers(len(data) * 2 // 3, len(data) + 1))]


def _cell(data, generator):
    """Replace a cell, or leave it out with what parts it from the next."""
    parts = SEPARATORS.split(data)
    at = 2 * int(generator.integers((len(parts) + 1) // 2))
    if generator.random() < 0.3:
        del parts[at : at + 2]
    else:
        parts[at] = CELLS[generator.integers(len(CELLS))]
    return b"".join(parts)


def _line(data, generator):
    """Leave out a line, or double it."""
    lines = data.splitlines(keepends=True) or [b""]
    at = int(generator.integers(len(lines)))
    lines[at : at + 1] = [lines[at]] * (2 * int(generator.integers(2)))
    return b"".join(lines)


CHANGES = (_byte, _bit, _cell, _cell, _line, _cut)
