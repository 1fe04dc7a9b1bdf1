"""All scenes on the device, and patches cut, turned, changed and labelled there.

A core makes a patch slower than a GPU learns from it.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

PATCH = 64
SOURCE = 96
"""Voxels read around a patch that is turned by any angle about z: 64 · √2 · 1.05."""
STRIDE = 2
MOST_PARTICLES = 128
"""Of a scene."""
NEAREST = 48
"""Particles of a patch at most, the nearest ones to its centre."""
NOWHERE = 1e4
BACKGROUND_SHARE = 0.15
SAME_SCENE_SHARE = 0.5
"""Of the pairs: both patches are of one scene."""
TURNED_SHARE = 0.35
TILT_DEG = 6.0
SCALE_RANGE = (0.95, 1.05)


@dataclass(frozen=True)
class Patches:
    """Patches, and what is in them.

    Attributes
    ----------
    image
        ``(B, 1, P, P, P)``.
    target
        ``(B, C, V)`` over V output voxels, of the C classes chosen.
    weight
        ``(B, 1, V)``, 0 outside the scene.
    places
        ``(B, N, 3)`` particles' centres in voxels of the patch.
    member
        ``(B, C, N)``, 1 where a particle is of a class.
    chosen
        ``(C,)``.
    """

    image: Tensor
    target: Tensor
    weight: Tensor
    places: Tensor
    member: Tensor
    chosen: Tensor


class SceneStore:
    """Scenes on a device; more are taken as they are written."""

    def __init__(
        self, folder: Path, n_classes: int, *, most: int, device: torch.device
    ) -> None:
        self._folder, self._device, self._n_classes = folder, device, n_classes
        self._taken: set[str] = set()
        self._most = most
        shape = (64, 160, 160)
        self._images = torch.zeros((most, *shape), dtype=torch.float16, device=device)
        self._sizes = torch.ones((most, 3), device=device)
        table = (most, MOST_PARTICLES)
        self._places = torch.full((*table, 3), NOWHERE, device=device)
        self._channels = torch.zeros(table, dtype=torch.long, device=device)
        self._radii = torch.zeros(table, device=device)
        self._scene_sizes: list[NDArray[np.float64]] = []
        self._classes_of: list[list[int]] = []
        self._of_class: dict[int, list[tuple[int, NDArray[np.float64]]]] = {}

    def __len__(self) -> int:
        """Return the number of scenes."""
        return len(self._classes_of)

    def take_new(self, at_most: int) -> None:
        """Read scenes that were written since, but for those beyond the space."""
        new = sorted(p for p in self._folder.glob("*.npz") if p.name not in self._taken)
        for path in new[: min(at_most, self._most - len(self))]:
            with np.load(path) as arrays:
                self._add(dict(arrays))
            self._taken.add(path.name)

    def _add(self, arrays: dict[str, NDArray]) -> None:
        number = len(self)
        image = arrays["image"][:64, :160, :160]
        z, y, x = image.shape
        n = min(len(arrays["channels"]), MOST_PARTICLES)
        places, channels = arrays["positions"][:n], arrays["channels"][:n]
        self._images[number, :z, :y, :x] = torch.from_numpy(image)
        self._sizes[number] = torch.tensor([z, y, x])
        self._places[number, :n] = torch.from_numpy(places).float()
        self._channels[number, :n] = torch.from_numpy(channels)
        radii = np.maximum((arrays["labels"][:n] - 1) / 2, 0.5)
        self._radii[number, :n] = torch.from_numpy(radii).float()
        self._scene_sizes.append(np.array([z, y, x], dtype=float))
        self._classes_of.append(sorted(set(channels.tolist())))
        for place, channel in zip(places, channels.tolist(), strict=True):
            self._of_class.setdefault(channel, []).append((number, place))

    def draw(self, size: int, n_chosen: int, generator: np.random.Generator) -> Patches:
        """Draw patches, in pairs around particles of one class.

        Parameters
        ----------
        n_chosen
            Classes labelled: those of the scenes drawn, and others.
        """
        rows = self._draw_rows(size, generator)
        scenes = [int(row[0]) for row in rows]
        present = {c for scene in scenes for c in self._classes_of[scene]}
        others = [c for c in generator.permutation(self._n_classes) if c not in present]
        chosen = np.array([*sorted(present), *others][:n_chosen])
        device = self._device
        drawn = _to_device(np.array(rows, dtype=np.float32), device)
        return self._cut(drawn, _to_device(chosen, device))

    def _draw_rows(
        self, size: int, generator: np.random.Generator
    ) -> list[NDArray[np.float64]]:
        """Return for each patch scene, centre, matrix, and changes of intensity."""
        rows, classes = [], sorted(self._of_class)
        scene = -1
        particles: list[tuple[int, NDArray[np.float64]]] = []
        for number in range(size):
            if number % 2 == 0:
                particles = self._of_class[classes[generator.integers(len(classes))]]
            elif generator.random() < SAME_SCENE_SHARE:
                particles = [found for found in particles if found[0] == scene]
            scene, place = particles[generator.integers(len(particles))]
            centre = place + generator.uniform(-PATCH / 4, PATCH / 4, 3)
            if generator.random() < BACKGROUND_SHARE:
                centre = generator.uniform(0, self._scene_sizes[scene])
            matrix, changes = draw_matrix(generator), draw_changes(generator)
            rows.append(
                np.concatenate([[scene], np.round(centre), matrix.ravel(), changes])
            )
        return rows

    def _cut(self, drawn: Tensor, chosen: Tensor) -> Patches:
        scene, centre = drawn[:, 0].long(), drawn[:, 1:4]
        matrix, changes = drawn[:, 4:13].view(-1, 3, 3), drawn[:, 13:]
        size = self._sizes[scene]
        middle = centre - 0.5  # of a patch of an even number of voxels
        source = _read(self._images, scene, centre.long() - SOURCE // 2, size)
        image = change_intensity(_turn(source, matrix), changes)
        # Labels are painted at the moved centres: they are never interpolated.
        back = torch.linalg.inv_ex(matrix)[0]
        moved = torch.einsum(
            "bij,bnj->bni", back, self._places[scene] - middle[:, None]
        )
        nearest = moved.abs().amax(2).topk(NEAREST, dim=1, largest=False).indices
        places = moved.gather(1, nearest[..., None].expand(-1, -1, 3))
        places = places + (PATCH - 1) / 2
        slot = torch.full((self._n_classes,), -1, device=drawn.device)
        slot[chosen] = torch.arange(len(chosen), device=drawn.device)
        slots = slot[self._channels[scene].gather(1, nearest)]
        member = (
            slots[:, None] == torch.arange(len(chosen), device=drawn.device)[:, None]
        )
        radii = self._radii[scene].gather(1, nearest)
        grid = output_grid(drawn.device)
        distance2 = (
            (places**2).sum(2)[:, :, None] - 2 * places @ grid.T + (grid**2).sum(1)
        )
        inside = distance2 <= radii[:, :, None] ** 2
        target = (member.to(image.dtype) @ inside.to(image.dtype)).clamp(max=1)
        at = torch.einsum("bij,vj->bvi", matrix, grid - (PATCH - 1) / 2)
        at = at + middle[:, None]
        within = ((at > -0.5) & (at < size[:, None] - 0.5)).all(2)
        return Patches(
            image[:, None],
            target,
            within[:, None].to(image.dtype),
            places,
            member,
            chosen,
        )


def output_grid(device: torch.device) -> Tensor:
    """Return where the output voxels lie in a patch, ``(V, 3)``."""
    axis = torch.arange(PATCH // STRIDE, device=device) * STRIDE + (STRIDE - 1) / 2
    grid = torch.meshgrid(axis, axis, axis, indexing="ij")
    return torch.stack(grid, -1).view(-1, 3)


def draw_matrix(generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw a map of patch offsets to volume offsets, zyx.

    Mirrors and quarter turns about z; some patches are turned by any angle about z,
    tilted a little, as lamellae lie, and scaled, which interpolates.
    """
    matrix = np.diag(generator.choice([-1.0, 1.0], 3))
    if generator.random() < 0.5:
        matrix = matrix[[0, 2, 1]]
    if generator.random() < TURNED_SHARE:
        limit = math.radians(TILT_DEG)
        for (i, j), most in (((1, 2), math.pi), ((0, 2), limit), ((0, 1), limit)):
            angle = generator.uniform(-most, most)
            plane = np.eye(3)
            plane[i, i] = plane[j, j] = math.cos(angle)
            plane[i, j], plane[j, i] = -math.sin(angle), math.sin(angle)
            matrix = matrix @ plane
        matrix = matrix * generator.uniform(*SCALE_RANGE)
    return matrix


