"""What learning protocols share: annotated tomograms, checked and written out."""

import os
import shutil
from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.form import add_parameters, split_words
from etpicker_plugin.protocols.kinds import add_kinds, kinds_of, typed_kinds
from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase, set_label
from etpicker_plugin.protocols.same_run import warn_discarded
from pyworkflow.object import Set
from pyworkflow.protocol import MODE_RESUME, params

from etpicker_plugin.constants import (
    FORGETTING_FILE,
    MODEL_FILE,
    REPORT_FILE,
    SLICE_FILE,
    STATE_FILE,
)
from etpicker_plugin.convert import (
    link_tomogram,
    particles_by_tomogram,
    tomogram_file,
    tomogram_link,
    tomograms_by_id,
)
from etpicker_plugin.convert_images import (
    COORDINATES,
    image_ids,
    marked_ids,
    sampling_rate_of,
)
from etpicker_plugin.convert_micrographs import turned_over
from etpicker_plugin.engine.annotation import warn_few_marks
from etpicker_plugin.engine.config.options import config_digest
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.particles import join_particles
from etpicker_plugin.engine.records import FINISH_FILE, progress_file

INPUT_FIELDS = ("diameter", "annotation", "trust_voxel_size")
SCIPION_FIELDS = (
    "tomogram",
    "coordinates",
    "kind",
    "out",
    "voxel_size",
    "mask",
    "validation_tomogram",
    "validation_coordinates",
    "device",
    "threads",
)
"""Fields that Scipion's own inputs give: sets, folders, GPU and threads."""
PARAMETERS_NOTE = "parameters.txt"
BEGUN = (MODEL_FILE, STATE_FILE)
RESULTS = (
    *BEGUN,
    SLICE_FILE,
    FORGETTING_FILE,
    REPORT_FILE,
)


