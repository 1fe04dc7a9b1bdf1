"""Pictures of what sets share: bars over a table of dots, and offsets."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from etpicker_plugin.engine.comparison.agreement import Agreement
from etpicker_plugin.engine.comparison.joining import subset_label
from etpicker_plugin.engine.comparison.offsets import ALARM_VOX, AXES


def draw_subsets(counts: Mapping[tuple[str, ...], int], names: Sequence[str]) -> Figure:
    """Draw the size of every subset over the sets that it is of (an UpSet plot).

    Unlike circles it stays readable, and true to scale, with more than three sets.
    """
    columns = sorted(counts, key=lambda subset: -counts[subset])
    width = 3.0 + 0.8 * len(columns)
    figure = Figure(figsize=(width, 2.8 + 0.35 * len(names)), layout="constrained")
    grid = figure.add_gridspec(2, 1, height_ratios=(2.2, 0.35 * len(names)))
    bars = figure.add_subplot(grid[0])
    dots = figure.add_subplot(grid[1], sharex=bars)
    places = range(len(columns))
    drawn = bars.bar(places, [counts[s] for s in columns], color="C0", width=0.6)
    bars.bar_label(drawn)
    bars.set(ylabel="particles")
    bars.tick_params(labelbottom=False)
    bars.spines[["top", "right"]].set_visible(False)
    for place, subset in zip(places, columns, strict=True):
        rows = [names.index(name) for name in subset]
        others = [r for r in range(len(names)) if r not in rows]
        dots.plot([place] * len(others), others, "o", color="0.85", markersize=9)
        dots.plot([place] * len(rows), rows, "-o", color="0.2", markersize=9)
    dots.set_yticks(range(len(names)), names)
    dots.set_ylim(len(names) - 0.5, -0.5)
    dots.set_xticks(
        list(places), [subset_label(s, names) for s in columns], fontsize="small"
    )
    dots.spines[["top", "right", "left"]].set_visible(False)
    return figure


def draw_offsets(pairs: Sequence[Agreement]) -> Figure:
    """Draw the mean offset of every two sets along x, y and z."""
    figure = Figure(figsize=(6.4, 1.6 + 0.9 * len(pairs)), layout="constrained")
    axes = figure.add_subplot()
    axes.axvspan(-ALARM_VOX, ALARM_VOX, color="0.93")
    axes.axvline(0, color="0.6", linewidth=0.8)
    labels = []
    for number, pair in enumerate(pairs):
        for i, axis in enumerate(AXES):
            row = number * (len(AXES) + 1) + i
            labels.append((row, f"{pair.second} - {pair.first}  {axis}"))
            if pair.offset.mean_xyz:
                axes.errorbar(
                    pair.offset.mean_xyz[i],
                    row,
                    xerr=pair.offset.standard_error_xyz[i],
                    fmt="o",
                    capsize=3,
                    color="C3" if axis in pair.offset.alarming_axes else "C0",
                )
    axes.set_yticks([row for row, _ in labels], [text for _, text in labels])
    axes.invert_yaxis()
    low, high = axes.get_xlim()
    axes.set(xlabel="mean offset (voxels)", xlim=(min(low, -1.2), max(high, 1.2)))
    return figure
