"""Micrographs: geometry, contrast, counts, truth, and what is refused."""

import dataclasses
import json

import mrcfile
import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.simulation.imaging import contrast_transfer
from etpicker_plugin.engine.simulation.micrograph_canvas import (
    at_pixels,
    empty_canvas,
)
from etpicker_plugin.engine.simulation.micrograph_clutter import (
    Hole,
    add_carbon,
    add_hot_pixels,
    draw_hole,
)
from etpicker_plugin.engine.simulation.micrograph_curves import paint_vesicle
from etpicker_plugin.engine.simulation.micrograph_imaging import (
    B_FACTOR,
    PROTEIN_RADIAN,
    Exposure,
    expose,
)
from etpicker_plugin.engine.simulation.micrograph_particles import cloud_of, project
from etpicker_plugin.engine.simulation.placement import turned_density
from etpicker_plugin.engine.simulation.simulate import simulate
from etpicker_plugin.engine.simulation.species import BUILT_IN, built_in_species
from etpicker_plugin.engine.simulation.vesicles import PlacedVesicle

NOTHING_ELSE = {"carbon": 0.0, "crystals": 0, "aggregates": 0, "hot_pixels": 0}


def config(out, **changes):
    values = {
        "out": str(out),
        "micrographs": 1,
        "shape": (301, 257),
        "pixel_size": 6.0,
        "species": ("20S", "gpcr"),
        "particles": 12,
        "dose": 400.0,
        **NOTHING_ELSE,
    }
    return SimulateConfig(**{**values, **changes})


def run(settings, folder):
    folder.mkdir(exist_ok=True)
    return simulate(settings, folder, on_progress=ignore_progress)


def read(folder):
    truth = read_csv(folder / "sim_01.csv", tomogram_id="sim_01")
    return mrcfile.read(folder / "sim_01.mrc"), truth


# ------------------------------- files -----------------------------------------
def test_one_plane_with_its_pixel_size_and_a_truth_at_z_0(tmp_path):
    (path,) = run(config(tmp_path), tmp_path)

    image, truth = read(tmp_path)
    record = json.loads((tmp_path / "sim_01.json").read_text())
    with mrcfile.open(path) as mrc:
        assert (int(mrc.header.nz), int(mrc.header.ispg)) == (1, 0)
        assert [float(mrc.voxel_size[a]) for a in "xy"] == pytest.approx([6.0, 6.0])
    assert (image.shape, image.dtype) == ((257, 301), np.float32)
    assert len(truth) == 24
    assert not truth.positions_zyx[:, 0].any()
    assert 0.8 <= record["defocus_um"] <= 2.2
    assert not record["has_carbon"]
    _, y, x = np.round(truth.of_class("20S").positions_zyx).astype(int).T
    smooth = ndimage.uniform_filter(image, 13)
    assert smooth[y, x].mean() < image.mean() - smooth.std()  # Dark.
    assert 0.7 < image.mean() / (400 * 36) < 1.0  # Ice swallows some of the electrons.


def test_the_same_seed_gives_the_same_and_another_does_not(tmp_path):
    one, two, three = (tmp_path / n for n in "abc")
    for folder, seed in ((one, 1), (two, 1), (three, 2)):
        run(config(folder, seed=seed, carbon=1.0, aggregates=1, crystals=1), folder)

    texts = [(f / "sim_01.csv").read_bytes() for f in (one, two, three)]
    images = [mrcfile.read(f / "sim_01.mrc") for f in (one, two, three)]
    assert texts[0] == texts[1] != texts[2]
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_filaments_and_vesicles_are_in_the_truth_and_in_the_image(tmp_path):
    settings = config(
        tmp_path,
        shape=(403, 357),
        species=("globule",),
        particles=3,
        filament_species={"mt": 2},
        vesicle_species={"liposome": 2},
        defocus_range=(2.0, 2.0),
    )
    run(settings, tmp_path)

    image, truth = read(tmp_path)
    record = json.loads((tmp_path / "sim_01.json").read_text())
    lines, vesicles = truth.of_class("mt"), truth.of_class("liposome")
    names = lines.optional["filament"]
    assert list(dict.fromkeys(names.tolist())) == ["mt_1", "mt_2"]
    for name, made in zip(("mt_1", "mt_2"), record["filaments"], strict=True):
        own = lines.positions_zyx[names == name]
        steps = np.linalg.norm(np.diff(own, axis=0), axis=1) * 6.0
        np.testing.assert_allclose(steps, 50.0, atol=0.2)
        assert made["length_ang"] == pytest.approx(steps.sum(), rel=0.01)
    smooth = ndimage.gaussian_filter(image, 1.5)
    # A tube is dark 108 Å off its axis, on both sides.
    direction = np.gradient(lines.positions_zyx[names == "mt_1"][:, 1:], axis=0)
    normal = direction[:, ::-1] * (-1, 1)
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    axis = lines.positions_zyx[names == "mt_1"][:, 1:]
    for side in (-1, 1):
        wall, beside = (
            np.nanmean(
                ndimage.map_coordinates(
                    smooth, (axis + off * normal).T, order=1, cval=np.nan
                )
            )
            for off in (side * 18, side * 30)
        )
        assert wall < beside - 0.5 * smooth.std()
    for made, radius in zip(
        record["vesicles"], vesicles.optional["radius"], strict=True
    ):
        assert np.mean(made["half_axes_ang"]) == pytest.approx(radius, abs=0.02)


