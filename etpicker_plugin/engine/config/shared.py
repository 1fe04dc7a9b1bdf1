"""Parameters that several commands have, declared once."""

from typing import Any

from etpicker_plugin.engine.config.options import option


def device_option() -> Any:
    """Declare where to compute."""
    return option(
        "auto",
        "Where to compute; cuda fails when there is no GPU.",
        label="Device",
        choices=("auto", "cpu", "cuda"),
    )


def threads_option() -> Any:
    """Declare how many CPU threads to use."""
    return option(0, "CPU threads; 0 means all cores.", label="Threads", advanced=True)


def voxel_size_option() -> Any:
    """Declare the voxel size of all tomograms."""
    return option(
        None,
        "Voxel size of all tomograms; without it, each header's.",
        label="Voxel size",
        unit="Å",
    )
