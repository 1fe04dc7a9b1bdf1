"""DeepETPicker's 3D-ResUNet, the reference (Liu et al., Nat. Commun. 15:2090, 2024).

Written anew from the published description: four levels of 24, 48, 72 and 108
channels, residual blocks, average pooling, an image pyramid and coordinate
convolution at every level, transposed convolutions whose output is summed with the
skip. The coordinates run from -1 to 1 within the patch, so its output depends on
where a patch begins.
"""

import torch
from torch import Tensor, nn

WIDTHS = (24, 48, 72, 108)
COORDINATES = 3


class ReferenceBlock(nn.Module):
    """Three convolutions, each with batch norm and ReLU; the first is the shortcut.

    The published code applies a ReLU in the third convolution too, and an ELU after
    the sum; both terms are positive there, so that ELU changes nothing and is left out.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = _conv_norm_relu(inputs, outputs)
        self.rest = nn.Sequential(
            _conv_norm_relu(outputs, outputs), _conv_norm_relu(outputs, outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, Z, Y, X)`` to ``(B, outputs, Z, Y, X)``."""
        shortcut: Tensor = self.first(x)
        return self.rest(shortcut) + shortcut


class DeepETPickerNetwork(nn.Module):
    """The published network; full-resolution per-class log-odds.

    One class has one output channel and a sigmoid. More classes have a softmax over
    the classes and the background; it is returned as each class's log-odds, so that
    a sigmoid gives the softmax's probability. Tiles of 72 voxels overlapping by 12
    are the published way to run it; ``halo`` is that 12.
    """

    output_stride = 1
    alignment = 8
    halo = 16

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.n_classes = n_classes
        inputs = (1, WIDTHS[0] + 1, WIDTHS[1] + 1, WIDTHS[2] + 1)
        self.encoders = nn.ModuleList(
            ReferenceBlock(i + COORDINATES, o)
            for i, o in zip(inputs, WIDTHS, strict=True)
        )
        self.ups = nn.ModuleList(
            nn.ConvTranspose3d(deep, shallow, 3, stride=2, padding=1, output_padding=1)
            for deep, shallow in zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True)
        )
        self.decoders = nn.ModuleList(
            ReferenceBlock(width + COORDINATES, width) for width in WIDTHS[-2::-1]
        )
        self.head = nn.Conv3d(WIDTHS[0], n_classes + (n_classes > 1), 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, 1, Z, Y, X)`` to log-odds ``(B, C, Z, Y, X)``."""
        return self.forward_with_features(x)[0]

    def forward_with_features(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the log-odds, the deepest features and those below the head."""
        image, skips, y = x, [], x
        for level, encoder in enumerate(self.encoders):
            if level:
                image = halve(image)
                y = torch.cat([halve(y), image], dim=1)
            y = encoder(with_coordinates(y))
            skips.append(y)
        for up, decoder, skip in zip(
            self.ups, self.decoders, skips[-2::-1], strict=True
        ):
            y = decoder(with_coordinates(up(y) + skip))
        return log_odds(self.head(y), self.n_classes), skips[-1], y


def halve(x: Tensor) -> Tensor:
    """Average blocks of 2³ voxels: torch's own pooling knows no bfloat16."""
    for axis in (2, 3, 4):
        first, second = x.unflatten(axis, (-1, 2)).unbind(axis + 1)
        x = 0.5 * (first + second)
    return x


def with_coordinates(x: Tensor) -> Tensor:
    """Append z, y and x running from -1 to 1 within the patch (CoordConv)."""
    axes = [
        torch.linspace(-1, 1, n, device=x.device, dtype=x.dtype) for n in x.shape[2:]
    ]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    return torch.cat([x, grid.expand(len(x), -1, -1, -1, -1)], dim=1)


def log_odds(logits: Tensor, n_classes: int) -> Tensor:
    """Return each class's log-odds under a softmax whose channel 0 is background."""
    if n_classes == 1:
        return logits
    logits = logits.float()
    probability = torch.softmax(logits, dim=1)[:, 1:]
    others = torch.log1p(-probability.clamp(max=1 - 1e-6))
    return torch.log_softmax(logits, dim=1)[:, 1:] - others


def _conv_norm_relu(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, 3, padding=1),
        nn.BatchNorm3d(outputs),
        nn.ReLU(inplace=True),
    )
