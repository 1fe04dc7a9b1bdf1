"""The trained model as a Scipion object."""

from pwem.objects import EMObject
from pyworkflow.object import String

from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.held_out import describe_metrics
from etpicker_plugin.engine.model.card import ModelCard, describe_round, read_card
from etpicker_plugin.engine.model.training_end import describe_end


class EtPickerModel(EMObject):
    """A model file: path, names of its classes, and the file's SHA-256."""

    def __init__(self, path=None, **kwargs):
        super().__init__(**kwargs)
        self._path = String(path)
        self._classes = String()
        self._sha256 = String()

    @classmethod
    def fromFile(cls, path):
        """Return the object for a model file.

        Raises
        ------
        CheckpointError
            If the file is not a usable model.
        """
        model = cls(path=str(path))
        model._classes.set(", ".join(read_card(path).class_names()))
        model._sha256.set(file_sha256(path))
        return model

    def getPath(self):
        """Return the model file, relative to the project."""
        return self._path.get()

    def getFileName(self):
        return self.getPath()

    def getFiles(self):
        return {self.getPath()}

    def getClassNames(self):
        """Return the names of the classes, in the order of their group ids."""
        names = self._classes.get() or ""
        return [name for name in names.split(", ") if name]

    def getSha256(self):
        return self._sha256.get()

    def getCard(self) -> ModelCard:
        """Read what the model file says of itself."""
        return read_card(self.getPath())

    def isUnchanged(self):
        """Return whether the file is still the one that was registered."""
        return file_sha256(self.getPath()) == self.getSha256()

    def getInfo(self):
        """Return classes and their diameters, network and voxel size in a line."""
        card = self.getCard()
        classes = ", ".join(f"{c.name} ({c.diameter_ang:g} Å)" for c in card.classes)
        return (
            f"{classes}; network {card.network}, working voxel size "
            f"{card.working_voxel_size:.4g} Å, {describe_round(card.round)}"
        )

    def describeTraining(self):
        """Return lines: thresholds and what was measured, the end, and advice."""
        card = self.getCard()
        lines = []
        for item in card.classes:
            told = (f"threshold {item.threshold:.3f}", describe_metrics(item.metrics))
            lines.append(f"{item.name}: {', '.join(filter(None, told))}")
        ended = describe_end(card.training)
        return [*lines, *([ended] if ended else []), *card.training.get("advice", ())]

    def __str__(self):
        return f"EtPickerModel ({self._classes.get() or 'no classes'})"
