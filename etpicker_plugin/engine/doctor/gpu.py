"""The line on the GPU: used, or why it is not and what to do."""

from __future__ import annotations

import os
from typing import Any

from etpicker_plugin.engine.doctor.finding import BAD, OK, WARNING, Finding
from etpicker_plugin.engine.doctor.nvidia import Driver
from etpicker_plugin.engine.doctor.reinstalling import by_installb

LEAST_LIKENESS = 0.99
GIGABYTE = 1e9
FITTING = "Install a torch whose CUDA fits the card and its driver."
FOR_OLD_CARDS = "12.6"
"""The last CUDA for which torch is built with cards before compute capability 7.5."""
VISIBLE = "CUDA_VISIBLE_DEVICES"


def megavoxels(speed: float) -> str:
    """Return how fast the network is, in words, to three digits."""
    rounded = float(f"{speed:.3g}")
    return f"the default network does {rounded:,.9g} Mvoxel/s"


def judge_gpu(told: dict[str, Any], crash: str, driver: Driver | None) -> Finding:
    """Return the line on the GPU, by what ``look_torch`` found.

    Parameters
    ----------
    crash
        How its process ended, if not well.
    """
    built_for = told["built_for"]
    if built_for == "the CPU":
        return _without_cuda(driver)
    if "gpus" not in told:
        return _unusable(built_for, told.get("gpu_fault", crash), driver)
    cards = "; ".join(map(_card, told["gpus"]))
    where = f"{cards}; {driver.words()}" if driver else cards
    if "gpu_speed" not in told and told.get("likeness", 1) >= LEAST_LIKENESS:
        return _does_not_run(where, built_for, told, crash)
    if not told["likeness"] >= LEAST_LIKENESS:
        return Finding(
            "GPU",
            BAD,
            f"{where}; it computes something else than the CPU (correlation "
            f"{told['likeness']:.3f})",
            "Do not pick with it: use --device cpu, in Scipion set 'Use GPU' to 'No', "
            "and have driver and card examined.",
        )
    number = "bfloat16" if told["gpu_bfloat16"] else "float32"
    return Finding("GPU", OK, f"{where}; {number}: {megavoxels(told['gpu_speed'])}")


def _card(gpu: dict[str, Any]) -> str:
    return (
        f"{gpu['name']}, compute capability {gpu['capability']}, "
        f"{gpu['free'] / GIGABYTE:.1f} of {gpu['total'] / GIGABYTE:.1f} GB free"
    )


def _without_cuda(driver: Driver | None) -> Finding:
    if driver is None:
        what = "none: there is no NVIDIA driver here, and the CPU computes"
        return Finding("GPU", OK, what)
    newest = f", {driver.cuda} at most" if driver.cuda else ""
    return Finding(
        "GPU",
        WARNING,
        f"this machine has an NVIDIA {driver.words()}, but torch is built for the CPU "
        "alone, so the GPU is not used",
        by_installb(
            otherwise=f"Install a torch that is built for CUDA{newest} (see "
            "pytorch.org)."
        ),
    )


def _unusable(built_for: str, fault: str, driver: Driver | None) -> Finding:
    """Return why a torch that is built for GPUs finds none."""
    if "no NVIDIA driver" in fault:
        return Finding(
            "GPU",
            WARNING,
            f"torch is built for {built_for}, but there is no NVIDIA driver here: the "
            "CPU computes",
            "Where there is a GPU, install its driver; in a container, start it with "
            "the GPU (docker --gpus all, apptainer --nv); else nothing needs doing.",
        )
    if "too old" in fault:
        known = driver.words() if driver else "driver"
        fitting = f", {driver.cuda} at most" if driver and driver.cuda else ""
        return Finding(
            "GPU",
            BAD,
            f"the NVIDIA {known} is too old for this torch, which is built for "
            f"{built_for}: the GPU is not used",
            by_installb(
                otherwise=f"Install a torch that is built for an older CUDA{fitting} "
                "(see pytorch.org), or a newer driver."
            ),
        )
    if VISIBLE in os.environ and "No CUDA GPUs" in fault:
        return Finding(
            "GPU",
            WARNING,
            f"{VISIBLE} is '{os.environ[VISIBLE]}', which hides every GPU: the CPU "
            "computes",
            f"Unset {VISIBLE}, or name a GPU in it: 0 is the first.",
        )
    return Finding(
        "GPU",
        BAD if driver else WARNING,
        f"torch is built for {built_for}, and finds no usable GPU: {fault}",
        "See that nvidia-smi works; after an update of the driver restart the "
        "machine; ask the queue for a GPU.",
    )


def _does_not_run(
    where: str, built_for: str, told: dict[str, Any], crash: str
) -> Finding:
    """Return why the network does not run on a GPU that torch finds."""
    if told.get("full"):
        return Finding(
            "GPU",
            BAD,
            f"{where}; too little of its memory is free to run the network",
            f"See with nvidia-smi which program holds it, or choose another GPU with "
            f"{VISIBLE}.",
        )
    fault = told.get("run_fault", crash)
    return Finding(
        "GPU",
        BAD,
        f"{where}; the network does not run on it: {fault}",
        f"{by_installb(otherwise=FITTING, cuda=FOR_OLD_CARDS)} This one is built for "
        f"{built_for}, and newer ones leave out old cards. Until then use --device "
        "cpu.",
    )
