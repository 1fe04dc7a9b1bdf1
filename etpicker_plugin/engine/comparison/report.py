"""The page of a comparison: counts, set diagram, offsets and scores."""

from pathlib import Path

from matplotlib.figure import Figure

from etpicker_plugin import __version__
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.comparison.against_truth import SetScores
from etpicker_plugin.engine.comparison.agreement import Agreement
from etpicker_plugin.engine.comparison.diagram import draw_offsets, draw_subsets
from etpicker_plugin.engine.comparison.intervals import MEASURES, describe_scores
from etpicker_plugin.engine.comparison.result import ComparisonResult
from etpicker_plugin.engine.config.command_line import command_line
from etpicker_plugin.engine.config.compare import CompareConfig
from etpicker_plugin.engine.html_page import (
    heading,
    page,
    paragraph,
    picture,
    preformatted,
    table,
    write_pictures,
)

HOW_SUBSETS = (
    "Each column is one group of particles, marked by the sets that hold it; its bar "
    "is the number of particles. Dots alone are what only one picker found."
)
HOW_OFFSETS = (
    "Mean displacement of the second set from the first, of the particles both have, "
    "with its standard error. It should be 0; grey is ±0.7 voxel. A point outside "
    "means a wrong origin, axis or binning."
)


def write_report(
    result: ComparisonResult, config: CompareConfig, out_dir: Path
) -> None:
    """Write report.html and its pictures as PNG."""
    counts = {
        subset: sum(len(p) for p in particles.values())
        for subset, particles in result.subsets.values()
    }
    figures: dict[str, tuple[Figure, str]] = {
        "subsets.png": (draw_subsets(counts, result.sets.names), HOW_SUBSETS),
        "offsets.png": (draw_offsets(result.pairs), HOW_OFFSETS),
    }
    written = write_pictures({n: f for n, (f, _) in figures.items()}, out_dir)
    pictures = {name: (written[name], how) for name, (_, how) in figures.items()}
    text = page("Pickers compared", _parts(result, config, pictures))
    with write_whole(out_dir / "report.html") as temporary:
        temporary.write_text(text, encoding="utf-8")


def _parts(
    result: ComparisonResult,
    config: CompareConfig,
    pictures: dict[str, tuple[bytes, str]],
) -> list[str]:
    ((class_name, diameter),) = config.diameter.items()
    distance = config.match_distance or diameter / 2
    sets = result.sets
    parts = [
        paragraph(
            f"Class {class_name}, {diameter:g} Å, in {len(sets.tomograms)} tomogram(s) "
            f"of {sets.voxel_size:g} Å per voxel. Two picks within {distance:g} Å are "
            "the same particle."
        )
    ]
    parts += [
        paragraph(p.describe(), style="alarm") for p in result.pairs if p.describe()
    ]
    if sets.left_out:
        parts.append(
            paragraph(f"Left out, not in all sets: {', '.join(sets.left_out)}.")
        )
    if result.scores:
        parts += [heading("Against the truth"), truth_table(result.scores)]
    parts.append(heading("What the sets share"))
    parts.append(_show("subsets.png", pictures))
    parts.append(counts_table(result))
    parts.append(heading("Where they place it"))
    parts.append(_show("offsets.png", pictures))
    parts.append(pairs_table(result.pairs))
    parts += [heading("To repeat this"), preformatted(command_line("compare", config))]
    parts.append(paragraph(f"etpicker {__version__}"))
    return parts


def _show(name: str, pictures: dict[str, tuple[bytes, str]]) -> str:
    data, how = pictures[name]
    return picture(name, data, how_to_read=how)


def truth_table(scores: dict[str, SetScores]) -> str:
    """Return the scores of every set with their intervals."""
    rows = [
        (name, *(describe_scores(s.scores, s.intervals)[m] for m in MEASURES))
        for name, s in scores.items()
    ]
    columns = ("set", "precision", "recall", "F1", "F-beta", "average precision")
    note = (
        "In brackets the 95 % interval over tomograms (bootstrap); none with fewer "
        "than three tomograms."
    )
    return table(columns, rows) + paragraph(note, style="how")


def counts_table(result: ComparisonResult) -> str:
    """Return the number of particles of every subset, per tomogram and in all."""
    tomograms = list(result.sets.tomograms)
    rows = [
        (name, *(str(len(p[t])) for t in tomograms), str(result.sets.count(name)))
        for name, p in result.sets.picks.items()
    ]
    rows += [
        (
            label,
            *(str(len(p[t])) for t in tomograms),
            str(sum(len(found) for found in p.values())),
        )
        for label, (_, p) in result.subsets.items()
    ]
    return table(("", *tomograms, "all"), rows)


def pairs_table(pairs: list[Agreement]) -> str:
    """Return what every two sets share and how far apart they put it."""
    rows = [
        (
            f"{p.second} - {p.first}",
            str(p.n_both),
            f"{p.dice:.3f}",
            "-" if p.distance_vox is None else f"{p.distance_vox:.2f}",
            *(_offset_text(p, i) for i in range(3)),
        )
        for p in pairs
    ]
    columns = ("pair", "shared", "overlap (Dice)", "distance (voxels)", "x", "y", "z")
    return table(columns, rows)


def _offset_text(pair: Agreement, axis: int) -> str:
    if not pair.offset.mean_xyz:
        return "-"
    mean, error = pair.offset.mean_xyz[axis], pair.offset.standard_error_xyz[axis]
    return f"{mean:+.2f} ± {error:.2f}"
