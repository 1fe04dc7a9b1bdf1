"""The default network: a residual U-Net that works at half resolution.

A strided stem halves the resolution before the first full-width layer, so a voxel
costs about an eighth of the published network's work. There is no coordinate input
and no normalisation over the patch at inference, so away from the volume's faces an
output depends on its neighbourhood alone and not on where a tile begins.
"""

import torch
from torch import Tensor, nn

from etpicker_plugin.engine.model.halving_conv import HalvingConv

WIDTHS = (32, 64, 128)
RARE_LOGIT = -3.0


class ResidualBlock(nn.Module):
    """Two 3³ convolutions with batch normalisation around a shortcut (He 2016)."""

    def __init__(self, channels: int, *, flat: bool = False) -> None:
        super().__init__()
        self.conv1 = _convolution(channels, flat=flat)
        self.norm1 = nn.BatchNorm3d(channels)
        self.conv2 = _convolution(channels, flat=flat)
        self.norm2 = nn.BatchNorm3d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, C, Z, Y, X)`` to the same shape."""
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(x + self.norm2(self.conv2(y)))


class FastNetwork(nn.Module):
    """U-Net of three levels behind a strided stem; logits at half resolution.

    Output voxel *j* is centred at input voxel ``2 j + 0.5``.

    Parameters
    ----------
    flat
        For micrographs, which are one voxel thick: no kernel reaches along z, and
        nothing is halved there.

    Attributes
    ----------
    output_stride
        Input voxels per output voxel.
    alignment
        Tiles must begin at, and have sizes of, multiples of this.
    halo
        Input voxels around a point beyond which nothing reaches its output:
        1.5 (stem) + 4 + 8 + 16 + 8 + 4 (the blocks' convolutions) and up to 6 for
        the grid of the strided layers, rounded up to ``alignment``.
    """

    output_stride = 2
    alignment = 8
    halo = 48

    def __init__(self, n_classes: int, *, flat: bool = False) -> None:
        super().__init__()
        a, b, c = WIDTHS
        self.flat = flat
        half = (1, 2, 2) if flat else 2
        self.stem = nn.Sequential(
            _flat_stem(a) if flat else HalvingConv(a),
            nn.BatchNorm3d(a),
            nn.ReLU(),
        )
        self.encode0 = ResidualBlock(a, flat=flat)
        self.down0 = nn.Conv3d(a, b, half, stride=half)
        self.encode1 = ResidualBlock(b, flat=flat)
        self.down1 = nn.Conv3d(b, c, half, stride=half)
        self.bottom = ResidualBlock(c, flat=flat)
        self.up1 = nn.Conv3d(c, b, 1)
        self.decode1 = ResidualBlock(b, flat=flat)
        self.up0 = nn.Conv3d(b, a, 1)
        self.decode0 = ResidualBlock(a, flat=flat)
        self.head = nn.Conv3d(a, n_classes, 1)
        # Particles are rare: start from a low probability, not from one half.
        self.head.bias = nn.Parameter(torch.full((n_classes,), RARE_LOGIT))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, 1, Z, Y, X)`` to logits ``(B, C, Z/2, Y/2, X/2)``; Z = 1 stays."""
        return self.forward_with_features(x)[0]

    def forward_with_features(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits, the deepest features and those below the head."""
        x0 = self.encode0(self.stem(x))
        x1 = self.encode1(self.down0(x0))
        x2 = self.bottom(self.down1(x1))
        y1 = self.decode1(x1 + double(self.up1(x2), flat=self.flat))
        y0 = self.decode0(x0 + double(self.up0(y1), flat=self.flat))
        return self.head(y0), x2, y0


def double(x: Tensor, *, flat: bool = False) -> Tensor:
    """Repeat every voxel twice along each axis: keeps the strided grid exact."""
    factor = (1.0, 2.0, 2.0) if flat else 2.0
    return nn.functional.interpolate(x, scale_factor=factor, mode="nearest")


def _convolution(channels: int, *, flat: bool) -> nn.Conv3d:
    edge, margin = ((1, 3, 3), (0, 1, 1)) if flat else (3, 1)
    return nn.Conv3d(channels, channels, edge, padding=margin, bias=False)


def _flat_stem(channels: int) -> nn.Conv3d:
    """Return what a ``HalvingConv`` is in a plane."""
    return nn.Conv3d(
        1, channels, (1, 4, 4), stride=(1, 2, 2), padding=(0, 1, 1), bias=False
    )
