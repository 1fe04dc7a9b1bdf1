"""How far training has come, and the learning rate that goes with it."""

import math
from dataclasses import dataclass

WARM_UP = 0.1
START_DIVISOR = 30.0
END_DIVISOR = 1000.0


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Steps at most, and seconds at most when a time limit is set."""

    steps: int
    seconds: float | None = None

    def progress(self, step: int, elapsed_s: float) -> float:
        """Return the share of the budget that is spent, 0 to 1."""
        share = step / self.steps
        if self.seconds is not None:
            share = max(share, elapsed_s / max(self.seconds, 1e-9))
        return min(share, 1.0)

    def is_out_of_time(self, elapsed_s: float) -> bool:
        """Return whether there is a time limit, and it is reached."""
        return self.seconds is not None and elapsed_s >= self.seconds

    def left_s(self, step: int, elapsed_s: float) -> float | None:
        """Return the seconds left at the pace so far; None before there is one."""
        progress = self.progress(step, elapsed_s)
        if not progress or not elapsed_s:
            return None
        return elapsed_s * (1 - progress) / progress


def one_cycle(progress: float, peak: float) -> float:
    """Return the learning rate of a one-cycle schedule (Smith & Topin 2018).

    Cosine from peak/30 up to the peak in the first tenth, then cosine down to
    peak/1000.
    """
    if progress < WARM_UP:
        low, share = peak / START_DIVISOR, progress / WARM_UP
        return low + (peak - low) * (1 - math.cos(math.pi * share)) / 2
    low, share = peak / END_DIVISOR, (progress - WARM_UP) / (1 - WARM_UP)
    return low + (peak - low) * (1 + math.cos(math.pi * share)) / 2
