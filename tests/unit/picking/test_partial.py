"""The record of finished tiles survives being cut short."""

import resource

import numpy as np
import pytest

from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.picking.partial import PartialPicks


def some_peaks(seed, count):
    generator = np.random.default_rng(seed)
    return Peaks(
        positions_zyx=generator.uniform(0, 50, (count, 3)),
        scores=generator.uniform(0, 1, count),
        channels=generator.integers(0, 2, count).astype(np.intp),
    )


def test_finished_tiles_come_back_exactly(tmp_path):
    path = tmp_path / "partial.jsonl"
    first = PartialPicks(path, "abc")
    assert first.recorded_edge() is None
    assert first.begin(64) == set()
    first.add(1, some_peaks(1, 3))
    first.add(0, some_peaks(0, 0))

    second = PartialPicks(path, "abc")

    assert second.recorded_edge() == 64
    assert second.begin(64) == {0, 1}
    assert np.array_equal(
        second.all_peaks().positions_zyx, some_peaks(1, 3).positions_zyx
    )
    assert second.all_peaks().scores.tolist() == some_peaks(1, 3).scores.tolist()


def test_a_line_cut_by_a_kill_is_done_again(tmp_path):
    path = tmp_path / "partial.jsonl"
    first = PartialPicks(path, "abc")
    first.begin(64)
    first.add(0, some_peaks(0, 2))
    first.add(1, some_peaks(1, 2))
    path.write_bytes(path.read_bytes()[:-20])

    second = PartialPicks(path, "abc")

    assert second.begin(64) == {0}
    second.add(1, some_peaks(1, 2))
    assert PartialPicks(path, "abc").begin(64) == {0, 1}


def test_another_run_or_another_edge_begins_anew(tmp_path):
    path = tmp_path / "partial.jsonl"
    first = PartialPicks(path, "abc")
    first.begin(64)
    first.add(0, some_peaks(0, 2))

    assert PartialPicks(path, "other").recorded_edge() is None
    assert PartialPicks(path, "abc").begin(32) == set()
    assert PartialPicks(path, "other").begin(64) == set()


@pytest.mark.parametrize("old", [b"0.", b'"tile": 1', b'"edge": 64', b'"crc32"'])
def test_what_follows_damage_is_picked_anew(tmp_path, old):
    path = tmp_path / "partial.jsonl"
    first = PartialPicks(path, "abc")
    first.begin(64)
    for tile in range(3):
        first.add(tile, some_peaks(tile, 2))
    text = path.read_bytes()
    head, line = text.split(b"\n")[:2]
    at = text.index(old, 0 if old in head else len(head) + len(line) + 2)
    path.write_bytes(text[:at] + b"9" + text[at + 1 :])

    second = PartialPicks(path, "abc")
    done = second.begin(second.recorded_edge() or 64)

    assert done == (set() if old in head else {0})
    for tile in done:
        expected = some_peaks(tile, 2)
        assert np.array_equal(second.all_peaks().scores, expected.scores)


def test_a_link_is_refused_and_what_it_leads_to_stays(tmp_path):
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "partial.jsonl").symlink_to("victim")

    with pytest.raises(ResourceError, match=r"symbolic link.*remove it"):
        PartialPicks(tmp_path / "partial.jsonl", "abc").begin(64)
    assert (tmp_path / "victim").read_text() == "precious"


def test_two_processes_do_not_pick_one_tomogram(tmp_path):
    path = tmp_path / "partial.jsonl"
    with (
        PartialPicks(path, "abc").held(),
        pytest.raises(ResourceError, match="another process picks this tomogram"),
        PartialPicks(path, "abc").held(),
    ):
        pass
    assert not path.exists()  # Nothing was picked.

    with PartialPicks(path, "abc").held():
        pass


def test_a_full_disk_keeps_the_tiles_before(tmp_path):
    path = tmp_path / "partial.jsonl"
    first = PartialPicks(path, "abc")
    first.begin(64)
    first.add(0, some_peaks(0, 2))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 50, limit[1]))
    try:
        with pytest.raises(ResourceError, match="What is picked so far"):
            first.add(1, some_peaks(1, 2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    assert PartialPicks(path, "abc").begin(64) == {0}
