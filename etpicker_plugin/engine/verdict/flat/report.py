"""The page of a validation on micrographs."""

from pathlib import Path

from matplotlib.figure import Figure

from etpicker_plugin import __version__
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.comparison.report import pairs_table
from etpicker_plugin.engine.config.command_line import command_line
from etpicker_plugin.engine.config.pick_sets import CONTROL
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.html_page import (
    heading,
    page,
    paragraph,
    picture,
    preformatted,
    table,
    write_pictures,
)
from etpicker_plugin.engine.verdict.flat import plots
from etpicker_plugin.engine.verdict.flat.result import FlatVerdict, group_record
from etpicker_plugin.engine.verdict.flat.shares import ClassVerdict
from etpicker_plugin.engine.verdict.reporting.number_text import number_text
from etpicker_plugin.engine.verdict.reporting.plots import draw_sets

HOW_TO_READ = {
    "classes.png": (
        "Averages of all classes; those in green look like particles by numbers alone. "
        "Below each, picked particles : random coordinates in it, and RELION's "
        "resolution. Look at them: in a class of particles there is a particle in the "
        "middle, with structure; the others show noise, edges, or parts of particles."
    ),
    "shares.png": (
        "Share of each group in the classes that look like particles, with its 95 % "
        "interval (Wilson), which holds the number of picks alone: not whether another "
        "classification would come out otherwise. What several sets share (∩) is shown "
        "by the boxes of the first of them."
    ),
    "means.png": (
        "Mean of each set's boxes, not turned, bright for dense. Picks of particles "
        "show something round about the middle, the better centred the sharper; "
        f"{CONTROL} shows nothing."
    ),
    "profiles.png": (
        "How much likelier the rotational mean of each box is as that of a pick than "
        "as that of a random coordinate, in natural logarithm; farther right is "
        "better. It knows no classes: anything dark and round counts."
    ),
    "sets.png": (
        "Each column is one group of particles, marked by the sets that hold it; its "
        "bar is the number of particles."
    ),
}
SETS_MEAN = (
    "Judged: picks far enough from the micrographs' edges. Of particles: share in "
    "classes that look like particles, with its 95 % interval, by which the sets are "
    "ranked. Beyond chance: that share less what the random coordinates have. "
    "Resolution: of the median pick's class, of those; RELION's own, from the "
    "average's signal-to-noise ratio, so compare it within this page alone. Above "
    "control: picks whose rotational mean exceeds 95 % of the random coordinates'."
)
CLASSES_MEAN = (
    "Beyond chance: the share of a class's picks that random coordinates do not "
    "explain, and the least it surely is. A class looks like a particle if that share "
    "is more than half and surely above 0 (else: chance), if its resolution is no "
    "coarser than that of the median random coordinate's class (else: coarse), and if "
    "a box can be placed on it more closely than the search is wide (else: blurred). "
    "How exactly boxes are turned is not asked: a round particle has no turn."
)


def write_report(
    verdict: FlatVerdict, config: ValidateConfig, words: list[str], out_dir: Path
) -> None:
    """Write report.html and its pictures as PNG."""
    figures: dict[str, Figure] = {
        "means.png": plots.draw_means(verdict),
        "profiles.png": plots.draw_profiles(verdict),
        "sets.png": draw_sets(verdict.sets.names, verdict.members),
    }
    if verdict.by_classes is not None:
        figures["classes.png"] = plots.draw_classes(verdict.by_classes)
        figures["shares.png"] = plots.draw_shares(verdict)
    pictures = write_pictures(figures, out_dir)
    text = page("Picks judged", _parts(verdict, config, words, pictures))
    with write_whole(out_dir / "report.html") as temporary:
        temporary.write_text(text, encoding="utf-8")