def test_a_vesicle_is_darkest_at_its_inner_leaflet_in_each_direction():
    vesicle = PlacedVesicle(
        name="liposome",
        centre_zyx=np.array([0.0, 100.3, 120.8]),
        half_axes_ang=np.array([330.0, 270.0, 300.0]),
        rotation=Rotation.from_euler("z", 90, degrees=True),
        share_inside=1.0,
        weight=1.0,
    )
    image, rim, low = paint_vesicle(vesicle, 3.0)

    y, x = vesicle.centre_zyx[1:] - low
    for along, axis in (((1, 0), 330.0), ((0, 1), 270.0)):  # It is turned: x goes to y.
        steps = np.arange(140)
        place = [y + steps * along[0], x + steps * along[1]]
        profile = ndimage.map_coordinates(image, place, order=1)
        outer = np.flatnonzero(profile > 0.5 * profile.max()).max() * 3.0
        assert outer == pytest.approx(axis + 22, abs=9)
        assert rim[tuple(np.round([p[round(axis / 3)] for p in place]).astype(int))]
    assert not rim[int(y), int(x)]


def test_no_particle_lies_on_another_unless_asked_for(tmp_path):
    crowd = {"species": ("20S",), "particles": 60, "shape": (101, 93)}
    counts = {}
    for overlap in (0.0, 0.5):
        folder = tmp_path / str(overlap)
        run(config(folder, overlap=overlap, **crowd), folder)
        _, truth = read(folder)
        counts[overlap] = len(truth)
        away = np.linalg.norm(
            truth.positions_zyx[:, None] - truth.positions_zyx[None], axis=2
        )
        np.fill_diagonal(away, np.inf)
        assert (away.min() * 6.0 > 70) == (overlap == 0.0)
    assert counts[0.5] > 1.3 * counts[0.0]