def draw_changes(generator: np.random.Generator) -> NDArray[np.float64]:
    """Draw gain, offset, gamma, noise, blur (voxels) and grey levels per deviation."""
    share = generator.random(4)
    return np.array(
        [
            generator.uniform(0.75, 1.25),
            generator.normal(0, 0.15),
            generator.uniform(0.75, 1.3) if share[0] < 0.3 else 1.0,
            generator.uniform(0, 0.8) if share[1] < 0.5 else 0.0,
            generator.uniform(0.3, 1.5) if share[2] < 0.2 else 0.0,
            generator.uniform(2, 6) if share[3] < 0.1 else 1000.0,
        ]
    )


def change_intensity(image: Tensor, changes: Tensor) -> Tensor:
    """Blur, add noise of the patch's own spectrum, bend, scale and round ``(B, …)``."""
    gain, offset, gamma, noise, blur, levels = changes.T[..., None, None, None]
    spectrum = torch.fft.rfftn(image, dim=(1, 2, 3))
    white = torch.fft.rfftn(torch.randn_like(image), dim=(1, 2, 3))
    phases = white / white.abs().clamp(min=1e-12)
    mixed = spectrum + noise * spectrum.abs() * phases
    mixed = mixed * _blur_response(image.shape[1], image.device, blur)
    changed = torch.fft.irfftn(mixed, s=image.shape[1:], dim=(1, 2, 3))
    before, after = (v.std(dim=(1, 2, 3), keepdim=True) for v in (image, changed))
    changed = changed * (before / after.clamp(min=1e-3))
    bent = changed.sign() * (changed.abs() + 1e-6) ** gamma
    return torch.round((bent * gain + offset) * levels) / levels