def _parts(
    verdict: FlatVerdict,
    config: ValidateConfig,
    words: list[str],
    pictures: dict[str, bytes],
) -> list[str]:
    def show(name: str) -> str:
        return picture(name, pictures[name], how_to_read=HOW_TO_READ[name])

    ((class_name, diameter),) = config.diameter.items()
    found = verdict.by_classes
    parts = [
        paragraph(
            f"Class {class_name}, {diameter:g} Å, in {len(verdict.sets.tomograms)} "
            f"micrograph(s) of {verdict.sets.voxel_size:g} Å per pixel."
        ),
        *(paragraph(text, style="alarm") for text in verdict.alarms()),
        paragraph(words[0], style="verdict"),
        *(paragraph(text) for text in words[1:]),
        sets_table(verdict),
        paragraph(SETS_MEAN, style="how"),
    ]
    if found is not None:
        parts += [
            heading("The classes"),
            show("classes.png"),
            classes_table(verdict, found),
            paragraph(CLASSES_MEAN, style="how"),
            heading("How much of each set is in them"),
            show("shares.png"),
        ]
    parts += [
        groups_table(verdict),
        heading("Without classes"),
        show("means.png"),
        show("profiles.png"),
        heading("What the sets share"),
        show("sets.png"),
        *([pairs_table(verdict.pairs)] if verdict.pairs else []),
        heading("To repeat this"),
        preformatted(command_line("validate", config)),
        _settings(verdict, found),
    ]
    if found is not None:
        parts.append(preformatted("\n".join(found.commands)))
    return parts


def sets_table(verdict: FlatVerdict) -> str:
    """Return the numbers of every set, the best first."""
    rows = [
        (
            name,
            str(verdict.n_picks(name)),
            str(len(verdict.groups[name])),
            *_share_cells(verdict, name),
            f"{100 * verdict.above_control(name):.0f} %",
        )
        for name in verdict.ranking.order
    ]
    columns = (
        *("", "picks", "judged", "of particles", "beyond chance"),
        *("resolution (Å)", "above control"),
    )
    return table(columns, rows)


def groups_table(verdict: FlatVerdict) -> str:
    """Return the numbers of what sets share and have alone."""
    rows = []
    for name in verdict.groups:
        auc = group_record(verdict, name)["profile_auc_over_control"]
        rows.append(
            (
                name,
                str(len(verdict.groups[name])),
                *_share_cells(verdict, name),
                "-" if auc is None else f"{auc:.3f}",
            )
        )
    columns = (
        *("group", "boxes", "of particles", "beyond chance", "resolution (Å)"),
        "AUC of rotational mean over control",
    )
    return table(columns, rows)


def classes_table(verdict: FlatVerdict, found: ClassVerdict) -> str:
    """Return RELION's numbers of every class, and who fell into it."""
    ordered = [(number, found.judged[number]) for number in found.order]
    rows = [
        (
            str(number + 1),
            "particle" if one.is_of_particles else ", ".join(one.reasons),
            *(str(found.count(number, verdict.groups[n])) for n in verdict.judged),
            f"{100 * one.beyond:.0f} % ({100 * one.beyond_least:.0f} %)",
            f"{100 * one.model.share:.0f} %",
            number_text(one.model.resolution_ang),
            number_text(one.model.accuracy_ang, 1),
            number_text(one.model.accuracy_deg),
        )
        for number, one in ordered
    ]
    columns = (
        *("class", "looks like", *verdict.judged, "beyond chance (least)"),
        *("share", "resolution (Å)", "accuracy (Å)", "accuracy (°)"),
    )
    return table(columns, rows)


def _share_cells(verdict: FlatVerdict, name: str) -> tuple[str, str, str]:
    share = verdict.share(name)
    if share is None or not share.total:
        return "-", "-", "-"
    low, high = share.interval
    return (
        f"{100 * share.share:.0f} % ({100 * low:.0f} to {100 * high:.0f})",
        f"{100 * share.beyond_chance:.0f} %",
        number_text(share.resolution_ang),
    )


def _settings(verdict: FlatVerdict, found: ClassVerdict | None) -> str:
    geometry = verdict.geometry
    rows = {
        "etpicker": __version__,
        "RELION": found.version if found else "none",
        "boxes": f"{geometry.box} pixels of {geometry.box_voxel_size:.2f} Å",
    }
    if found:
        rows["classification"] = (
            f"{len(found.judged)} classes, {found.classification.iteration} iterations,"
            " without correction of the contrast transfer function"
        )
    return table(("", ""), rows.items())
