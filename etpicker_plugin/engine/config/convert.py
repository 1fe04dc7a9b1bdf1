"""Parameters of ``etpicker convert``."""

from dataclasses import dataclass

from etpicker_plugin.engine.config.checks import require, require_positive
from etpicker_plugin.engine.config.options import REQUIRED, option

FORMATS = ("csv", "txt", "relion3", "relion4", "relion5", "deepetpicker")


@dataclass(frozen=True, kw_only=True)
class ConvertConfig:
    """From which format to which, with voxel size, dimensions and origin said."""

    input: tuple[str, ...] = option(
        REQUIRED, "Coordinate file(s) to read.", label="Coordinate files"
    )
    input_format: str = option(
        REQUIRED, "Format of the input.", choices=FORMATS, label="Input format"
    )
    output_format: str = option(
        REQUIRED, "Format to write.", choices=FORMATS, label="Output format"
    )
    out: str = option(
        REQUIRED,
        "Folder for the converted files: NAME.csv, .txt or .coords per tomogram, or "
        "one particles.star; beside each a .json says what it holds.",
        label="Output folder",
    )
    tomogram: tuple[str, ...] = option(
        (),
        "The tomograms the coordinates belong to: their dimensions, voxel size and "
        "names are read from them. Otherwise give --dimensions and --voxel-size.",
        label="Tomograms",
    )
    dimensions: tuple[int, ...] = option(
        (), "Tomogram size x y z.", label="Dimensions", unit="voxels"
    )
    voxel_size: float | None = option(
        None, "Voxel size of the tomogram.", label="Voxel size", unit="Å"
    )
    binning: float | None = option(
        None,
        "Tomogram voxel size over tilt-series pixel size. RELION 4 coordinates are "
        "in unbinned pixels, so it must be given for them; elsewhere 1 is taken.",
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
    class_name: tuple[str, ...] = option(
        ("particle",),
        "Names of the classes 1, 2, … where the input holds only numbers; the first "
        "where it holds no class. Also the order in which classes are numbered.",
        label="Class names",
    )

    def __post_init__(self) -> None:
        """Refuse contradictions, and what would have to be guessed."""
        require_positive(self, "voxel_size", "binning")
        require(len(self.class_name) > 0, "--class-name: give at least one name.")
        require(
            len(self.dimensions) in (0, 3) and all(n > 0 for n in self.dimensions),
            f"--dimensions: got {' '.join(map(str, self.dimensions))}, expected three "
            "numbers above 0: the tomogram's size x y z in voxels.",
        )
        require(
            not (self.tomogram and self.dimensions),
            "--tomogram and --dimensions are both given. The tomograms know their "
            "dimensions: leave out --dimensions.",
        )
        self._require_frame()

    def _require_frame(self) -> None:
        """Refuse to guess dimensions, voxel size or RELION 4's binning."""
        require(
            bool(self.tomogram or self.dimensions),
            "The tomogram's dimensions are not known, and etpicker does not guess "
            "them. Give --tomogram, or --dimensions x y z and --voxel-size.",
        )
        require(
            bool(self.tomogram) or self.voxel_size is not None,
            "The voxel size is not known, and etpicker does not guess it. Give "
            "--voxel-size in Å, or --tomogram.",
        )
        require(
            self.binning is not None
            or "relion4" not in (self.input_format, self.output_format),
            "RELION 4 coordinates are in unbinned pixels, and the tomogram's binning "
            "is not known. Give --binning (1 if the tomogram is not binned).",
        )
