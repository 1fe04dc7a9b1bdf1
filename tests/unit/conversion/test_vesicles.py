"""``etpicker convert`` of vesicles: points on membranes, and masks of instances."""

import mrcfile
import numpy as np
import pytest

from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.conversion.convert import convert
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.progress import ignore_progress

CSV = """class,x,y,z,radius,radius_a,radius_b,radius_c,rot,tilt,psi,vesicle
liposome,30,28,20,120,100,110,150,0,90,180,l_7
liposome,36,8,20,80,,,,,,,
ribosome,5,6,7,,,,,,,,
"""
"""The first is longest along x; the second, a sphere, is cut by the face y = 0."""


def run(folder, target="csv", text=CSV, **more):
    (folder / "TS.csv").write_text(text)
    out = folder / "out"
    out.mkdir(exist_ok=True)
    config = ConvertConfig(
        input=(str(folder / "TS.csv"),),
        input_format="csv",
        output_format=target,
        out=str(out),
        dimensions=(63, 57, 41),
        voxel_size=10.0,
        **more,
    )
    return convert(config, out, on_progress=ignore_progress)


def test_points_on_membranes_in_place_of_vesicles(tmp_path, caplog):
    (path,) = run(tmp_path, surface_step=30.0)

    points = read_csv(path, tomogram_id="TS")
    assert "1 of 3 rows have no radius" in caplog.text
    assert set(points.optional["vesicle"]) == {"l_7", "liposome_2"}
    first = points.select(points.optional["vesicle"] == "l_7")
    # RELION's rot 0, tilt 90, psi 180 is z to x, x to -z: half axes a, b, c lie
    # along z, y and x.
    own = (first.positions_zyx - [20, 28, 30]) / [10, 11, 15]
    np.testing.assert_allclose(np.linalg.norm(own, axis=1), 1, atol=2e-3)
    normals = own / [10, 11, 15]
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    np.testing.assert_allclose(first.rotations[:, ::-1, 2], normals, atol=1e-3)
    second = points.select(points.optional["vesicle"] == "liposome_2")
    outward = second.positions_zyx - [20, 8, 36]
    np.testing.assert_allclose(np.linalg.norm(outward, axis=1), 8, atol=2e-3)


@pytest.mark.parametrize("target", ["relion3", "relion4", "relion5", "dynamo"])
def test_points_in_other_programs_files(tmp_path, target):
    (path,) = run(tmp_path, target, surface_step=60.0, binning=2.0)
    read_back = tmp_path / "back"
    read_back.mkdir()
    config = ConvertConfig(
        input=(str(path),),
        input_format=target,
        output_format="csv",
        out=str(read_back),
        dimensions=(63, 57, 41),
        voxel_size=10.0,
        binning=2.0,
    )
    (csv,) = convert(config, read_back, on_progress=ignore_progress)
    back = read_csv(csv, tomogram_id="TS")

    own = back.select(back.optional["vesicle"] == "liposome_2")
    outward = own.positions_zyx - [20, 8, 36]
    np.testing.assert_allclose(np.linalg.norm(outward, axis=1), 8, atol=0.01)
    across = np.linalg.norm(np.cross(own.rotations[:, ::-1, 2], outward / 8), axis=1)
    assert np.degrees(np.arcsin(across.max())) < 0.1
    assert (own.rotations[:, ::-1, 2] * outward).sum(axis=1).min() > 7


def test_a_mask_of_instances(tmp_path):
    _, mask = run(tmp_path, instance_masks=True)

    assert mask.name == "TS_instances.mrc"
    with mrcfile.open(mask) as labels:
        assert labels.data.shape == (41, 57, 63)
        assert labels.voxel_size.x == 10
        assert [labels.data[20, 28, x] for x in (44, 45, 46)] == [1, 1, 0]
        assert [labels.data[20, y, 36] for y in (0, 16, 17)] == [2, 2, 0]
    with pytest.raises(ConfigError, match="exists and is not overwritten"):
        run(tmp_path, instance_masks=True)


@pytest.mark.parametrize(
    "asked", [{"surface_step": 50.0}, {"instance_masks": True, "mirror_z": True}]
)
def test_without_radii_there_are_no_vesicles(tmp_path, asked):
    with pytest.raises(InputDataError, match="No row has a radius"):
        run(tmp_path, text="class,x,y,z\nribosome,5,6,7\n", **asked)
    assert not [p for p in (tmp_path / "out").iterdir() if p.suffix != ".json"]


def test_a_step_that_is_none_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="--surface-step: got -5"):
        run(tmp_path, surface_step=-5.0)


def test_clicks_on_a_membrane_are_a_vesicle(tmp_path):
    clicks = "class,x,y,z,vesicle\n" + "".join(
        f"liposome,{30 + x},{28 + y},20,v\n" for x, y in ((10, 0), (0, 10), (-10, 0))
    )
    (path,) = run(tmp_path, text=clicks, surface_step=30.0)

    points = read_csv(path, tomogram_id="TS")
    outward = np.linalg.norm(points.positions_zyx - [20, 28, 30], axis=1)
    np.testing.assert_allclose(outward, 10, atol=2e-3)
    assert len(points) == round(4 * np.pi * 100**2 / 30**2)
