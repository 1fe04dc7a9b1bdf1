"""Read coordinates of other programs, with classes and scores."""

import shutil
from collections import defaultdict
from enum import Enum
from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.class_sets import add_output_choice, make_class_sets
from etpicker_plugin.protocols.coordinate_files import CoordinateFiles
from etpicker_plugin.protocols.form import (
    add_parameters,
    read_assignments,
    read_parameters,
)
from etpicker_plugin.protocols.kinds import add_kinds, typed_kinds
from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase
from etpicker_plugin.protocols.relion_tomograms import TomogramsStar
from pyworkflow.protocol import params
from tomo.objects import SetOfCoordinates3D

from etpicker_plugin.convert import (
    even_box,
    link_tomogram,
    tomograms_by_id,
)
from etpicker_plugin.convert_kinds import found_kinds
from etpicker_plugin.engine.config.checks import require_diameters
from etpicker_plugin.engine.config.convert import IN_TOMOGRAMS, ConvertConfig
from etpicker_plugin.engine.config.options import (
    config_digest,
    config_from_values,
)
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.catalogue import format_named
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.kinds import FILAMENT
from etpicker_plugin.engine.particles import join_particles

FORM_FIELDS = (
    "input_format",
    "binning",
    "tomograms",
    "tilt_series_table",
    "relion5_centre",
    "dynamo_first_voxel",
    "groups",
    "mirror_z",
    "class_name",
    "trust_voxel_size",
    "score_column",
)
SCIPION_FIELDS = (
    "input",
    "output_format",
    "out",
    "tomogram",
    "dimensions",
    "voxel_size",
    "tilt_series_name",
    "surface_step",
    "instance_masks",
    "box_size",  # Of micrographs.
)
"""Fields that the protocol sets itself."""


class ImportCoordinatesOutputs(Enum):
    Coordinates3D = SetOfCoordinates3D


