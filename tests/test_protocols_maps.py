"""Density maps in the form of 'train model': whose they are, and what goes on."""

from pathlib import Path

import mrcfile
import numpy as np
from etpicker_plugin.protocols import ProtEtPickerTrain
from pwem.protocols import ProtImportVolumes

from etpicker_plugin.engine.volumes.tomogram import read_map
from etpicker_plugin.tests.support.scipion_project import PhantomProject

MAP_VOXEL_SIZE = 6.0
SHAPE_ZYX = (30, 34, 38)


class TestMaps(PhantomProject):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.body = np.zeros(SHAPE_ZYX, np.float32)
        cls.body[9:20, 8:25, 7:31] = 1.0
        cls.large = cls.import_map("large")
        cls.other = cls.import_map("other")

    @classmethod
    def import_map(cls, name, *, voxel_size=MAP_VOXEL_SIZE):
        """Import a volume under a label."""
        path = cls.folder / "maps" / f"{name}.map"
        path.parent.mkdir(exist_ok=True)
        with mrcfile.new(path, overwrite=True) as mrc:
            mrc.set_data(cls.body)
            mrc.voxel_size = voxel_size
        imported = cls.run_protocol(
            ProtImportVolumes, filesPath=str(path), samplingRate=MAP_VOXEL_SIZE
        )
        cls.relabel(imported, imported.outputVolume, name)
        return imported.outputVolume

    @classmethod
    def relabel(cls, protocol, output, name):
        output.setObjLabel(name)
        protocol._store()

    def form(self, **values):
        return self.newProtocol(
            ProtEtPickerTrain, inputTomograms=self.tomograms, **values
        )

    def prepared(self, **values):
        """Return what the engine is given, after the first step of a run."""
        protocol = self.form(**values)
        self.assertEqual(protocol.validate(), [])
        self.saveProtocol(protocol)
        protocol.makePathsAndClean()
        protocol.convertInputStep("digest")
        return protocol, protocol._buildConfig()

    def test_a_map_alone_is_enough(self):
        protocol, config = self.prepared(inputMaps=[self.large], diameter="large=140")
        self.assertEqual(config.coordinates, ())
        self.assertEqual(len(config.tomogram), 3)
        self.assertEqual(list(config.map), ["large"])
        written = read_map(Path(config.map["large"]))
        self.assertEqual(written.voxel_size, MAP_VOXEL_SIZE)
        np.testing.assert_array_equal(written.data, self.body)
        self.assertTrue(all(Path(path).is_file() for path in config.tomogram))
        self.assertEqual(
            [p.get().getObjLabel() for p in protocol.getTeachers()], ["large"]
        )

    def test_one_number_is_the_diameter_of_one_map(self):
        _, config = self.prepared(inputMaps=[self.large], diameter="140")
        self.assertEqual(config.diameter, {"large": 140.0})

    def test_marks_of_one_class_and_a_map_of_another(self):
        _, config = self.prepared(
            inputCoordinates=[self.coordinates.Coordinates3D2],
            inputMaps=[self.large],
            diameter="large=140 small=90",
        )
        self.assertEqual(list(config.map), ["large"])
        names = {
            line.split(",")[0]
            for path in config.coordinates
            for line in Path(path).read_text().splitlines()[1:]
        }
        self.assertEqual(names, {"small"})

    def test_marks_and_a_map_of_the_same_class(self):
        _, config = self.prepared(
            inputCoordinates=[self.coordinates.Coordinates3D],
            inputMaps=[self.large],
            diameter="large=140",
        )
        self.assertEqual(list(config.map), ["large"])
        rows = [Path(p).read_text().count("large,") for p in config.coordinates]
        self.assertTrue(all(rows))

    def test_maps_without_a_class_s_label_follow_the_classes(self):
        _, config = self.prepared(
            inputMaps=[self.other, self.large], diameter="ring=130 rod=140"
        )
        self.assertEqual(list(config.map), ["ring", "rod"])

    def test_what_is_wrong_with_maps_is_said_in_the_form(self):
        only = {"inputMaps": [self.large]}
        cases = (
            ({**only, "diameter": "large=140 small=90"}, "neither a map nor coordin"),
            ({**only, "diameter": "large=140", "instant": True}, "Leave one out"),
            ({**only, "diameter": "large=140", "validationNames": "TS_01"}, "no coord"),
            (
                {"inputMaps": [self.large, self.other], "diameter": "large=140"},
                "'other' is of no class",
            ),
            (
                {"inputMaps": [self.large, self.large], "diameter": "large=140"},
                "2 density maps are labelled 'large'",
            ),
            ({"diameter": "large=140"}, "'Density maps'"),
        )
        for values, said in cases:
            self.assertIn(said, "\n".join(self.form(**values).validate()))

    def test_a_header_of_another_voxel_size_is_said_before_the_run(self):
        wrong = self.import_map("wrong", voxel_size=3.1)
        said = "\n".join(self.form(inputMaps=[wrong], diameter="140").validate())
        self.assertIn("Density map of wrong", said)
        self.assertIn("3.1", said)
