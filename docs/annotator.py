"""Marks particles in the etpicker window, as a patient person would."""

import contextlib
import csv
import json
import math
from pathlib import Path

from screen_driver import Screen, wait_for

PROBES = (0.31, 0.25), (0.47, 0.52)
"""Two places in the XY view, as shares of the window."""

TRIES = 3
CLICK_WAIT_S = 30
LARGEST_MISS = 2.0
"""In voxels."""


class Annotator:
    """Clicks the true centres in the XY view, as a patient person would see them.

    Where the voxels lie on the screen is learnt from two clicks: the window writes
    every click down at once, and takes them back.
    """

    def __init__(self, window: Screen, truth: Path, journal: Path) -> None:
        self.window, self.journal = window, journal
        with truth.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.centres = [tuple(float(row[k]) for k in "xyz") for row in rows]

    def mark_all(self) -> None:
        """Mark every particle, slice by slice; all of the tomogram in sight (F)."""
        self.window.key("f")
        first, second = map(self.window.pixel, PROBES)
        before = [self.click_and_read(probe) for probe in (first, second)]
        known = len(self.lines())
        self.window.key("ctrl+z", "ctrl+z")
        wait_for(lambda: len(self.lines()) == known + 2, what="taking both back")
        depth = round(before[0][2])
        scales = [
            (b - a) / (q - p)
            for a, b, p, q in zip(before[0], before[1], first, second, strict=False)
        ]
        for x, y, z in sorted(self.centres, key=lambda centre: centre[2]):
            self.window.move(*first)
            self.step(round(z) - depth)
            depth = round(z)
            pixel = [
                p + (wanted - start) / scale
                for p, wanted, start, scale in zip(
                    first, (x, y), before[0], scales, strict=False
                )
            ]
            marked = self.click_and_read((round(pixel[0]), round(pixel[1])))
            if math.dist(marked, (x, y, z)) > LARGEST_MISS:
                raise RuntimeError(f"Meant {x, y, z}, but marked {marked}")

    def step(self, slices: int) -> None:
        """Move through the slices under the mouse."""
        self.window.key(*["Up" if slices > 0 else "Down"] * abs(slices))

    def click_and_read(self, pixel: tuple[int, int]) -> tuple[float, float, float]:
        """Click, and return the x, y, z that the window wrote down.

        A window that is still being drawn may miss a click.
        """
        before = len(self.lines())
        for _ in range(TRIES):
            self.window.click(*pixel)
            with contextlib.suppress(TimeoutError):
                wait_for(
                    lambda: len(self.lines()) > before,
                    what="the click in the journal",
                    within_s=CLICK_WAIT_S,
                )
                break
        z, y, x = json.loads(self.lines()[-1])["positions_zyx"][0]
        return x, y, z

    def lines(self) -> list[str]:
        """Return what the window has written down."""
        return self.journal.read_text(encoding="utf-8").splitlines()
