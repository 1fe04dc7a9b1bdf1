"""What is learnt from: tomograms with their clicked centres, read and checked."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.checks import check_particles
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.kinds import VESICLE
from etpicker_plugin.engine.model.card import TomogramCard
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.patches import UNKNOWN, TrainingVolume
from etpicker_plugin.engine.training.split import Region, choose_held_out_slab
from etpicker_plugin.engine.training.support import support_of
from etpicker_plugin.engine.training.validation import ValidationPart
from etpicker_plugin.engine.vesicles.clicked import with_fitted_vesicles
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume, load_into_memory
from etpicker_plugin.engine.volumes.region_mask import open_mask
from etpicker_plugin.engine.volumes.tomogram import Tomogram, read_tomogram
from etpicker_plugin.engine.volumes.working_volume import (
    WorkingVolume,
    open_working_volume,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Annotated:
    """A tomogram with the centres of the classes asked for, in input voxels.

    ``negatives`` are places where a person saw none of these classes. ``annotation``
    tells how each class was annotated; one that is not in it was not.
    """

    tomogram: Tomogram
    particles: Particles
    negatives: Particles
    annotation: dict[str, str]
    mask_path: str | None
    role: str

    def describe(self) -> str:
        """Return a line on size and marks."""
        size = "x".join(str(n) for n in self.tomogram.shape_zyx[::-1])
        what = "a micrograph of " if self.tomogram.is_flat else ""
        return (
            f"{self.tomogram.tomogram_id}: {what}{size} voxels of "
            f"{self.tomogram.voxel_size:g} Å, {len(self.particles)} particles, "
            f"{len(self.negatives)} negatives ({self.role})"
        )


def read_annotated(
    tomograms: tuple[str, ...],
    coordinates: tuple[str, ...],
    *,
    classes: list[str],
    kinds: Mapping[str, str],
    annotation: str,
    voxel_size: float | None,
    trust_voxel_size: bool = False,
    masks: tuple[str, ...] = (),
    role: str,
) -> list[Annotated]:
    """Open tomograms and read their centres, checking what can be checked early.

    Vesicles that are marked by points on their membranes are centres afterwards.

    Raises
    ------
    InputDataError
        If a file cannot be used, a centre lies outside its tomogram, or one has no
        centre of the classes.
    """
    annotated = []
    for i, (tomogram_path, csv_path) in enumerate(
        zip(tomograms, coordinates, strict=True)
    ):
        tomogram = read_tomogram(
            tomogram_path, voxel_size, trust_voxel_size=trust_voxel_size
        )
        particles = _read_marks(Path(csv_path), tomogram, kinds)
        wanted = particles.select(np.isin(particles.class_names, classes))
        if len(wanted) == 0:
            present = ", ".join(sorted(set(particles.class_names.tolist()))) or "none"
            raise InputDataError(
                f"Coordinates {csv_path}: no particle of the classes "
                f"{', '.join(classes)} for tomogram {tomogram.tomogram_id} (classes "
                f"in the file: {present}). Mark some, leave this tomogram out, or "
                "correct the names in --diameter."
            )
        wanted, negatives = (
            check_particles(found, shape_zyx=tomogram.shape_zyx, path=Path(csv_path))
            for found in (wanted, particles.of_class(NEGATIVE))
        )
        annotated.append(
            Annotated(
                tomogram=tomogram,
                particles=wanted,
                negatives=negatives,
                annotation=dict.fromkeys(classes, annotation),
                mask_path=masks[i] if masks else None,
                role=role,
            )
        )
    return annotated


def _read_marks(path: Path, tomogram: Tomogram, kinds: Mapping[str, str]) -> Particles:
    vesicles = [name for name, kind in kinds.items() if kind == VESICLE]
    particles = read_csv(path, tomogram_id=tomogram.tomogram_id, flat=tomogram.is_flat)
    try:
        return with_fitted_vesicles(particles, vesicles, voxel_size=tomogram.voxel_size)
    except InputDataError as error:
        raise InputDataError(f"Coordinates {path}: {error}") from error


def count_marks(
    annotated: Iterable[Annotated], classes: Iterable[str]
) -> dict[str, int]:
    """Return how many particles of each class are marked."""
    marks = [a.particles for a in annotated]
    return {name: sum(len(m.of_class(name)) for m in marks) for name in classes}


def check_classes_present(annotated: list[Annotated], classes: list[str]) -> None:
    """Refuse a class that no training tomogram shows.

    Raises
    ------
    InputDataError
        Naming the class.
    """
    present = {name for a in annotated for name in a.particles.class_names.tolist()}
    missing = [name for name in classes if name not in present]
    if missing:
        raise InputDataError(
            f"No particle of class {', '.join(missing)} in any training tomogram. "
            "Mark some, or leave the class out of --diameter."
        )


def check_diameters_fit(
    tomograms: Iterable[Tomogram], diameters: dict[str, float]
) -> None:
    """Refuse a particle that fills a tomogram: a wrong unit or voxel size.

    Raises
    ------
    InputDataError
        If a diameter is more than half of a tomogram's longest side.
    """
    for tomogram in tomograms:
        longest = max(tomogram.shape_zyx) * tomogram.voxel_size
        for name, diameter in diameters.items():
            if diameter > longest / 2:
                raise InputDataError(
                    f"Class {name}: {diameter:g} Å is more than half of tomogram "
                    f"{tomogram.tomogram_id} (longest side {longest:g} Å at "
                    f"{tomogram.voxel_size:g} Å per voxel). Check the diameter (Å, "
                    "not voxels) and the voxel size."
                )


def check_voxel_sizes(tomograms: Iterable[Tomogram]) -> float:
    """Return the finest voxel size, and say so when the tomograms' differ."""
    sizes = sorted({round(one.voxel_size, 3) for one in tomograms})
    if len(sizes) > 1:
        logger.warning(
            "The tomograms have voxel sizes of %s Å; all are rescaled to the working "
            "voxel size.",
            ", ".join(f"{s:g}" for s in sizes),
        )
    return sizes[0]


