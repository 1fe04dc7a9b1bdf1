import os
import subprocess
import sys

import numpy as np
import pytest

from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.errors import ConfigError, InputDataError, ResourceError
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.tests.support.phantoms import write_tomogram
from etpicker_plugin.window.document.display import require_display
from etpicker_plugin.window.document.session import Session

CSV = "class,x,y,z,score\na,1,2,3,0.9\nb,4,5.5,6,0.2\nb,7,8,9,0.8\n"


@pytest.fixture
def data(tmp_path):
    for name in ("TS_1", "TS_2"):
        write_tomogram(tmp_path / f"{name}.mrc", np.zeros((11, 21, 31), np.float32))
    (tmp_path / "TS_2.csv").write_text(CSV)
    return tmp_path


def open_session(data, out="annotation", **values):
    folder = data / out
    folder.mkdir(exist_ok=True)
    tomograms = (str(data / "TS_1.mrc"), str(data / "TS_2.mrc"))
    values.setdefault("coordinates", (str(data / "TS_2.csv"),))
    config = ViewConfig(**{"tomogram": tomograms, "out": str(folder), **values})
    return Session(config, folder)


def test_files_go_to_the_tomogram_of_their_name(data):
    session = open_session(data)
    assert [len(d.annotation) for d in session.documents] == [0, 3]
    assert session.classes.names() == ["a", "b"]


def test_as_many_files_in_the_same_order_need_no_common_name(data):
    for name in ("first", "second"):
        (data / f"{name}.csv").write_text(f"class,x,y,z\n{name},1,2,3\n")
    files = (str(data / "first.csv"), str(data / "second.csv"))
    session = open_session(data, coordinates=files)
    assert [d.annotation.class_names for d in session.documents] == [
        ["first"],
        ["second"],
    ]


def test_a_file_of_no_tomogram_is_refused(data):
    (data / "TS_9.csv").write_text(CSV)
    with pytest.raises(ConfigError, match="TS_9"):
        open_session(data, coordinates=(str(data / "TS_9.csv"),))


def test_files_go_by_name_in_another_order_and_masks_too(data):
    for name in ("TS_1", "TS_2"):
        (data / f"{name}_picks.csv").write_text(f"class,x,y,z\n{name},1,2,3\n")
        volume = np.full((11, 21, 31), int(name[-1]), np.float32)
        write_tomogram(data / f"mask_{name}.mrc", volume)
    session = open_session(
        data,
        coordinates=(str(data / "TS_2_picks.csv"), str(data / "TS_1_picks.csv")),
        mask=(str(data / "mask_TS_2.mrc"), str(data / "mask_TS_1.mrc")),
    )
    names = [d.annotation.class_names for d in session.documents]
    assert names == [["TS_1"], ["TS_2"]]
    assert [d.mask.volume.path.stem for d in session.documents] == [
        "mask_TS_1",
        "mask_TS_2",
    ]


def test_a_new_class_has_a_name_that_training_takes(data):
    with pytest.raises(ConfigError, match="for example 26S_proteasome"):
        open_session(data, coordinates=(), diameter={"26S proteasome": 100.0})
    assert not (data / "annotation" / "classes.json").exists()

    (data / "TS_2.csv").write_text(CSV.replace("\na,", "\n26S proteasome,"))
    session = open_session(data, out="old", diameter={"26S proteasome": 100.0})
    assert session.classes["26S proteasome"].diameter_ang == 100.0


def test_it_goes_on_where_it_was_with_or_without_the_coordinates(data):
    session = open_session(data, diameter={"a": 120.0, "b": 80.0})
    document = session.documents[1]
    document.journal.apply(document.annotation.adding([3, 3, 3], NEGATIVE))
    session.close()
    for values in ({}, {"coordinates": ()}):
        again = open_session(data, **values)
        assert len(again.documents[1].annotation) == 4
        assert again.classes["a"].diameter_ang == 120.0
        again.close()


def test_other_coordinates_are_refused(data):
    open_session(data).close()
    (data / "TS_2.csv").write_text(CSV + "a,1,1,1,0.5\n")
    with pytest.raises(ConfigError, match="began with other picks of TS_2"):
        open_session(data)


def test_results_of_others_are_not_overwritten(data):
    (data / "annotation").mkdir()
    (data / "annotation" / "TS_1.csv").write_text(CSV)
    with pytest.raises(ConfigError, match="not of an annotation"):
        open_session(data)
    assert (data / "annotation" / "TS_1.csv").read_text() == CSV


