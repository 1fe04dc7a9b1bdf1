"""The window from Scipion: what it is given, how it is run, what comes back."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from etpicker_plugin.protocols.class_sets import FIRST_OUTPUTS, make_class_sets
from etpicker_plugin.protocols.labels import (
    classes_of_label,
    describe_changes,
    version_label,
)
from etpicker_plugin.protocols.protocol_base import EngineError, read_engine_error

from etpicker_plugin import Plugin
from etpicker_plugin.convert import even_box, link_tomogram
from etpicker_plugin.convert_images import COORDINATE_SETS, is_flat
from etpicker_plugin.convert_kinds import CURVED, found_kinds, told_kind
from etpicker_plugin.convert_micrographs import turned_over
from etpicker_plugin.convert_surfaces import is_mesh
from etpicker_plugin.engine.config.options import config_from_values, config_to_values
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.formats.coordinates_csv import lacks_z, read_csv, write_csv
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.particles import Particles, make_particles
from etpicker_plugin.window.document.session import (
    CLASSES_FILE,
    START_SUFFIX,
)
from etpicker_plugin.window.document.settings import Classes

ANNOTATION = "annotation"
NEGATIVES = "Negatives"
COORDINATES, FLAT_COORDINATES = FIRST_OUTPUTS
LIVE_SETS = "LivePicks"
VERSION = "_v"
REGISTERED = "registered.txt"
SAME_VALUE = 1e-5
"""Less than a file's last digit of a position, or of an angle's sine."""


def prepare_window(
    folder: Path,
    tomograms: Mapping[str, object],
    particles: Mapping[str, Particles],
    *,
    diameters: Mapping[str, float],
    kinds: Mapping[str, str] | None = None,
    thresholds: Mapping[str, float] | None = None,
    masks: Mapping[str, object] | None = None,
    probability: Mapping[str, object] | None = None,
    trusted: bool = True,
) -> ViewConfig:
    """Write the window's inputs below ``folder``; return its configuration.

    An annotation that was begun in ``folder`` goes on. What headers say of the voxel
    size does not matter where a protocol has taken the tomograms before: ``trusted``.
    """
    links = [link_tomogram(t, str(folder / "tomograms")) for t in tomograms.values()]
    (folder / "picks").mkdir(parents=True, exist_ok=True)
    files = []
    for ts_id, tomogram in tomograms.items():
        if ts_id in particles:
            files.append(str(folder / "picks" / f"{ts_id}.csv"))
            write_csv(turned_over(particles[ts_id], tomogram), Path(files[-1]))
    rate = next(iter(tomograms.values())).getSamplingRate()
    return config_from_values(
        ViewConfig,
        {
            "tomogram": links,
            "coordinates": files,
            "diameter": dict(diameters),
            "kind": dict(kinds or {}),
            "threshold": dict(thresholds or {}),
            "voxel_size": rate,
            "trust_voxel_size": trusted,
            "mask": _link_known(masks, tomograms, folder / "masks"),
            "probability": _link_known(probability, tomograms, folder / "probability"),
            "out": str(folder / ANNOTATION),
        },
    )


def _link_known(volumes, names, folder: Path) -> list[str]:
    """Link the volumes of these tomograms under the tomograms' names."""
    known = [volumes[name] for name in names if volumes and name in volumes]
    return [link_tomogram(volume, str(folder)) for volume in known]


def start_window(config: ViewConfig, folder: Path) -> subprocess.Popen:
    """Start the window, which is the engine's, in its environment.

    Raises
    ------
    ConfigError
        If no engine is installed.
    """
    engine = Plugin.getEngine()
    file = folder / "view.json"
    file.write_text(
        json.dumps(config_to_values(config), indent=1, ensure_ascii=False),
        encoding="utf-8",
    )
    words = engine.words("-m", "etpicker_plugin.engine", "view", "--config", str(file))
    return subprocess.Popen(words, env=Plugin.getEnviron())


def window_error(config: ViewConfig, exit_code: int) -> EngineError | None:
    """Return why the window ended, if it was not closed by its user."""
    if exit_code == 0:
        return None
    if exit_code < 0:
        return EngineError(
            f"The window was stopped (signal {-exit_code}). Every edit is saved: "
            "'Continue' opens it where it was."
        )
    return read_engine_error(Path(config.out), exit_code)


def read_annotation(folder: Path, ts_ids) -> dict[str, Particles]:
    """Return the saved picks of each tomogram; negatives are among them."""
    return read_folder(folder / ANNOTATION, ts_ids)


def read_folder(folder: Path, ts_ids) -> dict[str, Particles]:
    """Return the picks of the tomograms that have a file in a folder."""
    files = {name: folder / f"{name}.csv" for name in ts_ids}
    return {name: _read(file, name) for name, file in files.items() if file.is_file()}


def _read(file: Path, ts_id: str) -> Particles:
    """Return the picks in a file of the window's, which writes no z of micrographs."""
    return read_csv(file, tomogram_id=ts_id, flat=lacks_z(file))


def has_news(folder: Path, ts_ids) -> bool:
    """Return whether the saved picks are neither the first nor registered already."""
    note = folder / REGISTERED
    known = note.is_file() and note.read_text(encoding="utf-8")
    digest = digest_of(folder / ANNOTATION, ts_ids)
    return known != digest and _is_edited(folder, ts_ids)


