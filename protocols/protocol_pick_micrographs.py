"""Pick particles in micrographs that are there, or still arrive."""

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.arriving_input import none_arrived
from etpicker_plugin.protocols.class_sets import SET_PER_CLASS
from etpicker_plugin.protocols.form import add_parameters, read_parameters
from etpicker_plugin.protocols.micrograph_outputs import (
    GrowingMicrographPicks,
    MicrographOutputs,
)
from etpicker_plugin.protocols.pick_steps import ANY_IMAGE, PickSteps
from etpicker_plugin.protocols.picked_model import INPUT_FIELDS, PickedModel
from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase
from pwem.objects import SetOfCoordinates
from pwem.protocols import ProtParticlePicking
from pyworkflow.object import String
from pyworkflow.protocol import ProtStreamingBase, params

from etpicker_plugin.constants import EPICKER
from etpicker_plugin.engine.config.options import config_from_values
from etpicker_plugin.engine.config.pick import PickConfig

FILAMENT_FIELDS = (
    "filament_step",
    "filament_gap",
    "filament_length",
    "filament_radius",
)
PICKING_FIELDS = (
    "border",
    "min_distance",
    *FILAMENT_FIELDS,
    "precision",
    "trust_voxel_size",
)
SCIPION_FIELDS = (
    "model",
    "tomogram",
    "out",
    "voxel_size",
    "part",
    "model_sha256",
    "records",
    "device",
    "threads",
)
"""Fields that Scipion's own inputs give: sets, folders, GPU and threads."""

TOMOGRAM_FIELDS = (
    "tomograms",
    "tilt_series_name",
    "tilt_series_table",
    "mask",
    "z_range",
    "filament_rise",
    "filament_twist",
    "surface_step",
    "instance_masks",
    "probability_map",
    "tile_size",
)
"""Fields that are of tomograms, or of results that Scipion has no set for here."""

OPEN_BATCH = 0
"""The batch size that stands for all that wait."""


class ProtEtPickerPickMicrographs(
    PickSteps,
    PickedModel,
    GrowingMicrographPicks,
    ProtEtPickerBase,
    ProtStreamingBase,
    ProtParticlePicking,
):
    """Pick particles in micrographs with a trained model.

    Micrographs that are still being recorded are picked as they arrive. One that
    cannot be picked is listed as failed and the others go on. Scipion's coordinates
    are whole pixels: each pick goes to the nearest one, and where it is between pixels
    stands in the run's CSV files.
    """

    # pwem's own base for this, ProtParticlePickingAuto, keeps what is done in files
    # beside the set that it fills: a kill between the two loses picks, or has them
    # twice. It ends at the first micrograph that fails, and knows one output.

    _label = "pick micrographs"
    _possibleOutputs = MicrographOutputs
    IMAGE = "micrograph"
    FAILED = MicrographOutputs.FailedMicrographs.name

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.failedNames = String()

    # --------------------------- form -----------------------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        form.addParam(
            "inputMicrographs",
            params.PointerParam,
            pointerClass="SetOfMicrographs",
            important=True,
            label="Micrographs",
            help="Micrographs to pick, motion-corrected: MRC or TIFF. Another pixel "
            "size than the model's is rescaled.",
        )
        self._addModel(
            form,
            "A model that has learnt from micrographs: of 'train model' or "
            "'import model'.",
        )
        form.addSection(label="Picking")
        self._addBoxSize(form)
        add_parameters(form, PickConfig, PICKING_FIELDS)
        self._addComputing(form)
        self._addStreaming(form)

    def _addBoxSize(self, form):
        form.addParam(
            "boxSize",
            params.IntParam,
            default=None,
            allowsNull=True,
            label="Box size [pixels]",
            help="Box size written to the coordinates, and as an output that forms of "
            "extraction can point to; without it, each class's diameter rounded up to "
            "an even number of pixels.",
        )

    def _addStreaming(self, form):
        """Add what pwem's pickers ask of streaming, by the same names."""
        form.addSection(label="Streaming")
        form.addParam(
            "streamingSleepOnWait",
            params.IntParam,
            default=10,
            label="Sleep when waiting [s]",
            help="How long to wait before it is looked for new micrographs again.",
        )
        form.addParam(
            "streamingBatchSize",
            params.IntParam,
            default=50,
            label="Batch size",
            help="At most so many micrographs go through one engine process, which "
            "loads the model once; the outputs grow after each. Fewer go where fewer "
            "wait. 0: all that wait.",
        )

    # --------------------------- info -----------------------------------------
    def _findErrors(self):
        unfit = self._checkModel()
        if unfit:
            return unfit
        micrographs = self._images()
        self._configFor([ANY_IMAGE])
        if not micrographs and self.inputMicrographs.get().isStreamClosed():
            return [none_arrived(self.IMAGE)]
        faults = self._headerFaults()
        return [
            *self._checkClasses(),
            *self._checkStreaming(),
            *(faults if len(faults) == len(micrographs) else []),
            *checks.check_gpu(self),
            *checks.check_writable(self),
        ]

    def _summary(self):
        if not hasattr(self, MicrographOutputs.outputCoordinates.name):
            return self._runningLines() or ["The picks are not ready yet."]
        lines, micrographs = self._runningLines(), len(self.getPicked())
        for name, output in self.iterOutputAttributes(SetOfCoordinates):
            lines.append(
                f"{output.getObjLabel() or name}: {output.getSize()} picks in "
                f"{micrographs} micrograph(s), at the nearest pixel; box size "
                f"{output.getBoxSize()} pixels"
            )
        return [*lines, *self._failedLines()]

    def _methods(self):
        if not hasattr(self, MicrographOutputs.outputCoordinates.name):
            return []
        return [
            f"Particles of {', '.join(self.getGroups())} were picked in micrographs "
            f"with a trained network and mean-pooling non-maximum suppression "
            f"[{EPICKER}]."
        ]

    # --------------------------- helpers --------------------------------------
    def getPicksFile(self, name):
        """Return the engine's CSV of one micrograph, with fractions of pixels."""
        return self.getPicksFolder() / f"{name}.csv"

    def _configFor(self, names, *, records=""):
        """Return the engine's parameters."""
        model = self.inputModel.get()
        values = read_parameters(self, PickConfig, INPUT_FIELDS + PICKING_FIELDS)
        values.update(
            model=model.getPath(),
            model_sha256=model.getSha256(),
            tomogram=[self._linkOf(name) for name in names],
            out=str(self.getPicksFolder()),
            records=records,
            voxel_size=self._rate(),
            device=self._device(),
            threads=self._engineThreads(),
        )
        return config_from_values(PickConfig, values)

    def imagesPointer(self):
        return self.inputMicrographs

    def _perJob(self):
        batch = self.streamingBatchSize.get()
        return batch if batch > OPEN_BATCH else max(len(self._images()), 1)

    def _headerFaults(self):
        return [f"{name}: {said}" for name, said in self._unfit(self._images()).items()]

    def _unfit(self, names):
        waiting = {n: self._images()[n] for n in self._unsettled(names)}
        return checks.find_faults(waiting, trusted=self.trustVoxelSize.get())

    def _outputChoices(self):
        return self.boxSize.get(), SET_PER_CLASS