def test_given_files_are_not_changed(data):
    session = open_session(data)
    document = session.documents[1]
    document.journal.apply(document.annotation.deleting([0, 1, 2]))
    session.close()
    assert (data / "TS_2.csv").read_text() == CSV
    assert len(read_csv(data / "annotation/TS_2.csv", tomogram_id="TS_2")) == 0


def test_saving_keeps_what_reaches_the_threshold_and_what_was_marked(data):
    session = open_session(data)
    document = session.documents[1]
    document.journal.apply(document.annotation.adding([1, 1, 1], "b"))
    session.classes.change("b", threshold=0.5)
    session.close()
    saved = read_csv(data / "annotation/TS_2.csv", tomogram_id="TS_2")
    assert saved.class_names.tolist() == ["a", "b", "b"]
    np.testing.assert_equal(saved.scores, [0.9, 0.8, np.nan])
    assert open_session(data).classes["b"].threshold == 0.5


def test_radii_are_of_each_class_and_the_largest_for_negatives(data):
    session = open_session(data, diameter={"a": 120.0, "b": 80.0})
    document = session.documents[1]
    document.journal.apply(document.annotation.adding([3, 3, 3], NEGATIVE))
    assert document.radii_vox(session.classes).tolist() == [6.0, 4.0, 4.0, 6.0]


def test_two_windows_on_one_annotation(data):
    session = open_session(data)
    with pytest.raises(ResourceError, match="open in another window"):
        open_session(data)
    session.close()
    open_session(data)


def test_the_folder_is_free_when_the_picks_could_not_be_saved(data):
    session = open_session(data)
    in_the_way = data / "annotation" / "TS_2.csv"
    in_the_way.mkdir()
    with pytest.raises(ResourceError, match=r"TS_2\.csv cannot be written"):
        session.close()
    in_the_way.rmdir()
    again = open_session(data)
    assert len(again.documents[1].annotation) == 3
    again.close()


def test_a_killed_window_leaves_no_lock(data):
    code = (
        "import os, signal, sys\n"
        "sys.path[:0] = sys.argv[2:]\n"
        "from pathlib import Path\n"
        "from etpicker_plugin.window.document.session import _lock\n"
        "kept = _lock(Path(sys.argv[1]))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    (data / "annotation").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, str(data / "annotation"), *sys.path], check=False
    )
    assert done.returncode == -9
    open_session(data)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(data):
    folder = data / "annotation"
    folder.mkdir()
    folder.chmod(0o500)
    with pytest.raises(ResourceError, match="cannot be used"):
        open_session(data)


def test_bad_inputs_are_named(data):
    (data / "TS_1.csv").write_text("class,x,y,z\na,99,2,3\n")
    with pytest.raises(InputDataError, match="outside the tomogram"):
        open_session(data, coordinates=(str(data / "TS_1.csv"),))
    with pytest.raises(ConfigError, match="Several tomograms are named TS_1"):
        open_session(data, tomogram=(str(data / "TS_1.mrc"),) * 2)
    with pytest.raises(ConfigError, match="negative"):
        open_session(data, out="other", diameter={NEGATIVE: 100.0})
    write_tomogram(data / "small.mrc", np.zeros((3, 4, 5), np.float32))
    with pytest.raises(InputDataError, match="but its tomogram's is"):
        open_session(
            data,
            out="third",
            coordinates=(),
            tomogram=(str(data / "TS_1.mrc"),),
            mask=(str(data / "small.mrc"),),
        )


def test_the_window_tells_inside_from_outside_as_picking_does(data):
    shifted = np.full((11, 21, 31), -128, np.int8)  # 0 and 1 as bytes less 128.
    shifted[3, 5, 7] = -127
    write_tomogram(data / "mask.mrc", shifted)
    session = open_session(
        data,
        out="masked",
        coordinates=(),
        tomogram=(str(data / "TS_1.mrc"),),
        mask=(str(data / "mask.mrc"),),
    )
    mask = session.documents[0].mask
    everywhere = tuple(slice(0, n) for n in mask.shape_zyx)
    assert np.argwhere(mask.read(everywhere)).tolist() == [[3, 5, 7]]


def test_an_empty_set_is_an_annotation_without_picks(data):
    (data / "TS_2.csv").write_text("class,x,y,z\n")
    session = open_session(data)
    assert len(session.documents[1].annotation) == 0
    assert session.classes.names() == ["particle"]


def test_no_display_says_what_to_do_over_ssh(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ResourceError, match="ssh -X"):
        require_display()
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    require_display()
