"""RELION's commands as pure functions: settings in, a command out.

They work with RELION 3.1 to 5 on 3D images, whose table says where each one's wedge
is (``rlnCtfImage``, hence ``--ctf``). What is left out on purpose: ``--norm`` does
nothing to 3D images, and ``--firstiter_cc`` is refused with one iteration, as that
iteration's "log-likelihood" is a correlation coefficient.
"""

from __future__ import annotations

from dataclasses import dataclass

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.relion.priors import (
    CENTRAL_SHARE,
    Priors,
    prior_arguments,
)

ANGULAR_STEPS = ("30", "15", "7.5", "3.7")
"""Degrees, after the oversampling by one order that every search uses."""

OVERSAMPLING = 1
SOLVENT_EDGE_VOX = 3
RANKS_OF_HALVES = 3
"""A leader, and one follower for each half set."""


@dataclass(frozen=True)
class RelionCommand:
    """A command to run.

    Attributes
    ----------
    program
        ``relion_refine`` …; with more than one rank its ``_mpi`` form is run.
    makes
        A file that stands there after success, from the working folder.
    """

    program: str
    arguments: tuple[str, ...]
    makes: str
    ranks: int = 1


@dataclass(frozen=True)
class Search:
    """What classification and refinement share.

    Attributes
    ----------
    diameter_ang
        Of the spherical mask, Å.
    initial_lowpass_ang
        To which the reference is low-passed, Å.
    angular_step
        One of ``ANGULAR_STEPS``, degrees.
    offset_range_vox, offset_step_vox
        Of the translational search, voxels.
    correct_greyscale
        Whether the reference has the boxes' grey scale; if not, the first iteration
        compares by cross-correlation.
    priors
        Of boxes that lie along filaments or on membranes.
    """

    diameter_ang: float
    initial_lowpass_ang: float
    symmetry: str = "C1"
    angular_step: str = "15"
    offset_range_vox: float = 4.0
    offset_step_vox: float = 2.0
    correct_greyscale: bool = False
    solvent_mask: str | None = None
    priors: Priors | None = None
    ranks: int = 1
    threads: int = 1
    seed: int = 1


def class3d(
    star: str,
    out_root: str,
    *,
    reference: str,
    search: Search,
    classes: int = 1,
    iterations: int,
    tau2_fudge: float = 2.0,
) -> RelionCommand:
    """Plan a 3D classification with alignment.

    Raises
    ------
    ConfigError
        If one iteration would leave correlations in place of log-likelihoods.
    """
    if iterations < 2 and not search.correct_greyscale:
        raise ConfigError(
            "One iteration with a reference of another grey scale leaves correlation "
            "coefficients where log-likelihoods are expected. Give two iterations or "
            "more."
        )
    return RelionCommand(
        program="relion_refine",
        arguments=(
            *("--i", star, "--o", out_root, "--ref", reference),
            *("--K", str(classes), "--iter", str(iterations)),
            *("--tau2_fudge", f"{tau2_fudge:g}"),
            *_search_arguments(search),
        ),
        makes=f"{out_root}_it{iterations:03d}_data.star",
        ranks=search.ranks,
    )


def auto_refine(
    star: str,
    out_root: str,
    *,
    reference: str,
    search: Search,
    max_iterations: int,
    local_from: str = "7.5",
    join_halves_ang: float = 40.0,
) -> RelionCommand:
    """Plan a gold-standard refinement of two half sets.

    ``max_iterations`` stops it without final maps; ``force_converge`` makes them.
    From the angular step ``local_from`` on, only nearby orientations are searched;
    up to ``join_halves_ang`` Å both halves share one map, so that they do not drift
    into different orientations.
    """
    return RelionCommand(
        program="relion_refine",
        arguments=(
            *("--i", star, "--o", out_root, "--ref", reference),
            *("--auto_refine", "--split_random_halves"),
            *("--auto_local_healpix_order", str(_healpix_order(local_from))),
            *("--auto_iter_max", str(max_iterations)),
            *("--low_resol_join_halves", f"{join_halves_ang:g}"),
            *_search_arguments(search),
        ),
        makes=f"{out_root}_it000_data.star",
        ranks=max(search.ranks, RANKS_OF_HALVES),
    )


def continue_run(
    optimiser: str, out_root: str, *, search: Search, max_refinement: int | None = None
) -> RelionCommand:
    """Plan to go on from an iteration's ``optimiser.star``.

    RELION keeps the number of iterations of a classification; that of a refinement,
    ``max_refinement``, it forgets.
    """
    arguments = ["--continue", optimiser, "--o", out_root, "--j", str(search.threads)]
    if max_refinement is not None:
        arguments += ["--auto_iter_max", str(max_refinement)]
    return RelionCommand(
        program="relion_refine",
        arguments=tuple(arguments),
        makes=optimiser,
        ranks=search.ranks,
    )