class ProtEtPickerImportCoordinates(TomogramsStar, ProtEtPickerBase):
    """Import coordinates of RELION, Dynamo, IMOD, EMAN2, Warp, ArtiaX and others.

    Also of copick, the CryoET data portal and DeepETPicker, and as CSV and TXT.
    Fractions of a voxel, scores, classes and orientations are kept where the file holds
    them.
    """

    _label = "import coordinates"
    _possibleOutputs = ImportCoordinatesOutputs

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Import")
        self._addTomograms(
            form,
            "The tomograms that the coordinates belong to; they give dimensions, "
            "voxel size and names.",
        )
        form.addParam(
            "filesPath",
            params.PathParam,
            important=True,
            label="Folder or file",
            help="A folder with one file for each tomogram (copick and the portal: "
            "for each of its classes), or one STAR file or Dynamo table for all. A "
            "table of several tomograms needs its '.doc' beside it.",
        )
        form.addParam(
            "filesPattern",
            params.StringParam,
            default="",
            label="Pattern",
            help="File names in the folder, as '*.csv'. '{TS}' stands for the name of "
            "the tomogram, as in '{TS}_particles.csv' or '{TS}/*.ndjson'; without it, "
            "the name is the file's, up to its extension (EMAN2: up to '_info'; "
            "copick: the run; the portal: TOMOGRAM_CLASS.ndjson).",
        )
        known = {"choices": IN_TOMOGRAMS}
        add_parameters(form, ConvertConfig, FORM_FIELDS[:1], **known)
        add_parameters(form, ConvertConfig, FORM_FIELDS[1:])
        form.addParam(
            "diameter",
            params.StringParam,
            default="",
            label="Classes and diameters [Å]",
            help="Classes to import and their particle diameters, NAME=VALUE separated "
            "by spaces. Their order gives the group ids, from 1; the diameter the box "
            "size. Without any, all classes in alphabetical order.",
        )
        add_kinds(
            form,
            "Classes that are no particles: NAME=filament or NAME=vesicle, separated "
            "by spaces. A class whose points name their filament, or vesicle, in the "
            "file is of that kind anyway.",
        )
        form.addParam(
            "boxSize",
            params.IntParam,
            default=None,
            allowsNull=True,
            label="Box size [voxels]",
            help="Box size of classes without a diameter above.",
        )
        add_output_choice(form)

    # --------------------------- steps ----------------------------------------
    def _insertAllSteps(self):
        config = self._buildConfig(next(iter(self._jobs().items())))
        converted = self._insertFunctionStep(
            self.convertStep,
            config_digest(config),
            config.tomograms,
            self.filesPath.get(),
            self.filesPattern.get(),
            prerequisites=[],
            needsGPU=False,
        )
        self._insertFunctionStep(
            self.createOutputStep,
            self.diameter.get(),
            self.boxSize.get(),
            self.outputSets.get(),
            self.kind.get(),
            prerequisites=[converted],
            needsGPU=False,
        )

    def convertStep(self, digest, tomograms_star, path, pattern):
        """Translate every file to the engine's CSV."""
        shutil.rmtree(self._getExtraPath("converted"), ignore_errors=True)
        for tomogram in tomograms_by_id(self.inputTomograms.get()).values():
            link_tomogram(tomogram, self._getExtraPath("tomograms"))
        if not self._isJoint():
            files = Path(self._getExtraPath("files"))
            self._coordinateFiles().link(files)
        for job in self._jobs().items():
            config = self._buildConfig(job)
            self.runEngine("convert", config, config.out)
        self._keepStar(tomograms_star)

    def createOutputStep(self, diameter, box_size, output_sets, kinds):
        """Register the sets."""
        tomograms = tomograms_by_id(self.inputTomograms.get())
        particles = self._readConverted()
        kinds = found_kinds(particles, typed_kinds(self))
        _check_filaments(particles, kinds)
        outputs = make_class_sets(
            self,
            particles,
            tomograms,
            groups=self._groups(particles),
            boxes=self._boxes(particles),
            diameters=self.getDiameters(),
            kinds=kinds,
            output_name=ImportCoordinatesOutputs.Coordinates3D.name,
        )
        self._defineOutputs(**outputs)
        for output in outputs.values():
            self._defineSourceRelation(self.inputTomograms, output)

    def _boxes(self, particles):
        """Return the box of each class: of its diameter, or the one given."""
        rate = self.inputTomograms.get().getSamplingRate()
        boxes = dict.fromkeys(self._groups(particles), self.boxSize.get())
        diameters = self.getDiameters()
        boxes.update({name: even_box(d, rate) for name, d in diameters.items()})
        return boxes

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        diameters = self.getDiameters()
        require_diameters(diameters)
        typed_kinds(self, diameters or None)
        if not diameters and not self.boxSize.get():
            raise ConfigError("Give classes and diameters, or a box size.")
        used = set()
        for job in self._jobs().items():
            self._buildConfig(job)
            used.update(job[1][1])
        every = tomograms_by_id(self.inputTomograms.get())
        tomograms = {name: every[name] for name in sorted(used)}
        return [
            *checks.check_headers(tomograms, trusted=self.trustVoxelSize.get()),
            *checks.check_writable(self),
        ]

    def _warnings(self):
        names = self.inputTomograms.get().getTSIds()
        if self._isJoint():
            return []
        return checks.warn_names(
            names, self._coordinateFiles().by_name(), of="coordinate file"
        )

    def _summary(self):
        lines = [
            f"{output.getObjLabel() or name}: {output.getSize()} coordinates in "
            f"{len(output.getTSIds())} tomogram(s)"
            for name, output in self.iterOutputAttributes(SetOfCoordinates3D)
        ]
        if not lines:
            return ["The coordinates are not imported yet."]
        return [*lines, *self._starLines(self._format())]

    # --------------------------- helpers --------------------------------------
    def _jobs(self):
        """Return the engine's jobs: output folder name -> (files, their tsIds).

        Raises
        ------
        ConfigError
            If there is no file, or none belongs to a tomogram.
        """
        files = self._coordinateFiles()
        if self._isJoint():
            return {n: ([str(f)], ids) for n, (f, ids) in files.jobs().items()}
        found = files.by_name()
        errors = checks.check_names(files.ts_ids, found, of="coordinate file")
        if errors:
            raise ConfigError(errors[0])
        common = [name for name in files.ts_ids if name in found]
        links = [files.link_name(n, file) for n in common for file in found[n]]
        return {"all": ([self._getExtraPath("files", n) for n in links], common)}

    def _coordinateFiles(self):
        values = self._values()
        return CoordinateFiles(
            path=Path(self.filesPath.get() or ""),
            pattern=self.filesPattern.get() or "",
            kind=values["input_format"],
            ts_ids=tuple(sorted(self.inputTomograms.get().getTSIds())),
            default_class=next(iter(values.get("class_name", ())), "particle"),
        )

    def _isJoint(self):
        return self._format().is_joint

    def _format(self):
        return format_named(self._values()["input_format"])

    def _values(self):
        return read_parameters(self, ConvertConfig, FORM_FIELDS)

    def _buildConfig(self, job):
        name, (files, ts_ids) = job
        links = [self._getExtraPath("tomograms", f"{t}.mrc") for t in ts_ids]
        given = self._values()
        values = {
            **given,
            "input": files,
            "output_format": "csv",
            "tomograms": self._chooseStar(
                self._format(),
                given.get("tomograms"),
                tomograms_by_id(self.inputTomograms.get()),
            ),
            "tomogram": links,
            "voxel_size": self.inputTomograms.get().getSamplingRate(),
            "out": self._getExtraPath("converted", name),
        }
        return config_from_values(ConvertConfig, values)

    def _readConverted(self):
        """Return the particles by tsId; those of several STAR files come together."""
        parts = defaultdict(list)
        for file in sorted(Path(self._getExtraPath("converted")).glob("*/*.csv")):
            parts[file.stem].append(read_csv(file, tomogram_id=file.stem))
        return {ts_id: join_particles(ts_id, found) for ts_id, found in parts.items()}

    def getDiameters(self):
        return read_assignments(self.diameter.get(), label="Classes and diameters")

    def _groups(self, particles):
        """Return the classes and their group ids."""
        found = sorted({str(n) for p in particles.values() for n in p.class_names})
        names = list(self.getDiameters()) or found
        missing = sorted(set(names) - set(found))
        if missing or not found:
            raise ConfigError(
                f"No coordinates of: {', '.join(missing) or 'any class'}. The files "
                f"hold the classes {', '.join(found) or 'none'}."
            )
        return {name: i for i, name in enumerate(names, 1)}


def _check_filaments(particles, kinds):
    """Refuse a class of filaments whose points name none.

    Raises
    ------
    ConfigError
        If there is one.
    """
    named = found_kinds(particles, {})
    for name, kind in kinds.items():
        if kind == FILAMENT != named.get(name, FILAMENT):
            raise ConfigError(
                f"--kind {name}=filament, but the files do not say which filament each "
                f"point of '{name}' lies on. Expected a column 'filament' in a CSV "
                "file, open contours in an IMOD model, or rlnHelicalTubeID in a STAR "
                "file."
            )
