"""Every reader with a sound file of its own, and what may come of a damaged one."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from etpicker_plugin.demo.follow import ProjectFollower
from etpicker_plugin.engine.averaging.inputs import choose_diameter, read_boxes
from etpicker_plugin.engine.cli import COMMANDS
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.config.options import config_from_values, read_json
from etpicker_plugin.engine.conversion.sidecar import restore
from etpicker_plugin.engine.formats.catalogue import CATALOGUE
from etpicker_plugin.engine.formats.checks import refuse_outside
from etpicker_plugin.engine.formats.format import FormatOptions
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.model.exemplars import Exemplar, read_exemplars
from etpicker_plugin.engine.model.model_file import load_model, save_model
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.picking.failures import note_failure, read_failures
from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.picking.partial import PartialPicks
from etpicker_plugin.engine.relion.read import read_postprocess
from etpicker_plugin.engine.result_files import (
    are_as_written,
    hash_results,
    noted_files,
    read_record,
)
from etpicker_plugin.engine.run_folder import Run, claim_folder, run_from_values
from etpicker_plugin.engine.subtomograms.star import (
    BoxSet,
    Optics,
    write_particles_star,
)
from etpicker_plugin.engine.training.resume import (
    Counters,
    TrainingState,
    load_state,
    save_state,
)
from etpicker_plugin.engine.training.validation_slice import (
    ValidationSlice,
    read_validation_slice,
    write_validation_slice,
)
from etpicker_plugin.engine.volumes.region_mask import open_mask
from etpicker_plugin.engine.volumes.tomogram import (
    read_tomogram,
    read_whole,
    write_volume,
)
from etpicker_plugin.tests.support.hand_made import ALONE
from etpicker_plugin.tests.support.mutations import (
    damage_bytes,
    damage_header,
    damage_json,
    damage_json_lines,
    damage_lines,
)
from etpicker_plugin.tests.support.untrained import make_untrained_model
from etpicker_plugin.window.document.annotation import Annotation
from etpicker_plugin.window.document.journal import Journal
from etpicker_plugin.window.document.settings import Classes

SHAPE_ZYX = (33, 57, 41)
CLASSES = ("ribosome", "ring")
COUNT = 7
FRAME = TomogramFrame(
    tomogram_id="TS_01", shape_zyx=SHAPE_ZYX, voxel_size=10.0, binning=4.0
)
MICROGRAPH = replace(FRAME, shape_zyx=(1, *SHAPE_ZYX[1:]))
OPTIONS = FormatOptions(class_names=CLASSES, binning_is_known=True)


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes
    ----------
    make
        Writes a sound file into a folder, and returns its path.
    read
        Returns what a file holds.
    damage
        Returns the file's bytes, damaged.
    count
        How many damaged inputs the suite tries.
    wrong
        ``wrong(before, after, old, new)``: what is wrong with what a damaged file is
        read as (``after``); nothing if it is right.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], Any]
    damage: Callable[[bytes, Any], bytes]
    count: int
    wrong: Callable[[Any, Any, bytes, bytes], str] = lambda *_: ""


def must_be_the_same(before, after, old, new):
    return "" if before == after else f"read as {str(after)[:300]}"


OF_TUBES = ("relion-tubes", "eman-helices")
"""Formats that hold filaments alone."""


# --------------------------- coordinates --------------------------------------
def some_particles(known):
    draw = np.random.default_rng(5)
    places = np.round(draw.uniform(1, np.array(SHAPE_ZYX) - 2, (COUNT, 3)), 1)
    if 3 not in known.dimensions:
        places[:, 0] = 0.0
    return make_particles(
        "TS_01",
        places,
        class_names=[CLASSES[n % 2] for n in range(COUNT)],
        scores=np.round(draw.uniform(0.1, 1, COUNT), 3),
        optional={"filament": "f"} if known.name in OF_TUBES else None,
    )


def coordinate_target(known):
    frame = FRAME if 3 in known.dimensions else MICROGRAPH

    def make(folder):
        path = folder / known.path_of("TS_01", CLASSES[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        particles = some_particles(known).having(ALONE.get(known.name, {}))
        if known.is_per_class:
            particles = particles.of_class(CLASSES[0])
        numbers = {name: n for n, name in enumerate(CLASSES, 1)}
        known.write([(particles, frame)], path, OPTIONS, numbers)
        return path

    def read(path):
        (particles,) = known.read(path, {"TS_01": frame}, OPTIONS)
        refuse_outside(particles, shape_zyx=frame.shape_zyx, path=path)
        return rows_of(particles)

    is_json = "json" in Path(known.file).suffix and known.file.endswith("json")
    damage = damage_json if is_json else damage_lines
    if known.name == "cryosparc":
        damage = damage_bytes
    return Target(
        name=f"format {known.name}",
        make=make,
        read=read,
        damage=damage_json_lines if known.file.endswith("ndjson") else damage,
        count=350 if 3 in known.dimensions else 100,
        wrong=WRONG.get(known.name, only_finite if is_json else only_touched_rows),
    )


def rows_of(particles):
    return [
        (name, *map(float, np.round(zyx, 6)), float(score))
        for name, zyx, score in zip_strict(
            particles.class_names,
            particles.positions_zyx,
            np.round(particles.scores, 9),
        )
    ]


def only_finite(before, after, old, new):
    """What is read are finite places, whatever else."""
    bad = [row for row in after if not np.isfinite(row[1:4]).all()]
    return f"places that are none: {bad}" if bad else ""


def only_touched_rows(before, after, old, new):
    """Only particles on lines that the damage touched may have changed."""
    found = only_finite(before, after, old, new)
    touched = touched_lines(old, new)
    if found or touched is None:
        return found
    lost, added = touched
    gone = Counter(map(str, before)) - Counter(map(str, after))
    new_ones = Counter(map(str, after)) - Counter(map(str, before))
    if gone.total() > lost or new_ones.total() > added:
        return (
            f"{lost} line(s) became {added}, but {gone.total()} rows became "
            f"{new_ones.total()}: {list(new_ones)[:3]}"
        )
    return ""


def only_whole_files(before, after, old, new):
    """A list names a file, or no longer; what it holds is read whole."""
    return must_be_the_same(before, after or before, old, new)


WRONG = {"relion5-import": only_whole_files, "cryosparc": only_finite}


def touched_lines(old, new):
    """Return how many lines of numbers became how many lines; or ``None``.

    ``None`` where a line was touched that says what the others mean.
    """
    try:
        a, b = old.decode().splitlines(), new.decode().splitlines()
    except UnicodeDecodeError:
        return None
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    stop = 0
    while stop < min(len(a), len(b)) - start and a[-1 - stop] == b[-1 - stop]:
        stop += 1
    lost, added = a[start : len(a) - stop], b[start : len(b) - stop]
    numbers = re.compile(r"\s*[\w\"/.-]*[\s,:]*[-+]?[\d.]")
    heads = re.compile(r"\s*(_|loop_|data_|#|[a-zA-Z_]+\s*[,;\t]\s*[a-zA-Z_])")
    if any(not numbers.match(line) or heads.match(line) for line in lost):
        return None
    if any(heads.match(line) for line in added):
        return None
    return len(lost), len(added)


# --------------------------- volumes ------------------------------------------
def make_volume(folder):
    values = np.random.default_rng(0).integers(-9, 9, (5, 7, 9)).astype(np.int16)
    write_volume(folder / "TS_01.mrc", values, 10.0)
    return folder / "TS_01.mrc"


def read_volume(path):
    tomogram = read_tomogram(path)
    size = read_whole(tomogram).nbytes
    return tomogram.voxel_size, tomogram.shape_zyx, size


def sound_volume(before, after, old, new):
    voxel_size, shape, size = after
    if not 0 < voxel_size < np.inf or min(shape) < 1 or size > len(new):
        return f"read as {after}"
    return ""


def read_as_mask(path):
    return bool(open_mask(path, (5, 7, 9)).read_whole().any())


# --------------------------- models -------------------------------------------
def make_model(folder):
    path = make_untrained_model(folder / "plain.safetensors")
    network, card = load_model(path)
    piece = Exemplar(
        image=np.full((8, 10, 12), 0.5, np.float16),
        positions_zyx=np.array([[3, 4, 5], [1, 2, 3]], np.float32),
        class_names=("large", "small"),
        annotation={"large": "sparse", "small": "complete"},
        tomogram_id="TS_1",
        origin_zyx=(8, 0, 16),
        round=0,
        owner="lab",
        licence="CC0",
        held_out=True,
        counted_start=(0, 0, 0),
        counted_stop=(8, 10, 12),
        negatives_zyx=((1.5, 2.0, 3.0),),
    )
    copies = {n: getattr(piece, n).copy() for n in ("image", "positions_zyx")}
    save_model(
        folder / "model.safetensors",
        network,
        replace(card, training={"history": [{"step": 1, "score": 0.5}]}),
        exemplars=[piece, replace(piece, **copies, owner="other")],
    )
    return folder / "model.safetensors"


def read_model(path):
    network, card = load_model(path)
    values = [v.reshape(-1).double() for v in network.state_dict().values()]
    return repr(card), torch.cat(values).numpy().tobytes()


def read_pieces(path):
    return [
        (e.image.tobytes(), e.positions_zyx.tobytes(), str(astuple(e)[2:]))
        for e in read_exemplars(path)
    ]


def damage_model(data, draw):
    """Damage the beginning of a model file, or its JSON, oftener than the rest."""
    size = 8 + int.from_bytes(data[:8], "little")
    if draw.random() < 0.4:
        return damage_bytes(data, draw)
    return damage_bytes(data[:size], draw) + data[size:]


def damage_unsealed(data, draw):
    """Damage a model's card as an editor would, in a file without checksums."""
    size = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:size])
    metadata = header["__metadata__"]
    metadata.pop("etpicker_checksums")
    part = draw.choice(("etpicker_model_card", "etpicker_exemplars"))
    metadata[part] = damage_json(metadata[part].encode(), draw).decode("latin-1")
    words = json.dumps(header).encode()
    return len(words).to_bytes(8, "little") + words + data[size:]


