"""The validation's page."""

from pathlib import Path

from matplotlib.figure import Figure

from etpicker_plugin import __version__
from etpicker_plugin.engine.atomic import write_whole
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
from etpicker_plugin.engine.verdict.reporting import plots
from etpicker_plugin.engine.verdict.reporting.curve_plots import draw_sections
from etpicker_plugin.engine.verdict.reporting.number_text import number_text
from etpicker_plugin.engine.verdict.reporting.result import (
    Verdict,
    group_record,
    set_record,
)

LEAST_SHOWN = 12
"""A part of a set with fewer boxes averages to mostly unmeasured Fourier space."""
COLUMNS = (
    "",
    "picks",
    "judged",
    "LLR",
    "LL",
    "above control",
    "resolution (Å)",
    "at equal n (Å)",
    "local (Å)",
    "B-factor (Å²)",
)
COLUMNS_MEAN = (
    "Judged: picks far enough from the tomograms' faces. LLR: median log-likelihood "
    "ratio with its 95 % interval (bootstrap of the picks; of filaments and vesicles, "
    "of these), by which the sets are ranked; higher is better, but only differences "
    "within this table count. LL: RELION's own log-likelihood, mostly the noise of the "
    "boxes. Above control: picks that exceed 95 % of the control. "
    "Resolution: FSC 0.143 of all judged boxes; at equal n: of as many as the smallest "
    "set has. Local: median within the particle. B-factor: of the Rosenthal-Henderson "
    "line, with its 95 % interval."
)
HOW_TO_READ = {
    "averages.png": (
        "Slices through the middle of each average, lightly smoothed, all on one grey "
        "scale. A set of "
        "real, well-centred picks shows a compact particle with inner features; "
        f"{CONTROL} (random coordinates, or the same filaments or vesicles moved "
        "aside) shows what alignment alone makes of anything. Averages of few "
        "boxes are noisy for that reason alone."
    ),
    "groups.png": (
        "How much likelier each box is with a particle than as noise alone, in natural "
        "logarithm: median and quartiles; farther right is better. Right of the dashed "
        "line 5 % of the control lie. What several sets share (∩) is shown "
        "by the boxes of the first of them, so compare it with what each has alone."
    ),
    "likelihoods.png": (
        "The same as cumulative distributions, and beside it RELION's raw "
        "log-likelihood, which is mostly the noise power of each box: order sets by "
        "the left one."
    ),
    "probabilities.png": (
        "Left, how sure the alignment is of its best orientation: farther right is "
        "surer, but noise is often aligned surely too. Right, how far it moved the "
        "boxes; a set that needs long shifts is badly centred. The shortest is a "
        "quarter of the search's step along each axis, not 0."
    ),
    "fsc.png": (
        "Left, agreement of two half averages per spatial frequency; farther right is "
        "finer. Within the grey band both halves share a map, and up to the dotted "
        "line both began with the same reference: agreement there is no evidence, and "
        "the control shows how much of it comes from nothing. Dashed, 0.143 and 0.5. "
        "Right, resolution at 0.143 of equally many boxes of each set, drawn anew each "
        "time; higher is finer."
    ),
    "rosenthal.png": (
        "Rosenthal-Henderson plot: resolution over the number of particles. Higher at "
        "the same number is better picking; a steeper line is a smaller B-factor. "
        "Points of one size are different draws."
    ),
    "sets.png": (
        "Each column is one group of particles, marked by the sets that hold it; its "
        "bar is the number of particles."
    ),
    "sections.png": (
        "The mean box of each set as its points lie, not aligned: across a filament, "
        "which should be round about the cross, or along the normal of a membrane, "
        "whose middle should be at 0. What lies to one side of it is traced beside "
        "its axis, or with wrong radii."
    ),
    "origins.png": (
        "Mean displacement of each set's picks from the particles' centre of density, "
        "with standard errors. It should be 0; grey is ±0.7 voxel. A "
        "red point is a wrong origin, axis or binning. How far sets lie apart is known "
        "better than where they lie: see the numbers between sets above."
    ),
}


