"""Requests that have come in while an answer is being worked out."""

import threading
from collections import deque
from collections.abc import Iterable

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.live.requests import Request, Solve, read_request

Item = Request | ConfigError | None
"""A request, a line that is none, or the end."""


class Inbox:
    """Lines read by a thread of their own, so that a newer one is seen at once."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._items: deque[Item] = deque()
        self._has_more = threading.Condition()
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            if line.strip():
                self._put(_item(line))
        self._put(None)

    def _put(self, item: Item) -> None:
        with self._has_more:
            self._items.append(item)
            self._has_more.notify()

    def is_empty(self) -> bool:
        """Tell whether nothing waits."""
        return not self._items

    def next_is(self, *kinds: type) -> bool:
        """Tell whether what waits first is of one of these kinds."""
        return bool(self._items) and isinstance(self._items[0], kinds)

    def take(self) -> Item:
        """Wait for what comes next; of several solves in a row, only the last."""
        with self._has_more:
            self._has_more.wait_for(lambda: self._items)
            item = self._items.popleft()
            while isinstance(item, Solve) and self.next_is(Solve):
                item = self._items.popleft()
            return item


def _item(line: str) -> Item:
    try:
        return read_request(line)
    except ConfigError as error:
        return error
