"""The protocols' pure parts: form, classes, names, curves, slices."""

import dataclasses
import json
import shutil
import tempfile
import unittest
from pathlib import Path

import numpy as np
from etpicker_plugin.protocols import (
    ProtEtPickerAnnotate,
    ProtEtPickerAverage,
    ProtEtPickerCompare,
    ProtEtPickerEvaluate,
    ProtEtPickerExportCoordinates,
    ProtEtPickerExtract,
    ProtEtPickerImportCoordinates,
    ProtEtPickerPick,
    ProtEtPickerPickMicrographs,
    ProtEtPickerTrain,
    ProtEtPickerUpdate,
    ProtEtPickerValidate,
    picked_model,
    protocol_annotate,
    protocol_average,
    protocol_compare,
    protocol_evaluate,
    protocol_export_coordinates,
    protocol_extract,
    protocol_import_coordinates,
    protocol_learn,
    protocol_pick,
    protocol_pick_micrographs,
    protocol_train,
    protocol_update,
    protocol_validate,
)
from etpicker_plugin.protocols.checks import check_headers
from etpicker_plugin.protocols.classes import match_groups, match_sets, merged
from etpicker_plugin.protocols.coordinate_files import CoordinateFiles, tomogram_name
from etpicker_plugin.protocols.form import (
    form_parameter,
    form_parameters,
    read_assignments,
    read_parameters,
)
from etpicker_plugin.protocols.picker_sets import picker_names
from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase, engine_program
from etpicker_plugin.protocols.running import describe_running
from etpicker_plugin.protocols.words import in_form_words
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from pyworkflow.protocol import params
from pyworkflow.tests import BaseTest, setupTestProject
from pyworkflow.utils.process import buildRunCommand

from etpicker_plugin import Plugin, protocols
from etpicker_plugin.constants import SLICE_FILE
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.config.compare import CompareConfig
from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.config.options import REQUIRED
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.catalogue import IN_MICROGRAPHS
from etpicker_plugin.engine.progress import JsonLinesProgress, ProgressEvent
from etpicker_plugin.engine.records import progress_file
from etpicker_plugin.engine.training.validation_slice import (
    ValidationSlice,
    write_validation_slice,
)
from etpicker_plugin.engine_environment import Engine
from etpicker_plugin.run_template import fill_template
from etpicker_plugin.viewers.histograms import draw_metrics, draw_scores
from etpicker_plugin.viewers.slices import sections_at, slab_mean
from etpicker_plugin.viewers.training_curves import LiveTraining, read_curves

FORMS = (
    (
        ProtEtPickerAnnotate,
        ViewConfig,
        protocol_annotate.FORM_FIELDS,
        protocol_annotate.SCIPION_FIELDS,
    ),
    (
        ProtEtPickerTrain,
        TrainConfig,
        protocol_learn.INPUT_FIELDS
        + protocol_train.MAP_FIELDS
        + protocol_train.TRAINING_FIELDS,
        (*protocol_learn.SCIPION_FIELDS, *protocol_train.MAP_INPUTS),
    ),
    (
        ProtEtPickerUpdate,
        UpdateConfig,
        protocol_learn.INPUT_FIELDS + protocol_update.UPDATE_FIELDS,
        (*protocol_learn.SCIPION_FIELDS, "model"),
    ),
    (
        ProtEtPickerPick,
        PickConfig,
        picked_model.INPUT_FIELDS + protocol_pick.PICKING_FIELDS,
        protocol_pick.SCIPION_FIELDS,
    ),
    (
        ProtEtPickerPickMicrographs,
        PickConfig,
        picked_model.INPUT_FIELDS + protocol_pick_micrographs.PICKING_FIELDS,
        protocol_pick_micrographs.SCIPION_FIELDS
        + protocol_pick_micrographs.TOMOGRAM_FIELDS,
    ),
    (
        ProtEtPickerEvaluate,
        EvaluateConfig,
        protocol_evaluate.FORM_FIELDS,
        protocol_evaluate.SCIPION_FIELDS,
    ),
    (
        ProtEtPickerCompare,
        CompareConfig,
        protocol_compare.FORM_FIELDS,
        protocol_compare.SCIPION_FIELDS,
    ),
    (
        ProtEtPickerValidate,
        ValidateConfig,
        protocol_validate.FORM_FIELDS,
        protocol_validate.SCIPION_FIELDS,
    ),
    (
        ProtEtPickerExtract,
        ExtractConfig,
        protocol_extract.FORM_FIELDS,
        protocol_extract.SCIPION_FIELDS,
    ),
    (
        ProtEtPickerAverage,
        AverageConfig,
        protocol_average.INPUT_FIELDS
        + protocol_average.SEARCH_FIELDS
        + protocol_average.HELIX_FIELDS,
        protocol_average.SCIPION_FIELDS,
    ),
    (
        ProtEtPickerImportCoordinates,
        ConvertConfig,
        protocol_import_coordinates.FORM_FIELDS,
        protocol_import_coordinates.SCIPION_FIELDS,
    ),
    (
        ProtEtPickerExportCoordinates,
        ConvertConfig,
        protocol_export_coordinates.FORM_FIELDS,
        protocol_export_coordinates.SCIPION_FIELDS,
    ),
)