def write_report(
    verdict: Verdict, config: ValidateConfig, words: list[str], out_dir: Path
) -> None:
    """Write report.html and its pictures as PNG."""
    volumes = {
        name: average.volume
        for name, average in verdict.averages.items()
        if average.n >= LEAST_SHOWN or name in verdict.judged
    }
    figures: dict[str, Figure] = {
        "averages.png": plots.draw_averages(verdict, volumes),
        "groups.png": plots.draw_groups(verdict),
        "likelihoods.png": plots.draw_likelihoods(verdict),
        "probabilities.png": plots.draw_probabilities(verdict),
        "fsc.png": plots.draw_fsc(verdict),
        "rosenthal.png": plots.draw_rosenthal(verdict),
        "sets.png": plots.draw_sets(verdict.sets.names, verdict.members),
        "origins.png": plots.draw_origins(verdict),
    }
    if verdict.curved is not None:
        figures["sections.png"] = draw_sections(verdict.curved)
    pictures = write_pictures(figures, out_dir)
    text = page("Picks judged", _parts(verdict, config, words, pictures))
    with write_whole(out_dir / "report.html") as temporary:
        temporary.write_text(text, encoding="utf-8")


def _parts(
    verdict: Verdict,
    config: ValidateConfig,
    words: list[str],
    pictures: dict[str, bytes],
) -> list[str]:
    def show(name: str) -> str:
        return picture(name, pictures[name], how_to_read=HOW_TO_READ[name])

    ((class_name, diameter),) = config.diameter.items()
    kind = "" if verdict.curved is None else f" of {verdict.curved.kind}s"
    return [
        paragraph(
            f"Class {class_name}{kind}, {diameter:g} Å, in "
            f"{len(verdict.sets.tomograms)} tomogram(s) of "
            f"{verdict.sets.voxel_size:g} Å per voxel."
        ),
        *(paragraph(text, style="alarm") for text in verdict.alarms()),
        paragraph(words[0], style="verdict"),
        *(paragraph(text) for text in words[1:]),
        sets_table(verdict),
        paragraph(COLUMNS_MEAN, style="how"),
        heading("What they average to"),
        show("averages.png"),
        heading("Likelihood"),
        show("groups.png"),
        show("likelihoods.png"),
        show("probabilities.png"),
        groups_table(verdict),
        heading("Resolution"),
        show("fsc.png"),
        show("rosenthal.png"),
        heading("What the sets share"),
        show("sets.png"),
        heading("Where they place it"),
        *(show(name) for name in ("sections.png", "origins.png") if name in pictures),
        heading("To repeat this"),
        preformatted(command_line("validate", config)),
        table(
            ("", ""),
            {
                "etpicker": __version__,
                "RELION": verdict.relion_version,
                "boxes": f"{verdict.geometry.box} voxels of "
                f"{verdict.geometry.box_voxel_size:.2f} Å",
                "refinement": f"{verdict.iteration} iterations, first low-passed to "
                f"{verdict.geometry.lowpass_ang:.0f} Å",
                "compared up to": f"{verdict.boxes.current_size // 2} Fourier shells",
            }.items(),
        ),
        preformatted("\n".join(verdict.commands)),
    ]


def sets_table(verdict: Verdict) -> str:
    """Return the numbers of every set, the best first."""
    rows = []
    for name in verdict.ranking.order:
        record = set_record(verdict, name)
        rows.append(
            (
                name,
                str(record["n"]),
                str(record["n_judged"]),
                _interval_text(record["llr_median"], record["llr_interval"]),
                number_text(record["ll_median"]),
                f"{100 * record['share_above_control']:.0f} %",
                number_text(record["resolution_ang"]),
                number_text(record["resolution_matched_ang"]),
                number_text(record["local_resolution_median_ang"]),
                _b_factor_text(record["b_factor"], record["b_factor_interval"]),
            )
        )
    return table(COLUMNS, rows)


def groups_table(verdict: Verdict) -> str:
    """Return the numbers of what sets share and have alone."""
    rows = []
    for name in verdict.groups:
        record = group_record(verdict, name)
        rows.append(
            (
                name,
                str(record["n_boxes"]),
                number_text(record["llr_median"]),
                number_text(record["ll_median"]),
                number_text(record["llr_auc_over_control"], 3),
                number_text(record["ll_auc_over_control"], 3),
                number_text(record["resolution_ang"]),
            )
        )
    columns = (
        "group",
        "boxes",
        "LLR",
        "LL",
        "AUC of LLR over control",
        "of LL",
        "resolution (Å)",
    )
    return table(columns, rows)


def _interval_text(value: float | None, interval: list[float] | None) -> str:
    if value is None or interval is None:
        return number_text(value)
    return f"{value:.0f} ({interval[0]:.0f} to {interval[1]:.0f})"


def _b_factor_text(value: float | None, interval: list[float] | None) -> str:
    if value is None:
        return "-"
    if interval is None:
        return "not bounded"
    return f"{value:.0f} ({interval[0]:.0f} to {interval[1]:.0f})"
