"""Pick particles with a trained model, in tomograms that are there or still arrive."""

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.arriving_input import none_arrived
from etpicker_plugin.protocols.class_sets import add_output_choice
from etpicker_plugin.protocols.form import add_parameters, read_parameters
from etpicker_plugin.protocols.pick_outputs import GrowingPicks, PickOutputs
from etpicker_plugin.protocols.pick_steps import ANY_IMAGE, PickSteps
from etpicker_plugin.protocols.picked_model import INPUT_FIELDS, PickedModel
from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase
from etpicker_plugin.protocols.relion_tomograms import find_tomograms_star
from pyworkflow.object import String
from pyworkflow.protocol import ProtStreamingBase, params
from tomo.objects import SetOfCoordinates3D

from etpicker_plugin.constants import DEEPETPICKER
from etpicker_plugin.convert import tomogram_file, tomograms_by_id
from etpicker_plugin.convert_surfaces import is_mesh
from etpicker_plugin.engine.config.options import config_from_values
from etpicker_plugin.engine.config.pick import FILAMENT_LENGTHS, PickConfig
from etpicker_plugin.engine.formats.tilt_series_names import PLACE
from etpicker_plugin.engine.kinds import VESICLE

PICKING_FIELDS = (
    "z_range",
    "border",
    "min_distance",
    *FILAMENT_LENGTHS,
    "filament_twist",
    "surface_step",
    "instance_masks",
    "probability_map",
    "tile_size",
    "precision",
    "trust_voxel_size",
)
SCIPION_FIELDS = (
    "model",
    "tomogram",
    "out",
    "voxel_size",
    "tomograms",
    "tilt_series_name",
    "tilt_series_table",
    "mask",
    "part",
    "model_sha256",
    "records",
    "device",
    "threads",
)
"""Fields that Scipion's own inputs give: sets, folders, GPU and threads."""

UNMASKED = "It has no region mask. Add one, or leave the region masks out."


