"""Write coordinates for other programs, with classes and scores."""

import shutil
from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.classes import BY_GROUP
from etpicker_plugin.protocols.form import (
    add_parameters,
    read_parameters,
    split_words,
)
from etpicker_plugin.protocols.kinds import add_kinds, kinds_of, typed_kinds
from etpicker_plugin.protocols.protocol_base import (
    ProtEtPickerBase,
    class_label,
    set_label,
)
from etpicker_plugin.protocols.relion_tomograms import TomogramsStar
from pyworkflow.protocol import params

from etpicker_plugin.convert import (
    group_ids,
    link_tomogram,
    particles_by_tomogram,
    tomograms_by_id,
)
from etpicker_plugin.convert_kinds import is_numbered
from etpicker_plugin.engine.config.convert import IN_TOMOGRAMS, ConvertConfig
from etpicker_plugin.engine.config.options import config_digest, config_from_values
from etpicker_plugin.engine.formats.catalogue import format_named
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.formats.names import name_class, order_of
from etpicker_plugin.engine.formats.tilt_series_names import PLACE
from etpicker_plugin.engine.newer_python import zip_strict

FORM_FIELDS = (
    "output_format",
    "binning",
    "tomograms",
    "tilt_series_table",
    "relion5_centre",
    "dynamo_first_voxel",
    "mirror_z",
    "trust_voxel_size",
)
SCIPION_FIELDS = (
    "input",
    "input_format",
    "out",
    "tomogram",
    "dimensions",
    "voxel_size",
    "tilt_series_name",
    "class_name",
    "score_column",
    "groups",
    "surface_step",
    "instance_masks",
    "box_size",  # Of micrographs.
)
"""Fields that the protocol sets itself."""
MOST_CLASSES = 1000
"""Greater group ids number something else: filaments, membranes."""


