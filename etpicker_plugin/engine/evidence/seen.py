"""How a tomogram shows a density: the filter that matches it, and how strong it is."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from etpicker_plugin.engine.arrays import Shape
from etpicker_plugin.engine.evidence.orientations import TurnedMap
from etpicker_plugin.engine.maps.appearance import Appearance, Volume
from etpicker_plugin.engine.maps.tilts import frequencies
from etpicker_plugin.engine.maps.transfer import (
    radial_power,
    signal_transfer,
    wedge_of,
)

AT_ONCE = 64
LEAST_POWER = 1e-6


@dataclass(frozen=True, kw_only=True)
class Seeing:
    """What a density becomes in a tomogram of this look, at this defocus.

    ``finest`` is the highest frequency that the tomogram has anything at, cycles per
    voxel: what interpolation made beyond it says nothing.
    """

    look: Appearance
    defocus_um: float
    finest: float = 1.0

    def matched(self, values: Volume) -> Tensor:
        """Return ``(Z, Y, X)`` voxels filtered so that to multiply them with a density
        is to compare it with them, in white noise.

        Parameters
        ----------
        values
            In deviations, as the look's grey values are.
        """
        z, y, x = values.shape
        transfer, weight = self._filters((z, y, x), binning=1)
        spectrum = torch.fft.rfftn(torch.from_numpy(values))
        return torch.fft.irfftn(spectrum * transfer * weight, s=(z, y, x))

    def strengths(self, one: TurnedMap) -> Tensor:
        """Return ``(R,)``: what each orientation, filtered, has in common with itself.

        It is its expected score where it is, with a contrast of 1, and the variance of
        its score in noise.
        """
        edge = one.densities.shape[1]
        even = edge + edge % 2
        shape = (even, even, even)
        transfer, weight = self._filters(shape, binning=one.step)
        twice = torch.full((shape[2] // 2 + 1,), 2.0)
        twice[0] = twice[-1] = 1.0  # the others stand for their conjugates too
        kept = transfer**2 * weight * twice
        found = [
            (torch.fft.rfftn(some, s=shape, dim=(1, 2, 3)).abs() ** 2 * kept).sum(
                dim=(1, 2, 3)
            )
            for some in one.densities.split(AT_ONCE)
        ]
        return torch.cat(found) * one.step**3 / float(np.prod(shape))

    def _filters(self, shape: Shape, *, binning: int) -> tuple[Tensor, Tensor]:
        """Return the transfer, and one over the power, at real-FFT frequencies."""
        kz, ky, kx = frequencies(shape, real=True)
        radius = np.sqrt(kz**2 + ky**2 + kx**2) / binning
        shells, power = radial_power(self.look)
        weight = 1 / np.maximum(np.interp(radius, shells, power), LEAST_POWER)
        told = wedge_of(self.look, shape) & (radius <= self.finest)
        weight = np.where(told, weight, 0.0)
        weight[0, 0, 0] = 0.0
        transfer = signal_transfer(
            self.look, shape, defocus_um=self.defocus_um, binning=float(binning)
        )
        return (
            torch.from_numpy(transfer.astype(np.float32)),
            torch.from_numpy(weight.astype(np.float32)),
        )