def describe_tomogram(annotated: Annotated) -> TomogramCard:
    """Return what the model card keeps of a tomogram."""
    marks = (annotated.particles, annotated.negatives)
    counts = Counter(name for found in marks for name in found.class_names.tolist())
    file = annotated.tomogram.file
    return TomogramCard(
        tomogram_id=annotated.tomogram.tomogram_id,
        shape_zyx=annotated.tomogram.shape_zyx,
        voxel_size=annotated.tomogram.voxel_size,
        sha256=file_sha256(annotated.tomogram.path) if file is None else file.sha256(),
        particles=dict(sorted(counts.items())),
        role=annotated.role,
    )


def load_dataset(
    training: list[Annotated],
    validation: list[Annotated],
    *,
    species: Sequence[Species],
    working_voxel_size: float,
    held_out_share: float | None,
    border_ang: float,
    alignment: int,
) -> tuple[list[TrainingVolume], list[ValidationPart]]:
    """Load everything into memory at the working voxel size, and split it.

    Parameters
    ----------
    validation
        Tomograms that are held out whole.
    species
        In the order of the channels.
    held_out_share
        Share of each training tomogram that is held out, as a slab; None for none.
    border_ang
        What is nearer to a face in x or y is neither learnt nor judged, at the faces
        that no mark is so near to.
    """
    volumes, parts = [], []
    for annotated in [*training, *validation]:
        volume = open_working_volume(annotated.tomogram, working_voxel_size)
        image = load_into_memory(volume)
        if annotated.tomogram.file is not None:  # It may vanish: it is learnt from.
            annotated.tomogram.file.sha256()
        allowed = load_mask(annotated, volume)
        positions, channels, marks = support_of(annotated.particles, volume, species)
        _leave_out_border(allowed, positions, border_ang / working_voxel_size)
        how = tuple(annotated.annotation.get(one.name, UNKNOWN) for one in species)
        learns = annotated.role == "training"
        region = Region((0, 0, 0), image.shape_zyx)
        if learns and held_out_share is not None:
            region = choose_held_out_slab(
                image.shape_zyx,
                positions,
                channels,
                fraction=held_out_share,
                alignment=alignment,
            )
        if not learns or held_out_share is not None:
            parts.append(
                ValidationPart(
                    tomogram_id=annotated.tomogram.tomogram_id,
                    annotation=how,
                    image=image,
                    region=region,
                    allowed=ArrayVolume(allowed.copy()),
                    positions_zyx=positions,
                    channels=channels,
                )
            )
        if learns:
            if held_out_share is not None:
                allowed[region.slices()] = False
            volumes.append(
                TrainingVolume(
                    tomogram_id=annotated.tomogram.tomogram_id,
                    annotation=how,
                    image=image,
                    learnable=ArrayVolume(allowed),
                    positions_zyx=positions,
                    channels=channels,
                    negatives_zyx=volume.to_working(annotated.negatives.positions_zyx),
                    marks=marks,
                )
            )
    return volumes, parts


def load_mask(annotated: Annotated, volume: WorkingVolume) -> NDArray[np.bool_]:
    """Return the region mask at working voxels; all true without one."""
    if annotated.mask_path is None:
        return np.ones(volume.shape_zyx, dtype=bool)
    mask = open_mask(annotated.mask_path, annotated.tomogram.shape_zyx).read_whole()
    axes = [
        np.minimum(np.round(np.arange(n) * volume.scale).astype(int), m - 1)
        for n, m in zip(volume.shape_zyx, mask.shape, strict=True)
    ]
    return np.asarray(mask[np.ix_(*axes)])


def _leave_out_border(
    allowed: NDArray[np.bool_], positions_zyx: NDArray[np.float64], border_vox: float
) -> None:
    """Forbid, in place, what is that near to a face in x or y, unless a mark is."""
    for axis in (1, 2):
        last = allowed.shape[axis] - 1
        place, marks = np.arange(last + 1), positions_zyx[:, axis]
        for from_face, of_marks in (place, marks), (last - place, last - marks):
            if of_marks.min() >= border_vox:
                allowed[(slice(None),) * axis + (from_face < border_vox,)] = False