def read_all_of_model(path):
    card = read_card(path)
    return len(card.classes), len(read_exemplars(path))


def make_state(folder):
    network = make_network("fast", 1)
    few = dict(list(network.state_dict().items())[:6])
    counters = Counters("abc", step=2, elapsed_s=1.5, history=[{"step": 1}])
    moments = {"0.exp_avg": torch.ones(3)}
    state = TrainingState(counters, {"network": few, "best": few}, moments)
    save_state(folder / "training_state.safetensors", state)
    return folder / "training_state.safetensors"


def read_state(path):
    state = load_state(path)
    tensors = {**state.tensors, "moments": state.moments}
    return asdict(state.counters), {
        f"{group}.{name}": value.tolist()
        for group, values in tensors.items()
        for name, value in values.items()
    }


# --------------------------- what runs leave ----------------------------------
def make_partial(folder):
    partial = PartialPicks(folder / ".TS.partial.jsonl", "abc")
    partial.begin(32)
    for tile in range(4):
        draw = np.random.default_rng(tile)
        partial.add(
            tile,
            Peaks(
                positions_zyx=draw.uniform(0, 40, (tile, 3)),
                scores=draw.uniform(0, 1, tile),
                channels=np.zeros(tile, np.intp),
            ),
        )
    return folder / ".TS.partial.jsonl"


