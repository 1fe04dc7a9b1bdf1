"""Any copick project: F1 and F-beta of each object, counted as CZII's challenge counts.

    python benchmarks/public/copick_project.py CONFIG OUT --user curator
    python benchmarks/public/copick_project.py CONFIG OUT --user curator --model MODEL
    python benchmarks/public/copick_project.py CONFIG OUT --user curator --picks FOLDER

CONFIG is the project's configuration (JSON), with its objects and their radii; its
roots must be folders. The truth is what --user (and --session) picked. The first line
writes tomograms as MRC and the truth as CSV into OUT, and says how to train; the others
judge.
"""

import argparse
import json
import sys
from pathlib import Path

import copick_files
import copick_run
from copick_scoring import Counts, count_all


def read_config(path: Path) -> tuple[dict[str, float], list[Path]]:
    """Return the radii (Å) of the particles, and the folders of the project."""
    record = json.loads(path.read_text())
    radii = {
        o["name"]: float(o["radius"])
        for o in record["pickable_objects"]
        if o.get("is_particle", True) and o.get("radius")
    }
    if not radii:
        sys.exit(f"{path}: no particle with a radius among pickable_objects.")
    named = [record.get(key) for key in ("static_root", "overlay_root")]
    roots = [path.parent / root.removeprefix("local://") for root in named if root]
    absent = [root for root in roots if not root.is_dir()]
    if absent or not roots:
        sys.exit(f"{path}: expected roots that are folders, got {absent or 'none'}.")
    return radii, roots


def print_table(counted: dict[str, Counts], beta: float) -> None:
    """Print each object, and the means over those that the truth holds."""
    print(f"| object | precision | recall | F1 | F{beta:g} | found | false | missed |")
    print("|---" * 8 + "|")
    for name, c in counted.items():
        print(
            f"| {name} | {c.precision:.3f} | {c.recall:.3f} | {c.f(1):.3f} "
            f"| {c.f(beta):.3f} | {c.found} | {c.false} | {c.missed} |"
        )
    held = [c for c in counted.values() if c.found + c.missed]
    f1, f_beta = (sum(c.f(b) for c in held) / len(held) for b in (1.0, beta))
    print(f"| mean | | | {f1:.3f} | {f_beta:.3f} | | | |")


def main() -> None:
    """Prepare or judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path)
    copick_run.add_arguments(parser)
    parser.add_argument("--user", default="", help="whose picks are the truth")
    parser.add_argument("--session", default="", help="and of which session")
    parser.add_argument("--share", type=float, default=0.5, help="of a radius: found")
    parser.add_argument("--beta", type=float, default=4.0, help="weight of recall")
    arguments = parser.parse_args()
    radii, roots = read_config(arguments.config)
    truth = copick_files.read_picks(
        roots, user=arguments.user, session=arguments.session
    )
    runs = copick_run.chosen_runs(truth, arguments)
    frames = copick_run.frames_of(runs, roots, arguments)
    if arguments.model is None and arguments.picks is None:
        diameters = {name: 2 * radius for name, radius in radii.items()}
        copick_run.prepare(truth, frames, diameters, arguments.out)
        return
    picks = copick_run.picks_of(frames, list(radii), arguments)
    counted = count_all(
        picks, {r: truth[r] for r in runs}, radii, share=arguments.share
    )
    print_table(counted, arguments.beta)


if __name__ == "__main__":
    main()