def digest_of(folder: Path, ts_ids) -> str:
    """Return a digest of the picks in a folder."""
    digest = hashlib.sha256()
    for name in sorted(ts_ids):
        file = folder / f"{name}.csv"
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()[:16]


def _is_edited(folder: Path, ts_ids) -> bool:
    """Return whether the saved picks are others than those it began with."""
    return any(
        not _same_picks(_read_first(folder, name), particles)
        for name, particles in read_annotation(folder, ts_ids).items()
    )


def _same_picks(first: Particles, second: Particles) -> bool:
    """Return whether two files hold the same: one orientation has several angles."""
    names = set(first.optional)
    if len(first) != len(second) or names != set(second.optional):
        return False
    pairs = [
        (first.class_names, second.class_names),
        (first.positions_zyx, second.positions_zyx),
        (first.scores, second.scores),
        *((first.optional[n], second.optional[n]) for n in names),
    ]
    return all(
        np.allclose(a, b, rtol=0.0, atol=SAME_VALUE, equal_nan=True)
        if a.dtype.kind == "f"
        else np.array_equal(a, b)
        for a, b in pairs
    )


def next_version(protocol) -> int:
    """Return the number of the next outputs: 1 without any."""
    names = [
        name
        for name, item in protocol.iterOutputAttributes(COORDINATE_SETS)
        if not is_mesh(item) and not name.startswith(LIVE_SETS)
    ]
    if not names:
        return 1
    return 1 + max(int(n.rpartition(VERSION)[2]) if VERSION in n else 1 for n in names)


def register_annotation(protocol, folder: Path, tomograms, *, known_groups):
    """Make new outputs of the saved picks, beside those there are; return them.

    Classes that ``known_groups`` (name -> group id) lacks are numbered on. Negatives
    become a set of their own. Labels tell what was changed.
    """
    particles = read_annotation(folder, tomograms)
    classes = Classes(folder / ANNOTATION / CLASSES_FILE, {})
    found = {str(n) for p in particles.values() for n in p.class_names}
    names = [name for name in classes.names() if name in found]
    groups = number_on(known_groups, names)
    images = protocol.imagesPointer()
    rate = images.get().getSamplingRate()
    diameters = {name: classes[name].diameter_ang for name in names}
    boxes = {name: even_box(ang, rate) for name, ang in diameters.items()}
    kinds = {
        **known_kinds(protocol),
        **{name: classes.kind_of(name) for name in names if classes[name].kind},
    }
    version = next_version(protocol)
    label_of = partial(_label, folder, particles, classes, version)
    outputs = {}
    first = FLAT_COORDINATES if is_flat(images.get()) else COORDINATES
    for base, chosen in (
        (first, groups),
        (NEGATIVES, {NEGATIVE: 1} if NEGATIVE in found else {}),
    ):
        if chosen:
            largest = even_box(classes.largest_diameter(), rate)
            made = make_class_sets(
                protocol,
                particles,
                tomograms,
                groups=chosen,
                boxes={**boxes, NEGATIVE: largest},
                diameters=diameters,
                kinds=found_kinds(particles, kinds),
                output_name=base,
                ending=f"{VERSION}{version}" if version > 1 else "",
                label_of=label_of,
            )
            outputs.update(made)
    protocol._defineOutputs(**outputs)
    for output in outputs.values():
        protocol._defineSourceRelation(images, output)
    (folder / REGISTERED).write_text(
        digest_of(folder / ANNOTATION, tomograms), encoding="utf-8"
    )
    return outputs


def known_kinds(protocol) -> dict[str, str]:
    """Return the kinds that a protocol knows, and those that its sets say."""
    kinds = dict(getattr(protocol, "getKinds", dict)())
    for _, item in protocol.iterOutputAttributes(COORDINATE_SETS):
        if told_kind(item) in CURVED:
            kinds.setdefault(classes_of_label(item.getObjLabel()), told_kind(item))
    return kinds


def number_on(known: Mapping[str, int], names: list[str]) -> dict[str, int]:
    """Return the group ids of classes; those that are not known are numbered on."""
    groups = dict(known)
    for name in names:
        groups.setdefault(name, max(groups.values(), default=0) + 1)
    return {name: groups[name] for name in names}


def _label(
    folder: Path,
    particles: Mapping[str, Particles],
    classes: Classes,
    version: int,
    names: Iterable[str],
) -> str:
    """Return the label of a set of these classes.

    What was marked from nothing, and is the first, needs no more than the classes.
    """
    first = {name: _read_first(folder, name) for name in particles}
    if version == 1 and not any(len(picks) for picks in first.values()):
        return ", ".join(names)
    thresholds = {name: classes[name].threshold for name in names}
    edited = any(
        not np.array_equal(
            _centres(first[ts_id], name, threshold), _centres(saved, name, threshold)
        )
        for ts_id, saved in particles.items()
        for name, threshold in thresholds.items()
    )
    changes = describe_changes(thresholds, edited=edited)
    return version_label(", ".join(names), version, changes)


def _read_first(folder: Path, ts_id: str) -> Particles:
    """Return the picks that an annotation began with; none if it began empty."""
    start = folder / ANNOTATION / f"{ts_id}{START_SUFFIX}"
    if start.is_file():
        return _read(start, ts_id)
    return make_particles(ts_id, [])


def _centres(particles: Particles, name: str, threshold: float) -> np.ndarray:
    """Return the ``(N, 3)`` centres of a class that reach the threshold, zyx."""
    found = particles.of_class(name)
    return found.positions_zyx[~(found.scores < threshold)]
