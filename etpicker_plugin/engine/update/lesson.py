"""What an update starts from: the old model, its exemplars, and the new tomograms."""

import logging
from dataclasses import dataclass, replace

import torch

from etpicker_plugin.engine.annotation import COMPLETE, warn_few_marks
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.model.card import ModelCard, name_round
from etpicker_plugin.engine.model.exemplars import Exemplar, read_exemplars
from etpicker_plugin.engine.model.kept_maps import KeptMaps, read_kept_maps
from etpicker_plugin.engine.model.model_file import load_model
from etpicker_plugin.engine.model.network import Network, place_network
from etpicker_plugin.engine.training import dataset
from etpicker_plugin.engine.training.annotated_border import border_still_kept
from etpicker_plugin.engine.training.material import Material
from etpicker_plugin.engine.training.validation import ValidationPart
from etpicker_plugin.engine.update.classes import Plan, plan_classes
from etpicker_plugin.engine.update.replay import held_out_parts
from etpicker_plugin.engine.volumes.thickness import are_flat, check_thickness

logger = logging.getLogger(__name__)

VALIDATION_GROUP = "validation tomograms"


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What an update starts from, read and checked.

    Attributes
    ----------
    teacher, card, sha256
        The old model.
    earlier
        Its exemplars.
    maps
        What it compares its candidates with; the new one does not.
    material
        The new tomograms, and all that is held out, of earlier rounds too.
    groups
        What is held out, by round.
    """

    teacher: Network
    card: ModelCard
    sha256: str
    plan: Plan
    earlier: list[Exemplar]
    maps: KeptMaps | None
    material: Material
    groups: dict[str, list[ValidationPart]]

    @property
    def device(self) -> torch.device:
        """Where the old model is, and the new one will be."""
        return next(self.teacher.parameters()).device

    @property
    def new_group(self) -> str:
        """Name of this round's group."""
        return name_round(self.card.round + 1)

    def count_held_out(self) -> list[int]:
        """Return how many held-out particles there are of each class."""
        return [
            sum(
                int(p.region.contains(p.positions_zyx[p.channels == channel]).sum())
                for p in self.material.parts
            )
            for channel in range(len(self.plan.classes))
        ]


def prepare_lesson(config: UpdateConfig, device: torch.device) -> Lesson:
    """Read the model and the new data."""
    teacher, card = load_model(config.model)
    plan = plan_classes(card, config)
    earlier = read_exemplars(config.model)
    maps = read_kept_maps(config.model)
    if maps is not None:
        logger.warning(
            "%s compares its candidates with maps, and an updated model does not: it "
            "tells small species less well apart. To keep that, train a new model with "
            "--map and all marks. Look at the picks of classes that are not measured: "
            "their thresholds are those with maps.",
            config.model,
        )
    new, validation = _read_inputs(config, plan)
    are_flat([item.tomogram for item in new + validation])
    check_thickness(new[0].tomogram, config.model, is_flat=card.is_flat)
    border = border_still_kept(card.border_ang, new + validation)
    volumes, parts = dataset.load_dataset(
        new,
        validation,
        species=plan.species,
        working_voxel_size=card.working_voxel_size,
        held_out_share=config.validation_fraction,
        border_ang=border,
        alignment=teacher.alignment,
    )
    groups: dict[str, list[ValidationPart]] = {}
    for exemplar in sorted(earlier, key=lambda e: e.round):
        groups.setdefault(name_round(exemplar.round), []).extend(
            held_out_parts([exemplar], plan.classes)
        )
    groups[name_round(card.round + 1)] = parts[: len(new)]
    if validation:
        groups[VALIDATION_GROUP] = parts[len(new) :]
    logger.info(
        "%s: round %d, knows %s; keeps %d exemplars. Learning %s.",
        config.model,
        card.round,
        ", ".join(card.class_names()),
        len(earlier),
        ", ".join(plan.learnt),
    )
    counts = dataset.count_marks(new + validation, plan.learnt)
    for warning in warn_few_marks(counts, annotation=config.annotation):
        logger.warning("%s", warning)
    if not earlier:
        logger.warning(
            "%s keeps no exemplars: old species are held by distillation on the new "
            "tomograms alone, which forgets more, and can be measured only on "
            "validation tomograms that show them.",
            config.model,
        )
    return Lesson(
        teacher=place_network(teacher, device),
        card=card,
        sha256=file_sha256(config.model),
        plan=plan,
        earlier=earlier,
        maps=maps,
        material=Material(
            species=plan.species,
            voxel_size=card.working_voxel_size,
            border_ang=border,
            annotated=new + validation,
            volumes=volumes,
            parts=[part for parts in groups.values() for part in parts],
        ),
        groups=groups,
    )


def _read_inputs(
    config: UpdateConfig, plan: Plan
) -> tuple[list[dataset.Annotated], list[dataset.Annotated]]:
    kinds = {one.name: one.kind for one in plan.species}
    new = dataset.read_annotated(
        config.tomogram,
        config.coordinates,
        classes=list(plan.learnt),
        kinds=kinds,
        annotation=config.annotation,
        voxel_size=config.voxel_size,
        trust_voxel_size=config.trust_voxel_size,
        masks=config.mask,
        role="training",
    )
    validation = dataset.read_annotated(
        config.validation_tomogram,
        config.validation_coordinates,
        classes=list(plan.classes),
        kinds=kinds,
        annotation=config.annotation,
        voxel_size=config.voxel_size,
        trust_voxel_size=config.trust_voxel_size,
        role="validation",
    )
    dataset.check_classes_present(new, list(plan.learnt))
    diameters = {s.name: s.diameter_ang for s in plan.species}
    given = [item.tomogram for item in new + validation]
    dataset.check_diameters_fit(given, diameters)
    if config.other_classes == "absent":
        new = [_all_annotated(annotated, plan) for annotated in new]
    return new, [_only_marked(annotated) for annotated in validation]


def _all_annotated(annotated: dataset.Annotated, plan: Plan) -> dataset.Annotated:
    """Take the classes that are not learnt for classes of which none is there."""
    absent = dict.fromkeys(plan.classes, COMPLETE)
    return replace(annotated, annotation=absent | annotated.annotation)


def _only_marked(annotated: dataset.Annotated) -> dataset.Annotated:
    """Take the classes that a validation tomogram shows for those annotated."""
    marked = set(annotated.particles.class_names.tolist())
    kinds = {n: kind for n, kind in annotated.annotation.items() if n in marked}
    return replace(annotated, annotation=kinds)