def _blur_response(size: int, device: torch.device, sigma: Tensor) -> Tensor:
    whole = torch.fft.fftfreq(size, device=device)
    half = torch.fft.rfftfreq(size, device=device)
    k2 = whole[:, None, None] ** 2 + whole[:, None] ** 2 + half**2
    return torch.exp(-2 * (math.pi * sigma) ** 2 * k2)


def _read(images: Tensor, scene: Tensor, start: Tensor, size: Tensor) -> Tensor:
    """Return cubes of the scenes from ``start`` on, 0 outside, ``(B, S, S, S)``."""
    steps = torch.arange(SOURCE, device=images.device)
    index = start[:, :, None] + steps  # (B, 3, S)
    inside = (index >= 0) & (index < size[:, :, None])
    z, y, x = (index * inside).unbind(1)
    cube = images[
        scene[:, None, None, None],
        z[:, :, None, None],
        y[:, None, :, None],
        x[:, None, None, :],
    ]
    in_z, in_y, in_x = inside.unbind(1)
    mask = in_z[:, :, None, None] & in_y[:, None, :, None] & in_x[:, None, None, :]
    return cube.float() * mask


def _turn(source: Tensor, matrix: Tensor) -> Tensor:
    """Return the patches that a map of their offsets shows, ``(B, P, P, P)``."""
    axis = torch.arange(PATCH, device=source.device) - (PATCH - 1) / 2
    offsets = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1)
    wanted = torch.einsum("bij,zyxj->bzyxi", matrix, offsets)
    grid = wanted.flip(-1) / ((SOURCE - 1) / 2)
    turned = nn.functional.grid_sample(
        source[:, None], grid, mode="bilinear", align_corners=True
    )
    return turned[:, 0]


def _to_device(array: NDArray, device: torch.device) -> Tensor:
    tensor = torch.from_numpy(array)
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
