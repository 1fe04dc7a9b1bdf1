"""How a class was annotated, and what to think of marks that look incomplete.

With complete annotation every place that is not marked is learnt as background. Where
particles are left unmarked, that teaches a network not to find them.
"""

from __future__ import annotations

from collections.abc import Mapping

COMPLETE, SPARSE, UNKNOWN = "complete", "sparse", "unknown"
"""Every particle is marked; only some are; or nobody looked for this class."""

FEW_MARKS = 20
FEW_TO_LEARN = 10
SPARSE_ADVICE = "choose the annotation 'sparse'"


def warn_few_marks(counts: Mapping[str, int], *, annotation: str) -> list[str]:
    """Return what to think of before learning from so few marks of a class.

    Parameters
    ----------
    counts
        Marks of each class, in all tomograms.
    """
    if annotation != COMPLETE:
        return []
    return [
        f"{name}: {count} centre(s) marked, and the annotation is 'complete': all else "
        f"is learnt as background. Unless every {name} is marked, {SPARSE_ADVICE}."
        for name, count in counts.items()
        if count < FEW_MARKS
    ]


def advise_instant(counts: Mapping[str, int]) -> str:
    """Return that so few marks need no training, or nothing.

    Of five clicked ribosomes a training makes F1 0.88 on noisier tomograms, and the
    instant model 0.95; of twenty 0.98 and 0.95 (docs/benchmarks.md).
    """
    if max(counts.values(), default=0) >= FEW_TO_LEARN:
        return ""
    return (
        f"Of {sum(counts.values())} mark(s) little is learnt. An instant model, made "
        "in seconds from the same marks without training, usually finds more."
    )


def advise_after(
    judged: Mapping[str, tuple[int, int]], *, annotation: str
) -> list[str]:
    """Return what the picks in the held-out parts say of the marks.

    A network finds as many again that are not marked either where marks are missing,
    or where it has learnt too little.

    Parameters
    ----------
    judged
        For each class, how many marked particles were held out, and how many picks
        there are none of them.
    """
    if annotation != COMPLETE:
        return []
    return [
        f"{name}: in what was held out it picks {n_false} place(s) that are not "
        f"marked, beside {n_truth} marked particle(s). If those are particles, mark "
        f"them or {SPARSE_ADVICE}; if not, mark more or train longer."
        for name, (n_truth, n_false) in judged.items()
        if n_truth and n_false >= n_truth
    ]
