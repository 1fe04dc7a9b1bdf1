"""What picking asks of its model: is it fit for these images, and what it knows."""

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.form import add_parameters, read_parameters
from pyworkflow.protocol import params

from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.model.card import read_usable_card

INPUT_FIELDS = ("classes", "unbiased", "threshold", "max_picks")


class PickedModel:
    """A protocol's model and what is wanted of it: a mixin."""

    def _addModel(self, form, help_text):
        form.addParam(
            "inputModel",
            params.PointerParam,
            pointerClass="EtPickerModel",
            important=True,
            label="Model",
            help=help_text,
        )
        add_parameters(form, PickConfig, INPUT_FIELDS)

    # --------------------------- checks ---------------------------------------
    def _checkModel(self):
        """Refuse a model whose file was changed, and one of the other kind of images.

        Raises
        ------
        CheckpointError
            If the file cannot be used.
        """
        model = self.inputModel.get()
        if not model.isUnchanged():
            return [
                f"The model file {model.getPath()} is not the one that was registered: "
                "it was changed or replaced. Train or import it again."
            ]
        card = read_usable_card(model.getPath())
        return checks.check_model_kind(card, self.imagesPointer().get())

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

    # --------------------------- what it knows --------------------------------
    def getGroups(self):
        """Return the picked classes and their numbers in the model, from 1."""
        names = self.inputModel.get().getClassNames()
        wanted = read_parameters(self, PickConfig, ("classes",)).get("classes", names)
        return {name: i for i, name in enumerate(names, 1) if name in wanted}

    def getThresholds(self):
        """Return the score above which a pick was kept, per class."""
        given = read_parameters(self, PickConfig, ("threshold",))["threshold"]
        card = self.inputModel.get().getCard()
        return {**{c.name: c.threshold for c in card.classes}, **given}

    def getDiameters(self):
        card = self.inputModel.get().getCard()
        return {c.name: c.diameter_ang for c in card.classes}

    def getKinds(self):
        card = self.inputModel.get().getCard()
        return {c.name: c.kind for c in card.classes}