def read_partial(path):
    partial = PartialPicks(path, "abc")
    edge = partial.recorded_edge()
    done = partial.begin(edge or 32)
    rows = partial.all_peaks() if done else None
    places = [] if rows is None else rows.positions_zyx.tolist()
    return edge, sorted(done), places


def only_whole_tiles(before, after, old, new):
    edge, done, places = after
    if edge not in (None, before[0]):
        return f"edge {edge}"
    count = sum(done)  # Tile n holds n peaks.
    known = [tuple(p) for p in before[2]]
    strange = [p for p in places if tuple(p) not in known]
    return f"{strange} of {done}" if strange or len(places) != count else ""


JOURNAL_HEADER = {"tomogram": "TS", "shape_zyx": [33, 57, 41]}


def open_journal(path):
    first = make_particles("TS", [[1, 2, 3], [4, 5, 6]], scores=np.array([0.5, 0.6]))
    return Journal(path, Annotation(first), header=JOURNAL_HEADER)


def make_journal(folder):
    journal = open_journal(folder / "TS.journal.jsonl")
    annotation = journal.annotation
    journal.apply(annotation.adding([[0.25, 1, 2], [7.5, 8, 9]], "ring"))
    journal.apply(annotation.moving(2, [0.5, 1, 2]))
    journal.apply(annotation.deleting([0]))
    journal.apply(annotation.inserting(1, [2, 3]))
    journal.apply(annotation.resizing(1, 80.0))
    journal.undo()
    journal.redo()
    journal.apply(annotation.confirming([1, 2], "other"))
    journal.close()
    return journal.path


def read_journal(path):
    journal = open_journal(path)
    journal.close()
    return rows_of(journal.annotation.to_particles())


def only_written_numbers(before, after, old, new):
    """Every number that is read stands in the file, or in what it began with."""
    words = re.findall(rb"[-+]?[\d.]+(?:[eE][-+]?\d+)?", new)
    known = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}
    for word in words:
        try:
            known.add(round(float(word), 6))
        except ValueError:
            continue
    strange = [row for row in after if not set(row[1:4]) <= known]
    return f"numbers that stand nowhere: {strange}" if strange else ""


