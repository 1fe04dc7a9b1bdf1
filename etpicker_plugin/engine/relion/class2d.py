"""2D classification of single-particle images, as a pure function like ``plans``."""

from __future__ import annotations

from etpicker_plugin.engine.relion.plans import OVERSAMPLING, RelionCommand, Search

PSI_STEP = 10
"""Degrees in the plane; the oversampling halves it."""
MOST_POSES = 100
"""Of each image, the most probable: early, without them, thousands are looked at."""


def class2d(
    star: str,
    out_root: str,
    *,
    search: Search,
    classes: int,
    iterations: int,
    tau2_fudge: float = 2.0,
) -> RelionCommand:
    """Plan a 2D classification with alignment, from random averages of the images.

    The contrast transfer function is not corrected (no ``--ctf``). The first averages
    are low-passed as ``search`` says: RELION's own choice leaves nothing of boxes of 20
    pixels, and all classes stay one. Angles of three dimensions do not count.
    """
    return RelionCommand(
        program="relion_refine",
        arguments=(
            *("--i", star, "--o", out_root, "--K", str(classes)),
            *("--iter", str(iterations), "--tau2_fudge", f"{tau2_fudge:g}"),
            *("--particle_diameter", f"{search.diameter_ang:g}", "--pad", "2"),
            *("--ini_high", f"{search.initial_lowpass_ang:g}"),
            *("--flatten_solvent", "--zero_mask", "--norm", "--scale"),
            *("--dont_combine_weights_via_disc", "--oversampling", str(OVERSAMPLING)),
            *("--psi_step", str(PSI_STEP), "--maxsig", str(MOST_POSES)),
            *("--offset_range", f"{search.offset_range_vox:g}"),
            *("--offset_step", f"{search.offset_step_vox:g}"),
            *("--j", str(search.threads), "--random_seed", str(search.seed)),
        ),
        makes=f"{out_root}_it{iterations:03d}_data.star",
        ranks=search.ranks,
    )
