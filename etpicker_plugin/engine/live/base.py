"""The network whose features a live picker builds on."""

from dataclasses import dataclass, field
from typing import Any, cast

from etpicker_plugin.engine.config.live import PRETRAINED, LiveConfig
from etpicker_plugin.engine.device import choose_device
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.fewshot.trained_head import TrainedHead, trained_heads
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.model.inference import for_inference
from etpicker_plugin.engine.model.model_file import load_model
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.model.pretrained import begin_from_pretrained
from etpicker_plugin.engine.network_names import FLAT
from etpicker_plugin.engine.species import Species


@dataclass(frozen=True, kw_only=True)
class Base:
    """A network, to be saved and to compute.

    Attributes
    ----------
    network
        As it is saved, whatever its head.
    ready
        Made by ``for_inference``, on its device.
    sha256
        Of the file of its weights.
    working_voxel_size
        That it was trained at, Å; none if it takes any.
    training
        What its card says of how it was trained; empty for the shipped weights.
    heads
        Of the classes that it was trained on.
    """

    network: FastNetwork
    ready: FastNetwork
    sha256: str
    working_voxel_size: float | None = None
    training: dict[str, Any] = field(default_factory=dict)
    heads: dict[str, TrainedHead] = field(default_factory=dict)

    @property
    def weights(self) -> str:
        """What the features depend on: the weights, and the numbers' precision."""
        return f"{self.sha256} {self.ready.head.weight.dtype}"


def read_base(config: LiveConfig, *, flat: bool = False) -> Base:
    """Return the network on its device; ``flat``: for micrographs.

    Raises
    ------
    CheckpointError, ResourceError
        If the model, or the device, cannot be used.
    ConfigError
        If it is another network than ``fast``.
    """
    device = choose_device(config.device, threads=config.threads)
    training: dict[str, Any] = {}
    species: tuple[Species, ...] = ()
    if config.model == PRETRAINED:
        network = make_network(FLAT if flat else "fast", 1)
        sha256, working = begin_from_pretrained(cast(FastNetwork, network)), None
    else:
        network, card = load_model(config.model)
        sha256, working = file_sha256(config.model), card.working_voxel_size
        training, species = card.training, card.classes
    if not isinstance(network, FastNetwork):
        raise ConfigError(
            f"--model {config.model}: it has the published network, which has no "
            "features that a head could be solved on. Give a model of the network "
            "'fast', or 'pretrained'."
        )
    network.eval()
    return Base(
        network=network,
        ready=cast(FastNetwork, for_inference(network, device=device)),
        sha256=sha256,
        working_voxel_size=working,
        training=training,
        heads=trained_heads(network, species),
    )
