"""Damage to files: each function draws one piece of it from a seeded generator."""

import json
import random

WORDS = """nan inf -inf 1e999 -1e999 1e30 -5 0 1,5 0x1F 1_000 ١٢ true null '' [] {}
1.5.2 --3 99999999999999999999999999 1e-320 # _ data_ loop_"""
LINE_TEXTS = (*WORDS.split(), "", '"', "9" * 5000, "é\u200b", "\x00", "\t", "a b")
JSON_VALUES = (
    *(None, True, False, 0, -1, 3, 2.5, 1e308, 10**30, -(10**400), "", "x", "1"),
    *([], {}, [[]], [None], {"a": 1}, float("nan"), float("inf"), "\ud800", "\x00"),
)
DEEP = 20_000


# --------------------------- bytes --------------------------------------------
def damage_bytes(data: bytes, draw: random.Random) -> bytes:
    """Return bytes with one to three pieces of damage."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        data = draw.choice(BYTE_DAMAGE)(bytearray(data), draw)
    return bytes(data)


def _flip(data, draw):
    if data:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return data


def _replace(data, draw):
    if data:
        data[draw.randrange(len(data))] = draw.choice((0, 1, 32, 48, 57, 127, 128, 255))
    return data


def _chunk(data, draw):
    start = draw.randrange(len(data) + 1)
    return start, min(len(data), start + draw.choice((1, 2, 4, 8, 17, 100, 1000)))


def _cut_out(data, draw):
    start, stop = _chunk(data, draw)
    return data[:start] + data[stop:]


def _repeat(data, draw):
    start, stop = _chunk(data, draw)
    return data[:stop] + data[start:stop] + data[stop:]


def _insert(data, draw):
    start, _ = _chunk(data, draw)
    return data[:start] + draw.randbytes(draw.choice((1, 3, 8))) + data[start:]


def _empty(data, draw):
    start, stop = _chunk(data, draw)
    return data[:start] + bytes(stop - start) + data[stop:]


def _truncate(data, draw):
    return data[: draw.randrange(len(data) + 1)]


BYTE_DAMAGE = (_flip, _flip, _replace, _cut_out, _repeat, _insert, _empty, _truncate)


def damage_header(data: bytes, draw: random.Random) -> bytes:
    """Return bytes whose first ones are damaged: numbers of a header, or its length."""
    if draw.random() < 0.2:
        return damage_bytes(data, draw)
    words = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4))):
        at = 4 * draw.randrange(min(len(data), 1024) // 4)
        words[at : at + 4] = draw.choice(
            (
                *(bytes(4), b"\xff" * 4, b"\x00\x00\x80\x7f", b"\x01\x00\x00\x00"),
                *(b"\xff\xff\xff\x7f", draw.randbytes(4), words[at : at + 4][::-1]),
            )
        )
    return bytes(words)


# --------------------------- lines of text ------------------------------------
def damage_lines(data: bytes, draw: random.Random) -> bytes:
    """Return a text with a line, a number or its encoding changed."""
    if draw.random() < 0.2:
        return damage_bytes(data, draw)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return damage_bytes(data, draw)
    lines = draw.choice(LINE_DAMAGE)(text.split("\n"), draw)
    text = "\n".join(lines)
    kind = draw.random()
    if kind < 0.03:
        return text.encode("utf-16")
    if kind < 0.06:
        return b"\xef\xbb\xbf" + text.encode()
    if kind < 0.09:
        return text.replace("\n", "\r\n").encode()
    return text.encode()


def _at(lines, draw):
    return draw.randrange(len(lines))


def _swap_lines(lines, draw):
    a, b = _at(lines, draw), _at(lines, draw)
    lines[a], lines[b] = lines[b], lines[a]
    return lines


def _repeat_line(lines, draw):
    a = _at(lines, draw)
    return [*lines[:a], lines[a], *lines[a:]]


def _drop_line(lines, draw):
    a = _at(lines, draw)
    return lines[:a] + lines[a + 1 :]


def _new_line(lines, draw):
    a = _at(lines, draw)
    return [*lines[:a], draw.choice(LINE_TEXTS), *lines[a:]]


def _other_word(lines, draw):
    a = _at(lines, draw)
    for separator in (",", "\t", " "):
        if separator in lines[a]:
            words = lines[a].split(separator)
            b = draw.randrange(len(words))
            change = draw.random()
            if change < 0.6:
                words[b] = draw.choice(LINE_TEXTS)
            elif change < 0.8:
                del words[b]
            else:
                words.insert(b, words[b])
            lines[a] = separator.join(words)
            return lines
    lines[a] = draw.choice(LINE_TEXTS)
    return lines


def _other_digit(lines, draw):
    a = _at(lines, draw)
    places = [n for n, letter in enumerate(lines[a]) if letter.isdigit()]
    if places:
        n = draw.choice(places)
        digit = draw.choice("0123456789.-eE, ")
        lines[a] = lines[a][:n] + digit + lines[a][n + 1 :]
    return lines


def _cut_line(lines, draw):
    a = _at(lines, draw)
    lines[a] = lines[a][: draw.randrange(len(lines[a]) + 1)]
    return lines


LINE_DAMAGE = (
    *(_swap_lines, _repeat_line, _drop_line, _new_line, _cut_line),
    *(_other_word, _other_word, _other_word, _other_digit, _other_digit),
)


# --------------------------- trees of JSON ------------------------------------
def damage_json(data: bytes, draw: random.Random) -> bytes:
    """Return JSON with a value, a key or the nesting changed; or damaged bytes."""
    if draw.random() < 0.25:
        return damage_bytes(data, draw)
    tree = json.loads(data)
    places = list(_places(tree))
    if not places:
        return damage_bytes(data, draw)
    holder, key = draw.choice(places)
    change = draw.random()
    if change < 0.03:
        holder[key] = "DEEP"
        text = json.dumps(tree)
        deep = "[" * DEEP + "]" * DEEP
        return text.replace('"DEEP"', deep, 1).encode()
    if change < 0.1 and isinstance(holder, dict):
        text = json.dumps({"TWICE": holder[key], **holder})
        whole = text if holder is tree else json.dumps(tree)
        return whole.replace('"TWICE"', json.dumps(key)).encode()
    if change < 0.2 and isinstance(holder, dict):
        holder[draw.choice(("x", key + "x", "", "\x00"))] = holder.pop(key)
    elif change < 0.35:
        del holder[key]
    elif change < 0.45:
        holder[key] = [holder[key]]
    elif change < 0.55 and isinstance(holder[key], (int, float)):
        holder[key] = holder[key] * draw.choice((-1, 0, 10, 1e9)) + draw.choice((0, 1))
    else:
        holder[key] = draw.choice(JSON_VALUES)
    return json.dumps(tree).encode()


def _places(tree):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield tree, key
            yield from _places(value)
    elif isinstance(tree, list):
        for n, value in enumerate(tree):
            yield tree, n
            yield from _places(value)


def damage_json_lines(data: bytes, draw: random.Random) -> bytes:
    """Return JSON lines of which one, or their order, is changed."""
    if draw.random() < 0.3:
        return damage_lines(data, draw)
    lines = data.splitlines()
    a = draw.randrange(len(lines))
    lines[a] = damage_json(lines[a], draw)
    return b"\n".join(lines) + b"\n"