def make_classes(folder):
    Classes(folder / "classes.json", {"ring": 120.0, "ribosome": 300.0})
    return folder / "classes.json"


def read_classes(path):
    return [(c.name, c.diameter_ang, c.threshold) for c in Classes(path, {})]


def sound_classes(before, after, old, new):
    names = {name for name, _, _ in after}
    sizes = np.array([row[1:] for row in after], float)
    sound = np.isfinite(sizes).all() and len(names) == len(after)
    return "" if sound else f"read as {after}"


def make_sidecar(folder):
    path = folder / "TS_01.txt"
    path.write_text("1 2 3\n4 5 6\n")
    kept = {
        "class_names": ["a", "b"],
        "scores": [0.5, None],
        "positions_xyz": [[1.25, 2, 3], [4, 5, 6.5]],
        "rot_tilt_psi": [[10, 20, 30], None],
    }
    record = {"sha256": file_sha256(path), "kept": {"TS_01": kept}}
    (folder / "TS_01.txt.json").write_text(json.dumps(record))
    return folder / "TS_01.txt.json"


def read_sidecar(path):
    text = path.with_suffix("")
    particles = make_particles("TS_01", [[3, 2, 1], [6, 5, 4]])
    (read,) = restore([particles], path, text)
    return rows_of(read)


RUN = Run(parameters={"steps": 3, "seed": 0}, inputs=(("model", "ab"), ("mask", "cd")))


def make_note(folder):
    claim_folder(folder, RUN, result="model.safetensors")
    return folder / ".run.json"


def read_note(path):
    (path.parent / "model.safetensors").touch()
    return claim_folder(path.parent, RUN, result="model.safetensors")


def make_record(folder):
    (folder / "TS.csv").write_text("class,x,y,z\n")
    record = {"run": asdict(RUN), "files": hash_results(folder, ["TS.csv"])}
    (folder / "TS.json").write_text(json.dumps(record))
    return folder / "TS.json"


def read_finished(path):
    record = read_record(path)
    same = run_from_values(record.get("run")) == RUN
    whole = are_as_written(path.parent, noted_files(record, ["TS.csv"]))
    for aside in path.parent.glob("TS.csv*"):
        aside.unlink()
    (path.parent / "TS.csv").write_text("class,x,y,z\n")
    return same and whole


def make_failure(folder):
    note_failure("TS", "InputDataError", "No such file.", out_dir=folder)
    return folder / "failed" / "TS.json"


def read_failure(path):
    return read_failures(path.parents[1])


