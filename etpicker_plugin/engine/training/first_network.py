"""The network that a training begins with: of tomograms or of micrographs."""

from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.model.fast_network import FastNetwork
from etpicker_plugin.engine.model.network import Network, make_network
from etpicker_plugin.engine.model.pretrained import begin_from_pretrained
from etpicker_plugin.engine.network_names import FLAT


def first_network(config: TrainConfig, *, flat: bool) -> tuple[Network, str]:
    """Return the network to begin with, and the hash of its pretrained weights.

    Raises
    ------
    ConfigError
        If one of tomograms is asked for micrographs.
    """
    if flat and config.network != "fast":
        raise ConfigError(
            f"--network {config.network} learns from tomograms, and these are "
            "micrographs. Leave it out."
        )
    name = FLAT if flat else config.network
    network = make_network(name, len(config.diameter), seed=config.seed)
    if config.from_scratch or not isinstance(network, FastNetwork):
        return network, ""
    return network, begin_from_pretrained(network)
