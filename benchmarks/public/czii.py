"""CZII's CryoET object identification: F4 of each class, and the weighted total.

    python benchmarks/public/czii.py DATA OUT --runs TS_5_4 TS_6_4 TS_6_6 TS_69_2
    python benchmarks/public/czii.py DATA OUT --runs TS_86_3 TS_99_9 --model MODEL
    python benchmarks/public/czii.py DATA OUT --runs TS_86_3 TS_99_9 --picks FOLDER

DATA is what the challenge gives to download, unpacked: the truth of the training
tomograms under overlay/ExperimentRuns, and the tomograms under static/ExperimentRuns.
The first line writes the tomograms as MRC and the truth as CSV into OUT, and says how
to train. The others judge: a model, which picks OUT/tomograms, or picks, a folder with
RUN.csv. OUT/submission.csv is what the challenge's page takes.
"""

import argparse
from pathlib import Path

import copick_files
import copick_run
from copick_scoring import Counts, count_all, weighted_mean
from published import CZII, Row

RADII_ANG = {
    "apo-ferritin": 60.0,
    "beta-amylase": 65.0,
    "beta-galactosidase": 90.0,
    "ribosome": 150.0,
    "thyroglobulin": 130.0,
    "virus-like-particle": 135.0,
}
WEIGHTS = {
    "apo-ferritin": 1.0,
    "beta-amylase": 0.0,
    "beta-galactosidase": 2.0,
    "ribosome": 1.0,
    "thyroglobulin": 2.0,
    "virus-like-particle": 1.0,
}
SHARE, BETA = 0.5, 4.0


def our_row(counted: dict[str, Counts], runs: list[str]) -> Row:
    """Return what was measured as a row of the table."""
    return Row(
        "this run",
        weighted_mean(counted, WEIGHTS, beta=BETA),
        f"{len(runs)} tomograms: {', '.join(runs)}",
        "",
        {name: counts.f(BETA) for name, counts in counted.items()},
    )


def print_table(rows: list[Row]) -> None:
    """Print F4 of each class and in all, as Markdown."""
    print(f"| | {' | '.join(RADII_ANG)} | total | judged on | source |")
    print("|---" * (len(RADII_ANG) + 4) + "|")
    for row in rows:
        cells = [
            f"{row.classes[name]:.3f}" if name in row.classes else ""
            for name in RADII_ANG
        ]
        print(
            f"| {row.method} | {' | '.join(cells)} | {row.total:.4f} "
            f"| {row.judged_on} | {row.source} |"
        )


def print_counts(counted: dict[str, Counts]) -> None:
    """Print what the classes' numbers are made of."""
    print("| class | weight | precision | recall | F4 | found | false | missed |")
    print("|---" * 8 + "|")
    for name, c in counted.items():
        print(
            f"| {name} | {WEIGHTS[name]:.0f} | {c.precision:.3f} | {c.recall:.3f} "
            f"| {c.f(BETA):.3f} | {c.found} | {c.false} | {c.missed} |"
        )


def main() -> None:
    """Prepare or judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    copick_run.add_arguments(parser)
    arguments = parser.parse_args()
    truth = copick_files.read_picks([arguments.data])
    runs = copick_run.chosen_runs(truth, arguments)
    frames = copick_run.frames_of(runs, [arguments.data], arguments)
    if arguments.model is None and arguments.picks is None:
        diameters = {name: 2 * radius for name, radius in RADII_ANG.items()}
        copick_run.prepare(truth, frames, diameters, arguments.out)
        return
    picks = copick_run.picks_of(frames, list(RADII_ANG), arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)
    copick_run.write_submission(picks, arguments.out / "submission.csv")
    counted = count_all(picks, {r: truth[r] for r in runs}, RADII_ANG, share=SHARE)
    print_counts(counted)
    print()
    print_table([our_row(counted, runs), *CZII])


if __name__ == "__main__":
    main()
