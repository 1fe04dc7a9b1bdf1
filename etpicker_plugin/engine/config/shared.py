"""Parameters that several commands have, declared once."""

from typing import Any

from etpicker_plugin.engine.config.options import REQUIRED, option


def device_option() -> Any:
    """Declare where to compute."""
    return option(
        "auto",
        "Where to compute; cuda fails when there is no GPU.",
        label="Device",
        choices=("auto", "cpu", "cuda"),
        counts="no",
    )


def annotation_option() -> Any:
    """Declare whether every particle is marked."""
    return option(
        "sparse",
        "sparse: particles of these classes may be left unmarked; unmarked voxels are "
        "not taught as certain background. complete: every one is marked, so that all "
        "else is background; where some are not, they are learnt as background too, "
        "and hardly any is found.",
        label="Annotation",
        choices=("complete", "sparse"),
    )


def kind_option() -> Any:
    """Declare which classes are filaments or vesicles."""
    return option(
        {},
        "Kind of each class that is no particle: filament or vesicle. The rows of a "
        "filament name it in a column 'filament' and stand in order along it; those of "
        "a vesicle are centres, with a column 'radius' (Å). The diameter of a filament "
        "is its width; that of a vesicle a usual one.",
        label="Kinds",
        example="microtubule=filament liposome=vesicle",
    )


def exemplars_option() -> Any:
    """Declare whether pieces of the data go into the model file."""
    return option(
        "full",
        "full: the model file keeps pieces of the tomograms, so that later updates do "
        "not forget them. none: no voxel of these tomograms leaves in the model file; "
        "later updates have the old model's outputs alone.",
        label="Exemplars",
        choices=("full", "none"),
    )


def exemplar_budget_option() -> Any:
    """Declare how much room exemplars have."""
    return option(
        36.0,
        "Room for exemplars in the model file, for all rounds together.",
        label="Room for exemplars",
        unit="MB",
        advanced=True,
    )


def owner_option() -> Any:
    """Declare whose data it is."""
    return option(
        "",
        "Whose data these tomograms are; their exemplars can be deleted by this name.",
        label="Owner of the data",
        advanced=True,
    )


def licence_option() -> Any:
    """Declare the terms of the data."""
    return option(
        "",
        "Terms under which these tomograms may be used; kept with their exemplars.",
        label="Licence of the data",
        advanced=True,
    )


def threads_option() -> Any:
    """Declare how many CPU threads to use."""
    return option(
        0,
        "CPU threads; 0 means all cores.",
        label="Threads",
        advanced=True,
        counts="no",
    )


def voxel_size_option() -> Any:
    """Declare the voxel size of all tomograms."""
    return option(
        None,
        "Voxel size of all tomograms; without it, each header's.",
        label="Voxel size",
        unit="Å",
    )


def trust_voxel_size_option() -> Any:
    """Declare whether the given voxel size overrules the headers."""
    return option(
        False,
        "The voxel size that is given (in Scipion, the sampling rate of the set) is "
        "right, whatever the headers say. Otherwise a header that says another is an "
        "error; one of 0 or 1 Å, as programs write that do not know, is overruled "
        "anyway.",
        label="Trust the sampling rate",
        advanced=True,
        counts="no",
    )


def score_column_option(where: str, default: Any = "") -> Any:
    """Declare the column of the scores in files that name their columns.

    Parameters
    ----------
    where
        In which files, in words, and how they are called there.
    default
        ``{}`` where files of several programs have each their own.
    """
    return option(
        default,
        f"Column of the scores in {where}.",
        label="Score column",
        advanced=True,
    )


def tilt_range_option(default: Any = REQUIRED) -> Any:
    """Declare the lowest and highest tilt angle."""
    return option(
        default,
        "Lowest and highest tilt angle of the tilt series.",
        label="Tilt range",
        unit="°",
        example="-60 60",
    )


def tilt_axis_option() -> Any:
    """Declare the tilt axis in the tomogram."""
    return option(
        "y",
        "Axis of the tomogram that the specimen was tilted about; the beam is z. "
        "With y, a tilt t measures the plane k_z = k_x tan t: where the range is "
        "lopsided and z was turned over, give -HIGHEST -LOWEST.",
        choices=("y", "x"),
        label="Tilt axis",
        advanced=True,
    )


def tomograms_option() -> Any:
    """Declare what RELION itself says of the tomograms."""
    return option(
        "",
        "RELION's tomograms.star, of 'Reconstruct tomograms' (RELION 5) or 'Import "
        "tomograms' (RELION 4): STAR files then have its tilt series' names, and "
        "positions count from its own unbinned sizes and pixel sizes. Scipion takes "
        "the one beside the folder of the tomograms, where RELION puts it, by itself.",
        label="RELION's tomograms.star",
        counts="no",
        file=True,
    )


def tilt_series_name_option() -> Any:
    """Declare how tomograms are named after their tilt series."""
    return option(
        (),
        "How tomograms are named after their tilt series, by which RELION and Warp "
        "name particles: a pattern with {} in its place and * for anything, as "
        "rec_{}_bin4; the first of several that fits. Without it the names that "
        "RELION and Warp give are understood: rec_{}, {}_half1, {}_half2, {}_10.00Apx.",
        label="Tomograms' names",
        advanced=True,
        counts="no",
    )


def tilt_series_table_option() -> Any:
    """Declare tilt series that no pattern tells."""
    return option(
        "",
        "Text file with a tomogram and its tilt series per line, separated by a comma; "
        "for names that no pattern tells.",
        label="Table of tilt series",
        advanced=True,
        counts="no",
        file=True,
    )