class TestNames(unittest.TestCase):
    def test_labels_name_the_plugin_as_people_know_it(self):
        self.assertEqual(ProtEtPickerTrain.getClassLabel(), "etpicker - train model")
        self.assertEqual(ProtEtPickerTrain.getClassLabel(False), "train model")
        self.assertEqual(ProtEtPickerPick.getClassPackageName(), "etpicker")


class TestFormFollowsTheEngine(BaseTest):
    @classmethod
    def setUpClass(cls):
        setupTestProject(cls)

    def test_every_field_is_on_the_form_or_given_by_scipion(self):
        for protocol_class, config_class, on_form, by_scipion in FORMS:
            fields = {f.name for f in dataclasses.fields(config_class)}
            with self.subTest(protocol_class.__name__):
                self.assertEqual(fields, set(on_form) | set(by_scipion))
                self.assertFalse(set(on_form) & set(by_scipion))

    def test_form_shows_default_help_choices_unit_and_level_of_the_dataclass(self):
        for protocol_class, config_class, on_form, _ in FORMS:
            protocol = self.newProtocol(protocol_class)
            for wanted in form_parameters(config_class, on_form):
                with self.subTest(f"{protocol_class.__name__}.{wanted.name}"):
                    self.check_parameter(protocol, config_class, wanted)

    def check_parameter(self, protocol, config_class, wanted):
        shown = protocol.getParam(wanted.name)
        field = next(
            f for f in dataclasses.fields(config_class) if f.name == wanted.field
        )
        self.assertIn(field.metadata["help"], shown.help.get())
        if field.metadata["unit"]:
            self.assertIn(f"[{field.metadata['unit']}]", shown.label.get())
        level = params.LEVEL_ADVANCED if field.metadata["advanced"] else 0
        self.assertEqual(shown.expertLevel.get(), level)
        value = protocol.getAttributeValue(wanted.name)
        if field.metadata["choices"]:
            titles = field.metadata["titles"]
            of_micrographs = {known.title for known in IN_MICROGRAPHS}
            offered = [title for title in titles if title not in of_micrographs]
            self.assertEqual(shown.choices, offered)
            self.assertEqual(shown.choices, list(titles[: len(offered)]))
            if field.default is not REQUIRED:
                self.assertEqual(field.metadata["choices"][value], field.default)
        elif wanted.kind in ("int", "float", "bool"):
            default = field.default
            expected = None if default is REQUIRED else default
            self.assertEqual(value, expected)

    def test_a_format_is_shown_with_its_program_and_kept_as_its_number(self):
        for protocol_class, name in (
            (ProtEtPickerImportCoordinates, "inputFormat"),
            (ProtEtPickerExportCoordinates, "outputFormat"),
        ):
            protocol = self.newProtocol(protocol_class, **{name: 6})  # As saved before.
            field = "input_format" if name == "inputFormat" else "output_format"
            values = read_parameters(protocol, ConvertConfig, (field,))
            self.assertEqual(values, {field: "dynamo"})
            shown = protocol.getParam(name).choices
            self.assertEqual(shown[6], "dynamo: Dynamo table (.tbl)")

    def test_names_do_not_hide_scipion_attributes(self):
        inherited = set(dir(ProtEtPickerBase()))
        for protocol_class, config_class, on_form, _ in FORMS:
            for parameter in form_parameters(config_class, on_form):
                with self.subTest(f"{protocol_class.__name__}.{parameter.name}"):
                    self.assertNotIn(parameter.name, inherited)

    def test_kinds(self):
        kinds = {
            name: form_parameter(TrainConfig, name).kind
            for name in ("diameter", "annotation", "max_minutes", "steps")
        }
        self.assertEqual(
            kinds,
            {
                "diameter": "assignments",
                "annotation": "enum",
                "max_minutes": "float",
                "steps": "int",
            },
        )
        self.assertEqual(form_parameter(PickConfig, "classes").kind, "words")
        self.assertEqual(form_parameter(ConvertConfig, "tomograms").kind, "file")
        self.assertTrue(form_parameter(TrainConfig, "max_minutes").optional)


