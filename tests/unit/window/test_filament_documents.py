"""A folder with filaments and vesicles: kinds, counts, cut-off, and nothing is lost."""

import json
import logging

import numpy as np
import pytest

from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.tests.support.phantoms import write_tomogram
from etpicker_plugin.window.document.counts import count_things, read_saved
from etpicker_plugin.window.document.session import Session

AXES = "direction_x,direction_y,direction_z"
CSV = f"""class,x,y,z,score,rot,tilt,psi,radius,filament,{AXES}
mt,3,4,2,0.2,10,20,30,,a,0.6,0.8,0
mt,9,12,2,0.8,10,20,30,,a,0.6,0.8,0
ribosome,20,5,3,0.5,,,,,,,,
mt,15,20,3,0.4,10,20,30,,a,0.6,0.8,0
mt,1,1,1,0.3,,,,,b,,,
mt,8,2,4,0.1,,,,,b,,,
liposome,12,9,5,,,,,287.5,,,,
liposome,22,9,5,,,,,,,,,
"""


@pytest.fixture
def data(tmp_path):
    write_tomogram(tmp_path / "TS.mrc", np.zeros((11, 21, 31), np.float32))
    (tmp_path / "TS.csv").write_text(CSV)
    (tmp_path / "out").mkdir()
    return tmp_path


def open_session(data, **values):
    values.setdefault("coordinates", (str(data / "TS.csv"),))
    config = ViewConfig(tomogram=(str(data / "TS.mrc"),), **values)
    return Session(config, data / "out")


def test_what_is_opened_and_saved_loses_nothing(data):
    open_session(data).close()
    before, after = (
        read_csv(data / place, tomogram_id="TS") for place in ("TS.csv", "out/TS.csv")
    )
    assert after.class_names.tolist() == before.class_names.tolist()
    np.testing.assert_allclose(after.positions_zyx, before.positions_zyx)
    np.testing.assert_equal(after.scores, before.scores)
    assert (
        set(after.optional)
        == set(before.optional)
        == {*("rotation", "radius", "filament", "direction")}
    )
    for name in ("radius", "filament", "direction"):
        np.testing.assert_equal(after.optional[name], before.optional[name])
    np.testing.assert_allclose(
        after.optional["rotation"], before.optional["rotation"], atol=1e-6
    )


def test_a_filament_called_a_particle_makes_no_filaments_of_the_others(data):
    session = open_session(data)
    document = session.documents[0]
    ids = document.filaments(session.classes)["b"].ids
    document.journal.apply(document.annotation.relabelling(ids, "ribosome"))
    session.close()
    again = open_session(data, coordinates=())
    assert again.classes.kind_of("ribosome") == "particle"
    assert list(again.documents[0].filaments(again.classes)) == ["a"]
    again.close()


def test_kinds_follow_from_columns_and_are_remembered(data):
    session = open_session(data)
    names = ("mt", "liposome", "ribosome")
    kinds = [session.classes.kind_of(name) for name in names]
    assert kinds == ["filament", "vesicle", "particle"]
    session.classes.change("liposome", kind="particle")
    session.close()
    again = open_session(data, coordinates=())
    assert again.classes.kind_of("liposome") == "particle"
    assert again.classes.kind_of("mt") == "filament"


def test_kinds_are_given_or_stand_in_the_record_of_picking(data):
    (data / "TS.json").write_text(json.dumps({"kinds": {"ribosome": "vesicle"}}))
    session = open_session(data, kind={"mt": "particle", "actin": "filament"})
    found = {item.name: item.kind for item in session.classes}
    assert found == {
        "mt": "particle",
        "actin": "filament",
        "ribosome": "vesicle",
        "liposome": "vesicle",
    }


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"mt": "tube"}, "particle, filament or vesicle"),
        ({"negative": "filament"}, "--kind"),
    ],
)
def test_no_kind_is_refused(kind, words):
    with pytest.raises(ConfigError, match=words):
        ViewConfig(tomogram=("T.mrc",), kind=kind)


def test_filaments_are_counted_and_cut_off_as_a_whole(data):
    session = open_session(data)
    words = {
        n: t.words()
        for n, t in count_things(session.documents, session.classes).items()
    }
    assert words["mt"] == "2 filaments (5 points)"
    assert words["liposome"] == "2 vesicles"
    assert words["ribosome"] == "1 pick"
    session.classes.change("mt", threshold=0.5)
    (document,) = session.documents
    things = count_things([document], session.classes)["mt"]
    assert things.words() == "1 of 2 filaments (3 points)"
    session.save()
    saved = read_csv(data / "out" / "TS.csv", tomogram_id="TS")
    names = saved.optional["filament"][saved.class_names == "mt"]
    assert names.tolist() == ["a", "a", "a"]
    things = document.things(session.classes, "mt")
    assert things.tolist() == [1, 5]
    assert document.judged_scores(session.classes)[things].tolist() == [0.8, 0.3]


def test_one_point_is_left_out_of_the_file_and_said_and_stays(data, caplog):
    session = open_session(data)
    (document,) = session.documents
    document.journal.apply(document.annotation.deleting([5]))
    with caplog.at_level(logging.WARNING):
        session.close()
    assert "x y z 1.0 1.0 1.0 has one point and is not saved" in caplog.text
    saved = read_csv(data / "out" / "TS.csv", tomogram_id="TS")
    assert "b" not in saved.optional["filament"]
    assert len(saved) == 6
    assert read_saved(data / "out").kept == 6
    (document,) = open_session(data, coordinates=()).documents
    assert document.annotation.alive[4]


def test_points_on_a_membrane_are_small_and_count_as_one_vesicle(data):
    (data / "TS.csv").write_text(
        "class,x,y,z,radius,vesicle,radius_a,radius_b,radius_c\n"
        "lip,3,4,2,,v1,,,\nlip,9,4,2,,v1,,,\nlip,6,8,2,,v1,,,\n"
        "lip,20,9,5,60,v2,50,60,70\nlip,25,15,5,,,,,\n"
    )
    session = open_session(data, diameter={"lip": 200.0})
    (document,) = session.documents
    assert session.classes.kind_of("lip") == "vesicle"
    counts = count_things([document], session.classes)
    assert counts["lip"].words() == "3 vesicles"
    radii = document.radii_vox(session.classes) * document.volume.voxel_size
    np.testing.assert_allclose(radii, [30, 30, 30, 60, 100])
    document.journal.apply(document.annotation.resizing(3, 75.0))
    session.save()
    saved = read_csv(data / "out" / "TS.csv", tomogram_id="TS")
    assert saved.optional["radius"][3] == 75
    np.testing.assert_allclose(saved.optional["half_axes"][3], [62.5, 75, 87.5])
    assert np.isnan(saved.optional["half_axes"][[0, 1, 2, 4]]).all()
    document.journal.apply(document.annotation.resizing(3, 90.0, [5, 9, 21]))
    session.save()  # fitted anew, a sphere
    saved = read_csv(data / "out" / "TS.csv", tomogram_id="TS")
    assert "half_axes" not in saved.optional
    assert saved.optional["vesicle"].tolist() == ["v1", "v1", "v1", "v2", ""]
