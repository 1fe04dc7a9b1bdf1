"""Picked filaments stand the way that the model has learnt, where it tells."""

import numpy as np
import pytest

from etpicker_plugin.engine.filaments.curve import curve_through
from etpicker_plugin.engine.filaments.settings import trace_settings
from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.picking.filament_picks import assemble_filaments
from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.simulation.filaments import FILAMENTS, place_filaments
from etpicker_plugin.engine.simulation.placement import empty_scene
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.patches import TrainingVolume
from etpicker_plugin.engine.training.polarity import with_ways
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

VOXEL = 10.0
ARROW = Species(
    "arrowheads", diameter_ang=140.0, label_diameter_ang=60.0, kind=FILAMENT
)


def scene(name, seed):
    """Return a noisy volume of filaments, and the points of each in order."""
    made = empty_scene((61, 163, 177))
    placed = place_filaments(
        made,
        FILAMENTS[name],
        5,
        voxel_size=VOXEL,
        generator=np.random.default_rng(seed),
    )
    noise = np.random.default_rng(seed).normal(0, 0.5, made.density.shape)
    data = (noise - made.density).astype(np.float16)
    return ArrayVolume(data), [p.points_zyx for p in placed]


def learnt(name):
    volumes = []
    for seed in (1, 2):
        image, filaments = scene(name, seed)
        marks = [len(points) for points in filaments]
        volumes.append(
            TrainingVolume(
                tomogram_id=f"TS_{seed}",
                image=image,
                learnable=ArrayVolume(np.ones(image.shape_zyx, bool)),
                positions_zyx=np.concatenate(filaments),
                channels=np.zeros(sum(marks), np.intp),
                annotation=("complete",),
                marks=np.repeat(np.arange(len(marks)), marks),
            )
        )
    (found,) = with_ways((ARROW,), volumes, voxel_size=VOXEL)
    return found


@pytest.fixture(scope="module")
def arrow():
    return learnt("arrowheads")


def picked(species, image, points):
    """Return the picks of ridge points along a filament."""
    curve = curve_through(points)
    at = np.arange(0, curve.length, 1.5)
    ridge = Peaks(
        positions_zyx=curve.points(at),
        scores=np.full(len(at), 0.9),
        channels=np.zeros(len(at), np.intp),
        optional={"direction": curve.tangents(at)},
    )
    settings = trace_settings(140.0, VOXEL)
    return assemble_filaments(ridge, species, settings, image)


def goes_along(picks, points):
    way = picks.positions_zyx[-1] - picks.positions_zyx[0]
    return way @ (points[-1] - points[0]) > 0


def test_picks_go_the_way_of_the_marks(arrow):
    assert arrow.section
    image, filaments = scene("arrowheads", 3)
    right = []
    for points in filaments:
        # Whichever way the points stand, it is the density that tells.
        for given in (points, points[::-1]):
            picks = picked(arrow, image, given)
            if "polarity" in picks.optional:
                assert (picks.optional["polarity"] >= 0.99).all()
                right.append(goes_along(picks, points))
                z = picks.optional["rotation"][:, ::-1, 2]
                steps = np.diff(picks.positions_zyx, axis=0)
                assert (np.sum(steps * z[:-1], axis=1) > 0).all()
    assert len(right) >= 6
    assert all(right)


def test_what_has_no_way_is_picked_without(arrow):
    assert learnt("actin").section == ()
    image, filaments = scene("actin", 3)
    told = ["polarity" in picked(arrow, image, p).optional for p in filaments]
    assert sum(told) <= 1
    assert "polarity" not in picked(ARROW, image, filaments[0]).optional
