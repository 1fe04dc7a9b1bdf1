"""What readers that are not ours find in files that we wrote; run by their Python.

    python other_readers.py FOLDER

FOLDER holds the output of ``etpicker convert`` by format, for one tomogram of 41 x 57 x
33 voxels of 10 Å. FOLDER/found.json will hold format -> positions in voxels (xyz),
rotations (reference to tomogram) and, where the reader gives them, scores and classes.
"""

import json
import sys
from pathlib import Path

import copick
import dynamotable
import imodmodel
import numpy as np
import starfile
from copick.impl.filesystem import CopickRootFSSpec
from copick.util.formats import dynamo_to_copick_transform
from copick.util.handlers.picks.star import STARPicksHandler

VOXEL_SIZE = 10.0
TILT_SERIES_PIXEL_SIZE = 2.5
"""Which RELION and copick know from tomograms.star."""
CENTRE_ANG = tuple(n / 2 * VOXEL_SIZE for n in (41, 57, 33))


def read_star(path: Path, **keywords) -> dict:
    """Read with copick's reader of RELION files."""
    reader = STARPicksHandler()
    found = reader.read(str(path), VOXEL_SIZE, **keywords)
    return {
        "positions": (found[0] / VOXEL_SIZE).tolist(),
        "rotations": found[1][:, :3, :3].tolist(),
    }


def read_dynamo(path: Path) -> dict:
    """Read with dynamotable; turn with copick."""
    table = dynamotable.read(str(path), str(path.with_suffix(".doc")))
    xyz = table[["x", "y", "z"]].to_numpy(dtype=float)
    angles = table[["tdrot", "tilt", "narot"]].to_numpy(dtype=float)
    _, turned = dynamo_to_copick_transform(xyz, angles, np.zeros_like(xyz), 1.0)
    return {
        "positions": xyz.tolist(),
        "rotations": turned[:, :3, :3].tolist(),
        "scores": table["cc"].tolist(),
        "classes": [int(number) for number in table["class"]],
        "tomograms": sorted(set(table["tomo_file"])),
    }


def read_copick(root: Path) -> dict:
    """Open our output folder as a copick project."""
    names = ["ribosome", "ring"]
    config = {
        "config_type": "filesystem",
        "name": "test",
        "description": "",
        "version": copick.__version__,
        "pickable_objects": [
            {"name": name, "is_particle": True, "label": n, "radius": 50}
            for n, name in enumerate(names, 1)
        ],
        "overlay_root": f"local://{root}",
        "overlay_fs_args": {"auto_mkdir": True},
    }
    file = root.parent / "copick_config.json"
    file.write_text(json.dumps(config))
    run = CopickRootFSSpec.from_file(str(file)).get_run("TS_01")
    points = [p for name in names for p in run.get_picks(name)[0].points]
    locations = [[p.location.x, p.location.y, p.location.z] for p in points]
    return {
        "positions": (np.array(locations) / VOXEL_SIZE).tolist(),
        "rotations": [p.transformation[:3, :3].tolist() for p in points],
        "scores": [p.score for p in points],
    }


def write_imod(path: Path) -> dict:
    """Write a binary model with imodmodel, for our reader; return what it holds."""
    points = [[12.75, 50.5, 7.0], [30.5, 3.5, 20.0]]
    objects = [
        imodmodel.models.Object(
            contours=[imodmodel.models.Contour(points=np.array([point]))]
        )
        for point in points
    ]
    imodmodel.ImodModel(objects=objects).to_file(path)
    frame = imodmodel.read(path)
    return {"positions": frame[["x", "y", "z"]].to_numpy().tolist()}


def read_curves(folder: Path) -> dict:
    """Read filaments and vesicles with dynamotable, imodmodel and starfile."""
    table = dynamotable.read(
        str(folder / "dynamo" / "particles.tbl"),
        str(folder / "dynamo" / "particles.doc"),
    )
    frame = imodmodel.read(folder / "imod-model" / "TS_01.mod")
    model = imodmodel.ImodModel.from_file(folder / "imod-model" / "TS_01.mod")
    spheres = starfile.read(folder / "relion5-spheres" / "TS_01_spheres.star")
    return {
        "regions": [int(n) for n in table["reg"]],
        "annotations": [int(n) for n in table["annotation"]],
        "imod": frame[["object_id", "contour_id", "x", "y", "z"]].to_numpy().tolist(),
        "imod_objects": [one.header.name for one in model.objects],
        "imod_open": [one.header.flags.open for one in model.objects],
        "imod_pixel_size": [model.header.pixelsize, model.header.units],
        "membrane": read_star(
            folder / "membrane" / "particles.star", tomogram_center=CENTRE_ANG
        ),
        "sphere_radii": spheres["rlnSphereRadius"].tolist(),
    }


def main(folder: Path) -> None:
    """Write what every reader finds."""
    found = {
        "relion4": read_star(
            folder / "relion4" / "particles.star",
            tilt_series_pixel_size=TILT_SERIES_PIXEL_SIZE,
        ),
        "relion5": read_star(
            folder / "relion5" / "particles.star", tomogram_center=CENTRE_ANG
        ),
        "warp": read_star(folder / "warp" / "particles.star"),
        "dynamo": read_dynamo(folder / "dynamo" / "particles.tbl"),
        "copick": read_copick(folder / "copick"),
        "imod": write_imod(folder / "TS_01.mod"),
        "curves": read_curves(folder / "curves"),
    }
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