class TestEngineProgram(unittest.TestCase):
    def test_the_gpus_that_scipion_assigns_reach_the_engine(self):
        program = engine_program(Engine("/a b/python"), on_gpu=True)
        command = buildRunCommand(program, "pick --config x.json", 1, gpuList=[2, 3])
        self.assertEqual(
            command.strip(),
            "CUDA_VISIBLE_DEVICES=2,3 '/a b/python' -m etpicker_plugin.engine "
            "pick --config x.json",
        )

    def test_several_gpus_train_in_a_process_each(self):
        program = engine_program(Engine("python"), on_gpu=True, processes=2)
        command = buildRunCommand(program, "train --config x.json", 1, gpuList=[2, 3])
        self.assertEqual(
            command.strip(),
            "CUDA_VISIBLE_DEVICES=2,3 python -m torch.distributed.run --standalone "
            "--nproc-per-node 2 -m etpicker_plugin.engine train --config x.json",
        )

    def test_without_a_gpu_nothing_is_hidden_or_substituted(self):
        program = engine_program(Engine("python"), on_gpu=False)
        self.assertEqual(program, "python -m etpicker_plugin.engine")


class TestFormWords(unittest.TestCase):
    def test_flags_and_commands_become_labels_and_protocols(self):
        said = in_form_words(
            "--max-picks: got 0. Give another --learning-rate, or use 'etpicker "
            "extract'; relion_refine --force stays."
        )
        self.assertEqual(
            said,
            "'Most picks per class': got 0. Give another 'Learning rate', or use "
            "'extract subtomograms'; relion_refine --force stays.",
        )

    def test_the_command_s_own_label_comes_first(self):
        self.assertEqual(in_form_words("--diameter", AverageConfig), "'Mask diameter'")
        self.assertEqual(in_form_words("--diameter"), "'Particle diameter'")

    def test_no_form_speaks_of_flags_and_none_has_an_empty_tab(self):
        for name in protocols.__all__:
            definition = getattr(protocols, name)().getDefinition()
            for section in definition.iterSections():
                parameters = [p for _, p in section.iterParams()]
                with self.subTest(form=name, tab=section.label.get()):
                    levels = {p.expertLevel.get() for p in parameters}
                    self.assertIn(params.LEVEL_NORMAL, levels)
                    for parameter in parameters:
                        words = f"{parameter.label.get()} {parameter.help.get()}"
                        self.assertNotRegex(words, r"--[a-z]|'etpicker [a-z]")

    def test_what_is_required_is_bold_and_has_an_example(self):
        parameter = ProtEtPickerTrain().getParam("diameter")
        self.assertTrue(parameter.isImportant())
        self.assertIn("For example: ribosome=323 proteasome=150", parameter.help.get())
        self.assertFalse(ProtEtPickerTrain().getParam("maxMinutes").isImportant())

    def test_blanks_around_the_sign_are_accepted(self):
        self.assertEqual(
            read_assignments("a = 323, b :150  c=1", label="x"),
            {"a": 323.0, "b": 150.0, "c": 1.0},
        )


