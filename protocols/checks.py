"""What would fail an hour later, found before the run: each returns messages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from etpicker_plugin import Plugin
from etpicker_plugin.convert import frame_of, tomogram_file
from etpicker_plugin.convert_images import is_flat
from etpicker_plugin.engine.errors import ExternalProgramError, InputDataError
from etpicker_plugin.engine.geometry import lies_outside
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.names import image_word, require_file_name
from etpicker_plugin.engine.particles import Particles
from etpicker_plugin.engine.relion.find import find_relion
from etpicker_plugin.engine.volumes.tiff_file import is_tiff
from etpicker_plugin.engine.volumes.tomogram import Tomogram, read_tomogram
from etpicker_plugin.engine_environment import find_own_fault

SAMPLING_TOLERANCE = 0.01
LEAST_DIAMETER_VOX = 3.0
TURNED = (
    "its file holds the axes in another order (MAPC, MAPR, MAPS in the header), which "
    "Scipion does not heed. Write it with x, y, z in order, by IMOD's 'clip flipyz' "
    "for instance, and import it again."
)
A_STACK = (
    "its file has {} sections: it is no micrograph. Give the sum of a movie's frames."
)
GPU_DEVICES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")


def gpu_present() -> bool:
    """Return whether this machine has a GPU, without loading torch."""
    return any(Path(device).exists() for device in GPU_DEVICES)


def check_gpu(protocol: Any) -> list[str]:
    """Refuse a GPU that is asked for and absent; a queue's nodes are not judged."""
    if not protocol.usesGpu() or protocol.useQueue() or gpu_present():
        return []
    return [
        "'Use GPU' is set, but this machine has no GPU. Set it to 'No', or send the "
        "protocol to a queue whose nodes have one."
    ]


def check_relion(protocol: Any) -> list[str]:
    """Look for RELION where the engine will; a queue's nodes are not judged."""
    if protocol.useQueue():
        return []
    try:
        find_relion(Plugin.getEnviron())
    except ExternalProgramError as error:
        return [str(error)]
    return []


def check_engine() -> list[str]:
    """Refuse an engine that cannot run: one that the user has named is asked.

    Raises
    ------
    ConfigError
        If none is installed.
    """
    engine = Plugin.getEngine()
    fault = find_own_fault(engine, Plugin.getEnviron()) if engine.variable else ""
    return [fault] if fault else []


def warn_idle_gpus(protocol: Any, *, watching: int = 0) -> list[str]:
    """Tell when there are more GPUs than tomograms picked at the same time.

    ``watching`` threads do not pick, beside Scipion's own.
    """
    gpus = len(protocol.getGpuList())
    workers = protocol.numberOfThreads.get() - 1 - watching
    if not protocol.usesGpu() or gpus <= max(workers, 1):
        return []
    return [
        f"{gpus} GPUs, but {protocol.numberOfThreads.get()} Scipion threads pick "
        f"{max(workers, 1)} tomogram(s) at a time. Set {gpus + 1 + watching} threads "
        "to use all GPUs."
    ]


def check_writable(protocol: Any) -> list[str]:
    """Refuse a project folder that cannot be written."""
    folder = protocol.getProject().getPath() if protocol.getProject() else os.getcwd()
    if os.access(folder, os.W_OK):
        return []
    return [f"The project folder {folder} cannot be written. Free it or move it."]


def check_sampling_rates(
    sampling_rate: float, others: Iterable[tuple[str, float]], *, of: str
) -> list[str]:
    """Compare sampling rates (Å) with that of the tomograms or micrographs."""
    return [
        f"The tomograms or micrographs have {sampling_rate:g} Å per voxel, the {of} "
        f"'{name}' {other:g} Å. Use sets of one sampling rate (tomo's 'extract 3D "
        "coordinates' rescales those of tomograms)."
        for name, other in others
        if abs(other - sampling_rate) > SAMPLING_TOLERANCE * sampling_rate
    ]


def check_names(
    tomogram_ids: Iterable[str], others: Iterable[str], *, of: str
) -> list[str]:
    """Refuse two sets without a common name, listing both."""
    known, given = sorted(set(tomogram_ids)), sorted(set(others))
    if set(known) & set(given):
        return []
    return [
        f"No tomogram or micrograph has {of}: they are {shorten(known)}, the {of} "
        f"belong to {shorten(given)}. Names (tsId of tomograms, micName of "
        "micrographs) must be equal."
    ]


def check_one_kind(
    images: Any, others: Iterable[tuple[str, Any]], *, of: str
) -> list[str]:
    """Refuse coordinates of micrographs beside tomograms, and the other way round.

    ``images`` is any set that says which are wanted; ``others`` are named sets.
    """
    flat = is_flat(images)
    return [
        f"These are {image_word(flat)}s, but the {of} '{name}' are of "
        f"{image_word(not flat)}s. Give {of} of {image_word(flat)}s; both kinds are "
        "never taken together."
        for name, item in others
        if is_flat(item) != flat
    ]


def check_model_kind(card: ModelCard, images: Any) -> list[str]:
    """Refuse a model of tomograms for micrographs, and the other way round."""
    flat = is_flat(images)
    if card.is_flat == flat:
        return []
    return [
        f"The model has learnt from {image_word(card.is_flat)}s, and these are "
        f"{image_word(flat)}s. Give a model of {image_word(flat)}s."
    ]


def warn_names(
    tomogram_ids: Iterable[str], others: Iterable[str], *, of: str
) -> list[str]:
    """List what has no partner in the other set."""
    known, given = set(tomogram_ids), set(others)
    warnings = []
    if known - given:
        warnings.append(f"Not used, without {of}: {shorten(sorted(known - given))}.")
    if given - known:
        warnings.append(
            f"The {of} of these are not used, without a tomogram or micrograph: "
            f"{shorten(sorted(given - known))}."
        )
    return warnings


