"""RELION's commands, word for word."""

import pytest

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.relion.plans import (
    Search,
    auto_refine,
    class3d,
    continue_run,
    force_converge,
    local_resolution,
    mask_create,
    postprocess,
    reconstruct,
)

SEARCH = Search(diameter_ang=340, initial_lowpass_ang=60, threads=2, seed=7)
COMMON = (
    "--ini_high 60 --sym C1 --particle_diameter 340 --ctf --pad 2 --flatten_solvent "
    "--zero_mask --scale --oversampling 1 --healpix_order 1 --offset_range 4 "
    "--offset_step 2 --j 2 --random_seed 7 --firstiter_cc"
)


def words(command):
    return f"{command.program} {' '.join(command.arguments)}"


def test_class3d():
    command = class3d(
        "p.star", "C/run", reference="r.mrc", search=SEARCH, classes=3, iterations=8
    )

    assert words(command) == (
        "relion_refine --i p.star --o C/run --ref r.mrc --K 3 --iter 8 "
        f"--tau2_fudge 2 {COMMON}"
    )
    assert command.makes == "C/run_it008_data.star"
    assert command.ranks == 1


def test_class3d_of_a_reference_on_the_boxes_grey_scale():
    search = Search(
        diameter_ang=340.5,
        initial_lowpass_ang=45,
        symmetry="D2",
        angular_step="7.5",
        offset_range_vox=3,
        offset_step_vox=1,
        correct_greyscale=True,
        solvent_mask="m.mrc",
        ranks=4,
    )

    command = class3d(
        "p.star", "run", reference="r.mrc", search=search, iterations=1, tau2_fudge=4
    )

    assert words(command) == (
        "relion_refine --i p.star --o run --ref r.mrc --K 1 --iter 1 --tau2_fudge 4 "
        "--ini_high 45 --sym D2 --particle_diameter 340.5 --ctf --pad 2 "
        "--flatten_solvent --zero_mask --scale --oversampling 1 --healpix_order 2 "
        "--offset_range 3 --offset_step 1 --j 1 --random_seed 1 --solvent_mask m.mrc"
    )
    assert command.ranks == 4


def test_one_iteration_of_correlations_is_refused():
    with pytest.raises(ConfigError, match="correlation coefficients"):
        class3d("p.star", "run", reference="r.mrc", search=SEARCH, iterations=1)


def test_auto_refine_has_a_rank_for_each_half():
    command = auto_refine(
        "p.star",
        "R/run",
        reference="r.mrc",
        search=SEARCH,
        max_iterations=9,
        join_halves_ang=80,
    )

    assert words(command) == (
        "relion_refine --i p.star --o R/run --ref r.mrc --auto_refine "
        "--split_random_halves --auto_local_healpix_order 2 --auto_iter_max 9 "
        f"--low_resol_join_halves 80 {COMMON}"
    )
    assert command.ranks == 3


def test_force_converge_and_continue():
    last = force_converge("R/run_it003_optimiser.star", "R/run_ct3", search=SEARCH)
    on = continue_run("C/run_it002_optimiser.star", "C/run_ct2", search=SEARCH)
    refining = continue_run(
        "R/run_it002_optimiser.star", "R/run_ct2", search=SEARCH, max_refinement=9
    )

    assert words(last) == (
        "relion_refine --continue R/run_it003_optimiser.star --o R/run_ct3 "
        "--force_converge --j 2"
    )
    assert last.makes == "R/run_ct3_half1_class001_unfil.mrc"
    assert last.ranks == 3
    assert words(on) == (
        "relion_refine --continue C/run_it002_optimiser.star --o C/run_ct2 --j 2"
    )
    assert on.ranks == 1
    assert words(refining) == (
        "relion_refine --continue R/run_it002_optimiser.star --o R/run_ct2 --j 2 "
        "--auto_iter_max 9"
    )


def test_reconstruct():
    whole = reconstruct("p.star", "a.mrc", voxel_size=13.48)
    half = reconstruct(
        "p.star",
        "half2_unfil.mrc",
        voxel_size=20.0,
        symmetry="C4",
        half=2,
        highest_ang=60,
    )

    assert words(whole) == (
        "relion_reconstruct --i p.star --o a.mrc --ctf --sym C1 --angpix 13.48"
    )
    assert words(half) == (
        "relion_reconstruct --i p.star --o half2_unfil.mrc --ctf --sym C4 --angpix 20 "
        "--subset 2 --maxres 60"
    )
    assert half.makes == "half2_unfil.mrc"


def test_mask_fsc_and_local_resolution():
    mask = mask_create(
        "a.mrc", "m.mrc", voxel_size=15.0, threshold=0.0512, lowpass_ang=60
    )
    fsc = postprocess("h1.mrc", "P/post", mask="m.mrc", voxel_size=15.0)
    local = local_resolution(
        "h1.mrc",
        "L/l",
        mask="m.mrc",
        voxel_size=15.0,
        sampling_ang=45,
        randomize_at_ang=100,
    )

    assert words(mask) == (
        "relion_mask_create --i a.mrc --o m.mrc --angpix 15 --lowpass 60 "
        "--ini_threshold 0.0512 --extend_inimask 1 --width_soft_edge 3"
    )
    assert words(fsc) == (
        "relion_postprocess --i h1.mrc --o P/post --mask m.mrc --angpix 15 "
        "--adhoc_bfac 0"
    )
    assert fsc.makes == "P/post.star"
    assert words(local) == (
        "relion_postprocess --i h1.mrc --o L/l --mask m.mrc --angpix 15 "
        "--adhoc_bfac 0 --locres --locres_sampling 45 --locres_randomize_at 100"
    )
    assert local.makes == "L/l_locres.mrc"
