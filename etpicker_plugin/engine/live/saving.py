"""The last answer of a live picker as a model file."""

from pathlib import Path
from typing import Any, cast

from etpicker_plugin import __version__
from etpicker_plugin.engine.annotation import SPARSE
from etpicker_plugin.engine.config.live import LiveConfig
from etpicker_plugin.engine.config.options import config_to_values
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.fewshot.head import give_head
from etpicker_plugin.engine.live.base import Base
from etpicker_plugin.engine.live.scene import Scene
from etpicker_plugin.engine.live.session import Answer
from etpicker_plugin.engine.model.card import ModelCard, TomogramCard
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.model.model_file import save_model
from etpicker_plugin.engine.model.network import make_network, name_of
from etpicker_plugin.engine.model.training_end import SOLVED
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.training.make_card import describe_training
from etpicker_plugin.engine.training.resume import Counters

COURSE = ("steps", "best_step", "minutes", "stopped_by")
"""What is kept of how the features were refined."""


def save_answer(
    answer: Answer | None, config: LiveConfig, base: Base, path: Path
) -> None:
    """Write a model as ``etpicker train --instant`` makes it of the same marks.

    Raises
    ------
    ConfigError
        If nothing is answered yet.
    CheckpointError, ResourceError
        If the file exists already, or cannot be written.
    """
    if answer is None:
        raise ConfigError(
            "There is no model to save: no class has a click yet, or its candidates "
            "are not found yet. Click a particle, and wait for its candidates."
        )
    network = cast(
        FastNetwork, make_network(name_of(base.network), len(answer.species))
    )
    own = network.state_dict()
    kept = base.network.state_dict().items()
    own.update((n, value) for n, value in kept if not n.startswith("head."))
    network.load_state_dict(own)
    give_head(network, answer.head)
    save_model(path, network, make_live_card(answer, config, base))


def make_live_card(answer: Answer, config: LiveConfig, base: Base) -> ModelCard:
    """Return what the model says of itself: clicks, tomograms, and how it was made."""
    counters = Counters("", stopped_by=SOLVED)
    return ModelCard(
        network=name_of(base.network),
        classes=answer.species,
        working_voxel_size=answer.task.working_voxel_size,
        annotation=SPARSE,
        tomograms=tuple(_describe(answer, scene) for scene in answer.scenes),
        training={
            **describe_training(config_to_values(config), counters),
            "clicks": {
                name: {kind: places[:, ::-1].tolist() for kind, places in of.items()}
                for name, of in answer.task.request.marks.items()
            },
            **_describe_base(base),
            "advice": [],
        },
        code_version=__version__,
    )


def _describe_base(base: Base) -> dict[str, Any]:
    """Return of which weights the features are, and how these were refined."""
    if not base.training:
        return {"pretrained_sha256": base.sha256}
    course = {name: base.training.get(name) for name in COURSE}
    return {
        "pretrained_sha256": base.training.get("pretrained_sha256", ""),
        "refined": {"sha256": base.sha256, **course},
    }


def _describe(answer: Answer, scene: Scene) -> TomogramCard:
    tomogram, request = scene.volume.tomogram, answer.task.request
    names = sorted([NEGATIVE, *(one.name for one in answer.species)])
    counts = {name: len(request.places(scene.name, name)) for name in names}
    return TomogramCard(
        tomogram_id=scene.name,
        shape_zyx=tomogram.shape_zyx,
        voxel_size=tomogram.voxel_size,
        sha256=scene.sha256,
        particles={name: count for name, count in counts.items() if count},
        role="training",
    )