class TestRunningLines(unittest.TestCase):
    def test_unfinished_jobs_say_how_far_they_are(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for job, finished in (("one", False), ("two", True)):
                (folder / job).mkdir()
                report = JsonLinesProgress(folder / job / "progress.jsonl")
                report(ProgressEvent("picking TS_1", 3, 40, {"tomogram": "2 of 20"}))
                if finished:
                    (folder / job / "finished.json").touch()
            self.assertEqual(
                describe_running(folder),
                ["Picking TS_1 (tomogram 2 of 20): 3 of 40."],
            )
            report = JsonLinesProgress(folder / "one" / "progress.jsonl")
            values = {"loss": 0.1, "best_score": 0.876}
            report(ProgressEvent("training", 120, 4000, values, left_s=200.0))
            self.assertEqual(
                describe_running(folder),
                ["Training: 120 of 4000, best score so far 0.88, about 3 min left."],
            )


class TestClasses(unittest.TestCase):
    def test_sets_are_matched_by_label_then_by_order(self):
        table = [
            (["a", "b"], ["x", "y"], ["a", "b"]),
            (["a", "b"], ["b", "a"], ["b", "a"]),
            (["a", "b"], ["y", "a"], ["b", "a"]),
            (["a"], ["c", "a", "b"], [None, "a", None]),
            (["a"], ["a", "a"], ["a", "a"]),
            (["a", "b"], ["a", "x", "a"], ["a", "b", "a"]),
        ]
        for names, labels, expected in table:
            with self.subTest(labels=labels):
                self.assertEqual(match_sets(names, labels), expected)

    def test_sets_that_do_not_match_are_refused(self):
        for names, labels in [
            (["a"], ["x", "y"]),
            ([], ["x"]),
            (["a", "b"], ["a", "a"]),
        ]:
            with self.subTest(labels=labels), self.assertRaises(ConfigError):
                match_sets(names, labels)

    def test_sets_of_one_label_are_one_class(self):
        self.assertEqual(merged(["a", None, "b", "a"]), {"a": 2})

    def test_a_class_without_a_resolution_is_told_so(self):
        full = {"number": 1, "share": 0.75, "resolution_ang": 45.7}
        self.assertEqual(
            protocol_average.describe_class(full),
            "Class 1: 75 %, 46 Å by RELION's own estimate",
        )
        empty = {"number": 2, "share": 0.0, "resolution_ang": None}
        self.assertEqual(
            protocol_average.describe_class(empty), "Class 2: 0 %, no resolution"
        )

    def test_groups_count_along_the_names_or_take_them_in_order(self):
        table = [
            (["a", "b", "c"], [1, 2, 3], {1: "a", 2: "b", 3: "c"}),
            (["a", "b", "c"], [3, 1], {1: "a", 3: "c"}),
            (["a", "b"], [7, 5], {5: "a", 7: "b"}),
            (["a"], [0], {0: "a"}),
        ]
        for names, ids, expected in table:
            with self.subTest(ids=ids):
                self.assertEqual(match_groups(names, ids), expected)

    def test_groups_that_do_not_match_are_refused(self):
        for names, ids in [(["a"], [1, 2]), (["a", "b"], [0]), (["a"], [])]:
            with self.subTest(ids=ids), self.assertRaises(ConfigError):
                match_groups(names, ids)

    def test_assignments_take_a_colon_too(self):
        for text in ("a=140 b=90", "a:140 b:90", "a=140, b:90"):
            with self.subTest(text):
                read = read_assignments(text, label="Diameter")
                self.assertEqual(read, {"a": 140.0, "b": 90.0})

    def test_names_of_pickers(self):
        table = [
            (["picks", "human"], "", ["picks", "human"]),
            (["my picks", "a∩b"], "", ["my_picks", "a_b"]),
            (["picks", "Picks"], "", ["A", "B"]),
            (["", "x"], None, ["A", "B"]),
            (["x" * 300, "../up"], None, ["x" * 60, "up"]),
            (["picks", "picks"], "ours theirs", ["ours", "theirs"]),
        ]
        for labels, given, expected in table:
            with self.subTest(labels):
                self.assertEqual(picker_names(labels, given), expected)
        with self.assertRaisesRegex(ConfigError, r"got 1 \(ours\) for 2 set"):
            picker_names(["a", "b"], "ours")

    def test_tomogram_name_in_a_file_name(self):
        table = [
            ("TS_01.csv", "*.csv", "TS_01"),
            ("TS_01_picks.csv", "{TS}_picks.csv", "TS_01"),
            ("run1_TS_01.csv", "run*_{TS}.csv", "TS_01"),
            ("other.csv", "{TS}_picks.csv", "other"),
            ("TS_01/a/b.ndjson", "{TS}/*.ndjson", "TS_01"),
            ("x/TS_01/b.json", "*/{TS}/*.json", "TS_01"),
        ]
        for file_name, pattern, expected in table:
            with self.subTest(file_name):
                self.assertEqual(tomogram_name(file_name, pattern), expected)

    def files_of(self, kind, names, pattern=""):
        """Return what CoordinateFiles makes of empty files in a folder."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("")
        return CoordinateFiles(
            path=folder, pattern=pattern, kind=kind, ts_ids=("TS_01", "TS_02")
        )

    def test_hidden_coordinate_files_are_passed_over(self):
        names = ["TS_01.csv", "._TS_01.csv", ".TS_02.csv"]
        self.assertEqual(list(self.files_of("csv", names).by_name()), ["TS_01"])
        self.assertEqual(
            list(self.files_of("csv", names, "{TS}.*").by_name()), ["TS_01"]
        )

    def test_patterns_that_are_none(self):
        for pattern in ("*{TS}*.csv", "/{TS}.csv"):
            with self.subTest(pattern):
                with self.assertRaisesRegex(ConfigError, "Check folder and pattern"):
                    self.files_of("csv", ["TS_01.csv"], pattern).find()

    def test_a_tomogram_whose_name_is_no_files(self):
        for ts_id in ("../up", "a\nb", "x" * 300, ".hidden"):
            with self.subTest(ts_id):
                (message,) = check_headers({ts_id: None})
                self.assertIn("cannot be a file's", message)

    def test_coordinate_files_and_whose_they_are(self):
        picks = "ExperimentRuns/TS_01/Picks"
        table = [
            ("csv", "", ["TS_01.csv", "TS_01.csv.json"], ["TS_01.csv"]),
            ("eman2", "", ["TS_01_info.json", "TS_01_info.json.json"], ["TS_01.json"]),
            (
                "copick",
                "",
                [f"{picks}/a_1_ring.json", f"{picks}/a_1_x.json", "TS_01_a_1_x.json"],
                [f"{picks}/a_1_ring.json", f"{picks}/a_1_x.json"],
            ),
            (
                "portal",
                "",
                ["TS_01_ring.ndjson", "TS_01.ndjson"],
                ["TS_01_particle.ndjson", "TS_01_ring.ndjson"],
            ),
            ("portal", "{TS}/*", ["TS_01/ring.ndjson"], ["TS_01_ring.ndjson"]),
        ]
        for kind, pattern, names, expected in table:
            with self.subTest(kind=kind, pattern=pattern):
                files = self.files_of(kind, names, pattern)
                found = files.by_name()
                self.assertEqual(list(found), ["TS_01"])
                links = sorted(files.link_name("TS_01", f) for f in found["TS_01"])
                self.assertEqual(links, expected)
                folder = files.path / "links"
                for _ in range(2):  # A second run finds links of the first.
                    files.link(folder)
                linked = {p.relative_to(folder).as_posix() for p in folder.rglob("*.*")}
                self.assertLessEqual(set(expected), linked)

    def test_two_files_of_one_tomogram_are_refused(self):
        for kind, names in (
            ("csv", ["TS_01.csv", "TS_01.txt"]),
            ("portal", ["TS_01_ring.ndjson", "TS_01-ring.ndjson"]),
        ):
            with self.subTest(kind):
                with self.assertRaisesRegex(ConfigError, "2 files are of TS_01"):
                    self.files_of(kind, names).by_name()

    def test_a_dynamo_table_without_a_map_is_of_the_tomogram_it_is_named_after(self):
        files = self.files_of(
            "dynamo", ["TS_01.tbl", "b.tbl", "TS_02.tbl", "TS_02.doc"]
        )
        both = ["TS_01", "TS_02"]
        found = {file.name: names for file, names in files.jobs().values()}
        expected = {"TS_01.tbl": ["TS_01"], "TS_02.tbl": both, "b.tbl": both}
        self.assertEqual(found, expected)


SLICE = ValidationSlice(
    tomogram_id="TS_1",
    z=21,
    step=40,
    image=np.random.default_rng(0).normal(size=(23, 47)).astype(np.float16),
    held_out_yx=np.array([[3, 0], [20, 47]]),
    class_names=("a", "b"),
    radii_vox=np.array([5.0, 4.0]),
    picks_zyx=np.array([[4.0, 11, 28], [6, 7, 8], [0, 5, 4]]),
    pick_channels=np.array([0, 1, 1]),
    scores=np.array([0.9, 0.8, 0.7]),
    truth_zyx=np.array([[0.0, 9, 30]]),
    truth_channels=np.array([0]),
)


class TestViewerParts(unittest.TestCase):
    def test_curves_keep_the_last_of_a_repeated_step_and_skip_a_torn_line(self):
        lines = [
            {"stage": "training", "done": 1, "loss": 0.9, "lr": 0.1},
            {"stage": "training", "done": 2, "loss": 0.8, "lr": 0.2},
            {"stage": "validation", "step": 2, "score": 0.5, "f1:a": 0.4},
            {"stage": "training", "done": 2, "loss": 0.7, "lr": 0.2},
        ]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "progress.jsonl"
            text = "\n".join(json.dumps(line) for line in lines)
            path.write_text(text + '\n{"stage": "trai', encoding="utf-8")
            curves = read_curves(path)
        self.assertEqual(curves.loss, {1: 0.9, 2: 0.7})
        self.assertEqual(curves.class_f1, {"a": {2: 0.4}})

    def test_a_training_is_followed_in_its_folder(self):
        figure = FigureCanvasAgg(Figure()).figure
        with tempfile.TemporaryDirectory() as folder:
            path = progress_file(Path(folder))
            path.parent.mkdir()
            live = LiveTraining(figure, Path(folder), title="run")
            self.assertEqual(len(figure.axes[0].lines[0].get_xdata()), 0)
            for step in (1, 2):
                record = {"stage": "training", "done": step, "loss": 1.0, "lr": 0.1}
                with path.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(record) + "\n")
                live.refresh()
                steps = list(figure.axes[0].lines[0].get_xdata())
                self.assertEqual(steps, list(range(1, step + 1)))
            self.assertEqual(len(figure.axes), 3)
            write_validation_slice(SLICE, Path(folder, SLICE_FILE))
            live.refresh()
            self.check_slice(figure.axes[2])

    def check_slice(self, axes):
        """Circles stand where the slice cuts the particles, with their sections."""
        self.assertIn("slice 21", axes.get_title())
        self.assertIn("after step 40", axes.get_title())
        circles = [
            (*p.get_center(), p.get_radius(), p.get_linestyle())
            for p in axes.patches
            if isinstance(p, Circle)
        ]
        # What is marked, then the picks; one pick of b is too high, at z = 6.
        expected = [(30, 9, 5, "--"), (28, 11, 3, "-"), (4, 5, 4, "-")]
        self.assertEqual(circles, expected)
        labels = [text.get_text() for text in axes.get_legend().get_texts()]
        self.assertEqual(labels, ["a: picked 1, marked 1", "b: picked 2, marked 0"])

    def test_histogram_and_metrics(self):
        figure = Figure()
        draw_scores(figure, {"a": [0.2, 0.9], "b": [0.5]}, {"a": 0.3})
        self.assertEqual(len(figure.axes), 2)
        self.assertEqual(sum(p.get_height() for p in figure.axes[0].patches), 2)
        self.assertEqual(list(figure.axes[0].lines[0].get_xdata()), [0.3, 0.3])
        metrics = {"precision": 0.5, "recall": 1.0, "f1": 2 / 3, "average_precision": 1}
        draw_metrics(figure, {"a": metrics})
        heights = [patch.get_height() for patch in figure.axes[0].patches]
        self.assertEqual(heights, [0.5, 1.0, 2 / 3, 1])
        labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        self.assertEqual(labels, ["precision", "recall", "F1", "average precision"])
        draw_metrics(figure, {"a": metrics, "mt": {"recall_length": 0.75}})
        heights = [patch.get_height() for patch in figure.axes[0].patches]
        self.assertEqual(heights, [0.5, 0, 1, 0, 0, 0.75, 2 / 3, 0, 1, 0])

    def test_no_curves_without_a_file(self):
        self.assertTrue(read_curves(Path("/nonexistent/progress.jsonl")).is_empty())

    def test_sphere_section(self):
        positions = np.array([[10.0, 20.0, 30.0], [14.0, 5.0, 6.0], [15.1, 0.0, 0.0]])
        centres, radii = sections_at(positions, 10.0, 5.0)
        np.testing.assert_allclose(centres, [[30.0, 20.0], [6.0, 5.0]])
        np.testing.assert_allclose(radii, [5.0, 3.0])

    def test_slab_at_the_edge_is_the_mean_of_what_exists(self):
        data = np.arange(5.0)[:, None, None] * np.ones((5, 2, 3))
        self.assertEqual(slab_mean(data, 0, 3).shape, (2, 3))
        self.assertEqual(slab_mean(data, 0, 3)[0, 0], 0.5)
        self.assertEqual(slab_mean(data, 2, 3)[0, 0], 2.0)
        self.assertEqual(slab_mean(data, 4, 1)[0, 0], 4.0)


class TestTemplates(BaseTest):
    """Scipion knows a template's fields by their titles: equal titles are lost."""

    def test_every_template_can_be_filled(self):
        templates = sorted(Path(Plugin().getPluginTemplateDir()).glob("*.template"))
        self.assertEqual(len(templates), 10)
        for path in templates:
            with self.subTest(path.name):
                workflow = json.loads(Path(fill_template(path, {})).read_text("utf-8"))
                ids = {step["object.id"] for step in workflow}
                self.assertEqual(len(ids), len(workflow))
                for step in workflow:
                    for value in pointers_of(step):
                        self.assertIn(value.split(".")[0], ids)


def pointers_of(step):
    """Return the values of a template's step that name another step's output."""
    values = []
    for name, value in step.items():
        if name.startswith("input"):
            values += value if isinstance(value, list) else [value]
    return values
