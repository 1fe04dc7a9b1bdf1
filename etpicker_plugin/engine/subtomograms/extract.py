"""``etpicker extract``: coordinates to boxes, a STAR file and the missing wedge."""

import logging
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.filaments.directions import oriented_along
from etpicker_plugin.engine.names import star_word, warn_star_words
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.progress import Progress, ProgressEvent
from etpicker_plugin.engine.run_folder import claim_folder
from etpicker_plugin.engine.subtomograms.boxes import crop_boxes, find_inside
from etpicker_plugin.engine.subtomograms.inputs import (
    Source,
    choose_box,
    choose_voxel_size,
    read_sources,
)
from etpicker_plugin.engine.subtomograms.normalise import find_usable, normalise
from etpicker_plugin.engine.subtomograms.records import (
    LEFT_OUT,
    RECORD,
    STAR,
    WEDGE,
    describe_extraction,
    is_extracted,
    write_left_out,
    write_record,
)
from etpicker_plugin.engine.subtomograms.star import (
    BoxSet,
    Optics,
    write_particles_star,
)
from etpicker_plugin.engine.subtomograms.wedge import missing_wedge
from etpicker_plugin.engine.subtomograms.wedge_check import find_better_wedge
from etpicker_plugin.engine.volumes.tomogram import (
    TomogramBoxes,
    read_map,
    read_whole,
    write_volume,
)

logger = logging.getLogger(__name__)

SAME_VOXEL_SIZE = 0.01
BATCH = 64
EDGE_REASON = "box reaches beyond the tomogram"
FLAT_REASON = "box holds one value, NaN or infinity"


@dataclass(frozen=True, kw_only=True)
class Extraction:
    """What an extraction made.

    Attributes
    ----------
    star
        The table of boxes; the paths in it are relative to its folder.
    left_out
        Records of particles without a box, each with the reason.
    """

    star: Path
    sets: list[BoxSet]
    left_out: list[tuple[Particles, str]]
    box: int
    voxel_size: float


def extract(
    config: ExtractConfig, out_dir: Path, *, on_progress: Progress
) -> Extraction:
    """Cut, invert and normalise the boxes of all particles; write them for RELION.

    Raises
    ------
    ConfigError
        If parameters and files do not fit each other, or other boxes stand there.
    InputDataError
        If a file cannot be used, or not one box is whole.
    """
    sources = [
        replace(source, particles=oriented_along(source.particles))
        for source in read_sources(config)
    ]
    warn_star_words([s.tomogram.tomogram_id for s in sources], what="Tomograms")
    warn_star_words(config.diameter, what="--diameter")
    voxel_size = choose_voxel_size(config, sources)
    box = choose_box(config, voxel_size)
    _check_any_inside(sources, box, voxel_size)
    run = describe_extraction(config, sources)
    finished = claim_folder(out_dir, run, result=RECORD, begun=("boxes", STAR))
    sets, left_out = [], []
    for source in sources:
        made, lost = _extract_tomogram(
            source, config, out_dir, box=box, voxel_size=voxel_size, report=on_progress
        )
        sets.append(made)
        left_out += lost
    extraction = Extraction(
        star=out_dir / STAR,
        sets=sets,
        left_out=left_out,
        box=box,
        voxel_size=voxel_size,
    )
    if finished and is_extracted(out_dir):
        logger.info("%s is extracted already.", extraction.star)
    else:
        _write(extraction, config, out_dir)
    return extraction


def _check_any_inside(sources: list[Source], box: int, voxel_size: float) -> None:
    total = sum(len(s.particles) for s in sources)
    if not any(_inside(s, box, voxel_size).any() for s in sources):
        raise InputDataError(
            f"Not one of {total} boxes of {box} voxels lies wholly in its tomogram. "
            "Give a smaller --box-size, or coordinates farther from the faces."
        )


def _inside(source: Source, box: int, voxel_size: float) -> NDArray[np.bool_]:
    return find_inside(
        source.particles.positions_zyx,
        source.tomogram.shape_zyx,
        box=box,
        scale=scale_of(source, voxel_size),
    )


def scale_of(source: Source, voxel_size: float) -> float:
    """Return the box voxel size over the tomogram's; 1 where they are about equal."""
    scale = voxel_size / source.tomogram.voxel_size
    return 1.0 if abs(scale - 1.0) < SAME_VOXEL_SIZE else scale