def make_progress(folder):
    path = folder / "Runs" / "1" / "extra" / "progress.jsonl"
    path.parent.mkdir(parents=True)
    lines = [
        {"time": 1.5, "stage": "training", "done": n, "total": 9, "loss": 0.5, "lr": 1}
        for n in range(4)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def read_progress(path):
    shown = []
    ProjectFollower(path.parents[3], shown.append).show_news()
    return [(event.stage, event.done) for event in shown]


def make_slice(folder):
    shown = ValidationSlice(
        tomogram_id="TS",
        z=3,
        step=20,
        image=np.zeros((6, 8), np.float16),
        held_out_yx=np.array([[0, 0], [3, 4]], np.intp),
        class_names=("a", "b"),
        radii_vox=np.array([2.0, 3.0]),
        picks_zyx=np.ones((3, 3)),
        pick_channels=np.array([0, 1, 0], np.intp),
        scores=np.array([0.5, 0.25, 0.75]),
        truth_zyx=np.ones((2, 3)),
        truth_channels=np.array([1, 0], np.intp),
    )
    write_validation_slice(shown, folder / "slice.npz")
    return folder / "slice.npz"


def read_slice(path):
    return str(asdict(read_validation_slice(path)))


# --------------------------- RELION's results ---------------------------------
def make_boxes(folder):
    images = [f"boxes/{n}.mrc" for n in range(5)]
    (folder / "boxes").mkdir()
    for name in (*images, "wedge.mrc"):
        (folder / name).write_bytes(b"box")
    boxes = BoxSet(
        particles=make_particles("TS_a", np.arange(15.0).reshape(-1, 3)),
        images=images,
        wedge="wedge.mrc",
        voxel_size=10.0,
    )
    optics = Optics(box=12, voxel_size=20.0)
    write_particles_star([boxes], folder / "particles.star", optics=optics)
    return folder / "particles.star"


def read_box_table(path):
    boxes = read_boxes(path)
    return len(boxes), boxes.box, boxes.voxel_size


def make_box_record(folder):
    make_boxes(folder)
    record = {"diameters_ang": {"a": 150.0, "b": 130.0}, "tilt_axis": "y"}
    (folder / "particles.json").write_text(json.dumps(record))
    return folder / "particles.json"


def read_box_record(path):
    boxes = read_boxes(path.with_suffix(".star"))
    return choose_diameter(AverageConfig(particles="p", out="o"), boxes)


def make_postprocess(folder):
    labels = (
        "rlnAngstromResolution",
        "rlnFourierShellCorrelationCorrected",
        "rlnFourierShellCorrelationUnmaskedMaps",
        "rlnFourierShellCorrelationMaskedMaps",
        "rlnCorrectedFourierShellCorrelationPhaseRandomizedMaskedMaps",
    )
    head = "".join(f"_{label} #{n}\n" for n, label in enumerate(labels, 1))
    rows = "".join(f"{90 / (n + 1):.3f} 0.9 0.8 0.95 0.01\n" for n in range(6))
    path = folder / "postprocess.star"
    path.write_text(
        "\ndata_general\n\n_rlnFinalResolution 24.5\n\n"
        f"data_fsc\n\nloop_\n{head}{rows}\n"
    )
    return path


def read_fsc(path):
    found = read_postprocess(path)
    return found.resolution_ang, found.fsc.to_numpy().tolist()


# --------------------------- parameter files ----------------------------------
CONFIGS = {
    "train": {
        "tomogram": ["a.mrc"],
        "coordinates": ["a.csv"],
        "diameter": {"ring": 80.0},
        "out": "out",
        "steps": 100,
        "learning_rate": 0.001,
        "first_look": True,
    },
    "pick": {"model": "m", "tomogram": ["a.mrc"], "out": "o", "threshold": {"a": 0.5}},
    "update": {
        "model": "m",
        "tomogram": ["a.mrc"],
        "coordinates": ["a.csv"],
        "out": "o",
        "replay_weight": 0.5,
    },
    "convert": {
        "input": ["a.csv"],
        "input_format": "csv",
        "output_format": "txt",
        "out": "o",
        "dimensions": [41, 57, 33],
        "voxel_size": 10.0,
    },
    "simulate": {"out": "o", "shape": [32, 40, 48], "seed": 3, "snr": 0.2},
    "view": {"tomogram": ["a.mrc"], "out": "o", "diameter": {"a": 100}},
}


def config_target(name):
    def make(folder):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(CONFIGS[name]))
        return path

    def read(path):
        return config_from_values(COMMANDS[name].config_class, read_json(path))

    return Target(f"config {name}", make, read, damage_json, 300, sound_config)


def sound_config(before, after, old, new):
    text = repr(after)
    return f"read as {text}" if re.search(r"\b(nan|inf)\b", text) else ""


TARGETS = (
    *map(coordinate_target, CATALOGUE),
    Target("MRC tomogram", make_volume, read_volume, damage_header, 500, sound_volume),
    Target("MRC mask", make_volume, read_as_mask, damage_header, 300),
    Target("model", make_model, read_model, damage_model, 150, must_be_the_same),
    Target("exemplars", make_model, read_pieces, damage_model, 300, must_be_the_same),
    Target("card", make_model, read_all_of_model, damage_unsealed, 400),
    Target("state", make_state, read_state, damage_model, 200, must_be_the_same),
    Target(
        *("partial", make_partial, read_partial, damage_json_lines, 500),
        only_whole_tiles,
    ),
    Target(
        *("journal", make_journal, read_journal, damage_json_lines, 500),
        only_written_numbers,
    ),
    Target("classes", make_classes, read_classes, damage_json, 300, sound_classes),
    Target("sidecar", make_sidecar, read_sidecar, damage_json, 400, only_finite),
    Target("run note", make_note, read_note, damage_json, 300),
    Target("record", make_record, read_finished, damage_json, 300),
    Target("failure", make_failure, read_failure, damage_json, 200),
    Target("progress", make_progress, read_progress, damage_json_lines, 300),
    Target("slice", make_slice, read_slice, damage_bytes, 300, must_be_the_same),
    Target("boxes", make_boxes, read_box_table, damage_lines, 150),
    Target("record of boxes", make_box_record, read_box_record, damage_json, 150),
    Target("FSC", make_postprocess, read_fsc, damage_lines, 200),
    *map(config_target, CONFIGS),
)
