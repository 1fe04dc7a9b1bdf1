"""What is measured of a tomogram, and scenes that are made to look like it."""

import logging
from pathlib import Path

import numpy as np
import pytest
from scipy import fft, ndimage
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.maps import matching, scene_files
from etpicker_plugin.engine.maps.appearance import BLOCK, Appearance, measure
from etpicker_plugin.engine.maps.contrast import find_contrasts
from etpicker_plugin.engine.maps.density import DensityMap
from etpicker_plugin.engine.maps.matching import (
    average_contrast,
    even_rotations,
    match_density,
)
from etpicker_plugin.engine.maps.scene import Recipe, draw_scene
from etpicker_plugin.engine.maps.scene_files import make_scenes
from etpicker_plugin.engine.maps.transfer import (
    radial_power,
    signal_transfer,
    wedge_of,
)
from etpicker_plugin.engine.simulation.placement import Placed
from etpicker_plugin.engine.simulation.species import draw_ellipsoids
from etpicker_plugin.engine.volumes.tomogram import Tomogram

VOXEL_SIZE = 14.0
DIAMETER = 260.0
SHAPE = (64, 104, 88)
BODIES = [((0, 0, -40), (95, 80, 80)), ((40, 0, 70), (60, 50, 50))]


def look_of(axis="y", tilts=(-60.0, 60.0)):
    return Appearance(
        voxel_size=VOXEL_SIZE,
        mean=0.0,
        deviation=1.0,
        sample_z=(0, SHAPE[0]),
        power=np.ones((BLOCK,) * 3),
        tilt_axis=axis,
        tilt_range=tilts,
    )


def tomogram_of(values):
    return Tomogram(
        tomogram_id="TS_1",
        path=Path("TS_1.mrc"),
        data=np.asarray(values, np.float32),
        voxel_size=VOXEL_SIZE,
    )


def noise_within(look, seed=3):
    white = np.random.default_rng(seed).standard_normal(SHAPE)
    return fft.irfftn(fft.rfftn(white) * wedge_of(look, SHAPE), s=SHAPE)


@pytest.fixture(scope="module")
def particle():
    density = draw_ellipsoids(BODIES, VOXEL_SIZE)
    return DensityMap(
        name="a",
        density=density,
        voxel_size=VOXEL_SIZE,
        extent_ang=DIAMETER,
        was_dark=False,
    )


@pytest.mark.parametrize(
    ("axis", "tilts"), [("y", (-60.0, 60.0)), ("x", (-42.0, 54.0))]
)
def test_tilts_and_their_axis_are_measured(axis, tilts):
    found = measure(tomogram_of(5.0 + 3.0 * noise_within(look_of(axis, tilts))))
    assert found.tilt_axis == axis
    assert found.tilt_range == pytest.approx(tilts, abs=4)
    assert found.mean == pytest.approx(5.0, abs=0.2)


def test_the_sample_is_found_between_empty_slices():
    values = noise_within(look_of())
    values[:14] *= 0.2
    values[50:] *= 0.2
    first, last = measure(tomogram_of(values)).sample_z
    assert first == pytest.approx(14, abs=3)
    assert last == pytest.approx(50, abs=3)


def test_what_has_no_wedge_is_told_and_what_is_flat_is_refused(caplog):
    with caplog.at_level(logging.WARNING):
        found = measure(tomogram_of(np.random.default_rng(0).standard_normal(SHAPE)))
    assert found.tilt_range == (-60.0, 60.0)
    assert "No missing wedge" in caplog.text
    with pytest.raises(InputDataError, match="all the same"):
        measure(tomogram_of(np.ones(SHAPE)))


def test_a_simulated_scene_has_the_power_measured_and_dark_particles(particle):
    look = measure(tomogram_of(noise_within(look_of())))
    recipe = Recipe(
        look=look,
        particles=[particle.species_at(VOXEL_SIZE)],
        contrasts={"a": 1.0},
        defocus_um=3.0,
    )
    scene, placed = draw_scene(recipe, SHAPE, generator=np.random.default_rng(2))
    assert scene.shape == SHAPE
    assert len(placed) > 0
    shells, before = radial_power(look)
    _, after = radial_power(measure(tomogram_of(scene)))
    fine = (shells > 0.25) & (shells < 0.45)
    assert after[fine] == pytest.approx(before[fine], rel=0.25)
    smooth = ndimage.gaussian_filter(scene, 2.0)
    at = [smooth[tuple(np.round(p.position_zyx).astype(int))] for p in placed]
    assert np.mean(at) < -2 * smooth.std()


def test_pasting_leaves_the_rest_of_the_tomogram_as_it_is(particle):
    look = look_of()
    recipe = Recipe(
        look=look,
        particles=[particle.species_at(VOXEL_SIZE)],
        contrasts={"a": 1e-6},
        defocus_um=3.0,
    )
    background = noise_within(look).astype(np.float32)
    generator = np.random.default_rng(2)
    scene, placed = draw_scene(
        recipe, SHAPE, generator=generator, background=background
    )
    assert scene == pytest.approx(background, abs=1e-3)
    assert all((p.position_zyx >= 0).all() for p in placed)


