"""Parameters of ``etpicker convert``."""

from dataclasses import dataclass

from etpicker_plugin.engine.config.checks import require_positive
from etpicker_plugin.engine.config.options import REQUIRED, option

FORMATS = ("csv", "txt", "relion3", "relion4", "relion5", "deepetpicker")


@dataclass(frozen=True, kw_only=True)
class ConvertConfig:
    """From which format to which, with voxel size, dimensions and origin said."""

    input: tuple[str, ...] = option(REQUIRED, "Coordinate file(s) to read.")
    input_format: str = option(
        REQUIRED, "Format of the input.", choices=FORMATS, label="Input format"
    )
    output_format: str = option(
        REQUIRED, "Format to write.", choices=FORMATS, label="Output format"
    )
    out: str = option(REQUIRED, "Folder for the converted files.")
    tomogram: tuple[str, ...] = option(
        (),
        "The tomograms the coordinates belong to: their dimensions, voxel size and "
        "names are read from them. Otherwise give --dimensions and --voxel-size.",
    )
    dimensions: tuple[int, ...] = option(
        (), "Tomogram size x y z.", label="Dimensions", unit="voxels"
    )
    voxel_size: float | None = option(
        None, "Voxel size of the tomogram.", label="Voxel size", unit="Å"
    )
    binning: float = option(
        1.0,
        "Tomogram voxel size over tilt-series pixel size: RELION 4 coordinates are "
        "in unbinned pixels.",
        label="Binning",
    )
    relion5_centre: str = option(
        "half",
        "Origin of RELION 5's centred coordinates: half = size/2 (RELION itself, "
        "copick, ArtiaX); half-minus-one = unbinned size/2 - 1 (RELION's napari "
        "picker, pytom-match-pick).",
        choices=("half", "half-minus-one"),
        label="RELION 5 centre",
        advanced=True,
    )
    class_name: str = option(
        "particle",
        "Class of the particles where the format does not hold one.",
        label="Class name",
    )

    def __post_init__(self) -> None:
        """Refuse contradictions before any file is opened."""
        require_positive(self, "voxel_size", "binning")