def warn_unused_negatives(
    negatives: Iterable[str], learnt_from: Iterable[str]
) -> list[str]:
    """List the tomograms whose negatives are lost, for want of coordinates."""
    unused = sorted(set(negatives) - set(learnt_from))
    if not unused:
        return []
    return [
        f"The negatives of these are not used, as they have no coordinates: "
        f"{shorten(unused)}."
    ]


def shorten(names: list[str], limit: int = 12) -> str:
    """Join names, at most so many, and say how many are left out."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return (", ".join(names[:limit]) or "none") + more


def check_headers(tomograms: Mapping[str, Any], *, trusted: bool = False) -> list[str]:
    """Open every tomogram as the engine will; return what it would refuse.

    ``trusted`` says that the sampling rate of the set is right, whatever a header says.
    """
    faults = find_faults(tomograms, trusted=trusted)
    return [f"{ts_id}: {said}" for ts_id, said in faults.items()]


def find_faults(
    tomograms: Mapping[str, Any], *, trusted: bool = False
) -> dict[str, str]:
    """Return what is wrong with tomograms or micrographs, as far as headers tell.

    TIFF is left to the engine: what decodes it may be there alone.
    """
    found = {}
    for ts_id, tomogram in tomograms.items():
        try:
            require_file_name(ts_id, what=image_word(is_flat(tomogram)).capitalize())
            if is_tiff(tomogram_file(tomogram)):
                continue
            opened = read_tomogram(
                tomogram_file(tomogram),
                tomogram.getSamplingRate(),
                trust_voxel_size=trusted,
            )
            if is_flat(tomogram) and not opened.is_flat:
                found[ts_id] = A_STACK.format(opened.shape_zyx[0])
            elif _is_turned(opened):
                found[ts_id] = TURNED
        except InputDataError as error:
            found[ts_id] = str(error)
    return found


def check_axes(tomograms: Mapping[str, Any]) -> list[str]:
    """Refuse tomograms whose files hold the axes in another order than x, y, z."""
    return [f"{ts_id}: {said}" for ts_id, said in find_turned(tomograms).items()]


def find_turned(tomograms: Mapping[str, Any]) -> dict[str, str]:
    """Return why to refuse those whose files hold the axes in another order.

    The engine reads them, but Scipion and its viewers do not heed the order: sizes and
    coordinates would be those of another volume there.
    """
    found = {}
    for ts_id, tomogram in tomograms.items():
        try:
            opened = read_tomogram(
                tomogram_file(tomogram),
                tomogram.getSamplingRate(),
                trust_voxel_size=True,
            )
        except InputDataError:  # Said by check_headers.
            continue
        if _is_turned(opened):
            found[ts_id] = TURNED
    return found


def _is_turned(opened: Tomogram) -> bool:
    return opened.stored_axes != (0, 1, 2)


def check_inside(
    particles: Mapping[str, Particles], tomograms: Mapping[str, Any]
) -> list[str]:
    """Refuse coordinates outside their tomogram."""
    messages = []
    for ts_id in sorted(set(particles) & set(tomograms)):
        shape = frame_of(tomograms[ts_id]).shape_zyx
        positions = particles[ts_id].positions_zyx
        outside = lies_outside(positions, shape)
        if outside.any():
            x, y, z = positions[outside][0][::-1]
            image = image_word(is_flat(tomograms[ts_id]))
            messages.append(
                f"{ts_id}: {outside.sum()} of {len(positions)} coordinates lie outside "
                f"the {image}, the first at x, y, z = {x:.1f}, {y:.1f}, {z:.1f}; its "
                f"size is {tuple(shape[::-1])}. They may be of another "
                "binning or origin."
            )
    return messages


def check_diameters(
    diameters: Mapping[str, float], tomograms: Mapping[str, Any]
) -> list[str]:
    """Refuse particles of few voxels, and particles larger than a tomogram."""
    messages = []
    for name, diameter in diameters.items():
        for ts_id, tomogram in tomograms.items():
            frame = frame_of(tomogram)
            voxels = diameter / frame.voxel_size
            smallest = min(n for n in frame.shape_zyx if n > 1)
            if voxels < LEAST_DIAMETER_VOX or voxels > smallest:
                messages.append(
                    f"{name}: a diameter of {diameter:g} Å is {voxels:.1f} voxels in "
                    f"{ts_id} ({frame.voxel_size:g} Å per voxel, smallest side "
                    f"{smallest}). Expected at least "
                    f"{LEAST_DIAMETER_VOX:g} voxels and less than that side; diameters "
                    "are given in Å."
                )
                break
    return messages


def check_counts(particles: Mapping[str, Particles], names: Iterable[str]) -> list[str]:
    """Refuse classes of which there is no coordinate."""
    messages = []
    for name in names:
        if not any((p.class_names == name).any() for p in particles.values()):
            messages.append(
                f"No coordinates of class '{name}' in these tomograms. Leave the class "
                "out, or add coordinates."
            )
    return messages


def check_masks(masks: Mapping[str, Any], tomograms: Mapping[str, Any]) -> list[str]:
    """Refuse a tomogram without a region mask, or with one of another size."""
    missing = sorted(set(tomograms) - set(masks))
    messages = []
    if missing:
        messages.append(f"Without a region mask: {shorten(missing)}. Add masks.")
    for ts_id in sorted(set(tomograms) & set(masks)):
        size, wanted = masks[ts_id].getDim(), tomograms[ts_id].getDim()
        if tuple(size) != tuple(wanted):
            messages.append(
                f"{ts_id}: its region mask has the size {tuple(size)}, the tomogram "
                f"{tuple(wanted)}. Give a mask made on that tomogram."
            )
    return messages