class ProtEtPickerPick(
    PickSteps, PickedModel, GrowingPicks, ProtEtPickerBase, ProtStreamingBase
):
    """Pick particles in tomograms with a trained model.

    Tomograms that are still being reconstructed are picked as they arrive. One that
    cannot be picked is listed as failed and the others go on. The group id of a
    particle is the number of its class in the model, from 1; those of filaments and
    vesicles number them in each tomogram.
    """

    _label = "pick particles"
    _possibleOutputs = PickOutputs

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.failedNames = String()

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        self._addTomograms(
            form,
            "Tomograms to pick, of the kind that the model has learnt from. "
            "Another voxel size is rescaled.",
        )
        self._addModel(form, "A model of 'train model' or 'import model'.")
        self._addMasks(
            form,
            "Nothing is picked where the mask of a tomogram is 0. Each tomogram "
            "needs one.",
        )
        form.addSection(label="Picking")
        add_parameters(form, PickConfig, PICKING_FIELDS)
        form.addParam(
            "boxSize",
            params.IntParam,
            default=None,
            allowsNull=True,
            label="Box size [voxels]",
            help="Box size written to the coordinates; without it, each class's "
            "diameter rounded up to an even number of voxels.",
        )
        add_output_choice(form, level=params.LEVEL_ADVANCED)
        self._addComputing(form)
        self._defineStreamingParams(form)
        form.addParam(
            "tomogramsPerJob",
            params.IntParam,
            default=10,
            expertLevel=params.LEVEL_ADVANCED,
            label="Tomograms per job",
            help="At most so many tomograms go through one engine process, which "
            "loads the model once; the outputs grow after each. All that wait go, so "
            "where tomograms arrive slower than they are picked each goes at once.",
        )

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        unfit = self._checkModel()
        if unfit:
            return unfit
        tomograms = self._images()
        self._configFor([ANY_IMAGE])
        if not tomograms and self.inputTomograms.get().isStreamClosed():
            return [none_arrived(self.IMAGE)]
        faults = self._headerFaults()
        return [
            *self._checkClasses(),
            *self._checkVesicles(),
            *self._checkStreaming(),
            *(faults if len(faults) == len(tomograms) else []),
            *checks.check_axes(self._notLeftOut(tomograms)),
            *self._checkMasks(tomograms),
            *checks.check_gpu(self),
            *checks.check_writable(self),
        ]

    def _checkVesicles(self):
        """See that what is asked for of vesicles is of classes that are some."""
        known = [n for n, kind in self.getKinds().items() if kind == VESICLE]
        others = sorted(set(self.getSurfaceSteps()) - set(known))
        if others or (self.instanceMasks.get() and not known):
            asked = "--surface-step" if others else "--instance-masks"
            return [
                f"{asked}: the model has no vesicles "
                f"{'of the name ' + ', '.join(others) if others else 'at all'}; its "
                f"classes of vesicles are: {', '.join(known) or 'none'}."
            ]
        return []

    def _checkMasks(self, tomograms):
        if not self._hasMasks() or self.isInputOpen():
            return []
        return checks.check_masks(self._masks(), tomograms)

    def _summary(self):
        if not hasattr(self, PickOutputs.Coordinates3D.name):
            return self._runningLines() or ["The picks are not ready yet."]
        lines = self._runningLines()
        for name, output in self.iterOutputAttributes(SetOfCoordinates3D):
            label = output.getObjLabel() or name
            tomograms = len(self.getPicked())
            what = "points on membranes" if is_mesh(output) else "picks"
            lines.append(
                f"{label}: {output.getSize()} {what} in {tomograms} tomogram(s)"
            )
        return [*lines, *self._failedLines()]

    def _methods(self):
        if not hasattr(self, PickOutputs.Coordinates3D.name):
            return []
        return [
            f"Particles of {', '.join(self.getGroups())} were picked with a trained "
            f"3D network and mean-pooling non-maximum suppression [{DEEPETPICKER}]."
        ]

    # --------------------------- helpers --------------------------------------
    def getPicksFile(self, ts_id):
        """Return the engine's CSV of one tomogram."""
        return self.getPicksFolder() / f"{ts_id}.csv"

    def getSurfaceFile(self, ts_id):
        """Return the engine's CSV of points on a tomogram's membranes."""
        return self.getPicksFolder() / "surface" / f"{ts_id}.csv"

    def getSurfaceSteps(self):
        """Return the step (Å) of points on membranes of each class that has one."""
        return read_parameters(self, PickConfig, ("surface_step",))["surface_step"]

    def _configFor(self, ts_ids, *, records=""):
        """Return the engine's parameters."""
        values = read_parameters(self, PickConfig, INPUT_FIELDS + PICKING_FIELDS)
        model, tomograms, masks = self.inputModel.get(), self._images(), self._masks()
        star = find_tomograms_star({t: tomograms[t] for t in ts_ids if t in tomograms})
        values.update(
            model=model.getPath(),
            model_sha256=model.getSha256(),
            tomogram=[self._linkOf(t) for t in ts_ids],
            mask=[tomogram_file(masks[t]) for t in ts_ids if t in masks],
            out=str(self.getPicksFolder()),
            records=records,
            voxel_size=self._rate(),
            tomograms=star,
            # A tsId is the tilt series' own name, unless RELION says another.
            tilt_series_name=[] if star else [PLACE],
            device=self._device(),
            threads=self._engineThreads(),
        )
        return config_from_values(PickConfig, values)

    def _inputSets(self):
        masks = self.inputMasks.get()
        return [*super()._inputSets(), *([masks] if masks is not None else [])]

    def _perJob(self):
        return max(self.tomogramsPerJob.get(), 1)

    def _waiting(self, images):
        """Return the tomograms whose region masks are still to come."""
        return set(images) - set(self._masks()) if self._hasMasks() else set()

    def _unfit(self, names):
        unmasked = set(names) - set(self._masks()) if self._hasMasks() else ()
        return {**dict.fromkeys(unmasked, UNMASKED), **super()._unfit(names)}

    def _hasMasks(self):
        return self.inputMasks.get() is not None

    def _masks(self):
        masks = self.inputMasks.get()
        return tomograms_by_id(masks) if masks is not None else {}

    def _outputChoices(self):
        """Return what the outputs are made with, beside the picks."""
        return self.boxSize.get(), self.outputSets.get()
