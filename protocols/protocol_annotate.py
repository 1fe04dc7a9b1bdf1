"""Mark particles by hand in the window."""

from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.annotation import (
    COORDINATES,
    FLAT_COORDINATES,
    LIVE_SETS,
    NEGATIVES,
    has_news,
    prepare_window,
    register_annotation,
    start_window,
    window_error,
)
from etpicker_plugin.protocols.class_sets import add_output_choice
from etpicker_plugin.protocols.diameters import read_diameters
from etpicker_plugin.protocols.form import add_parameters, read_parameters
from etpicker_plugin.protocols.kinds import kinds_of
from etpicker_plugin.protocols.live_outputs import (
    MODEL,
    register_live_model,
    register_live_picks,
)
from etpicker_plugin.protocols.protocol_base import (
    ProtEtPickerBase,
    explain_classes,
    set_label,
)
from pwem.objects import SetOfCoordinates
from pyworkflow.protocol import params
from tomo.objects import SetOfCoordinates3D

from etpicker_plugin.convert import particles_by_tomogram, tomograms_by_id
from etpicker_plugin.convert_images import (
    COORDINATE_SETS,
    is_flat,
    marked_ids,
    sampling_rate_of,
)
from etpicker_plugin.convert_images import COORDINATES as COORDINATE_CLASSES
from etpicker_plugin.engine.config.checks import require_known_kinds
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.names import image_word, require_new_names
from etpicker_plugin.objects import EtPickerModel
from etpicker_plugin.window.document.display import require_display

NEEDED_FIELDS, OTHER_FIELDS = ("diameter",), ("kind", "trust_voxel_size")
FORM_FIELDS = NEEDED_FIELDS + OTHER_FIELDS
SCIPION_FIELDS = (
    "tomogram",
    "coordinates",
    "compare",
    "threshold",
    "voxel_size",
    "probability",
    "mask",
    "out",
)
"""Fields that Scipion's own inputs give, or that are of the command line only."""


def possible_outputs(*, flat):
    """Return the class of each output, of tomograms or of micrographs."""
    coordinates = SetOfCoordinates if flat else SetOfCoordinates3D
    return {
        FLAT_COORDINATES if flat else COORDINATES: coordinates,
        NEGATIVES: coordinates,
        LIVE_SETS: coordinates,
        MODEL: EtPickerModel,
    }