def test_a_finished_micrograph_is_kept_and_none_for_which_there_is_no_room(tmp_path):
    run(config(tmp_path), tmp_path)
    before = (tmp_path / "sim_01.mrc").stat().st_mtime_ns
    run(config(tmp_path, micrographs=2), tmp_path)

    assert (tmp_path / "sim_01.mrc").stat().st_mtime_ns == before
    with pytest.raises(ConfigError, match="never overwritten"):
        run(config(tmp_path, dose=20.0), tmp_path)
    with pytest.raises(InputDataError, match=r"no room for 20S .*pixels of 6 Å"):
        run(config(tmp_path / "small", shape=(16, 17)), tmp_path / "small")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"micrographs": 1, "gold": 5}, "--gold is of tomograms, and these are micro"),
        ({"micrographs": 1, "snr": 0.3}, "--snr is of tomograms.*out --micrographs"),
        ({"micrographs": 1, "tomograms": 3}, "--tomograms is of tomograms"),
        ({"dose": 20.0}, "--dose is of micrographs.*say how many --micrographs"),
        ({"micrographs": -1}, "--micrographs: got -1"),
        ({"micrographs": 1, "shape": (64, 64, 64)}, "--shape: .*expected x y of 16"),
        ({"micrographs": 1, "defocus_range": (2.0, 1.0)}, "--defocus-range: got"),
        ({"micrographs": 1, "defocus_range": (2.0,)}, "--defocus-range: got"),
        ({"micrographs": 1, "overlap": 1.5}, "--overlap: got 1.5, expected 0 to 1"),
        ({"micrographs": 1, "pixel_size": 0.01}, "--pixel-size: got 0.01"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        SimulateConfig(out="out", **changes)


def test_the_help_names_every_species():
    (field,) = (f for f in dataclasses.fields(SimulateConfig) if f.name == "species")
    named = field.metadata["help"].rstrip(".").split(": ")[1].split(", ")
    assert named == list(BUILT_IN)


def test_the_usual_sizes():
    assert SimulateConfig(out="o").shape == (200, 200, 64)
    assert SimulateConfig(out="o", micrographs=2).shape == (1024, 1024)


# ------------------------------ geometry ---------------------------------------
def test_a_projection_is_that_of_the_turned_volume():
    species = built_in_species("globule", 6.0)
    rotation = Rotation.from_euler("zyz", [20, 50, 110], degrees=True)
    fraction = np.array([0.3, -0.2])

    image = project(cloud_of(species, 6.0), rotation, fraction)

    volume = turned_density(species, rotation, np.array([0.0, *fraction]))
    expected = 6.0 * volume.sum(axis=0)
    half, own = image.shape[0] // 2, expected.shape[0] // 2
    expected = np.pad(expected, max(0, half - own))
    cut = slice(expected.shape[0] // 2 - half, expected.shape[0] // 2 + half + 1)
    assert np.abs(image - expected[cut, cut]).max() < 0.06 * expected.max()
    assert image.sum() == pytest.approx(6.0 * species.density.sum(), rel=1e-5)
    centre = np.array(ndimage.center_of_mass(image)) - half
    np.testing.assert_allclose(centre, fraction, atol=1e-4)


def test_the_canvas_lies_on_the_pixels_where_it_says():
    canvas = empty_canvas((95, 121), 1.0)
    canvas.thickness[10, 31] = 1.0

    image = at_pixels(canvas, (95, 121), 1.0)
    (place,) = canvas.in_pixels(np.array([[0.0, 10.0, 31.0]]), 1.0)

    assert canvas.thickness.shape == (32, 41)
    np.testing.assert_allclose(place, [0, 31, 94])  # (10 + 1/2) * 3 - 1/2
    assert np.unravel_index(image.argmax(), image.shape) == (31, 94)


# ------------------------------ imaging ----------------------------------------
def test_the_contrast_of_a_point_is_the_transfer_function():
    n, pixel = 256, 3.0
    thickness = np.zeros((n, n), np.float32)
    thickness[128, 100] = 1000.0
    image = expose(
        thickness,
        np.full((n, n), 1e-6, np.float32),  # Hardly any ice: no grain.
        None,
        exposure=Exposure(pixel_size=pixel, defocus_um=1.0, dose=1e9),
        generator=np.random.default_rng(0),
    )

    spectrum = np.fft.fft2(np.roll(image / image.mean() - 1, (-128, -100), (0, 1)))
    k = np.fft.fftfreq(n) / pixel
    expected = contrast_transfer(k**2, 1.0) * np.exp(-0.25 * B_FACTOR * k**2)
    expected *= 2 * 1000.0 * PROTEIN_RADIAN
    chosen = (k > 0.01) & (k < 0.12)
    np.testing.assert_allclose(
        spectrum.real[0][chosen], expected[chosen], atol=0.15 * 4.8
    )
    assert np.corrcoef(spectrum.real[0][chosen], expected[chosen])[0, 1] > 0.99


def test_electrons_are_counted():
    nothing = np.zeros((200, 300), np.float32)
    image = expose(
        nothing,
        np.full_like(nothing, 1e-6),
        None,
        exposure=Exposure(pixel_size=2.0, defocus_um=1.0, dose=2.5),
        generator=np.random.default_rng(0),
    )

    assert np.array_equal(image, np.round(image))
    assert image.mean() == pytest.approx(10.0, rel=0.01)
    assert image.var() == pytest.approx(10.0, rel=0.02)


def test_carbon_is_dark_grainy_and_left_free():
    canvas = empty_canvas((150, 200), 8.0)
    hole = Hole(centre_yx=np.array([75.0, -650.0]), radius_ang=6000.0)
    add_carbon(canvas, hole)
    ice = np.full((150, 200), 300.0, np.float32)
    image = expose(
        canvas.thickness,
        ice,
        hole.carbon((150, 200), 8.0),
        exposure=Exposure(pixel_size=8.0, defocus_um=1.5, dose=1e4),
        generator=np.random.default_rng(0),
    )

    edge = -650 + 6000 / 8  # On the middle row.
    assert canvas.occupied[75, int(edge) + 5]
    assert not canvas.occupied[75, int(edge) - 12]
    film, clear = image[60:90, 120:190], image[60:90, 10:80]
    assert film.mean() < 0.95 * clear.mean()
    assert film.std() / film.mean() > 1.5 * clear.std() / clear.mean()


def test_the_edge_of_a_hole_always_crosses_the_image():
    canvas = empty_canvas((300, 200), 6.0)
    for seed in range(20):
        hole = draw_hole(canvas, np.random.default_rng(seed))
        assert 0.01 < (hole.carbon((300, 200), 6.0) > 0.5).mean() < 0.5


def test_hot_and_dead_pixels():
    image = np.full((50, 60), 10.0, np.float32)
    add_hot_pixels(image, 8, np.random.default_rng(0))

    changed = image[image != 10.0]
    assert np.count_nonzero(changed == 0.0) == 2
    assert np.count_nonzero(changed > 19.0) == 6


def test_a_name_may_have_points(tmp_path):
    """As 1.5um has; its numbers are kept apart."""
    made = simulate(
        config(tmp_path, name="s_1.5um", micrographs=2, shape=(128, 120), particles=1),
        tmp_path,
        on_progress=ignore_progress,
    )

    assert [path.name for path in made] == ["s_1.5um_01.mrc", "s_1.5um_02.mrc"]
    expected = {f"s_1.5um_0{n}.{end}" for n in (1, 2) for end in ("mrc", "csv", "json")}
    assert {path.name for path in tmp_path.glob("s_*")} == expected
