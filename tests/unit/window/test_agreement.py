from types import SimpleNamespace

import numpy as np

from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.window.aids.agreement import compare_sets
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.document import Document
from etpicker_plugin.window.document.settings import Classes


def test_partners_are_of_one_class_near_and_count_once(tmp_path):
    here = make_particles(
        "TS",
        [[5, 5, 5], [5, 5, 30], [20, 20, 20], [40, 5, 5]],
        class_names=np.array(["a", "a", "b", "a"]),
        scores=np.array([0.9, 0.9, 0.9, 0.1]),
    )
    there = make_particles(
        "TS",
        # Near the first; too far from the second; other class; below the cut here.
        [[5, 5, 7.5], [5, 5, 34], [20, 20, 20], [40, 5, 5], [6, 5, 5]],
        class_names=np.array(["a", "a", "a", "a", "a"]),
    )
    classes = Classes(tmp_path / "classes.json", {"a": 60.0, "b": 60.0})
    classes.change("a", threshold=0.5)
    document = Document(
        volume=SimpleNamespace(voxel_size=10.0, tomogram_id="TS"),
        journal=SimpleNamespace(annotation=Annotation(here)),
        other=there,
    )
    found = compare_sets(document, classes)
    assert found.first.tolist() == [True, False, False, False]
    assert found.second.sum() == 1
    assert found.second[4]  # The nearer of the two.
    assert found.describe() == "both 1 · only here 2 · only the other 4"
