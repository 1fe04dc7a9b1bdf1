"""How each kind is judged that is not judged by its centres, as particles are."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.evaluation.filaments import judge_filaments
from etpicker_plugin.engine.evaluation.metrics import Numbers
from etpicker_plugin.engine.evaluation.vesicles import judge_vesicles
from etpicker_plugin.engine.filaments.marks import filaments_of
from etpicker_plugin.engine.kinds import FILAMENT, VESICLE
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.vesicles.clicked import with_fitted_vesicles
from etpicker_plugin.engine.vesicles.marks import radii_ang

JUDGES: Mapping[str, Callable[..., Numbers]] = {
    FILAMENT: judge_filaments,
    VESICLE: judge_vesicles,
}
"""Kind to what judges it: picks and truth, tomogram by tomogram, and the sizes."""


def judge_class(
    name: str,
    picks: Sequence[Particles],
    truth: Sequence[Particles],
    config: EvaluateConfig,
) -> Numbers:
    """Return what is measured of a class of such a kind over tomograms."""
    return JUDGES[config.kind[name]](
        [particles.of_class(name) for particles in picks],
        [particles.of_class(name) for particles in truth],
        diameter_ang=config.diameter[name],
        voxel_size=config.voxel_size,
        match_distance=config.match_distance,
    )


def with_centres(particles: Particles, config: EvaluateConfig, path: Path) -> Particles:
    """Return a file's rows where vesicles marked by their membranes are centres."""
    vesicles = [name for name, kind in config.kind.items() if kind == VESICLE]
    try:
        return with_fitted_vesicles(particles, vesicles, voxel_size=config.voxel_size)
    except InputDataError as error:
        raise InputDataError(f"{path}: {error}") from error


def check_kinds(particles: Particles, config: EvaluateConfig, path: Path) -> None:
    """Refuse rows of a file that are not what the kinds of their classes ask for."""
    for name, kind in config.kind.items():
        try:
            if kind == FILAMENT:
                filaments_of(particles, name)
            elif kind == VESICLE:
                radii_ang(particles.of_class(name), diameter_ang=config.diameter[name])
        except InputDataError as error:
            raise InputDataError(f"{path}: {error}") from error