class ProtEtPickerAnnotate(ProtEtPickerBase):
    """Mark particles of one or several species in tomograms or in micrographs.

    On its page *Live* one click is enough: all places like it are shown, you say which
    are particles, and what they teach is an output too: the picks of all tomograms, to
    extract at once, and a model to pick others with.

    Every click is saved at once. Close the window to get the coordinates; 'Continue'
    opens it again where it was, and gives new coordinates beside the former.
    Scipion's coordinates in micrographs are whole pixels: a mark goes to the nearest.
    """

    _label = "annotate particles"

    @property
    def _possibleOutputs(self):
        """Return what it will give, which the input decides."""
        return possible_outputs(flat=is_flat(self.inputTomograms.get()))

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        self._addImages(form, "Tomograms, or micrographs, to mark particles in.")
        add_parameters(form, ViewConfig, NEEDED_FIELDS, important=True)
        add_parameters(form, ViewConfig, OTHER_FIELDS)
        form.addParam(
            "inputCoordinates",
            params.MultiPointerParam,
            pointerClass=COORDINATE_CLASSES,
            allowsNull=True,
            minNumObjects=0,
            label="Coordinates to begin with",
            help="Picks to mend or to go on from. They are copied, never changed.",
        )
        self._addClasses(form, explain_classes("above"))
        self._addMasks(
            form,
            "Shown over the tomograms: what lies outside is tinted. Micrographs take "
            "none.",
            level=params.LEVEL_ADVANCED,
        )
        add_output_choice(form)

    # --------------------------- steps ----------------------------------------
    def _insertAllSteps(self):
        self._insertFunctionStep(
            self.annotateStep, interactive=True, prerequisites=[], needsGPU=False
        )

    def annotateStep(self):
        """Open the window, wait until it is closed, and register what was marked."""
        folder = self.getWindowFolder()
        tomograms = tomograms_by_id(self.inputTomograms.get())
        config = self._buildConfig(folder)
        error = window_error(config, start_window(config, folder).wait())
        if error is not None:
            raise error
        if has_news(folder, tomograms):
            register_annotation(self, folder, tomograms, known_groups=self.getGroups())
        register_live_picks(self, folder, tomograms, known_groups=self.getGroups())
        register_live_model(self, folder)

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        require_display()
        mixed = checks.check_one_kind(
            self.inputTomograms.get(),
            [(set_label(p), p.get()) for p in self.inputCoordinates],
            of="coordinates",
        )
        if mixed:
            return mixed
        diameters = self.getDiameters()
        if not diameters:
            raise ConfigError(
                "Give each class to mark and its particle diameter, NAME=VALUE in Å; "
                "the wand measures it."
            )
        require_known_kinds(self.getKinds())
        marked = {n for p in self._readParticles().values() for n in p.class_names}
        require_new_names(set(diameters) - marked, what="Particle diameter")
        tomograms = tomograms_by_id(self.inputTomograms.get())
        rate = self.inputTomograms.get().getSamplingRate()
        others = [
            (pointer.get().getObjLabel(), sampling_rate_of(pointer.get()))
            for pointer in self.inputCoordinates
        ]
        return [
            *checks.check_sampling_rates(rate, others, of="coordinates"),
            *checks.check_headers(tomograms, trusted=self.trustVoxelSize.get()),
            *checks.check_inside(self._readParticles(), tomograms),
            *checks.check_diameters(diameters, tomograms),
            *checks.check_writable(self),
        ]

    def _summary(self):
        lines = [
            f"{name}: {output.getSize()} of {output.getObjLabel()} in "
            f"{len(marked_ids(output))} {image_word(is_flat(output))}(s)"
            for name, output in self.iterOutputAttributes(COORDINATE_SETS)
        ]
        lines += [
            f"{name}: {model.getInfo()}, from the answers on Live"
            for name, model in self.iterOutputAttributes(EtPickerModel)
        ]
        return lines or [
            "Nothing is marked yet. Mark particles in the window and close it; "
            "'Continue' opens it again."
        ]

    # --------------------------- helpers --------------------------------------
    def getWindowFolder(self):
        """Return where the annotation is kept."""
        return Path(self._getExtraPath())

    def getDiameters(self):
        """Return the diameter of each class in Å."""
        return read_diameters(self, ViewConfig, self.inputCoordinates)

    def getKinds(self):
        """Return the kind of each class that is no particle, as its coordinates say."""
        names = list(self.getDiameters())
        sources = (
            self._classSources(self.inputCoordinates, names)
            if len(self.inputCoordinates)
            else []
        )
        return kinds_of(sources, read_parameters(self, ViewConfig, ("kind",))["kind"])

    def getGroups(self):
        """Return the classes and their group ids."""
        return {name: i for i, name in enumerate(self.getDiameters(), 1)}

    def _readParticles(self):
        if len(self.inputCoordinates) == 0:
            return {}
        return particles_by_tomogram(
            self._classSources(self.inputCoordinates, list(self.getDiameters())),
            kinds=self.getKinds(),
        )

    def _buildConfig(self, folder):
        masks = self.inputMasks.get()
        return prepare_window(
            folder,
            tomograms_by_id(self.inputTomograms.get()),
            self._readParticles(),
            diameters=self.getDiameters(),
            kinds=self.getKinds(),
            masks=tomograms_by_id(masks) if masks is not None else None,
            trusted=self.trustVoxelSize.get(),
        )
