"""Other programs' formats through real Scipion projects: out, and in again."""

import json
import shutil

import emtable
import numpy as np
from etpicker_plugin.protocols import (
    ProtEtPickerExportCoordinates,
    ProtEtPickerImportCoordinates,
    ProtEtPickerImportModel,
    ProtEtPickerPick,
)
from etpicker_plugin.protocols.classes import BY_GROUP
from etpicker_plugin.protocols.relion_tomograms import find_tomograms_star

from etpicker_plugin.convert import particles_by_tomogram
from etpicker_plugin.engine.config.convert import FORMATS
from etpicker_plugin.engine.formats.coordinates_csv import read_csv, write_csv
from etpicker_plugin.engine.newer_python import without_end, zip_strict
from etpicker_plugin.engine.orientation import from_relion_angles
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.phantoms import SHAPES_ZYX, VOXEL_SIZE
from etpicker_plugin.tests.support.scipion_project import (
    PhantomProject,
    make_in_engine,
    positions_of,
)
from etpicker_plugin.tests.support.untrained import MOST_PICKS, make_untrained_model

BINNING = 3.0
TOMOGRAMS_HEADER = """
data_global

loop_
_rlnTomoName #1
_rlnTomoTiltSeriesPixelSize #2
_rlnTomoSizeX #3
_rlnTomoSizeY #4
_rlnTomoSizeZ #5
_rlnTomoReconstructedTomogram #6
"""


