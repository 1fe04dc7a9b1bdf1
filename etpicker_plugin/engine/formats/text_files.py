"""Text of other programs, read as UTF-8, with messages that say what else it is."""

from __future__ import annotations

from pathlib import Path

from etpicker_plugin.engine.errors import InputDataError

UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(path: Path) -> str:
    """Return a file's text, without a byte order mark; its line ends stay.

    Raises
    ------
    InputDataError
        If it is missing, or no text in UTF-8.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputDataError(
            f"Coordinates {path}: no such file. Check the path."
        ) from error
    except OSError as error:
        raise InputDataError(
            f"Coordinates {path} cannot be read: {error}. Check the path."
        ) from error
    return _decode(data, path)


def split_lines(text: str) -> list[str]:
    """Return the lines of a text, whether they end as in Unix, Windows or old Macs.

    ``str.splitlines`` also breaks at characters that may stand in a name.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _decode(data: bytes, path: Path) -> str:
    if data.startswith(UTF16):
        raise InputDataError(
            f"Coordinates {path} cannot be read: it is UTF-16 text, expected UTF-8. "
            "Save it again as UTF-8."
        )
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise InputDataError(
            f"Coordinates {path} cannot be read: it is no text; line {line} holds "
            "zero bytes. Expected UTF-8; it may be a binary file, or damaged."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputDataError(
            f"Coordinates {path} cannot be read: line {line} is no UTF-8 text (byte "
            f"0x{data[error.start]:02x}). Save it again as UTF-8."
        ) from error
