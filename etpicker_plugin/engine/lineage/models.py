"""``etpicker models``: the models of a folder as a tree of updates."""

import json
import logging
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from etpicker_plugin.engine.config.models import ModelsConfig
from etpicker_plugin.engine.errors import CheckpointError, InputDataError
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.held_out import describe_metrics
from etpicker_plugin.engine.model.card import (
    ModelCard,
    NoCardError,
    describe_round,
    read_card,
)
from etpicker_plugin.engine.names import image_word, printable, visible
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.progress import Progress

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ModelEntry:
    """One model file: its path, hash and card."""

    path: Path
    sha256: str
    card: ModelCard


def models(
    config: ModelsConfig, out_dir: Path | None, *, on_progress: Progress
) -> list[ModelEntry]:
    """Print a folder's models, each under the one that it was updated from.

    To roll back is to pick, or to go on, with a model further up.

    Raises
    ------
    InputDataError
        If the folder does not exist or holds no model.
    """
    folder = Path(config.folder)
    if not folder.is_dir():
        raise InputDataError(f"{folder}: no such folder. Give one with models in it.")
    found, damaged = find_models(folder)
    if not found and not damaged:
        raise InputDataError(
            f"{folder}: no etpicker model in it or below. Give the folder that 'train' "
            "or 'update' wrote to."
        )
    for path, reason in damaged.items():
        logger.warning("%s cannot be used: %s", path, reason)
    if config.json:
        text = json.dumps([_record(e, folder) for e in found], indent=1)
    else:
        lines = tree_lines(found, folder)
        lines += [f"{p.relative_to(folder)}  cannot be used" for p in damaged]
        text = "\n".join(map(printable, lines))
    sys.stdout.write(text + "\n")
    return found


def find_models(folder: Path) -> tuple[list[ModelEntry], dict[Path, str]]:
    """Return the models in a folder and below, by round and path.

    And those that cannot be used, with the reasons; files of others are left out.
    """
    entries, damaged = [], dict[Path, str]()
    for path in visible(folder.rglob("*.safetensors")):
        try:
            card = read_card(path)
            entries.append(ModelEntry(path=path, sha256=file_sha256(path), card=card))
        except NoCardError as error:
            logger.debug("Left out: %s", error)
        except (CheckpointError, OSError) as error:
            damaged[path] = str(error)
    entries.sort(key=lambda entry: (entry.card.round, str(entry.path)))
    return entries, damaged


def tree_lines(entries: list[ModelEntry], folder: Path) -> list[str]:
    """Return the tree as lines of text.

    A model whose parent is not in the folder stands at the top, with the parent's
    hash.
    """
    known = {entry.sha256 for entry in entries}
    children: dict[str, list[ModelEntry]] = {}
    for entry in entries:
        parent = entry.card.parent_sha256
        children.setdefault(parent if parent in known else "", []).append(entry)
    lines: list[str] = []

    def add(entry: ModelEntry, indent: str) -> None:
        lines.append(indent + describe(entry, folder))
        for child in children.get(entry.sha256, []):
            add(child, indent + "   ")

    for root in children.get("", []):
        parent = root.card.parent_sha256
        if parent:
            lines.append(f"(parent {parent[:8]} is not here)")
        add(root, "   " if parent else "")
    return lines


def describe(entry: ModelEntry, folder: Path) -> str:
    """Return a model in a line: round, classes with F1, data, verdict and hash."""
    card = entry.card
    classes = ", ".join(
        f"{c.name} {describe_metrics(c.metrics)}".strip() for c in card.classes
    )
    here = [t for t in card.tomograms if t.round == card.round]
    particles = sum(
        n for t in here for name, n in t.particles.items() if name != NEGATIVE
    )
    verdict = card.training.get("forgetting", {}).get("verdict", "")
    return "  ".join(
        word
        for word in (
            str(entry.path.relative_to(folder)),
            describe_round(card.round),
            classes,
            f"{particles} particles in {len(here)} {image_word(card.is_flat)}(s)",
            verdict,
            entry.sha256[:8],
        )
        if word
    )


def _record(entry: ModelEntry, folder: Path) -> dict[str, object]:
    return {
        "path": str(entry.path.relative_to(folder)),
        "sha256": entry.sha256,
        **asdict(entry.card),
    }
