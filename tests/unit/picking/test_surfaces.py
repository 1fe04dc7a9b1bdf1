"""What pick writes of membranes, beside the picks, and what it refuses."""

import mrcfile
import numpy as np
import pytest
import starfile

from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.picking.loaded_model import (
    surface_steps,
    trace_settings_of,
)
from etpicker_plugin.engine.picking.surfaces import surface_files, write_surfaces
from etpicker_plugin.engine.species import Species

FRAME = TomogramFrame("TS", shape_zyx=(41, 57, 63), voxel_size=10.0)
CARD = ModelCard(
    network="fast",
    classes=(
        Species("ribosome", 300.0, 140.0),
        Species("liposome", 300.0, 70.0, kind="vesicle"),
        Species("actin", 80.0, 80.0, kind="filament"),
    ),
    working_voxel_size=10.0,
    annotation="complete",
    tomograms=(),
    training={},
    code_version="0",
)
PICKS = make_particles(
    "TS",
    [[5.0, 6, 7], [20.0, 30, 31], [21.0, 28, 30]],
    class_names=["ribosome", "liposome", "liposome"],
    scores=[0.9, 0.8, 0.7],
    optional={
        "radius": [np.nan, 160, 60],
        "vesicle": ["", "liposome_1", "liposome_4"],
    },
)


def config(**more):
    given = {"model": "m", "tomogram": ("TS.mrc",), "out": "o", **more}
    return PickConfig(**given)


def test_points_and_mask(tmp_path):
    asked = config(surface_step={"liposome": 40.0}, instance_masks=True)
    written = write_surfaces(PICKS, FRAME, CARD, config=asked, out_dir=tmp_path)

    assert written == ["surface/TS.csv", "surface/TS.star", "TS_instances.mrc"]
    points = read_csv(tmp_path / "surface/TS.csv", tomogram_id="TS")
    for name, row in (("liposome_1", 1), ("liposome_4", 2)):
        own = points.select(points.optional["vesicle"] == name)
        radius, centre = PICKS.optional["radius"][row] / 10, PICKS.positions_zyx[row]
        assert len(own) == round(4 * np.pi * radius**2 / 4**2)
        outward = own.positions_zyx - centre
        np.testing.assert_allclose(np.linalg.norm(outward, axis=1), radius, atol=2e-3)
        turned = own.rotations[:, ::-1, 2]
        np.testing.assert_allclose(turned, outward / radius, atol=1e-3)
    table = starfile.read(tmp_path / "surface/TS.star")
    assert len(table) == len(points)
    assert set(table["rlnClassNumber"]) == {2}
    assert set(table["rlnAngleTiltPrior"]) == {90}
    assert table["rlnTomoManifoldIndex"].tolist() == sorted(
        table["rlnTomoManifoldIndex"]
    )
    with mrcfile.open(tmp_path / "TS_instances.mrc") as mask:
        assert mask.voxel_size.x == 10
        # The second lies in the first: the inner one wins.
        assert [mask.data[20, 30, x] for x in (31, 40, 47, 48)] == [2, 1, 1, 0]


def test_nothing_asked_for_is_nothing_written(tmp_path):
    assert write_surfaces(PICKS, FRAME, CARD, config=config(), out_dir=tmp_path) == []
    assert surface_files("TS", config(), is_flat=False) == []
    assert not list(tmp_path.iterdir())


def test_no_vesicles_found_is_an_empty_file_each(tmp_path):
    asked = config(surface_step={"liposome": 40.0}, instance_masks=True)
    none = PICKS.select(PICKS.class_names == "ribosome")
    bare = make_particles("TS", [[5.0, 6, 7]], class_names="ribosome")
    for picks, folder in ((none, tmp_path / "a"), (bare, tmp_path / "b")):
        folder.mkdir()
        write_surfaces(picks, FRAME, CARD, config=asked, out_dir=folder)

        assert len(read_csv(folder / "surface/TS.csv", tomogram_id="TS")) == 0
        with mrcfile.open(folder / "TS_instances.mrc") as mask:
            assert not mask.data.any()


def test_what_stood_there_is_kept(tmp_path):
    asked = config(instance_masks=True)
    (tmp_path / "TS_instances.mrc").write_text("mine")
    write_surfaces(PICKS, FRAME, CARD, config=asked, out_dir=tmp_path)

    assert (tmp_path / "TS_instances.mrc.old-1").read_text() == "mine"


def test_classes_that_are_no_vesicles_are_refused():
    with pytest.raises(ConfigError, match=r"step ribosome: .*has: liposome"):
        surface_steps(CARD, config(surface_step={"ribosome": 40.0}))
    with pytest.raises(ConfigError, match="--surface-step liposome=0: expected"):
        config(surface_step={"liposome": 0.0})


def test_a_twist_needs_its_rise():
    with pytest.raises(ConfigError, match="belong together: of actin one is missing"):
        config(filament_twist={"actin": -166.7})
    with pytest.raises(ConfigError, match="--filament-rise actin=-3: expected"):
        config(filament_twist={"actin": -166.7}, filament_rise={"actin": -3.0})
    asked = {"filament_twist": {"liposome": 1.0}, "filament_rise": {"liposome": 2.0}}
    with pytest.raises(ConfigError, match="rise liposome: the model has no filaments"):
        trace_settings_of(CARD, config(**asked))

    asked = {"filament_twist": {"actin": -165.0}, "filament_rise": {"actin": 27.5}}
    settings = trace_settings_of(CARD, config(**asked))["actin"]
    assert settings.twist == pytest.approx(-60)  # -6° per Å, 10 Å a voxel
