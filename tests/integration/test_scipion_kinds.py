"""Filaments and vesicles in Scipion's sets: what group ids mean, and what is stored."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest
from etpicker_plugin.protocols.annotation import has_news, prepare_window
from etpicker_plugin.protocols.class_sets import ONE_SET, SET_PER_CLASS, split_groups
from etpicker_plugin.protocols.classes import match_groups
from etpicker_plugin.protocols.kinds import kinds_of
from tomo.objects import SetOfCoordinates3D, SetOfTomograms, Tomogram

from etpicker_plugin.convert import (
    append_particles,
    create_coordinates,
    particles_by_tomogram,
)
from etpicker_plugin.convert_kinds import (
    found_kinds,
    group_numbers,
    is_numbered,
    tell_kind,
    told_kind,
    vesicle_numbers,
)
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.orientation import from_relion_angles
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.window.document.session import Session

SHAPE_ZYX, VOXEL_SIZE = (21, 30, 37), 5.0
KINDS = {"mt": "filament", "liposome": "vesicle"}
GROUPS = {"ribosome": 1, "mt": 2, "liposome": 3}
POSITIONS = [
    *([3, 4, 5], [4, 5, 7], [5, 6, 9], [8, 9, 30]),
    *([1, 2, 3], [10, 11, 12], [9, 8, 7]),
]
TURNS = from_relion_angles([[0, 30, 40], [5, 35, 45], [10, 40, 50], [0, 80, 90]])


def picks(name):
    """Points of two filaments, a particle and two vesicles, as picking writes them."""
    unturned = np.broadcast_to(np.eye(3), (3, 3, 3))
    return make_particles(
        name,
        [
            [3, 4, 5],
            [4, 5, 7],
            [5, 6, 9],
            [8, 9, 30],
            [1, 2, 3],
            [10, 11, 12],
            [9, 8, 7],
        ],
        class_names=["mt"] * 4 + ["ribosome", "liposome", "liposome"],
        scores=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3],
        optional={
            "filament": ["mt_9", "mt_9", "mt_9", "mt_2", "", "", ""],
            "rotation": np.concatenate([TURNS, unturned]),
            "radius": [np.nan] * 5 + [90.0, 120.0],
        },
    )


@pytest.fixture
def tomograms(tmp_path):
    """Two tomograms by name, and their set."""
    made = SetOfTomograms.create(str(tmp_path))
    made.setSamplingRate(VOXEL_SIZE)
    found = {}
    for name in ("T_1", "T_2"):
        with mrcfile.new(tmp_path / f"{name}.mrc") as stream:
            stream.set_data(np.zeros(SHAPE_ZYX, np.float32))
        tomogram = Tomogram()
        tomogram.setFileName(str(tmp_path / f"{name}.mrc"))
        tomogram.setSamplingRate(VOXEL_SIZE)
        tomogram.setTsId(name)
        made.append(tomogram)
        found[name] = tomogram.clone()
    made.write()
    return found, made


def make_set(folder, tomograms, groups, kind, marks=None):
    """Make a set of both tomograms' picks; return it as Scipion opens it anew.

    Marks are of the first one, and instead of these.
    """
    found, precedents = tomograms
    made = create_coordinates(
        str(folder),
        "_".join(groups),
        precedents=precedents,
        sampling_rate=VOXEL_SIZE,
        box_size=10,
        label=", ".join(groups),
        kind=kind,
    )
    for name, tomogram in found.items():
        if marks is None or name == marks.tomogram_id:
            append_particles(
                made, tomogram, picks(name) if marks is None else marks, groups=groups
            )
    made.write()
    made.close()
    again = SetOfCoordinates3D(filename=made.getFileName())
    tell_kind(again, kind)  # in a project, the project's database keeps it
    again.setPrecedents(precedents)
    return again


def extras(item):
    return {name for name in vars(item) if name.startswith("_etpicker_")}


def test_filaments_are_numbered_in_each_tomogram_and_come_back(tmp_path, tomograms):
    made = make_set(tmp_path, tomograms, {"mt": 2}, "filament")
    assert told_kind(made) == "filament"
    assert [c.getGroupId() for c in made.iterCoordinates()] == [1, 1, 1, 2] * 2
    assert extras(made.getFirstItem()) == set()

    found = particles_by_tomogram([(made, lambda _group: "mt")])
    for name in ("T_1", "T_2"):
        back, wanted = found[name], picks(name).of_class("mt")
        assert back.optional["filament"].tolist() == ["mt_1", "mt_1", "mt_1", "mt_2"]
        np.testing.assert_allclose(back.positions_zyx, wanted.positions_zyx)
        np.testing.assert_allclose(back.rotations, wanted.rotations, atol=1e-9)


def test_vesicles_are_numbered_and_keep_their_radii(tmp_path, tomograms):
    made = make_set(tmp_path, tomograms, {"liposome": 3}, "vesicle")
    assert [c.getGroupId() for c in made.iterCoordinates()] == [1, 2] * 2
    assert extras(made.getFirstItem()) == {"_etpicker_radius"}
    back = particles_by_tomogram([(made, lambda _group: "liposome")])["T_2"]
    assert back.optional["radius"].tolist() == [90.0, 120.0]
    assert back.optional["vesicle"].tolist() == ["liposome_1", "liposome_2"]
    assert set(back.optional) == {"radius", "vesicle"}


def test_a_centre_without_a_radius_is_no_point_on_a_membrane(tmp_path, tomograms):
    marks = make_particles(
        "T_1",
        POSITIONS[:5],
        class_names="liposome",
        optional={
            "vesicle": ["", "b", "b", "b", ""],
            "radius": [np.nan] * 4 + [150.0],
        },
    )
    made = make_set(tmp_path, tomograms, {"liposome": 3}, "vesicle", marks=marks)
    assert [c.getGroupId() for c in made.iterCoordinates()] == [1, 2, 2, 2, 3]
    back = particles_by_tomogram([(made, lambda _group: "liposome")])["T_1"]
    names = back.optional["vesicle"].tolist()
    assert names == ["", *["liposome_2"] * 3, "liposome_3"]
    np.testing.assert_array_equal(back.optional["radius"], [np.nan] * 4 + [150.0])


def test_points_on_one_membrane_have_one_number():
    points = make_particles(
        "T_1",
        POSITIONS[:5],
        class_names="liposome",
        optional={"vesicle": ["b", "b", "", "a", "b"]},
    )
    assert group_numbers(points, "vesicle", {}) == [1, 1, 2, 3, 1]
    assert vesicle_numbers(points.select(np.array([3, 4])), of=points) == [3, 1]


def test_a_set_of_particles_stores_nothing_that_no_pick_has(tmp_path, tomograms):
    made = make_set(tmp_path, tomograms, {"ribosome": 1}, "particle")
    assert [c.getGroupId() for c in made.iterCoordinates()] == [1, 1]
    assert extras(made.getFirstItem()) == set()
    assert not is_numbered(made)


def test_two_sets_of_one_class_do_not_join_their_filaments(tmp_path, tomograms):
    made = make_set(tmp_path, tomograms, {"mt": 2}, "filament")
    found = particles_by_tomogram([(made, lambda _: "mt"), (made, lambda _: "mt")])
    ids = found["T_1"].optional["filament"].tolist()
    assert ids == ["mt_1"] * 3 + ["mt_2"] + ["mt_2_1"] * 3 + ["mt_2_2"]


def test_group_ids_of_others_are_filaments_where_the_form_says_so(tmp_path, tomograms):
    made = make_set(tmp_path, tomograms, {"mt": 2}, "filament")
    tell_kind(made, "")  # as another plugin's set
    sources = [(made, lambda _group: "mt")]
    assert particles_by_tomogram(sources)["T_1"].optional.get("filament") is None
    found = particles_by_tomogram(sources, kinds={"mt": "filament"})["T_1"]
    assert found.optional["filament"].tolist() == ["mt_1"] * 3 + ["mt_2"]


def test_names_that_an_older_set_stores_are_its_filaments(tmp_path, tomograms):
    """Its group ids are classes: taken for filaments, they would join all of one."""
    made = make_set(tmp_path, tomograms, {"mt": 2}, "particle")
    assert {c.getGroupId() for c in made.iterCoordinates()} == {2}
    tell_kind(made, "")  # as before sets said what they hold
    sources = [(made, lambda _group: "mt")]
    found = particles_by_tomogram(sources, kinds={"mt": "filament"})["T_1"]
    assert found.optional["filament"].tolist() == ["mt_9"] * 3 + ["mt_2"]


def test_a_set_without_group_ids_is_no_set_of_filaments(tmp_path, tomograms):
    made = make_set(tmp_path, tomograms, {"ribosome": 0}, "")
    sources = [(made, lambda _group: "mt")]
    with pytest.raises(InputDataError, match="'mt' do not say which filament each"):
        particles_by_tomogram(sources, kinds={"mt": "filament"})
    # Where it says that it is of particles, its group id is the class.
    tell_kind(made, "particle")
    with pytest.raises(InputDataError, match="leave mt=filament out of 'Kinds'"):
        particles_by_tomogram(sources, kinds={"mt": "filament"})


def test_the_form_may_not_contradict_the_set(tmp_path, tomograms):
    made = make_set(tmp_path, tomograms, {"liposome": 3}, "vesicle")
    sources = [(made, lambda _group: "liposome")]
    assert kinds_of(sources, {}) == {"liposome": "vesicle"}
    with pytest.raises(ConfigError, match="say that they are of the kind 'vesicle'"):
        kinds_of(sources, {"liposome": "filament"})


def test_each_class_of_filaments_or_vesicles_has_a_set_of_its_own():
    assert split_groups(GROUPS, ONE_SET, KINDS) == [
        {"ribosome": 1},
        {"mt": 2},
        {"liposome": 3},
    ]
    assert split_groups(GROUPS, ONE_SET, {}) == [GROUPS]
    assert split_groups({"mt": 2}, ONE_SET, KINDS) == [{"mt": 2}]
    assert len(split_groups(GROUPS, SET_PER_CLASS, KINDS)) == 3


@pytest.mark.parametrize(
    ("names", "ids", "expected"),
    [
        (["mt", "a", "b"], [2, 3], {2: "a", 3: "b"}),  # the model's numbers
        (["mt", "a", "b"], [1, 2], {1: "a", 2: "b"}),  # counted without the filaments
        (["a", "mt"], [1], {1: "a"}),
    ],
)
def test_no_group_id_is_a_class_that_has_its_own_set(names, ids, expected):
    assert match_groups(names, ids, numbered={"mt"}) == expected


def test_points_that_name_their_filament_are_of_filaments():
    found = found_kinds({"T_1": picks("T_1")}, {"liposome": "vesicle"})
    assert found == {**KINDS, "ribosome": "particle"}
    named = make_particles(
        "T_2", POSITIONS[:2], class_names="cell", optional={"vesicle": ["", "cell_1"]}
    )
    assert found_kinds({"T_2": named}, {}) == {"cell": "vesicle"}


def test_filaments_that_were_judged_are_none_of_their_new_class():
    judged = make_particles(
        "T_1",
        POSITIONS[:4],
        class_names=["ribosome", "ribosome", "negative", "negative"],
        optional={"filament": ["mt_1", "", "mt_2", "mt_2"]},
    )
    wanted = {"negative": "particle", "ribosome": "particle"}
    assert found_kinds({"T_1": judged}, {}) == wanted


def test_picks_that_were_only_looked_at_are_no_news(tmp_path, tomograms):
    """An orientation has several angles: files of the same picks may differ."""
    first = picks("T_1").select(np.arange(7) < 3)
    found = {"T_1": tomograms[0]["T_1"]}
    config = prepare_window(tmp_path, found, {"T_1": first}, diameters={"mt": 30})
    given = Path(config.coordinates[0])
    words = given.read_text().replace("10.0000,40.0000,50.", "-170.0,-40.0,-130.")
    given.write_text(words)
    (tmp_path / "annotation").mkdir()
    Session(config, tmp_path / "annotation").close()
    start, saved = (tmp_path / "annotation" / f"T_1{s}.csv" for s in (".start", ""))
    assert start.read_text() != saved.read_text()
    assert not has_news(tmp_path, found)

    session = Session(config, tmp_path / "annotation")
    annotation = session.documents[0].annotation
    edit = annotation.moving(2, annotation.positions_zyx[2] + [0, 0.01, 0])
    session.documents[0].journal.apply(edit)
    session.close()
    assert has_news(tmp_path, found)