class TestExchange(PhantomProject):
    """Coordinates with scores and orientations, in sets of their class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.oriented = cls.import_coordinates(cls.tomograms, cls.write_oriented())

    @classmethod
    def write_oriented(cls):
        """Write the phantoms' true centres with drawn scores and orientations."""
        folder = cls.folder / "oriented"
        folder.mkdir()
        generator = np.random.default_rng(0)
        for name in cls.truth:
            truth = read_csv(cls.folder / f"{name}.csv", tomogram_id=name)
            count = len(truth)
            oriented = make_particles(
                name,
                truth.positions_zyx,
                class_names=truth.class_names,
                scores=generator.uniform(0.1, 1, count),
                rotations=from_relion_angles(generator.uniform(-180, 180, (count, 3))),
            )
            write_csv(oriented, folder / f"{name}.csv")
        return folder

    def sets(self):
        return [self.oriented.Coordinates3D, self.oriented.Coordinates3D2]

    def test_scipion_keeps_orientations_the_way_its_matrix_is_defined(self):
        """Scipion's moved map(r) = reference(M r): M turns back what R turned."""
        name = min(self.truth)
        written = read_csv(self.folder / "oriented" / f"{name}.csv", tomogram_id=name)
        label = self.oriented.Coordinates3D.getObjLabel()
        wanted = written.of_class(label)
        found = [
            coordinate.getMatrix()[:3, :3]
            for coordinate in self.oriented.Coordinates3D.iterCoordinates()
            if coordinate.getTomoId() == name
        ]
        np.testing.assert_allclose(
            found, np.swapaxes(wanted.rotations, 1, 2), atol=1e-5
        )

    def test_there_and_back(self):
        for kind in ("dynamo", "eman2", "copick", "portal"):
            with self.subTest(kind):
                self.check_there_and_back(kind)

    def check_there_and_back(self, kind):
        number = FORMATS.index(kind)
        exported = self.run_protocol(
            ProtEtPickerExportCoordinates,
            inputCoordinates=self.sets(),
            outputFormat=number,
            binning=BINNING,
        )
        self.assertTrue(exported.getExportedFiles())
        names = " ".join(s.getObjLabel() for s in self.sets())
        again = self.import_coordinates(
            self.tomograms,
            exported.getExportFolder(),
            inputFormat=number,
            filesPattern="",
            binning=BINNING,
            className=names,
        )
        for before, output in zip_strict(
            self.sets(), ("Coordinates3D", "Coordinates3D2")
        ):
            after = getattr(again, output)
            self.assertEqual(after.getObjLabel(), before.getObjLabel())
            self.check_same(after, before)

    def check_same(self, after, before):
        for found, wanted in zip_strict(positions_of(after), positions_of(before)):
            self.assertEqual(found[0], wanted[0])
            np.testing.assert_allclose(found[1:], wanted[1:], atol=0.01)
        after, before = (
            particles_by_tomogram([(s, lambda _: "any")]) for s in (after, before)
        )
        for name, wanted in before.items():
            order = np.lexsort(np.round(wanted.positions_zyx, 2).T)
            found = after[name]
            found = found.select(np.lexsort(np.round(found.positions_zyx, 2).T))
            wanted = wanted.select(order)
            np.testing.assert_allclose(found.scores, wanted.scores, rtol=1e-4)
            np.testing.assert_allclose(found.rotations, wanted.rotations, atol=1e-4)

    def test_a_table_of_unnamed_tomograms_is_refused_with_what_to_do(self):
        table = self.folder / "several.tbl"
        row = " ".join(["1"] * 19 + ["{}"] + ["1"] * 3 + ["5 6 7"])
        table.write_text(row.format(1) + "\n" + row.format(2) + "\n")
        protocol = self.newProtocol(
            ProtEtPickerImportCoordinates,
            inputTomograms=self.tomograms,
            filesPath=str(table),
            inputFormat=FORMATS.index("dynamo"),
            boxSize=10,
        )
        self.proj.launchProtocol(protocol, wait=True)
        self.assertTrue(protocol.isFailed())
        self.assertIn("several.doc", protocol.getErrorMessage())

    def test_eman2_asks_for_the_binning(self):
        errors = self.errors_of(
            ProtEtPickerExportCoordinates,
            inputCoordinates=self.sets(),
            outputFormat=FORMATS.index("eman2"),
        )
        self.assertIn("Give 'Binning'", errors)

    def test_relion_s_own_file_gives_names_and_sizes_and_group_ids_the_numbers(self):
        """RELION's size is 2 n + 1 pixels in z: half a voxel more than 2 n."""
        rows = [
            f"{n}_series {VOXEL_SIZE / 2} {2 * x} {2 * y} {2 * z + 1} rec/{n}.mrc"
            for n, (z, y, x) in SHAPES_ZYX.items()
        ]
        star = self.folder / "tomograms.star"
        star.write_text(TOMOGRAMS_HEADER + "\n".join(rows) + "\n")
        second = self.sets()[1]
        exported = self.run_protocol(
            ProtEtPickerExportCoordinates,
            inputCoordinates=[second],
            outputFormat=FORMATS.index("relion5"),
            tomograms=str(star),
        )
        (file,) = exported.getExportedFiles()
        self.assertNotIn("data_optics", file.read_text())
        labels = [f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ"]
        found = []
        for row in emtable.Table.iterRows(f"particles@{file}"):
            self.assertEqual(row.rlnClassNumber, 2)
            self.assertEqual(row.etpickerClassName, second.getObjLabel())
            z, y, x = SHAPES_ZYX[without_end(row.rlnTomoName, "_series")]
            half = np.array([x, y, z + 0.5]) / 2
            ang = np.array([getattr(row, label) for label in labels])
            name = without_end(row.rlnTomoName, "_series")
            found.append((name, *(ang / VOXEL_SIZE + half)))
        self.check_positions(sorted(found), positions_of(second))
        again = self.run_protocol(
            ProtEtPickerImportCoordinates,
            inputTomograms=self.tomograms,
            filesPath=str(file.resolve()),
            inputFormat=FORMATS.index("relion5"),
            tomograms=str(star),
            boxSize=10,
        )
        self.check_positions(positions_of(again.Coordinates3D), positions_of(second))

    def test_a_set_that_relion_reconstructed_brings_relion_s_own_file(self):
        """It lies above the tomograms: JOB/tomograms.star, JOB/tomograms/rec_NAME.mrc.

        RELION's unbinned size is 2 n + 1 pixels in z, so its centre is n / 2 + 1/4.
        """
        job = self.folder / "Tomograms" / "job009"
        (job / "tomograms").mkdir(parents=True)
        rows = []
        for n, (z, y, x) in SHAPES_ZYX.items():
            shutil.copy(self.folder / f"{n}.mrc", job / f"tomograms/rec_{n}.mrc")
            shutil.copy(self.folder / f"{n}.csv", job / f"rec_{n}.csv")
            rows.append(
                f"{n} {VOXEL_SIZE / 2} {2 * x} {2 * y} {2 * z + 1} "
                f"Tomograms/job009/tomograms/rec_{n}.mrc"
            )
        star = job / "tomograms.star"
        star.write_text(TOMOGRAMS_HEADER + "\n".join(rows) + "\n")
        tomograms = self.import_tomograms(job / "tomograms")
        (first, second) = (
            getattr(self.import_coordinates(tomograms, job), name)
            for name in ("Coordinates3D", "Coordinates3D2")
        )
        for kind, label, per_voxel in (
            ("relion5", "rlnCenteredCoordinate{}Angst", VOXEL_SIZE),
            ("relion4", "rlnCoordinate{}", 2),
        ):
            exported = self.run_protocol(
                ProtEtPickerExportCoordinates,
                inputCoordinates=[first],
                outputFormat=FORMATS.index(kind),
            )
            (file,) = exported.getExportedFiles()
            found = []
            for row in emtable.Table.iterRows(f"particles@{file}"):
                z, y, x = SHAPES_ZYX[row.rlnTomoName]
                half = np.array([x, y, z + 0.5]) / 2 if kind == "relion5" else 0
                values = [getattr(row, label.format(axis)) for axis in "XYZ"]
                place = np.array(values) / per_voxel + half
                found.append((f"rec_{row.rlnTomoName}", *place))
            self.check_positions(sorted(found), positions_of(first))
            told = f"sizes and pixel sizes are RELION's own, of {star.resolve()}."
            self.assertIn(told, " ".join(exported.summary()))
            again = self.run_protocol(
                ProtEtPickerImportCoordinates,
                inputTomograms=tomograms,
                filesPath=str(file.resolve()),
                inputFormat=FORMATS.index(kind),
                boxSize=10,
            )
            self.check_positions(positions_of(again.Coordinates3D), positions_of(first))
            self.assertIn(told, " ".join(again.summary()))
        self.check_pick(tomograms, star)

        # One that cannot be read is no reason to do without.
        broken = self.newProtocol(ProtEtPickerPick, inputTomograms=tomograms)
        (job / "tomograms/rec_TS_c.mrc").write_bytes(b"no tomogram")
        found = find_tomograms_star(broken._images())
        self.assertEqual(found, str(star.resolve()))
        shutil.copy(self.folder / "TS_c.mrc", job / "tomograms/rec_TS_c.mrc")

        # Of other sizes it is not RELION's own: then what is assumed is said.
        star.write_text(star.read_text().replace(f"{2 * 45 + 1} ", "70 "))
        exported = self.run_protocol(
            ProtEtPickerExportCoordinates,
            inputCoordinates=[second],
            outputFormat=FORMATS.index("relion5"),
        )
        told = " ".join(exported.summary())
        self.assertIn("Without 'RELION's tomograms.star' that is taken", told)
        self.assertIn("half a voxel away in z, and a quarter in x and y", told)
        (file,) = exported.getExportedFiles()
        rows = list(emtable.Table.iterRows(f"particles@{file}"))
        self.assertEqual(
            {row.rlnTomoName for row in rows}, {f"rec_{n}" for n in SHAPES_ZYX}
        )

    def check_pick(self, tomograms, star):
        path = self.folder / "untrained.safetensors"
        model = make_in_engine(make_untrained_model, path)
        imported = self.run_protocol(ProtEtPickerImportModel, modelFile=str(model))
        picked = self.run_protocol(
            ProtEtPickerPick,
            inputTomograms=tomograms,
            inputModel=imported.model,
            maxPicks=MOST_PICKS,
        )
        for name, (z, y, x) in SHAPES_ZYX.items():
            path = picked.getPicksFolder() / f"rec_{name}.star"
            rows = list(emtable.Table.iterRows(f"particles@{path}"))
            self.assertEqual({row.rlnTomoName for row in rows}, {name})
            picks = read_csv(path.with_suffix(".csv"), tomogram_id=name)
            found = [
                [getattr(row, f"rlnCenteredCoordinate{a}Angst") for a in "XYZ"]
                for row in rows
            ]
            from_centre = picks.positions_zyx[:, ::-1] - np.array([x, y, z + 0.5]) / 2
            np.testing.assert_allclose(found, from_centre * VOXEL_SIZE, atol=0.01)
            record = json.loads(path.with_suffix(".json").read_text())
            self.assertEqual(record["config"]["tomograms"], str(star.resolve()))

    def test_a_group_id_is_the_class_s_number_with_a_name_or_without(self):
        first, second = self.sets()
        for given, names, number in (
            ({"classesFrom": BY_GROUP}, ["class_2"], 2),
            ({"classNames": "ring"}, ["ring"], 1),
            ({}, [second.getObjLabel()], 2),
        ):
            exported = self.run_protocol(
                ProtEtPickerExportCoordinates,
                inputCoordinates=[second],
                outputFormat=FORMATS.index("relion5"),
                **given,
            )
            (file,) = exported.getExportedFiles()
            rows = list(emtable.Table.iterRows(f"particles@{file}"))
            self.assertEqual({row.rlnClassNumber for row in rows}, {number})
            self.assertEqual(sorted({row.etpickerClassName for row in rows}), names)
            self.assertEqual({row.rlnTomoName for row in rows}, set(SHAPES_ZYX))
        turned = self.newProtocol(
            ProtEtPickerExportCoordinates,
            inputCoordinates=[second, first],
        )
        labels = [first.getObjLabel(), second.getObjLabel()]
        self.assertEqual(turned._order(), labels)

    def check_positions(self, found, expected):
        self.assertEqual([row[0] for row in found], [row[0] for row in expected])
        np.testing.assert_allclose(
            [row[1:] for row in found], [row[1:] for row in expected], atol=0.01
        )
