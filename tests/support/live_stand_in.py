"""Speaks as the live picker does, and knows the truth: NAME.csv beside NAME.mrc.

    python live_stand_in.py HOW --config FILE

``HOW`` is ``well``, or how it fails: ``dies`` at the second question, ``babbles`` or
``refuses`` at each. For *Refine* it is a verdict, ``waits`` until its stdin ends, or
``fails``.
"""

import csv
import json
import sys
from pathlib import Path


def say(**event):
    """Tell the window something."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def main():
    """Answer every question."""
    how, _, config = sys.argv[1:]
    values = json.loads(Path(config).read_text())
    if "marks" in values:
        refine(how, values)
        return
    tomograms = values["tomogram"]
    say(event="ready")
    for count, line in enumerate(sys.stdin, 1):
        request = json.loads(line)
        if request["do"] == "save":
            Path(request["path"]).write_text(values["model"])
            say(event="saved", path=request["path"])
        elif how == "dies" and count > 1:
            sys.stderr.write("no memory is left\n")
            sys.exit(5)
        elif how == "babbles":
            sys.stdout.write("Segments:\n")
            sys.stdout.flush()
        elif how == "refuses":
            text = "There is nothing at the click. Click on a particle."
            say(event="refused", number=request["number"], text=text)
        else:
            solve(request, tomograms)


def refine(how, values):
    """Learn nothing, and be what is asked for."""
    say(event="refining", what="features", done=1, total=2, left_s=None)
    say(event="refining", what="training", done=1, total=9, left_s=95.0)
    if how == "waits":
        sys.stdin.read()
    elif how == "fails":
        sys.stderr.write("12:40:08 ERROR TS_a has changed since. Put it back.\n")
        sys.exit(3)
    else:
        Path(values["out"], "model.safetensors").write_text("refined")
        say(
            event="refined",
            verdict=how,
            held_out={"particles": 10, "rejected": 6},
            live={"particles": 8, "rejected": 3},
            refined={"particles": 9, "rejected": 1},
        )


def solve(request, tomograms):
    """Find what is true of the classes that have been clicked, and some that is not."""
    number, marks = request["number"], request["marks"]
    clicked = {name for own in marks.values() for name in own} - {"negative"}
    cut = {"cut_off": 0.5, "least": 0.4, "most": 0.62}
    say(event="cut_off", number=number, classes=dict.fromkeys(sorted(clicked), cut))
    for path in map(Path, tomograms):
        with path.with_suffix(".csv").open() as file:
            rows = list(csv.DictReader(file))
        classes = {}
        for name in sorted(clicked):
            xyz = [[float(r[k]) for k in "xyz"] for r in rows if r["class"] == name]
            wrong = [[y, x, z] for x, y, z in xyz]
            scores = [0.9 - 0.4 * i / len(xyz) for i in range(len(xyz))]
            scores += [0.55 - 0.5 * i / len(xyz) for i in range(len(xyz))]
            classes[name] = {"xyz": xyz + wrong, "scores": scores}
        say(
            event="candidates",
            number=number,
            tomogram=path.stem,
            z=[0, 10_000],
            whole=True,
            classes=classes,
        )
    say(event="solved", number=number)


if __name__ == "__main__":
    main()
