"""The default network as a stream of planes along z: nothing is computed twice.

A tile needs a halo on every side, computed and thrown away. Run plane after plane,
each layer keeps the few planes that the next one will look at again, so there is no
halo along z and memory does not grow with the depth of the volume.
"""

from collections import deque
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from etpicker_plugin.engine.model.fast_network import (
    FastNetwork,
    ResidualBlock,
    double,
)
from etpicker_plugin.engine.model.halving_conv import HalvingConv
from etpicker_plugin.engine.model.network import LAYOUT

Read = Callable[[int, int], Tensor]
"""Planes ``[start, stop)`` as ``(1, C, stop - start, Y, X)``; zeros outside."""


class Planes:
    """The planes of one layer's output: computed in order, forgotten when read.

    Parameters
    ----------
    compute
        Gives the planes ``[start, stop)``; called once for each plane, in order.
    length
        Number of planes. Those before 0 and after the last are zero.
    step
        Most planes computed at once.
    """

    def __init__(self, compute: Read, *, length: int, step: int) -> None:
        self.length = length
        self.step = max(step, 1)
        self._compute = compute
        self._parts: deque[Tensor] = deque()
        self._first = 0
        self._end = 0
        self._needed: list[int] = []

    def reader(self, *, overlap: int = 0) -> Read:
        """Return a function that reads windows of planes, each further on.

        A plane is forgotten when every reader has passed it.

        Parameters
        ----------
        overlap
            How many of the last planes of a window the next one may begin with.
        """
        number = len(self._needed)
        self._needed.append(0)

        def read(start: int, stop: int) -> Tensor:
            first, last = max(start, 0), min(stop, self.length)
            while self._end < last:
                end = min(self._end + self.step, last)
                self._parts.append(self._compute(self._end, end))
                self._end = end
            window = self._window(first, last, before=first - start, after=stop - last)
            self._needed[number] = max(last - overlap, first)
            self._forget()
            return window

        return read

    def _window(self, first: int, last: int, *, before: int, after: int) -> Tensor:
        """Return held planes, with zeros around them.

        ::

            held      _first                          _end
            parts     |---------|---------|-----------|
            pieces         |----|---------|---|            cut from the parts
                           first              last
            window     |000|------------------|00|         one copy, or a piece itself
                       before                 after

        Zeros stand in for the planes before 0 and after the last.
        """
        pieces, position = [], self._first
        for part in self._parts:
            a, b = max(first - position, 0), min(last - position, part.shape[2])
            if a < b:
                pieces.append(part[:, :, a:b])
            position += part.shape[2]
        if len(pieces) == 1 and before == after == 0:
            return pieces[0]
        batch, channels, _, height, width = pieces[0].shape
        window = torch.empty(
            (batch, channels, before + last - first + after, height, width),
            dtype=pieces[0].dtype,
            device=pieces[0].device,
            memory_format=LAYOUT,
        )
        window[:, :, :before] = 0
        window[:, :, window.shape[2] - after :] = 0
        for piece in pieces:
            window[:, :, before : before + piece.shape[2]] = piece
            before += piece.shape[2]
        return window

    def _forget(self) -> None:
        """Drop what no reader needs; copy what is left of a part, so that it ends.

        ::

            needed                  v                 of the slowest reader
            parts     |---------|---------|-----------|
            kept                    |-----|-----------|
                                    _first            _end

        A slice alone would keep the memory of the whole part.
        """
        needed = min(self._needed)
        while self._parts and self._first + self._parts[0].shape[2] <= needed:
            self._first += self._parts.popleft().shape[2]
        if self._parts and self._first < needed:
            left = self._parts[0][:, :, needed - self._first :]
            self._parts[0] = left.clone(memory_format=torch.preserve_format)
            self._first = needed


def stream_logits(network: FastNetwork, image: Planes) -> Planes:
    """Return the planes of a network's logits, at half resolution.

    Parameters
    ----------
    network
        In evaluation mode.
    image
        Planes ``(1, 1, n, Y, X)``; their number, Y and X are multiples of 8.
    """
    features = stream_features(network, image)
    return _planes(features, 1, _convolved(features, network.head))


def stream_features(network: FastNetwork, image: Planes) -> Planes:
    """Return the planes of the features below the head (see ``stream_logits``)."""
    stem = _halved(image, cast(HalvingConv, network.stem[0]))
    rest = network.stem[1:]
    x0 = _residual(_planes(image, 2, lambda a, b: rest(stem(a, b))), network.encode0)
    down0 = _planes(x0, 2, _convolved(x0, network.down0))
    x1 = _residual(down0, network.encode1)
    down1 = _planes(x1, 2, _convolved(x1, network.down1))
    x2 = _residual(down1, network.bottom)
    y1 = _residual(_raised(x2, network.up1, skip=x1), network.decode1)
    return _residual(_raised(y1, network.up0, skip=x0), network.decode0)


def _planes(source: Planes, stride: int, compute: Read) -> Planes:
    return Planes(compute, length=source.length // stride, step=source.step // stride)


def _convolved(source: Planes, conv: nn.Conv3d) -> Read:
    """Return a convolution of planes: those beside a window are read, not padded."""
    kernel, stride, padding = conv.kernel_size[0], conv.stride[0], int(conv.padding[0])
    read = source.reader(overlap=kernel - stride)

    def compute(start: int, stop: int) -> Tensor:
        first = start * stride - padding
        window = read(first, first + (stop - start - 1) * stride + kernel)
        return nn.functional.conv3d(
            window, conv.weight, conv.bias, conv.stride, (0, padding, padding)
        )

    return compute


def _halved(image: Planes, conv: HalvingConv) -> Read:
    """Return the stem's convolution of planes."""
    read = image.reader(overlap=2)

    def compute(start: int, stop: int) -> Tensor:
        window = read(2 * start - 1, 2 * stop + 1)[0]
        return conv.of_padded(nn.functional.pad(window, (1, 1, 1, 1)))

    return compute


def _residual(source: Planes, block: ResidualBlock) -> Planes:
    """Return the planes after a residual block."""
    first = _convolved(source, block.conv1)
    hidden = _planes(source, 1, lambda a, b: block.norm1(first(a, b)).relu_())
    second = _convolved(hidden, block.conv2)
    shortcut = source.reader()
    return _planes(
        source,
        1,
        lambda a, b: block.norm2(second(a, b)).add_(shortcut(a, b)).relu_(),
    )


def _raised(deep: Planes, conv: nn.Conv3d, *, skip: Planes) -> Planes:
    """Return the skip's planes plus the deeper ones, twice as large."""
    below, beside = deep.reader(overlap=1), skip.reader()

    def compute(start: int, stop: int) -> Tensor:
        first, last = start // 2, -(-stop // 2)
        raised = double(conv(below(first, last)))
        window = raised[:, :, start - 2 * first : stop - 2 * first]
        return window.add_(beside(start, stop))

    return _planes(skip, 1, compute)
