"""A project with micrographs in it, and coordinates as others make them."""

import csv
import shutil
import tempfile
from pathlib import Path

import mrcfile
import tifffile
from pwem.objects import Coordinate, SetOfCoordinates
from pwem.protocols import ProtImportCoordinates, ProtImportMicrographs
from pyworkflow.tests import BaseTest, setupTestProject

from etpicker_plugin.tests.support.micrographs import (
    DIAMETER,
    PIXEL_SIZE,
    make_micrograph,
)
from etpicker_plugin.tests.support.scipion_project import RunsProtocols

SHAPES_YX = {"mic_a": (181, 229), "mic_b": (163, 201), "mic_c": (197, 169)}
DISCS = {"mic_a": 17, "mic_b": 14, "mic_c": 12}
BOX = 18
WORDS = f"disc={DIAMETER:g}"


class MicrographProject(RunsProtocols, BaseTest):
    """A project with micrographs, two MRC and a TIFF, and the places of their discs."""

    @classmethod
    def setUpClass(cls):
        setupTestProject(cls)
        cls.folder = Path(tempfile.mkdtemp(prefix="etpicker_micrographs_"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        for seed, (name, shape) in enumerate(SHAPES_YX.items(), 1):
            make_micrograph(cls.folder / f"{name}.mrc", shape, DISCS[name], seed=seed)
        as_tiff(cls.folder / "mic_c.mrc")
        cls.micrographs = cls.import_micrographs(cls.folder)
        cls.truth = {name: places_in(cls.folder / f"{name}.csv") for name in SHAPES_YX}

    @classmethod
    def import_micrographs(cls, folder, *, pixel_size=PIXEL_SIZE):
        """Import all of a folder as Scipion does."""
        imported = cls.run_protocol(
            ProtImportMicrographs,
            filesPath=str(folder),
            filesPattern="*.[mt][ri][cf]",
            samplingRate=pixel_size,
            voltage=300,
        )
        return imported.outputMicrographs

    @classmethod
    def import_places(cls, micrographs, places, *, label):
        """Import ``name -> (N, 2) xy`` by Scipion's own protocol, as whole pixels."""
        folder = Path(tempfile.mkdtemp(dir=cls.folder))
        made = SetOfCoordinates.create(str(folder))
        for item in micrographs.iterItems():
            for x, y in places.get(Path(item.getMicName()).stem, ()):
                coordinate = Coordinate(x=round(x), y=round(y))
                coordinate.setMicrograph(item)
                made.append(coordinate)
        made.write()
        made.close()
        imported = cls.run_protocol(
            ProtImportCoordinates,
            importFrom=ProtImportCoordinates.IMPORT_FROM_SCIPION,
            filesPath=made.getFileName(),
            inputMicrographs=micrographs,
            boxSize=BOX,
        )
        output = imported.outputCoordinates
        output.setObjLabel(label)
        imported._store(output)
        return output


def as_tiff(path):
    """Write a micrograph as TIFF in the place of its MRC."""
    with mrcfile.open(path) as mrc:
        tifffile.imwrite(path.with_suffix(".tif"), mrc.data)
    path.unlink()


def places_in(path):
    """Return the ``(x, y)`` of a CSV."""
    with path.open(encoding="utf-8") as file:
        return [(float(row["x"]), float(row["y"])) for row in csv.DictReader(file)]


def places_of(coordinates):
    """Return the ``(micName, x, y)`` of every coordinate, sorted."""
    return sorted((item.getMicName(), item.getX(), item.getY()) for item in coordinates)
