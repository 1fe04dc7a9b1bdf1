"""The verdict's words, numbers and page for sets that are clear, small, or broken."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from etpicker_plugin.engine.comparison.offsets import Offset
from etpicker_plugin.engine.comparison.pick_sets import PickSets
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.verdict.alignment.results import AlignedBoxes
from etpicker_plugin.engine.verdict.measures.measures import (
    Average,
    SubsetResolution,
    fit_growth,
)
from etpicker_plugin.engine.verdict.measures.ranking import rank_sets
from etpicker_plugin.engine.verdict.origins.origins import Origins
from etpicker_plugin.engine.verdict.places.candidates import Candidates
from etpicker_plugin.engine.verdict.places.geometry import choose_geometry
from etpicker_plugin.engine.verdict.reporting.boxes_table import write_boxes_table
from etpicker_plugin.engine.verdict.reporting.report import write_report
from etpicker_plugin.engine.verdict.reporting.result import Verdict, write_verdict
from etpicker_plugin.engine.verdict.reporting.words import verdict_words
from etpicker_plugin.engine.volumes.tomogram import Tomogram

GEOMETRY = choose_geometry(240.0, 10.0, None)
RESOLUTIONS = {"good": 50.0, "bad": 90.0, "control": 120.0}
MEANS = {"good": 9.0, "bad": 4.0, "control": 0.0}


def make_verdict(n, *, resolved=True, alarm=False):
    """Return a verdict on sets of ``n`` boxes each: good, bad, control."""
    generator = np.random.default_rng(0)
    names = ("good", "bad", "control")
    rows = {name: np.arange(n) + i * n for i, name in enumerate(names)}
    total = 3 * n
    ratio = np.concatenate([generator.normal(MEANS[m], 1.0, n) for m in names])
    picks = {m: {"TS": make_particles("TS", np.zeros((n, 3)))} for m in names[:2]}
    tomogram = Tomogram(
        tomogram_id="TS", path=Path("TS.mrc"), data=np.zeros((3, 4, 5)), voxel_size=10.0
    )
    subsets = {
        name: [
            SubsetResolution(
                set_name=name,
                seed=seed,
                n=size,
                resolution_ang=RESOLUTIONS[name] * (n / size) ** 0.3 + seed
                if resolved
                else None,
            )
            for seed in range(3)
            for size in (n // 4, n // 2, n)
        ]
        for name in names
    }
    shift = (0.0, 2.0, 0.0) if alarm else (0.1, 0.0, 0.0)
    volume = generator.normal(size=(GEOMETRY.box,) * 3).astype(np.float32)
    return Verdict(
        sets=PickSets(
            tomograms={"TS": tomogram}, voxel_size=10.0, picks=picks, left_out=()
        ),
        members={"TS": np.stack([np.arange(n), np.arange(n)], axis=1)},
        geometry=GEOMETRY,
        candidates=Candidates(
            tomogram_ids=np.full(total, "TS"),
            positions_zyx=generator.uniform(0, 9, (total, 3)),
            particles=np.arange(total),
            half=np.arange(total) % 2 + 1,
            rows=rows,
            at_border={"good": 0, "bad": 3},
        ),
        boxes=AlignedBoxes(
            log_likelihood=ratio * 0 + generator.normal(5000, 50, total),
            ratio=ratio,
            best_probability=generator.uniform(0.2, 1, total),
            matrices=np.repeat(np.eye(3)[None], total, axis=0),
            origins_vox=generator.normal(size=(total, 3)),
            current_size=GEOMETRY.box,
        ),
        groups={**rows, "good only": np.arange(0), "good∩bad": rows["good"]},
        ranking=rank_sets(
            {m: ratio[rows[m]] for m in names},
            control="control",
            resamples=200,
            generator=generator,
        ),
        averages={
            name: Average(
                n=n,
                volume=volume,
                halves=(volume, volume),
                curve=np.linspace(1, 0, GEOMETRY.box // 2 + 1),
                resolution_ang=50.0 if resolved else None,
                resolution_half_ang=None,
            )
            for name in (*names, "good only", "good∩bad")
        },
        matched_n=n if resolved else 0,
        matched={m: [s for s in subsets[m] if s.n == n] for m in names},
        growth=subsets,
        fits=fit_growth(subsets, resamples=200, seed=0),
        origins=Origins(
            offsets={
                "good": Offset(n=n, mean_xyz=(0.1,) * 3, standard_error_xyz=(0.1,) * 3),
                "bad": Offset(n=n, mean_xyz=shift, standard_error_xyz=(0.1,) * 3),
            },
            distances={
                ("good", "bad"): Offset(
                    n=n, mean_xyz=shift, standard_error_xyz=(0.02, 0.03, 0.04)
                )
            },
        ),
        local_ang={"good": 44.0},
        iteration=3,
        relion_version="3.1.3",
        commands=("relion_refine_mpi --i x",),
    )


CONFIG = ValidateConfig(
    picks={"good": "g", "bad": "b"},
    tomogram=("TS.mrc",),
    diameter={"ring": 240.0},
    tilt_range=(-60.0, 60.0),
    out="out",
)


def test_clear_and_large_sets():
    words = verdict_words(make_verdict(64))
    assert words[0] == (
        "good found the particles best: by log-likelihood ratio the order is good > "
        "bad > control, and it stays first in 100 % of the bootstrap samples."
    )
    text = " ".join(words)
    assert "good 51 Å, bad 91 Å, control 121 Å (FSC 0.143)" in text
    assert "The Rosenthal-Henderson lines are there at good 5" in text
    assert "3 of bad" in text
    assert "too few" not in text


def test_small_sets_say_so_plainly():
    words = verdict_words(make_verdict(12))
    assert words[0].startswith("Not conclusive. By log-likelihood ratio the order is")
    text = " ".join(words)
    assert "12 boxes in the smallest set are too few for a resolution" in text
    assert "too few picks are judged of good (12), bad (12), control (12): a" in text


def test_sets_of_a_few_boxes_still_have_a_page(tmp_path):
    verdict = make_verdict(8, resolved=False)

    write_report(verdict, CONFIG, verdict_words(verdict), tmp_path)

    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<img") == 8


def test_tomograms_left_out_are_told():
    verdict = make_verdict(64)
    sets = replace(verdict.sets, left_out=("TS_7",))

    words = verdict_words(replace(verdict, sets=sets))

    assert words[-1].endswith("left out of all: TS_7.")


def test_sets_that_share_nothing_are_told():
    alone = np.arange(64), np.full(64, -1)
    members = {"TS": np.concatenate([np.stack(alone, 1), np.stack(alone[::-1], 1)])}

    words = verdict_words(replace(make_verdict(64), members=members))

    assert "good and bad share not one particle" in words[-2]


def test_likelihood_and_resolution_that_disagree_are_told():
    verdict = make_verdict(64)
    verdict.matched["good"], verdict.matched["bad"] = (
        verdict.matched["bad"],
        verdict.matched["good"],
    )
    assert "puts bad before good" in " ".join(verdict_words(verdict))


@pytest.mark.parametrize("resolved", [True, False])
def test_json_and_page_of_sets_with_and_without_resolution(tmp_path, resolved):
    verdict = make_verdict(16, resolved=resolved, alarm=True)
    words = verdict_words(verdict)
    write_report(verdict, CONFIG, words, tmp_path)
    write_verdict(verdict, CONFIG, words, tmp_path / "verdict.json")
    write_boxes_table(verdict, tmp_path / "boxes.csv")

    record = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
    assert record["ranking"] == ["good", "bad", "control"]
    assert record["conclusive"] is False
    bad = record["sets"]["bad"]
    assert bad["origin_shift_voxels"] == [0.0, 2.0, 0.0]
    assert bad["origin_alarm"] is True
    assert record["sets"]["control"]["origin_alarm"] is False
    assert (bad["origin_agrees"], record["sets"]["good"]["origin_agrees"]) == (
        False,
        True,
    )
    assert record["distances"] == [
        {
            "first": "good",
            "second": "bad",
            "n_both": 16,
            "shift_voxels": [0.0, 2.0, 0.0],
            "shift_error_voxels": [0.02, 0.03, 0.04],
            "alarm": True,
        }
    ]
    assert bad["resolution_ang"] == (50.0 if resolved else None)
    assert record["sets"]["good"]["llr_auc_over_control"] == 1.0
    assert record["groups"]["good only"]["llr_median"] is None
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Set bad: its picks lie +2.0 ± 0.1 voxels along y" in page
    (alarm,) = record["alarms"]
    assert alarm in page
    lines = (tmp_path / "boxes.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + 48
    assert lines[1].split(",")[4] == "good"