class ProtEtPickerLearn(ProtEtPickerBase):
    """A protocol that learns from tomograms or micrographs with coordinates."""

    COMMAND = ""

    # --------------------------- form -----------------------------------------
    def _addAnnotated(self, form, config_class, *, tomograms_help, or_maps=False):
        """Add what is learnt from; with ``or_maps`` coordinates are not needed."""
        self._addImages(form, tomograms_help)
        form.addParam(
            "inputCoordinates",
            params.MultiPointerParam,
            pointerClass=COORDINATES,
            minNumObjects=0 if or_maps else 1,
            allowsNull=or_maps,
            important=True,
            label="Coordinates",
            help="Centres of particles in these tomograms or micrographs: one set for "
            "each class, or, in tomograms, sets whose group ids are the classes. "
            "Filaments: points in order along each, a set for each class; vesicles: "
            "their centres, likewise."
            + (" None are needed with density maps." if or_maps else ""),
        )
        self._addClasses(form)
        form.addParam(
            "inputNegatives",
            params.MultiPointerParam,
            pointerClass=COORDINATES,
            allowsNull=True,
            minNumObjects=0,
            label="Negatives",
            help="Places in these images that hold no particle: the 'Negatives' of "
            "'annotate particles'. They are learnt as background, and more often than "
            "other places. Every coordinate of these sets is one.",
        )
        add_parameters(form, config_class, INPUT_FIELDS[:1])
        add_kinds(form)
        add_parameters(form, config_class, INPUT_FIELDS[1:])
        self._addMasks(
            form,
            "Voxels where the mask of a tomogram is 0 are not learnt from. Micrographs "
            "take none.",
            level=params.LEVEL_ADVANCED,
        )
        form.addParam(
            "validationNames",
            params.StringParam,
            default="",
            expertLevel=params.LEVEL_ADVANCED,
            label="Validation tomograms",
            help="Names of tomograms (tsId) or micrographs held out for validation and "
            "for the thresholds, separated by spaces. Without any, a part of each is "
            "held out.",
        )

    # --------------------------- steps ----------------------------------------
    def _insertAllSteps(self):
        digest = self._digest()
        prepared = self._insertFunctionStep(
            self.convertInputStep, digest, prerequisites=[], needsGPU=False
        )
        trained = self._insertFunctionStep(
            self.learnStep, digest, prerequisites=[prepared], needsGPU=self.usesGpu()
        )
        self._insertFunctionStep(
            self.createOutputStep, digest, prerequisites=[trained], needsGPU=False
        )

    def convertInputStep(self, digest):
        """Link the tomograms and write one coordinate file for each."""
        self._forgetOtherRun(digest)
        marks = self.getMarks()
        for ts_id, tomogram in self.getLearntTomograms().items():
            link_tomogram(tomogram, self._getExtraPath("tomograms"))
            csv = self._csvOf(ts_id)
            os.makedirs(os.path.dirname(csv), exist_ok=True)
            write_csv(turned_over(marks[ts_id], tomogram), Path(csv))

    def learnStep(self, digest):
        """Learn, or go on where a stopped run was."""
        self.runEngine(
            self.COMMAND,
            self._buildConfig(),
            self._getExtraPath(),
            processes=len(set(self.getGpuList())) if self.usesGpu() else 1,
        )

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        errors = self._checkKinds() or self._nameErrors()
        if errors:
            return errors
        tomograms = self.getLearntTomograms()
        if self.getMasks():
            errors = checks.check_masks(self.getMasks(), tomograms)
            if errors:
                return errors
        config = self._buildConfig()
        rate = self.inputTomograms.get().getSamplingRate()
        particles = self._readParticles()
        return [
            *checks.check_sampling_rates(rate, self._samplingRates(), of="coordinates"),
            *checks.check_headers(tomograms, trusted=self.trustVoxelSize.get()),
            *checks.check_inside(particles, tomograms),
            *checks.check_inside(self._readNegatives(), tomograms),
            *checks.check_diameters(config.diameter, tomograms),
            *checks.check_counts(particles, self._classesToMark()),
            *checks.check_gpu(self),
            *checks.check_writable(self),
        ]

    def _nameErrors(self):
        every = image_ids(self.inputTomograms.get())
        return checks.check_names(every, self._markedNames(), of="coordinates")

    def _checkKinds(self):
        """Refuse coordinates of micrographs beside tomograms, and the reverse."""
        images = self.inputTomograms.get()
        named = [(set_label(p), p.get()) for p in self.inputCoordinates]
        others = [(set_label(p), p.get()) for p in self.inputNegatives]
        return [
            *checks.check_one_kind(images, named, of="coordinates"),
            *checks.check_one_kind(images, others, of="negatives"),
        ]

    def _warnings(self):
        return [
            *self._warnDiscarded(),
            *self._warnFewMarks(),
            *self._warnNames(),
            *self._warnClasses(self.inputCoordinates, self._classesOfSets()),
            *checks.warn_unused_negatives(self._readNegatives(), self._usedNames()),
        ]

    def _warnNames(self):
        every = image_ids(self.inputTomograms.get())
        return checks.warn_names(every, self._markedNames(), of="coordinates")

    def _warnDiscarded(self):
        """Say what 'Continue' would throw away, because this is another training."""
        note = Path(self._getExtraPath(PARAMETERS_NOTE))
        begun = any(Path(self._getExtraPath(n)).is_file() for n in BEGUN)
        if self.runMode.get() != MODE_RESUME or not begun or not note.is_file():
            return []
        if note.read_text(encoding="utf-8") == self._digest():
            return []
        return warn_discarded(Path(self._getExtraPath()), self._buildConfig())

    def _warnFewMarks(self):
        marks = self._readParticles().values()
        return warn_few_marks(
            {n: sum(len(m.of_class(n)) for m in marks) for n in self._classesToMark()},
            annotation=self._buildConfig().annotation,
        )

    # --------------------------- helpers --------------------------------------
    def _digest(self):
        """Return what makes 'Continue' notice changed parameters and other sets."""
        sets = [pointer.getUniqueId() for pointer in self.getTeachers()]
        return " ".join([config_digest(self._buildConfig()), *sets])

    def getTeachers(self):
        """Return the pointers to what is learnt from, beside tomograms."""
        return (*self.inputCoordinates, *self.inputNegatives)

    def getModelFile(self):
        """Return where the engine writes the model."""
        return self._getExtraPath(MODEL_FILE)

    def getMarksFolder(self):
        """Return where the window keeps what is changed in the marks."""
        return self._getExtraPath("marks")

    def finishNow(self):
        """Ask a running training to end, with the best model so far."""
        Path(self._getExtraPath(FINISH_FILE)).touch()

    def getProgressFile(self):
        """Return where the engine reports its progress."""
        return str(progress_file(Path(self._getExtraPath())))

    def _learningValues(self):
        """Return the parameters that the input sets give."""
        masks, tomograms = self.getMasks(), self.getLearntTomograms()
        held_out = self._heldOutNames()
        learning = [n for n in self._usedNames() if n not in held_out]
        if not learning:
            raise ConfigError(
                "No tomogram with coordinates is left to learn from. Check the names "
                "of tomograms and coordinates, and the validation tomograms."
            )
        return {
            "tomogram": [self._linkOf(tomograms[n]) for n in learning],
            "coordinates": [self._csvOf(n) for n in learning],
            "validation_tomogram": [self._linkOf(tomograms[n]) for n in held_out],
            "validation_coordinates": [self._csvOf(n) for n in held_out],
            "mask": [tomogram_file(masks[n]) for n in learning if n in masks],
            "voxel_size": self.inputTomograms.get().getSamplingRate(),
            "kind": self.getKinds(),
            "out": self._getExtraPath(),
            "device": self._device(),
            "threads": self._engineThreads(),
        }

    def _forgetOtherRun(self, digest):
        """Remove what a run with other parameters left: the engine keeps its models."""
        note = Path(self._getExtraPath(PARAMETERS_NOTE))
        if note.is_file() and note.read_text(encoding="utf-8") != digest:
            for name in RESULTS:
                Path(self._getExtraPath(name)).unlink(missing_ok=True)
            Path(self.getProgressFile()).unlink(missing_ok=True)
            shutil.rmtree(self.getMarksFolder(), ignore_errors=True)
        note.write_text(digest, encoding="utf-8")

    def _heldOutNames(self):
        wanted = split_words(self.validationNames.get())
        missing = sorted(set(wanted) - set(self._usedNames()))
        if missing:
            raise ConfigError(
                f"Validation tomograms without coordinates or unknown: "
                f"{checks.shorten(missing)}. Known: "
                f"{checks.shorten(self._usedNames())}."
            )
        return wanted

    def _classesOfSets(self):
        """Return the classes that the sets of coordinates are matched with."""
        return list(self.getDiameters())

    def _classesToMark(self):
        """Return the classes of which there must be coordinates."""
        return list(self.getDiameters())

    def _readParticles(self):
        return particles_by_tomogram(self._sources(), kinds=self.getKinds())

    def _sources(self):
        return self._classSources(self.inputCoordinates, self._classesOfSets())

    def getKinds(self):
        """Return the kind of each class that is no particle."""
        return kinds_of(self._sources(), typed_kinds(self, self.getDiameters()))

    def getMarks(self):
        """Return particles and negatives of each tomogram that is learnt from."""
        particles, negatives = self._readParticles(), self._readNegatives()
        return {
            name: join_particles(
                name, [p[name] for p in (particles, negatives) if name in p]
            )
            for name in self._usedNames()
        }

    def _readNegatives(self):
        sets = [pointer.get() for pointer in self.inputNegatives]
        return particles_by_tomogram((item, lambda _group: NEGATIVE) for item in sets)

    def _markedNames(self):
        """Return the tsIds that have coordinates."""
        return {
            name
            for pointer in self.inputCoordinates
            for name in marked_ids(pointer.get())
        }

    def _usedNames(self):
        """Return the tsIds that have a tomogram and coordinates, sorted."""
        return sorted(self._markedNames() & set(image_ids(self.inputTomograms.get())))

    def getLearntTomograms(self):
        """Return the tomograms that have coordinates, by tsId."""
        tomograms = tomograms_by_id(self.inputTomograms.get())
        return {name: tomograms[name] for name in self._usedNames()}

    def getMasks(self):
        """Return the region masks by tsId."""
        masks = self.inputMasks.get()
        return tomograms_by_id(masks) if masks is not None else {}

    def _samplingRates(self):
        for pointer in (*self.inputCoordinates, *self.inputNegatives):
            item: Set = pointer.get()
            yield item.getObjLabel() or pointer.getExtended(), sampling_rate_of(item)

    def _linkOf(self, tomogram):
        return self._getExtraPath("tomograms", tomogram_link(tomogram))

    def _csvOf(self, ts_id):
        return self._getExtraPath("coordinates", f"{ts_id}.csv")
