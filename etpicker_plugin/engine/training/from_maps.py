"""Learning from density maps: scenes like the user's own, as marked tomograms."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from etpicker_plugin.engine.annotation import COMPLETE, UNKNOWN
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.maps.density import DensityMap, read_density
from etpicker_plugin.engine.maps.scene_files import (
    HELD_OUT,
    PASTED,
    SIMULATED,
    SceneFile,
    make_scenes,
    plan_scenes,
)
from etpicker_plugin.engine.training.dataset import Annotated, read_annotated
from etpicker_plugin.engine.training.material import Material
from etpicker_plugin.engine.training.run import LearningRun
from etpicker_plugin.engine.volumes.tomogram import Tomogram

logger = logging.getLogger(__name__)

SCENES = "scenes"
ANNOTATION = {SIMULATED: COMPLETE, PASTED: UNKNOWN, HELD_OUT: COMPLETE}
"""What a user's tomogram holds beside what was pasted into it nobody has looked for."""


def read_maps(config: TrainConfig) -> list[DensityMap]:
    """Read the maps of a run.

    Raises
    ------
    InputDataError
        If one cannot be used.
    """
    maps = [
        read_density(name, path, diameter_ang=config.diameter[name])
        for name, path in config.map.items()
    ]
    for one, other in combinations(maps, 2):
        if one.is_same_as(other):
            logger.warning(
                "--map: %s and %s have the same map, so that nothing can tell them "
                "apart. Give one of them, or the right map of each.",
                one.name,
                other.name,
            )
    return maps


def read_scenes(
    config: TrainConfig,
    run: LearningRun,
    tomograms: Sequence[Tomogram],
    maps: Sequence[DensityMap],
    *,
    working_voxel_size: float,
    judged: Sequence[str],
) -> tuple[list[Annotated], list[Annotated]]:
    """Make a run's scenes; return those to learn from, and those held out.

    Parameters
    ----------
    judged
        Classes whose thresholds the scenes that are held out are to tell: those of
        which nothing real is.
    """
    folder = run.out_dir / SCENES
    if run.ranks.is_first:
        make_scenes(
            folder,
            tomograms,
            maps,
            diameters=config.diameter,
            working_voxel_size=working_voxel_size,
            defocus_um=config.defocus,
            seed=config.seed,
            digest=run.state.counters.digest,
            on_progress=run.on_progress,
        )
    run.ranks.share(0.0)  # The others wait for the first one's scenes.
    planned, classes = plan_scenes(folder), [one.name for one in maps]
    training = [
        item
        for kind in (SIMULATED, PASTED)
        for item in _read([s for s in planned if s.kind == kind], classes, "training")
    ]
    held_out = _read([s for s in planned if s.kind == HELD_OUT], classes, "validation")
    return training, [
        replace(item, annotation=dict.fromkeys(judged, COMPLETE))
        for item in held_out
        if judged
    ]


def _read(files: list[SceneFile], classes: list[str], role: str) -> list[Annotated]:
    """Read scenes of one kind."""
    kind = files[0].kind
    return read_annotated(
        tuple(str(one.tomogram) for one in files),
        tuple(str(one.coordinates) for one in files),
        classes=classes,
        kinds={},
        annotation=ANNOTATION[kind],
        voxel_size=None,
        masks=tuple(str(one.mask) for one in files) if kind == PASTED else (),
        role=role,
    )


def describe_teaching(maps: Sequence[DensityMap], material: Material) -> str:
    """Return what was learnt from maps, and beside how many marks; or nothing."""
    if not maps:
        return ""
    everything = sum(len(item.particles) for item in material.annotated)
    marks = everything - sum(len(item.particles) for item in material.scenes)
    named = ", ".join(f"{one.name} ({one.extent_ang:.0f} Å long)" for one in maps)
    beside = f", and by {marks} marks" if marks else "; no marks"
    return f"Taught by maps of {named}{beside}."
