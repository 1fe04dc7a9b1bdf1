"""Slices are read and made grey beside the window's own thread; the newest wins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt5.QtCore import QObject, pyqtSignal

from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.drawing.slices import Look, SliceReader, grey_and_levels
from etpicker_plugin.window.qt.newest import Newest


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A slice as it is shown: ``(h, w)`` grey levels and what lies over them.

    ``levels`` are the values that are black and white; none if it is equalised.
    """

    index: int
    grey: NDArray[np.uint8]
    levels: tuple[float, float] | None = None
    probability: NDArray[np.uint8] | None = None
    mask: NDArray[np.uint8] | None = None


class Renderer(QObject):
    """Makes the pictures of one view in a thread of its own."""

    ready = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self, document: Document, axis: int) -> None:
        super().__init__()
        self._readers = {
            name: SliceReader(volume, axis)
            for name, volume in (
                ("tomogram", document.volume),
                ("probability", document.probability),
                ("mask", document.mask),
            )
            if volume is not None
        }
        self._last: tuple[int, int] | None = None
        self._image: NDArray[np.float32] = np.zeros((1, 1), dtype=np.float32)
        self._newest = Newest()
        self._newest.made.connect(self.ready)
        self._newest.failed.connect(self.failed)

    def request(
        self, index: int, look: Look, *, probability: bool = True, mask: bool = True
    ) -> None:
        """Ask for a picture; what was asked before and is not begun is dropped."""
        self._newest.ask(lambda: self._make(index, look, probability, mask))

    def is_idle(self) -> bool:
        """Return whether nothing is asked for or being made."""
        return self._newest.is_idle()

    def stop(self) -> None:
        """End the thread."""
        self._newest.stop()

    def _make(self, index: int, look: Look, probability: bool, mask: bool) -> Picture:
        if self._last != (index, look.slab):
            self._image = self._readers["tomogram"].read(index, look.slab)
            self._last = (index, look.slab)
        grey, levels = grey_and_levels(self._image, look)
        return Picture(
            index=index,
            grey=grey,
            levels=levels,
            probability=self._over("probability", index) if probability else None,
            mask=self._over("mask", index) if mask else None,
        )

    def _over(self, name: str, index: int) -> NDArray[np.uint8] | None:
        """Return a layer as 0 … 255: a probability of 1, a mask's inside, is 255."""
        if name not in self._readers:
            return None
        layer = self._readers[name].read(index, 1)
        share = layer if name == "probability" else layer != 0
        return np.clip(np.nan_to_num(share * 255.0), 0, 255).astype(np.uint8)
