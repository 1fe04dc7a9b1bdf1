"""What maps say of a place: the right map, the right centre, and nothing in noise."""

import numpy as np
import pytest
import torch
from scipy import fft
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.evidence import orientations
from etpicker_plugin.engine.evidence.orientations import turn_every_way
from etpicker_plugin.engine.evidence.places import look_at
from etpicker_plugin.engine.evidence.seen import Seeing
from etpicker_plugin.engine.maps.appearance import BLOCK, Appearance
from etpicker_plugin.engine.maps.density import DensityMap
from etpicker_plugin.engine.maps.transfer import signal_transfer, wedge_of
from etpicker_plugin.engine.simulation.placement import turned_density
from etpicker_plugin.engine.simulation.species import draw_ellipsoids
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

VOXEL_SIZE = 12.0
SHAPE = (52, 70, 82)
DEFOCUS_UM = 3.0
CONTRAST = 6.0
BODIES = {
    "long": [((0, 0, -55), (40, 40, 45)), ((0, 0, 50), (50, 35, 40))],
    "round": [((0, 0, 0), (60, 60, 55)), ((50, 0, 30), (35, 30, 30))],
    "huge": [((0, 0, -90), (120, 110, 100)), ((40, 0, 110), (90, 80, 70))],
}
PLACES = np.array([[24.0, 20.0, 22.0], [27.0, 48.0, 60.0], [25.0, 20.0, 62.0]])
LOOK = Appearance(
    voxel_size=VOXEL_SIZE,
    mean=0.0,
    deviation=1.0,
    sample_z=(0, SHAPE[0]),
    power=np.ones((BLOCK,) * 3),
    tilt_axis="y",
    tilt_range=(-60.0, 60.0),
)
SEEING = Seeing(look=LOOK, defocus_um=DEFOCUS_UM)


def density_map(name):
    one = draw_ellipsoids(BODIES[name], VOXEL_SIZE)
    extent = {"long": 195.0, "round": 150.0, "huge": 370.0}[name]
    return DensityMap(
        name=name,
        density=one,
        voxel_size=VOXEL_SIZE,
        extent_ang=extent,
        was_dark=False,
    )


def scene(*planted, noise=1.0):
    """Return a volume of white noise within the wedge, and particles in it."""
    density = np.zeros(SHAPE, np.float32)
    for name, place, seed in planted:
        species = density_map(name).species_at(VOXEL_SIZE)
        rotation = Rotation.random(random_state=seed)
        base = np.round(place).astype(int)
        box = turned_density(species, rotation, place - base)
        half = box.shape[0] // 2
        z, y, x = (slice(b - half, b + half + 1) for b in base)
        density[z, y, x] += box
    transfer = signal_transfer(LOOK, SHAPE, defocus_um=DEFOCUS_UM)
    white = np.random.default_rng(5).standard_normal(SHAPE) * noise
    spectrum = CONTRAST * fft.rfftn(density) * transfer + fft.rfftn(white)
    seen = fft.irfftn(spectrum * wedge_of(LOOK, SHAPE), s=SHAPE)
    return ArrayVolume(seen.astype(np.float32))


@pytest.fixture(scope="module", autouse=True)
def few_orientations():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orientations, "ROTATIONS", 300)
        patch.setattr(orientations, "COMPONENTS", 120)
        yield


@pytest.fixture(scope="module")
def turned(few_orientations):
    return [turn_every_way(density_map(name), VOXEL_SIZE) for name in BODIES]


def test_a_large_map_is_looked_at_in_longer_voxels(turned):
    assert [one.step for one in turned] == [1, 1, 2]


def test_orientations_are_the_density_turned(turned):
    one, species = turned[0], density_map("long").species_at(VOXEL_SIZE)
    rotation = orientations.even_rotations(300)[17]
    expected = turned_density(species, rotation, np.zeros(3))
    half, inner = expected.shape[0] // 2, one.radius
    low = max(half - inner, 0)
    seen = one.densities[17].numpy()
    margin = max(inner - half, 0)
    seen = seen[(slice(margin, seen.shape[0] - margin),) * 3]
    expected = expected[(slice(low, expected.shape[0] - low),) * 3]
    assert np.corrcoef(seen.ravel(), expected.ravel())[0, 1] > 0.98


def test_the_map_that_is_there_is_likeliest_and_its_centre_found(turned):
    off = np.array([[0.9, -1.1, 0.6], [-0.7, 0.4, 1.3], [0, 0, 0]])
    volume = scene(("long", PLACES[0], 1), ("round", PLACES[1] + [0.3, -0.2, 0.4], 2))
    truth = PLACES + np.array([[0, 0, 0], [0.3, -0.2, 0.4], [0, 0, 0]])
    found = look_at(truth + off, volume, SEEING, turned, contrasts=[1.0, CONTRAST])
    evidence = found.evidence[:, :, 1]
    assert evidence[0].argmax() == 0
    assert evidence[1].argmax() == 1
    assert (evidence[:2].max(axis=1) > 10).all()
    assert (evidence[2] < 0).all()  # noise alone
    for place, channel in ((0, 0), (1, 1)):
        centre = found.centres_zyx[place, channel, 1]
        assert np.linalg.norm(centre - truth[place]) < 0.6
        assert np.linalg.norm(off[place]) > 1.2


def test_a_large_particle_is_found_in_longer_voxels(turned):
    place = np.array([[26.0, 36.0, 40.0]])
    found = look_at(
        place + np.array([1.0, -2.0, 1.0]),
        scene(("huge", place[0], 3)),
        SEEING,
        turned,
        contrasts=[CONTRAST],
    )
    assert found.evidence[0, :, 0].argmax() == 2
    assert np.linalg.norm(found.centres_zyx[0, 2, 0] - place[0]) < 1.2


def test_the_contrast_that_is_there_is_likeliest(turned):
    contrasts = [CONTRAST / 2, CONTRAST, 2 * CONTRAST]
    volume = scene(("long", PLACES[0], 1))
    found = look_at(PLACES[:1], volume, SEEING, turned, contrasts=contrasts)
    assert found.evidence[0, 0].argmax() == 1


def test_strengths_are_what_a_density_has_in_common_with_itself(turned):
    one = turned[1]
    volume = scene(("round", PLACES[1], 4), noise=0.0)
    strength = float(SEEING.strengths(one).mean())
    filtered = SEEING.matched(volume.data).numpy()
    z, y, x = PLACES[1].astype(int)
    r = one.radius
    cube = filtered[z - r : z + r + 1, y - r : y + r + 1, x - r : x + r + 1]
    scores = (one.densities * torch.from_numpy(cube)).sum(dim=(1, 2, 3))
    assert float(scores.max()) == pytest.approx(CONTRAST * strength, rel=0.15)


def test_places_at_a_face_are_looked_at(turned):
    corner = np.array([[0.0, 0.0, SHAPE[2] - 1.0]])
    found = look_at(corner, scene(), SEEING, turned, contrasts=[CONTRAST])
    assert np.isfinite(found.evidence).all()
