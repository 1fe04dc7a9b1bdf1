"""What newer Pythons have built in, for Scipion's: that may be 3.8."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import zip_longest
from operator import is_
from typing import Any, TypeVar, overload

First = TypeVar("First")
Second = TypeVar("Second")
Third = TypeVar("Third")

END = object()


@overload
def zip_strict(
    first: Iterable[First], second: Iterable[Second], /
) -> Iterator[tuple[First, Second]]: ...
@overload
def zip_strict(
    first: Iterable[First], second: Iterable[Second], third: Iterable[Third], /
) -> Iterator[tuple[First, Second, Third]]: ...
@overload
def zip_strict(*iterables: Iterable[Any]) -> Iterator[tuple[Any, ...]]: ...
def zip_strict(*iterables: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """Go through several in step; ``zip(..., strict=True)`` from Python 3.10 on.

    Raises
    ------
    ValueError
        If they are not of one length: after the last items that all have.
    """
    is_end = partial(is_, END)
    for items in zip_longest(*iterables, fillvalue=END):
        if any(map(is_end, items)):
            raise ValueError(f"{len(iterables)} iterables are not of one length")
        yield items


def without_start(text: str, start: str) -> str:
    """Return a text without its start; ``str.removeprefix`` from Python 3.9 on."""
    return text[len(start) :] if text.startswith(start) else text


def without_end(text: str, end: str) -> str:
    """Return a text without its end; ``str.removesuffix`` from Python 3.9 on."""
    return text[: len(text) - len(end)] if text.endswith(end) else text