class ProtEtPickerExportCoordinates(TomogramsStar, ProtEtPickerBase):
    """Export coordinates for RELION, Dynamo, IMOD, EMAN2, Warp, ArtiaX and others.

    Also for copick, the CryoET data portal and DeepETPicker, and as CSV and TXT. A JSON
    beside each file says origin, unit and voxel size, and keeps what the format cannot
    hold.
    """

    _label = "export coordinates"

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Export")
        form.addParam(
            "inputCoordinates",
            params.MultiPointerParam,
            pointerClass="SetOfCoordinates3D",
            minNumObjects=1,
            important=True,
            label="Coordinates",
            help="Sets of coordinates in the same tomograms.",
        )
        self._addClasses(
            form,
            "What names the classes: the sets' labels, or the group ids.",
        )
        form.addParam(
            "classNames",
            params.StringParam,
            default="",
            label="Class names",
            help="Names in the order of the sets or group ids, separated by spaces. "
            "Without any: the labels of the sets, or class_1, class_2 ...",
        )
        add_kinds(form)
        known = {"choices": IN_TOMOGRAMS}
        add_parameters(form, ConvertConfig, FORM_FIELDS[:1], **known)
        add_parameters(form, ConvertConfig, FORM_FIELDS[1:])
        form.addParam(
            "exportDir",
            params.FolderParam,
            default="",
            allowsNull=True,
            label="Folder",
            help="Where the files go; without it, 'extra/exported' of this protocol.",
        )

    # --------------------------- steps ----------------------------------------
    def _insertAllSteps(self):
        config = self._buildConfig()
        self._insertFunctionStep(
            self.exportStep,
            config_digest(config),
            config.tomograms,
            prerequisites=[],
            needsGPU=False,
        )

    def exportStep(self, digest, tomograms_star):
        """Write the engine's CSV, then convert it."""
        tomograms = self._tomograms()
        particles = self._readParticles()
        folder = Path(self._getExtraPath("coordinates"))
        folder.mkdir(exist_ok=True)
        for ts_id in self._names():
            link_tomogram(tomograms[ts_id], self._getExtraPath("tomograms"))
            write_csv(particles[ts_id], folder / f"{ts_id}.csv")
        if not self.exportDir.get():
            shutil.rmtree(self.getExportFolder(), ignore_errors=True)
        self.runEngine("convert", self._buildConfig(), self._getExtraPath())
        self._keepStar(tomograms_star)

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        if not self._names():
            return ["There are no coordinates to export."]
        self._buildConfig()
        rate = self.inputCoordinates[0].get().getSamplingRate()
        others = [
            (set_label(p), p.get().getSamplingRate()) for p in self.inputCoordinates
        ]
        return [
            *checks.check_sampling_rates(rate, others, of="coordinates"),
            *checks.check_headers(self._tomograms(), trusted=self.trustVoxelSize.get()),
            *checks.check_inside(self._readParticles(), self._tomograms()),
            *checks.check_writable(self),
        ]

    def _summary(self):
        files = self.getExportedFiles()
        if not files:
            return ["Nothing is exported yet."]
        return [
            f"Exported to {self.getExportFolder()}:",
            *(f.name for f in files),
            *self._starLines(self._format()),
        ]

    # --------------------------- helpers --------------------------------------
    def getExportFolder(self):
        """Return the folder of the exported files."""
        return self.exportDir.get() or self._getExtraPath("exported")

    def getExportedFiles(self):
        """Return the exported files, without the JSON beside each."""
        folder = Path(self.getExportFolder())
        written = self._format()
        files = {f for glob in written.written_globs() for f in folder.glob(glob)}
        return sorted(files - {written.sidecar(file) for file in files})

    def _format(self):
        given = read_parameters(self, ConvertConfig, ("output_format",))
        return format_named(given["output_format"])

    def _buildConfig(self):
        rate = self.inputCoordinates[0].get().getSamplingRate()
        names = self._names()
        given = read_parameters(self, ConvertConfig, FORM_FIELDS)
        star = self._chooseStar(
            self._format(), given.get("tomograms"), self._tomograms()
        )
        values = {
            **given,
            "input": [self._getExtraPath("coordinates", f"{n}.csv") for n in names],
            "input_format": "csv",
            "tomogram": [self._getExtraPath("tomograms", f"{n}.mrc") for n in names],
            "voxel_size": rate,
            # A tsId is the tilt series' own name, unless RELION says another.
            "tomograms": star,
            "tilt_series_name": [] if star else [PLACE],
            "class_name": self._order(),
            "out": self.getExportFolder(),
        }
        return config_from_values(ConvertConfig, values)

    def _classes(self):
        """Return the class names in their order."""
        given = split_words(self.classNames.get())
        if given:
            return given
        if self.classesFrom.get() == BY_GROUP:
            ids = {i for ids in self._groupIds() for i in ids}
            curved = [p for p in self.inputCoordinates if is_numbered(p.get())]
            return [
                *(name_class(i) for i in sorted(ids)),
                *(_label_word(p) for p in curved),
            ]
        return [_label_word(p) for p in self.inputCoordinates]

    def _order(self):
        """Return the classes in the order of their numbers: that of their group ids.

        Those are the model's numbers in sets that were picked. Names that are given,
        and sets whose ids do not tell them apart, count from 1 as they stand.
        """
        names, ids = self._classes(), self._groupIds()
        if split_words(self.classNames.get()):
            return names
        if any(is_numbered(p.get()) for p in self.inputCoordinates):
            return names
        if self.classesFrom.get() == BY_GROUP:
            ids = [[i] for i in sorted({i for of_set in ids for i in of_set})]
        numbers = {n: i[0] for n, i in zip_strict(names, ids) if len(i) == 1}
        known = {i for i in numbers.values() if 0 < i <= MOST_CLASSES}
        return list(order_of(numbers)) if len(known) == len(names) else names

    def _groupIds(self):
        """Return the group ids of each set that are classes."""
        items = [p.get() for p in self.inputCoordinates]
        return [[] if is_numbered(item) else group_ids(item) for item in items]

    def _readParticles(self):
        names, sources = self._classes(), self._sources()
        typed = typed_kinds(self, names)
        return particles_by_tomogram(sources, kinds=kinds_of(sources, typed))

    def _sources(self):
        names = self._classes()
        if self.classesFrom.get() == BY_GROUP or split_words(self.classNames.get()):
            return self._classSources(self.inputCoordinates, names)
        return [
            (p.get(), lambda _group, name=name: name)
            for p, name in zip_strict(self.inputCoordinates, names)
        ]

    def _names(self):
        """Return the tsIds that have coordinates, sorted."""
        return sorted({n for p in self.inputCoordinates for n in p.get().getTSIds()})

    def _tomograms(self):
        """Return the tomograms of the coordinates by tsId."""
        found = {}
        for pointer in self.inputCoordinates:
            found.update(tomograms_by_id(pointer.get().getPrecedents()))
        return {name: found[name] for name in self._names()}


def _label_word(pointer):
    """Return the class that a set's label names, as one word."""
    return class_label(pointer).replace(" ", "_")
