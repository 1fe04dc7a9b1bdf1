"""Pick particles with a trained model, in tomograms that are there or still arrive."""

import os

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.arriving_input import NONE_ARRIVED
from etpicker_plugin.protocols.class_sets import (
    add_output_choice,
)
from etpicker_plugin.protocols.form import add_parameters, read_parameters
from etpicker_plugin.protocols.pick_outputs import GrowingPicks, PickOutputs
from etpicker_plugin.protocols.pick_steps import (
    ANY_TOMOGRAM,
    LEAST_STREAMING_THREADS,
    PickSteps,
)
from etpicker_plugin.protocols.protocol_base import ProtEtPickerBase
from etpicker_plugin.protocols.relion_tomograms import find_tomograms_star
from pyworkflow.object import String
from pyworkflow.protocol import ProtStreamingBase, params
from tomo.objects import SetOfCoordinates3D

from etpicker_plugin.constants import DEEPETPICKER
from etpicker_plugin.convert import (
    tomogram_file,
    tomograms_by_id,
)
from etpicker_plugin.convert_surfaces import is_mesh
from etpicker_plugin.engine.config.options import config_from_values
from etpicker_plugin.engine.config.pick import FILAMENT_LENGTHS, PickConfig
from etpicker_plugin.engine.formats.tilt_series_names import PLACE
from etpicker_plugin.engine.kinds import VESICLE
from etpicker_plugin.engine.model.card import read_usable_card

INPUT_FIELDS = ("classes", "unbiased", "threshold", "max_picks")
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


class ProtEtPickerPick(PickSteps, GrowingPicks, ProtEtPickerBase, ProtStreamingBase):
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
        form.addParam(
            "inputModel",
            params.PointerParam,
            pointerClass="EtPickerModel",
            important=True,
            label="Model",
            help="A model of 'train model' or 'import model'.",
        )
        add_parameters(form, PickConfig, INPUT_FIELDS)
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
        model = self.inputModel.get()
        tomograms = self._tomograms()
        if not model.isUnchanged():
            return [
                f"The model file {model.getPath()} is not the one that was registered: "
                "it was changed or replaced. Train or import it again."
            ]
        read_usable_card(model.getPath())
        self._configFor([ANY_TOMOGRAM])
        if not tomograms and self.inputTomograms.get().isStreamClosed():
            return [NONE_ARRIVED]
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

    def _checkClasses(self):
        known = self.inputModel.get().getClassNames()
        values = read_parameters(self, PickConfig, INPUT_FIELDS)
        asked = [*values.get("classes", ()), *values["threshold"]]
        unknown = sorted(set(asked) - set(known))
        if not unknown:
            return []
        return [
            f"The model does not know: {', '.join(unknown)}. Its classes are "
            f"{', '.join(known)}."
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

    def _headerFaults(self):
        """Return what the engine would leave tomograms out for."""
        return checks.check_headers(
            self._tomograms(), trusted=self.trustVoxelSize.get()
        )

    def _notLeftOut(self, tomograms):
        """Leave out what a run, while its input was open, has refused by name."""
        failures = self.getFailures()
        return {n: item for n, item in tomograms.items() if n not in failures}

    def _checkStreaming(self):
        if not self.isInputOpen():
            return []
        least = LEAST_STREAMING_THREADS
        if self.numberOfThreads.get() >= least:
            return []
        return [
            "The tomograms are still arriving, and one Scipion thread watches them: "
            f"set at least {least} threads, not {self.numberOfThreads.get()}."
        ]

    def _checkMasks(self, tomograms):
        if not self._hasMasks() or self.isInputOpen():
            return []
        return checks.check_masks(self._masks(), tomograms)

    def _warnings(self):
        faults = self._headerFaults()
        return [
            *(f"Will be left out: {fault}" for fault in faults),
            *checks.warn_idle_gpus(self, watching=int(self.isInputOpen())),
        ]

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
        lines += [
            f"Failed: {k}. {message}" for k, message in self.getFailures().items()
        ]
        return lines

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

    def getThresholds(self):
        """Return the score above which a pick was kept, per class."""
        given = read_parameters(self, PickConfig, ("threshold",))["threshold"]
        card = self.inputModel.get().getCard()
        return {**{c.name: c.threshold for c in card.classes}, **given}

    def _configFor(self, ts_ids, *, masks=None, records=""):
        """Return the engine's parameters; ``masks`` by tsId."""
        values = read_parameters(self, PickConfig, INPUT_FIELDS + PICKING_FIELDS)
        model, tomograms = self.inputModel.get(), self._tomograms()
        star = find_tomograms_star({t: tomograms[t] for t in ts_ids if t in tomograms})
        values.update(
            model=model.getPath(),
            model_sha256=model.getSha256(),
            tomogram=[os.path.join(self._linksFolder(), f"{t}.mrc") for t in ts_ids],
            mask=[tomogram_file(masks[t]) for t in ts_ids if masks],
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

    def _rate(self):
        return self.inputTomograms.get().getSamplingRate()

    def _tomograms(self):
        """Return the input's tomograms by tsId, read once, and again while open."""
        if getattr(self, "_tomogramsRead", None) is None:
            self._remember("_tomogramsRead", tomograms_by_id(self.inputTomograms.get()))
        return self._tomogramsRead

    def _hasMasks(self):
        return self.inputMasks.get() is not None

    def _masks(self):
        masks = self.inputMasks.get()
        return tomograms_by_id(masks) if masks is not None else {}

    def getGroups(self):
        """Return the picked classes and their group ids."""
        names = self.inputModel.get().getClassNames()
        wanted = read_parameters(self, PickConfig, ("classes",)).get("classes", names)
        return {name: i for i, name in enumerate(names, 1) if name in wanted}

    def getDiameters(self):
        card = self.inputModel.get().getCard()
        return {c.name: c.diameter_ang for c in card.classes}

    def getKinds(self):
        card = self.inputModel.get().getCard()
        return {c.name: c.kind for c in card.classes}