def _extract_tomogram(
    source: Source,
    config: ExtractConfig,
    out_dir: Path,
    *,
    box: int,
    voxel_size: float,
    report: Progress,
) -> tuple[BoxSet, list[tuple[Particles, str]]]:
    name = star_word(source.tomogram.tomogram_id)  # the table holds the folder's name
    folder = out_dir / "boxes" / name
    folder.mkdir(parents=True, exist_ok=True)
    inside = _inside(source, box, voxel_size)
    usable = inside.copy()
    wanted = np.flatnonzero(inside)
    for start in range(0, len(wanted), BATCH):
        numbers = wanted[start : start + BATCH]
        usable[numbers] = _write_boxes(
            source, numbers, config, folder, box=box, voxel_size=voxel_size
        )
        report(ProgressEvent(f"extracting {name}", start + len(numbers), len(wanted)))
    if source.tomogram.file is not None:
        source.tomogram.file.check()
    particles = source.particles
    made = BoxSet(
        particles=particles.select(usable),
        images=[f"boxes/{name}/{_file_name(n)}" for n in np.flatnonzero(usable)],
        wedge=WEDGE,
        voxel_size=source.tomogram.voxel_size,
    )
    lost = [
        (particles.select(~inside), EDGE_REASON),
        (particles.select(inside & ~usable), FLAT_REASON),
    ]
    return made, [(p, reason) for p, reason in lost if len(p)]


def _write_boxes(
    source: Source,
    numbers: NDArray[np.intp],
    config: ExtractConfig,
    folder: Path,
    *,
    box: int,
    voxel_size: float,
) -> NDArray[np.bool_]:
    """Write a batch of boxes that is not there yet; tell which are usable."""
    paths = [folder / _file_name(n) for n in numbers]
    usable = np.ones(len(numbers), dtype=bool)
    missing = np.array([not path.is_file() for path in paths])
    particles = source.particles.select(numbers[missing])
    boxes, _ = crop_boxes(
        TomogramBoxes(source.tomogram),
        particles.positions_zyx,
        box=box,
        scale=scale_of(source, voxel_size),
    )
    good = find_usable(boxes)
    usable[missing] = good
    for number in np.flatnonzero(good):
        radius = config.diameter[str(particles.class_names[number])] / voxel_size / 2
        image = -boxes[number] if config.invert else boxes[number]
        ready = normalise(image[None], mode=config.normalisation, radius_vox=radius)
        with write_whole(np.array(paths)[missing][number]) as temporary:
            write_volume(temporary, ready[0], voxel_size)
    return usable


def _file_name(number: int) -> str:
    """Return the file of the particle of that row (from 0) of its coordinates."""
    return f"{number + 1:06d}.mrc"


def _write(extraction: Extraction, config: ExtractConfig, out_dir: Path) -> None:
    """Write the wedge, the tables and, last, the record; say what was left out."""
    low, high = config.tilt_range
    wedge = missing_wedge(
        extraction.box, tilt_range=(low, high), tilt_axis=config.tilt_axis
    )
    with write_whole(out_dir / WEDGE) as temporary:
        write_volume(temporary, wedge, extraction.voxel_size)
    optics = Optics(
        box=extraction.box,
        voxel_size=extraction.voxel_size,
        voltage=config.voltage,
        spherical_aberration=config.spherical_aberration,
    )
    write_particles_star(extraction.sets, extraction.star, optics=optics)
    write_left_out(extraction.left_out, out_dir / LEFT_OUT)
    doubt = _doubt_wedge(extraction, (low, high), config.tilt_axis)
    lost = sum(len(particles) for particles, _ in extraction.left_out)
    counts = Counter(str(n) for s in extraction.sets for n in s.particles.class_names)
    write_record(
        config,
        out_dir,
        box=extraction.box,
        voxel_size=extraction.voxel_size,
        counts=dict(counts),
        left_out=lost,
        better_wedge=doubt,
    )
    logger.info(
        "%d boxes of %d voxels at %g Å: %s",
        sum(counts.values()),
        extraction.box,
        extraction.voxel_size,
        ", ".join(f"{name} {count}" for name, count in sorted(counts.items())),
    )
    if lost:
        logger.warning("%d particle(s) have no whole box: %s", lost, LEFT_OUT)


def _doubt_wedge(
    extraction: Extraction, tilt_range: tuple[float, float], tilt_axis: str
) -> str:
    """Return the wedge that the boxes speak for, if it is clearly another one."""
    images = [image for item in extraction.sets for image in item.images]
    step = max(1, len(images) // BATCH)
    folder = extraction.star.parent
    boxes = [read_whole(read_map(folder / i)) for i in images[::step]]
    better = find_better_wedge(
        np.stack(boxes[:BATCH]).astype(np.float32),
        tilt_range=tilt_range,
        tilt_axis=tilt_axis,
    )
    if better:
        logger.warning(
            "Where tilts of %g° to %g° about %s say nothing was measured, the boxes "
            "hold power; %s fits them better. A wrong wedge misleads every alignment: "
            "check --tilt-range and --tilt-axis.",
            *tilt_range,
            tilt_axis,
            better,
        )
    return better
