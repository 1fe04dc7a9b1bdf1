"""Pickers in micrographs judged where there is no RELION, and what is refused."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.errors import (
    ConfigError,
    ExternalProgramError,
    InputDataError,
)
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.engine.relion.find import Relion
from etpicker_plugin.engine.verdict.flat import validate as module
from etpicker_plugin.engine.verdict.flat.classes import ModelClass
from etpicker_plugin.engine.verdict.flat.joint import Classification
from etpicker_plugin.engine.verdict.validate import validate
from etpicker_plugin.tests.support.micrographs import DIAMETER, make_micrograph
from etpicker_plugin.tests.support.phantoms import make_phantom

SHAPES = {"mic_1": (420, 470), "mic_2": (400, 510)}


def write_picks(folder, name, places_yx):
    folder.mkdir(exist_ok=True)
    rows = [f"disc,{x:.2f},{y:.2f}" for y, x in places_yx]
    (folder / f"{name}.csv").write_text("\n".join(["class,x,y", *rows]) + "\n")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """Two micrographs and the picks of a good picker, one half right, one useless."""
    folder = tmp_path_factory.mktemp("micrographs")
    generator = np.random.default_rng(6)
    for seed, (name, shape) in enumerate(SHAPES.items()):
        truth = make_micrograph(folder / f"{name}.mrc", shape, 24, seed=seed)
        (folder / f"{name}.csv").unlink()
        random = generator.uniform(9, np.array(shape) - 10, (2, 24, 2))
        near = truth + generator.normal(0, 0.7, truth.shape)
        write_picks(folder / "good", name, np.clip(near, 0, np.array(shape) - 1))
        write_picks(folder / "half", name, np.r_[truth[:12], random[0, :12]])
        write_picks(folder / "useless", name, random[1])
        write_picks(folder / "truth", name, truth)
    return folder


def values_of(scene, out, **changes):
    names = changes.pop("sets", ("useless", "half", "good"))
    return {
        "picks": {name: str(scene / name) for name in names},
        "tomogram": tuple(str(scene / f"{name}.mrc") for name in SHAPES),
        "diameter": {"disc": DIAMETER},
        "out": str(out),
        **changes,
    }


def run(scene, out, **changes):
    out.mkdir(exist_ok=True)
    config = ValidateConfig(**values_of(scene, out, **changes))
    return validate(config, out, on_progress=ignore_progress)


@pytest.fixture
def planted_classes(monkeypatch, tmp_path, scene):
    """A RELION that puts what lies on a disc into its first class, noise elsewhere."""
    truth = {}
    for name in SHAPES:
        rows = (scene / f"truth/{name}.csv").read_text().splitlines()[1:]
        truth[name] = np.array([[float(v) for v in r.split(",")[:0:-1]] for r in rows])

    def classify(_job, candidates, *, classes, iterations, **_settings):
        generator = np.random.default_rng(9)
        found = generator.integers(1, classes, len(candidates))
        pairs = zip(candidates.tomogram_ids, candidates.positions_zyx, strict=True)
        for row, (name, (_, *place)) in enumerate(pairs):
            if (np.linalg.norm(truth[str(name)] - place, axis=1) < 4).any():
                found[row] = 0
        noise = ModelClass(
            share=0.2, resolution_ang=50.0, accuracy_deg=20.0, accuracy_ang=30.0
        )
        sharp = replace(noise, resolution_ang=22.0, accuracy_ang=4.0)
        return Classification(
            classes=found,
            probability=np.full(len(found), 0.5),
            models=[sharp] + [noise] * (classes - 1),
            averages=generator.normal(size=(classes, 26, 26)).astype(np.float32),
            iteration=iterations,
        )

    relion = Relion(folder=tmp_path, version="3.1.3")
    monkeypatch.setattr(module, "find_relion", lambda: relion)
    monkeypatch.setattr(module, "classify", classify)


@pytest.fixture
def no_relion(monkeypatch):
    def missing():
        raise ExternalProgramError("RELION was not found: nowhere.")

    monkeypatch.setattr(module, "find_relion", missing)


def test_without_relion_sets_are_ranked_and_what_is_missing_is_told(
    scene, tmp_path, no_relion
):
    verdict = run(scene, tmp_path / "out")
    assert verdict.ranking.order[:2] == ("good", "half")
    record = json.loads((tmp_path / "out/verdict.json").read_text())
    assert record["ranked_by"] == "profiles"
    assert record["classes"] == []
    assert record["relion_version"] is None
    assert "need RELION: RELION was not found: nowhere." in " ".join(record["words"])
    above = {n: s["profile_share_above_control"] for n, s in record["sets"].items()}
    assert above["good"] > 0.9
    assert 0.3 < above["half"] < 0.75
    assert above["useless"] < 0.3
    assert record["groups"]["half∩good only"]["profile_auc_over_control"] > 0.97
    assert record["groups"]["useless only"]["profile_auc_over_control"] < 0.75
    page = (tmp_path / "out/report.html").read_text().split("To repeat this")[0]
    assert "The classes" not in page
    assert "tomogram" not in page.lower()
    with (tmp_path / "out/boxes.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(verdict.candidates)
    assert "relion_class" not in rows[0]
    good = [float(r["profile_ratio"]) for r in rows if "good" in r["sets"].split()]
    random = [float(r["profile_ratio"]) for r in rows if r["sets"] == "control"]
    assert np.median(good) > np.quantile(random, 0.95)


def test_sets_are_ranked_by_their_shares_in_classes_of_particles(
    scene, tmp_path, planted_classes
):
    verdict = run(scene, tmp_path / "out", classes=5, iterations=7)
    assert verdict.ranking.order[:2] == ("good", "half")
    assert verdict.ranking.is_conclusive
    record = json.loads((tmp_path / "out/verdict.json").read_text())
    assert (record["ranked_by"], record["iteration"]) == ("classes", 7)
    assert [c["is_of_particles"] for c in record["classes"]] == [True] + [False] * 4
    sets = record["sets"]
    assert sets["good"]["share_in_classes_of_particles"] > 0.97
    low, high = sets["half"]["share_interval"]
    assert low < sets["half"]["share_in_classes_of_particles"] < high
    assert 0.4 < sets["half"]["share_beyond_chance"] < 0.7
    assert sets["useless"]["share_beyond_chance"] < 0.2
    assert sets["good"]["class_resolution_median_ang"] == 22.0
    assert record["groups"]["good only"]["share_in_classes_of_particles"] == 1.0
    words = " ".join(record["words"])
    assert words.startswith("good found the particles best: by share in classes")
    assert "1 of 5 classes look like particles: 1." in words
    assert "look at the classes" in words
    page = (tmp_path / "out/report.html").read_text()
    assert "The classes" in page
    assert "<td>chance, blurred</td>" in page
    with (tmp_path / "out/boxes.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    inside = [r["looks_like_particle"] == "1" for r in rows]
    assert inside == [r["relion_class"] == "1" for r in rows]


def test_random_picks_alone_make_no_verdict(scene, tmp_path, planted_classes):
    verdict = run(scene, tmp_path / "out", sets=("useless",), classes=5)
    record = json.loads((tmp_path / "out/verdict.json").read_text())
    assert record["words"][0].startswith("Not conclusive: no class looks like a part")
    assert not verdict.ranking.is_conclusive
    assert not record["conclusive"]


def test_a_relion_that_comes_later_adds_its_classes(
    scene, tmp_path, planted_classes, monkeypatch
):
    def missing():
        raise ExternalProgramError("RELION was not found: nowhere.")

    found = module.find_relion
    monkeypatch.setattr(module, "find_relion", missing)
    assert run(scene, tmp_path / "out").by_classes is None
    monkeypatch.setattr(module, "find_relion", found)
    assert run(scene, tmp_path / "out").by_classes is not None
    monkeypatch.setattr(module, "find_relion", missing)
    with pytest.raises(ExternalProgramError, match=r"would lose its classes\. RELION"):
        run(scene, tmp_path / "out")


def test_the_same_goes_on_and_another_is_refused(scene, tmp_path, no_relion):
    run(scene, tmp_path / "out")
    run(scene, tmp_path / "out")
    with pytest.raises(ConfigError, match="--seed was 0, is 5"):
        run(scene, tmp_path / "out", seed=5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tilt_range": (-60.0, 60.0)}, "--tilt-range is of tomograms, and mic_1"),
        ({"reference": "map.mrc"}, "--reference is of tomograms, and mic_1"),
    ],
)
def test_what_is_of_tomograms_is_refused(scene, tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        run(scene, tmp_path / "out", **changes)


def test_tomograms_beside_micrographs_are_refused(scene, tmp_path):
    make_phantom(tmp_path / "TS_a.mrc", (31, 45, 55), {"large": 3}, seed=3)
    (tmp_path / "one").mkdir()
    (tmp_path / "TS_a.csv").rename(tmp_path / "one/TS_a.csv")
    (tmp_path / "one/mic_1.csv").write_bytes((scene / "good/mic_1.csv").read_bytes())
    with pytest.raises(InputDataError, match="mic_1 is a micrograph and TS_a a tomo"):
        run(
            scene,
            tmp_path / "out",
            picks={"one": str(tmp_path / "one")},
            tomogram=(str(scene / "mic_1.mrc"), str(tmp_path / "TS_a.mrc")),
            voxel_size=5.0,
            trust_voxel_size=True,
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [({}, "--tilt-range is missing"), ({"classes": 5}, "--classes is of micrographs")],
)
def test_tomograms_need_their_tilt_range(tmp_path, changes, message):
    make_phantom(tmp_path / "TS_a.mrc", (31, 45, 55), {"large": 4}, seed=3)
    (tmp_path / "one").mkdir()
    (tmp_path / "TS_a.csv").rename(tmp_path / "one/TS_a.csv")
    if changes:
        changes = {**changes, "tilt_range": (-60.0, 60.0)}
    config = ValidateConfig(
        picks={"one": str(tmp_path / "one")},
        tomogram=(str(tmp_path / "TS_a.mrc"),),
        diameter={"large": 140.0},
        out=str(tmp_path / "out"),
        **changes,
    )
    with pytest.raises(ConfigError, match=message):
        validate(config, tmp_path / "out", on_progress=ignore_progress)
