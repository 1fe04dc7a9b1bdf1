"""What RELION is told of boxes along filaments and on membranes, word for word."""

import pytest

from etpicker_plugin.engine.relion.plans import Search, class3d, mask_create
from etpicker_plugin.engine.relion.priors import (
    Helix,
    Priors,
    Symmetry,
    prior_arguments,
)

HELIX = Helix(outer_diameter_ang=275.0)
NO_SYMMETRY = (
    "--helix --helical_outer_diameter 275 --helical_keep_tilt_prior_fixed "
    "--ignore_helical_symmetry"
)
MICROTUBULE = Symmetry(rise_ang=9.46, twist_deg=-27.67, units=9, central_share=0.35)


@pytest.mark.parametrize(
    ("priors", "expected"),
    [
        (None, ""),
        (Priors(10.0), "--sigma_tilt 10 --sigma_psi 10"),
        (Priors(0.0, HELIX), NO_SYMMETRY),
        (Priors(7.5, HELIX), f"--sigma_tilt 7.5 --sigma_psi 7.5 {NO_SYMMETRY}"),
        (
            Priors(0.0, Helix(250.0, 150.5, MICROTUBULE, keep_tilt=False)),
            "--helix --helical_outer_diameter 250 --helical_inner_diameter 150.5 "
            "--helical_nr_asu 9 --helical_rise_initial 9.46 "
            "--helical_twist_initial -27.67 --helical_z_percentage 0.35",
        ),
    ],
)
def test_flags(priors, expected):
    assert " ".join(prior_arguments(priors)) == expected


def test_flags_of_a_helix_that_is_refined():
    symmetry = Symmetry(27.5, -166.7, rise_range=(26, 29), twist_range=(-168, -165))
    words = " ".join(prior_arguments(Priors(0.0, Helix(80.0, None, symmetry))))
    assert words.endswith(
        "--helical_z_percentage 0.3 --helical_symmetry_search --helical_rise_min 26 "
        "--helical_rise_max 29 --helical_twist_min -168 --helical_twist_max -165"
    )


def test_a_search_passes_them_on():
    search = Search(diameter_ang=340, initial_lowpass_ang=60, priors=Priors(12.0))
    command = class3d("p.star", "run", reference="r.mrc", search=search, iterations=2)
    assert "--sigma_tilt 12 --sigma_psi 12" in " ".join(command.arguments)


def test_the_mask_of_a_helix_is_around_its_middle():
    plan = mask_create(
        "a.mrc", "m.mrc", voxel_size=4, threshold=0.1, lowpass_ang=20, is_helix=True
    )
    assert plan.arguments[-3:] == ("--helix", "--z_percentage", "0.3")
