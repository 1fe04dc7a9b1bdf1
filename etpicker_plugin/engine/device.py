"""Where to compute, and how much memory is free there."""

import logging
import os
from pathlib import Path

import torch

from etpicker_plugin.engine import torchrun
from etpicker_plugin.engine.errors import ResourceError

logger = logging.getLogger(__name__)


def choose_device(name: str, *, threads: int = 0) -> torch.device:
    """Return the device asked for, and set the number of CPU threads.

    Raises
    ------
    ResourceError
        If ``cuda`` is asked for and there is none, or the GPU cannot be used.
    """
    torch.set_num_threads(threads or own_cores())
    if name == "cuda" and not torch.cuda.is_available():
        raise ResourceError(
            "--device cuda: torch finds no usable GPU. Use --device auto or cpu, or "
            "install a torch that fits the GPU's driver."
        )
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cpu":
        return torch.device(name)
    device = _own_gpu() if torchrun.is_launched() else torch.device(name)
    _try_out(device)
    return device


def _try_out(device: torch.device) -> None:
    """Compute something, so that a GPU that cannot is known before anything is read."""
    try:
        (torch.ones(8, device=device) * 2).sum().item()
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        if is_out_of_memory(error):
            remedy = "Other programs fill it (nvidia-smi lists them): wait, or use"
        else:
            remedy = "Install a torch that is made for this card and driver, or use"
        raise ResourceError(
            f"The GPU cannot be used ({reason}). {remedy} another GPU "
            "(CUDA_VISIBLE_DEVICES), or --device cpu."
        ) from error


def out_of_memory(error: BaseException) -> ResourceError:
    """Return what to tell a user where nothing nearer knows what would fit."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return ResourceError(
        f"Memory ran out: {reason}. Other programs may fill it: end them, wait, or use "
        "a machine or GPU with more."
    )


def _own_gpu() -> torch.device:
    """Return the GPU of this one of torchrun's processes."""
    number, there = torchrun.local_rank(), torch.cuda.device_count()
    if number >= there:
        raise ResourceError(
            f"torchrun started {torchrun.local_size()} processes here, and there are "
            f"{there} GPUs. Give --nproc-per-node {there}."
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def available_cores() -> int:
    """Return the cores this process may use (a cluster's share, not the machine's)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def own_cores() -> int:
    """Return this process's share of the cores that are available here."""
    return max(available_cores() // torchrun.local_size(), 1)


def describe_device(device: torch.device) -> str:
    """Return the device's name for the log."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads"


def has_fast_bfloat16(device: torch.device) -> bool:
    """Tell whether bfloat16 is computed in hardware: it is slower where emulated."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capability = torch.backends.cpu.get_cpu_capability()
    if "AVX512" not in capability:
        return False
    return _cpu_has_flag("avx512_bf16") or _cpu_has_flag("amx_bf16")


def _cpu_has_flag(flag: str) -> bool:
    try:
        return flag in Path("/proc/cpuinfo").read_text(encoding="ascii")
    except OSError:
        return False


def free_memory(device: torch.device) -> int:
    """Return the bytes that can still be taken on the device."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next(line for line in lines if line.startswith("MemAvailable"))
        return int(available.split()[1]) * 1024
    except (OSError, StopIteration):
        logger.warning("Free memory is unknown here; 4 GB is assumed.")
        return 4 << 30


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that memory was too small."""
    text = str(error).lower()
    return isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or (
        isinstance(error, RuntimeError)
        and ("out of memory" in text or "can't allocate memory" in text)
    )
