"""All tomograms of a live picker, opened when they are needed, and kept."""

import contextlib
from pathlib import Path

from etpicker_plugin.engine.config.live import LiveConfig
from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.live.base import Base
from etpicker_plugin.engine.live.scene import Scene, open_scene, sources_of
from etpicker_plugin.engine.training.scale import choose_working_voxel_size
from etpicker_plugin.engine.volumes.thickness import check_thickness
from etpicker_plugin.engine.volumes.tomogram import Tomogram


def are_flat(config: LiveConfig) -> bool:
    """Tell whether the first tomogram that can be opened is a micrograph."""
    for source in sources_of(config).values():
        with contextlib.suppress(EtPickerError):  # It is told when it is needed.
            return source.open().is_flat
    return False


class Scenes:
    """Tomograms by name, at the working voxel sizes that were asked for."""

    def __init__(self, config: LiveConfig, base: Base, folder: Path) -> None:
        self._config, self._base, self._folder = config, base, folder
        self._sources = sources_of(config)
        self._tomograms: dict[str, Tomogram] = {}
        self._scenes: dict[tuple[str, float], Scene] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """What the tomograms are called."""
        return tuple(self._sources)

    def working_voxel_size(self, diameters: dict[str, float]) -> float:
        """Return it as training chooses it, from all tomograms that can be opened.

        Raises
        ------
        InputDataError
            If a particle is too small to be seen, or no tomogram can be opened.
        """
        if self._base.working_voxel_size is not None:
            return self._base.working_voxel_size
        sizes = []
        for name in self._sources:
            with contextlib.suppress(EtPickerError):  # It is told when it is needed.
                sizes.append(round(self.tomogram(name).voxel_size, 3))
        if not sizes:
            sizes.append(self.tomogram(self.names[0]).voxel_size)
        return choose_working_voxel_size(diameters, min(sizes))

    def tomogram(self, name: str) -> Tomogram:
        """Return a tomogram, if it is the one that was first opened.

        Raises
        ------
        InputDataError
            If it is not, or cannot be used with the network.
        """
        tomogram = self._tomograms.get(name) or self._sources[name].open()
        base = self._base.network
        check_thickness(tomogram, self._config.model, is_flat=base.flat)
        self._tomograms[name] = tomogram
        if tomogram.file is not None:
            tomogram.file.check()
        return tomogram

    def at(self, name: str, working_voxel_size: float) -> Scene:
        """Return a tomogram at a working voxel size (see ``open_scene``)."""
        tomogram = self.tomogram(name)
        key = name, working_voxel_size
        if key not in self._scenes:
            self._scenes[key] = open_scene(
                self._sources[name],
                tomogram,
                self._base,
                working_voxel_size,
                folder=self._folder,
                seed=self._config.seed,
            )
        return self._scenes[key]