def force_converge(optimiser: str, out_root: str, *, search: Search) -> RelionCommand:
    """Plan a refinement's last iteration, which joins the halves and writes maps."""
    return RelionCommand(
        program="relion_refine",
        arguments=(
            *("--continue", optimiser, "--o", out_root),
            *("--force_converge", "--j", str(search.threads)),
        ),
        makes=f"{out_root}_half1_class001_unfil.mrc",
        ranks=max(search.ranks, RANKS_OF_HALVES),
    )


def reconstruct(
    star: str,
    out: str,
    *,
    voxel_size: float,
    symmetry: str = "C1",
    half: int | None = None,
    highest_ang: float | None = None,
) -> RelionCommand:
    """Plan an average from the orientations in a table; of one half set, if given.

    For ``postprocess`` a half's file name must hold ``half1`` or ``half2``.
    """
    arguments = ["--i", star, "--o", out, "--ctf", "--sym", symmetry]
    arguments += ["--angpix", f"{voxel_size:.9g}"]
    if half is not None:
        arguments += ["--subset", str(half)]
    if highest_ang is not None:
        arguments += ["--maxres", f"{highest_ang:g}"]
    return RelionCommand(
        program="relion_reconstruct", arguments=tuple(arguments), makes=out
    )


def mask_create(
    volume: str,
    out: str,
    *,
    voxel_size: float,
    threshold: float,
    lowpass_ang: float,
    extend_vox: int = 1,
    soft_edge_vox: int = SOLVENT_EDGE_VOX,
    is_helix: bool = False,
) -> RelionCommand:
    """Plan a soft mask around what lies above a threshold.

    Of a helix, which goes on beyond the box, around its middle alone.
    """
    middle = ("--helix", "--z_percentage", f"{CENTRAL_SHARE:g}") if is_helix else ()
    return RelionCommand(
        program="relion_mask_create",
        arguments=(
            *("--i", volume, "--o", out, "--angpix", f"{voxel_size:.9g}"),
            *("--lowpass", f"{lowpass_ang:g}", "--ini_threshold", f"{threshold:.6g}"),
            *("--extend_inimask", str(extend_vox)),
            *("--width_soft_edge", str(soft_edge_vox)),
            *middle,
        ),
        makes=out,
    )


def postprocess(
    half1: str, out_root: str, *, mask: str, voxel_size: float
) -> RelionCommand:
    """Plan the FSC of two half maps with phase randomisation; no sharpening.

    A B-factor fitted to a subtomogram average of some tens of Å means nothing.
    """
    return RelionCommand(
        program="relion_postprocess",
        arguments=(
            *("--i", half1, "--o", out_root, "--mask", mask),
            *("--angpix", f"{voxel_size:.9g}", "--adhoc_bfac", "0"),
        ),
        makes=f"{out_root}.star",
    )


def local_resolution(
    half1: str,
    out_root: str,
    *,
    mask: str,
    voxel_size: float,
    sampling_ang: float,
    randomize_at_ang: float,
) -> RelionCommand:
    """Plan the local resolution of two half maps."""
    return RelionCommand(
        program="relion_postprocess",
        arguments=(
            *("--i", half1, "--o", out_root, "--mask", mask),
            *("--angpix", f"{voxel_size:.9g}", "--adhoc_bfac", "0", "--locres"),
            *("--locres_sampling", f"{sampling_ang:g}"),
            *("--locres_randomize_at", f"{randomize_at_ang:g}"),
        ),
        makes=f"{out_root}_locres.mrc",
    )


def _search_arguments(search: Search) -> list[str]:
    arguments = [
        *("--ini_high", f"{search.initial_lowpass_ang:g}", "--sym", search.symmetry),
        *("--particle_diameter", f"{search.diameter_ang:g}"),
        *("--ctf", "--pad", "2", "--flatten_solvent", "--zero_mask", "--scale"),
        *("--oversampling", str(OVERSAMPLING)),
        *("--healpix_order", str(_healpix_order(search.angular_step))),
        *("--offset_range", f"{search.offset_range_vox:g}"),
        *("--offset_step", f"{search.offset_step_vox:g}"),
        *("--j", str(search.threads), "--random_seed", str(search.seed)),
    ]
    if not search.correct_greyscale:
        arguments.append("--firstiter_cc")
    arguments += prior_arguments(search.priors)
    if search.solvent_mask is not None:
        arguments += ["--solvent_mask", search.solvent_mask]
    return arguments


def _healpix_order(angular_step: str) -> int:
    """Return the order whose oversampled step is that: order 1 gives 15°."""
    return ANGULAR_STEPS.index(angular_step)
