"""``etpicker exemplars``: what a model keeps of its data, and deleting it by owner."""

import json
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.exemplars import ExemplarsConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.model.exemplars import (
    MEGABYTE,
    Exemplar,
    read_exemplars,
    size_in_bytes,
)
from etpicker_plugin.engine.model.kept_maps import read_kept_maps
from etpicker_plugin.engine.progress import Progress

logger = logging.getLogger(__name__)

LIST_NAME = "exemplars.json"
MODEL_NAME = "model.safetensors"


def exemplars(
    config: ExemplarsConfig, out_dir: Path, *, on_progress: Progress
) -> dict[str, object]:
    """List a model's exemplars; with owners to delete, write a model without them.

    What it cost is said too: the particles of each class that can no longer be
    replayed, and the classes whose memory can no longer be measured.

    Raises
    ------
    CheckpointError
        If the model cannot be read, or one stands in the output folder.
    ConfigError
        If there is no exemplar of an owner.
    """
    kept = read_exemplars(config.model)
    owners = sorted({e.owner for e in kept})
    unknown = sorted(set(config.delete_owner) - set(owners))
    if unknown:
        raise ConfigError(
            f"--delete-owner {' '.join(unknown)}: {config.model} holds no exemplar of "
            f"theirs. Owners: {', '.join(repr(o) for o in owners) or 'none'}."
        )
    gone = [e for e in kept if config.delete_all or e.owner in config.delete_owner]
    left = [
        e for e in kept if not (config.delete_all or e.owner in config.delete_owner)
    ]
    report: dict[str, object] = {"exemplars": summarise(left)}
    if config.delete_all or config.delete_owner:
        report |= {"deleted": summarise(gone), "cost": cost_of(gone, left)}
        _write_without(config.model, left, out_dir / MODEL_NAME)
    with write_whole(out_dir / LIST_NAME) as temporary:
        temporary.write_text(json.dumps(report, indent=1), encoding="utf-8")
    _describe(report, out_dir)
    return report


def _write_without(model: str, left: list[Exemplar], path: Path) -> None:
    """Write a model with these exemplars alone; the one that it is of is its parent."""
    # Here: it brings torch, for which a mere list would wait seconds.
    from etpicker_plugin.engine.model.model_file import load_model, save_model

    network, card = load_model(model)
    card = replace(card, parent_sha256=file_sha256(model))
    maps = read_kept_maps(model)
    save_model(path, network, card, exemplars=left, maps=maps)


def summarise(pieces: Iterable[Exemplar]) -> list[dict[str, object]]:
    """Return one record for every tomogram, round, owner and use."""
    groups: dict[tuple[int, str, str, str, bool], list[Exemplar]] = {}
    for e in pieces:
        key = (e.round, e.tomogram_id, e.owner, e.licence, e.held_out)
        groups.setdefault(key, []).append(e)
    return [
        {
            "round": key[0],
            "tomogram": key[1],
            "owner": key[2],
            "licence": key[3],
            "held_out": key[4],
            "pieces": len(group),
            "megabytes": round(size_in_bytes(group) / MEGABYTE, 3),
            "particles": dict(count_particles(group)),
        }
        for key, group in sorted(groups.items())
    ]


def count_particles(pieces: Iterable[Exemplar]) -> Counter[str]:
    """Return how many particles of each class pieces hold."""
    total: Counter[str] = Counter()
    for piece in pieces:
        total.update(piece.count())
    return total


def cost_of(gone: list[Exemplar], left: list[Exemplar]) -> dict[str, object]:
    """Return what a model loses with some exemplars.

    ``replayed_share_left`` per class; ``not_replayed`` and ``not_measured`` name the
    classes of which nothing is left to learn from or to measure on.
    """
    shares: dict[str, float] = {}
    not_replayed: list[str] = []
    not_measured: list[str] = []
    for name in sorted(count_particles(gone)):
        for held_out, empty in ((False, not_replayed), (True, not_measured)):
            before = count_particles(e for e in gone + left if e.held_out == held_out)
            after = count_particles(e for e in left if e.held_out == held_out)
            if not after[name]:
                empty.append(name)
            if not held_out and before[name]:
                shares[name] = round(after[name] / before[name], 3)
    return {
        "replayed_share_left": shares,
        "not_replayed": not_replayed,
        "not_measured": not_measured,
    }


def _describe(report: dict[str, object], out_dir: Path) -> None:
    pieces = report["exemplars"]
    logger.info("%s", json.dumps(pieces, indent=1))
    if "cost" in report:
        logger.info("Deleted; what it cost: %s", json.dumps(report["cost"]))
        logger.info("Model written to %s", out_dir / MODEL_NAME)
