"""What a network is trained on and judged by: tomograms, marks, and the species."""

from dataclasses import dataclass

from etpicker_plugin.engine.model.card import TomogramCard
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.dataset import Annotated, describe_tomogram
from etpicker_plugin.engine.training.judge import Judge
from etpicker_plugin.engine.training.patches import TrainingVolume
from etpicker_plugin.engine.training.validation import ValidationPart
from etpicker_plugin.engine.training.weak_labels import LabelSettings


@dataclass(frozen=True, kw_only=True)
class Material:
    """Tomograms with their marks, read, checked, and at the working voxel size.

    Attributes
    ----------
    species
        In the order of the channels.
    voxel_size
        Working voxel size, Å.
    border_ang
        What is nearer to a face in x or y is neither learnt nor judged, Å.
    annotated
        The tomograms as they were given, those for validation last.
    volumes, parts
        What is learnt from, and what is held out.
    scenes
        Those of ``annotated`` that were made of maps.
    """

    species: tuple[Species, ...]
    voxel_size: float
    border_ang: float
    annotated: list[Annotated]
    volumes: list[TrainingVolume]
    parts: list[ValidationPart]
    scenes: tuple[Annotated, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names, in the order of the channels."""
        return tuple(s.name for s in self.species)

    @property
    def real_parts(self) -> list[ValidationPart]:
        """What is held out of tomograms, not of scenes made of maps."""
        made = {item.tomogram.tomogram_id for item in self.scenes}
        return [part for part in self.parts if part.tomogram_id not in made]

    def count_marks(self) -> int:
        """Return how many particles all is worth that is marked where it is learnt."""
        return sum(volume.count_marks() for volume in self.volumes)

    def judge(self, f_alpha: float) -> Judge:
        """Return who judges networks on what is held out."""
        return Judge(species=self.species, voxel_size=self.voxel_size, f_alpha=f_alpha)

    def labels(self, shape: str, *, stride: int) -> LabelSettings:
        """Return how labels are painted for a network of this output stride."""
        sizes = tuple(s.size_vox(self.voxel_size) for s in self.species)
        return LabelSettings(shape=shape, sizes=sizes, stride=stride)

    def scale_of(self, tomogram_id: str) -> float:
        """Return how many voxels of a tomogram a working voxel is long."""
        (found,) = (
            item.tomogram
            for item in self.annotated
            if item.tomogram.tomogram_id == tomogram_id
        )
        return self.voxel_size / found.voxel_size

    def describe_tomograms(self) -> tuple[TomogramCard, ...]:
        """Return what the model card keeps of the tomograms."""
        return tuple(describe_tomogram(item) for item in self.annotated)
