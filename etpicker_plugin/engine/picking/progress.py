"""Which tomogram of how many is being picked, and the time left for all of them."""

import time

from etpicker_plugin.engine.progress import Progress, ProgressEvent


class TomogramsProgress:
    """Adds to each tomogram's reports which one it is, and the time left for all.

    The time left is that of as many more tomograms at the pace so far. What is read
    back, not picked, reports nothing and says nothing of the pace. What a tomogram goes
    through after its first stage is foreseen only once it was seen.

    Parameters
    ----------
    on_progress
        Hears the reports.
    total
        Number of tomograms.
    """

    def __init__(self, on_progress: Progress, total: int) -> None:
        self._on_progress, self._total = on_progress, total
        self._number = 0
        self._began_s: float | None = None
        self._first_share = 0.0
        self._picked = 0.0
        """Tomograms' worth of picking before the present one."""
        self._spent_s = 0.0
        """What that took."""
        self._now_picked = self._now_s = 0.0
        self._first_stage = self._stage = ""
        self._before_stage_s = 0.0

    def next_tomogram(self) -> None:
        """Begin with the next one."""
        self._picked += self._now_picked
        self._spent_s += self._now_s
        self._now_picked = self._now_s = 0.0
        self._number += 1
        self._began_s = time.monotonic()
        self._first_share = -1.0
        self._first_stage = self._stage = ""

    def __call__(self, event: ProgressEvent) -> None:
        """Report an event of the present tomogram."""
        share = event.done / max(event.total, 1)
        if not self._first_stage:
            self._first_stage = event.stage
        if event.stage != self._stage:
            self._stage, self._before_stage_s = event.stage, self._now_s
        self._now_s = time.monotonic() - (self._began_s or 0.0)
        if event.stage == self._first_stage:
            left_s = self._left_of_first(event, share)
        else:
            left_s = self._left_of_later(share)
        self._on_progress(
            ProgressEvent(
                event.stage,
                event.done,
                event.total,
                {**event.values, "tomogram": f"{self._number} of {self._total}"},
                left_s=left_s,
            )
        )

    def _left_of_first(self, event: ProgressEvent, share: float) -> float | None:
        if self._first_share < 0:  # what a killed run had done took no time of ours
            self._first_share = max(event.done - 1, 0) / max(event.total, 1)
        self._now_picked = share - self._first_share
        picked, spent_s = self._picked + self._now_picked, self._spent_s + self._now_s
        if picked <= 0:
            return None
        return spent_s / picked * (self._total - self._number + 1 - share)

    def _left_of_later(self, share: float) -> float | None:
        picked = self._picked + self._now_picked
        if share <= 0 or picked <= 0:
            return None
        left_s = (self._now_s - self._before_stage_s) * (1 - share) / share
        whole_s = (self._spent_s + self._now_s + left_s) / picked
        return left_s + whole_s * (self._total - self._number)