def test_rotations_cover_all_orientations_evenly():
    rotations = even_rotations(300)
    probe = even_rotations(7)
    nearest = [min((one.inv() * two).magnitude() for two in rotations) for one in probe]
    assert np.degrees(max(nearest)) < 30


PLACES = np.array([[20, 25, 22], [40, 70, 30], [30, 50, 62], [34, 20, 60]])


def test_planted_particles_are_found_with_their_contrast(particle, monkeypatch):
    look = look_of()
    species = particle.species_at(VOXEL_SIZE)
    density = np.zeros(SHAPE, np.float32)
    half = species.density.shape[0] // 2
    turned = np.rot90(species.density, axes=(1, 2))
    for z, y, x in PLACES:
        density[
            z - half : z + half + 1, y - half : y + half + 1, x - half : x + half + 1
        ] += turned
    centre = np.round(np.array(ndimage.center_of_mass(turned)) - half)
    transfer = signal_transfer(look, SHAPE, defocus_um=3.0)
    signal = fft.irfftn(fft.rfftn(density) * transfer, s=SHAPE)
    tomogram = tomogram_of(noise_within(look) + 2.0 * signal)
    monkeypatch.setattr(matching, "MOST_WORK", 30 * density.size)
    told = find_contrasts(
        tomogram, look, [particle], diameters={"a": DIAMETER}, defocus_um=3.0
    )
    assert told.contrasts["a"] == pytest.approx(2.0, rel=0.45)
    distances = np.linalg.norm(
        told.places_zyx[:, None] - (PLACES + centre)[None], axis=2
    )
    assert len(told.places_zyx) == len(PLACES)
    assert distances.min(axis=1).max() < 3.0


def test_gold_is_no_place_of_a_particle(particle, monkeypatch):
    look = look_of()
    monkeypatch.setattr(matching, "MOST_WORK", 8 * np.prod(SHAPE))
    beads = np.array([(20, 30, 60), (44, 70, 22)])
    offsets = np.indices(SHAPE).reshape(3, -1).T
    distances, _ = cKDTree(beads).query(offsets)
    gold = -15.0 * (distances.reshape(SHAPE) < 3.6)

    def found(values):
        matches = match_density(
            tomogram_of(values),
            look,
            particle,
            diameter_ang=DIAMETER,
            defocus_um=3.0,
            most=50,
        )
        away, _ = cKDTree(beads).query(matches.positions_zyx)
        return matches, away * VOXEL_SIZE

    noise = noise_within(look)
    without, _ = found(noise)
    matches, away = found(noise + gold)

    assert away.min() > DIAMETER / 2
    assert np.isfinite(matches.deviations).all()
    assert matches.deviations.max() < 1.3 * without.deviations.max()


def test_a_contrast_is_measured_in_a_tomogram_thinner_than_a_box(particle):
    look = look_of()
    species = particle.species_at(VOXEL_SIZE)
    body = matching._turned_every_way(species)
    half = body.shape[0] // 2
    density = np.zeros(SHAPE, np.float32)
    z, y, x = place = np.array([30, 50, 40])
    density[
        z - half : z + half + 1, y - half : y + half + 1, x - half : x + half + 1
    ] = body
    transfer = signal_transfer(look, SHAPE, defocus_um=3.0)
    signal = 2.0 * fft.irfftn(fft.rfftn(density) * transfer, s=SHAPE)
    signal += noise_within(look)
    measured = [
        average_contrast(
            tomogram_of(values),
            look,
            particle,
            places,
            diameter_ang=DIAMETER,
            defocus_um=3.0,
        )
        for values, places in (
            (signal, [place]),
            (signal[18:40], [place - (18, 0, 0)]),
            (signal, np.zeros((0, 3))),
        )
    ]
    assert 2 * half + 1 > 22
    assert measured[0] == pytest.approx(2.0, rel=0.3)
    assert measured[1] == pytest.approx(measured[0], rel=0.3)
    assert np.isnan(measured[2])


def test_a_scene_that_holds_no_particle_by_chance_is_drawn_again(
    particle, tmp_path, monkeypatch
):
    drawn = []

    def draw(recipe, shape, **_):
        drawn.append(shape)
        where = np.array([3.0, 5.0, 7.0])
        placed = [Placed(name="a", position_zyx=where, rotation=Rotation.identity())]
        return np.zeros(shape, np.float32), placed if len(drawn) > 2 else []

    monkeypatch.setattr(scene_files, "COUNTS", {scene_files.SIMULATED: 1})
    monkeypatch.setattr(matching, "MOST_WORK", 1_000_000)
    monkeypatch.setattr(scene_files, "draw_scene", draw)
    (scene,) = make_scenes(
        tmp_path,
        [tomogram_of(noise_within(look_of()))],
        [particle],
        diameters={"a": DIAMETER},
        working_voxel_size=VOXEL_SIZE,
        defocus_um=3.0,
        seed=1,
        digest="",
        on_progress=lambda _: None,
    )
    assert len(drawn) == 3
    assert "a,7.000,5.000,3.000" in scene.coordinates.read_text()
