"""Parameters of ``etpicker live``, which the window starts."""

from dataclasses import dataclass
from typing import Tuple

from etpicker_plugin.engine.config.checks import (
    VOXEL_SIZE_RANGE,
    put_in_order,
    require,
    require_in_bounds,
)
from etpicker_plugin.engine.config.learning import seed_option
from etpicker_plugin.engine.config.options import REQUIRED, option
from etpicker_plugin.engine.config.shared import device_option, threads_option
from etpicker_plugin.engine.names import file_fault, printable, tomogram_id_of

PRETRAINED = "pretrained"


@dataclass(frozen=True)
class LiveConfig:
    """Tomograms that are picked while a person clicks, and where features are kept."""

    tomogram: Tuple[str, ...] = option(
        REQUIRED, "Tomograms (MRC).", label="Tomograms", counts="content"
    )
    out: str = option(
        REQUIRED,
        "Folder for what the network sees in the tomograms, about 8 bytes a working "
        "voxel. It may be removed at any time, and is then made anew.",
        label="Folder for features",
        counts="no",
    )
    name: Tuple[str, ...] = option(
        (),
        "What the tomograms are called in requests and answers, in their order; "
        "without it, as their files.",
        label="Names",
    )
    voxel_size: Tuple[float, ...] = option(
        (),
        "Voxel size of each tomogram, whatever its header says; without it, each "
        "header's.",
        label="Voxel sizes",
        unit="Å",
    )
    mask: Tuple[str, ...] = option(
        (),
        "Region masks (MRC), one per tomogram, named after it; nothing is looked for "
        "outside.",
        label="Region masks",
        counts="content",
        of="tomogram",
    )
    model: str = option(
        PRETRAINED,
        "Whose features to build on: pretrained, the weights that come with "
        "etpicker, or a model file of the network 'fast'.",
        label="Model",
    )
    seed: int = seed_option()
    device: str = device_option()
    threads: int = threads_option()

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        if self.mask:
            put_in_order(self, "mask", of="tomogram")
        for name in ("name", "voxel_size"):
            given, wanted = len(getattr(self, name)), len(self.tomogram)
            require(
                given in (0, wanted),
                f"--{name.replace('_', '-')}: got {given}, expected one for each of "
                f"the {wanted} tomogram(s), or none.",
            )
        names = self.names()
        require(
            len(set(names)) == len(names),
            "Two tomograms have the same name. Give each a --name of its own.",
        )
        for name in names:
            fault = file_fault(name)
            require(not fault, f"--name: '{printable(name)}' cannot be used: {fault}.")
        low, high = VOXEL_SIZE_RANGE
        require(
            all(low <= size <= high for size in self.voxel_size),
            f"--voxel-size: got {self.voxel_size}, expected numbers of {low:g} to "
            f"{high:g} Å: the edges of voxels.",
        )
        require_in_bounds(self)

    def names(self) -> Tuple[str, ...]:
        """Return what the tomograms are called."""
        return self.name or tuple(tomogram_id_of(path) for path in self.tomogram)
