"""The NVIDIA driver of this machine, asked without torch."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from etpicker_plugin.engine.doctor.child import run

LIMIT_S = 20.0
KERNEL_MODULE = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class Driver:
    """The driver's version and the newest CUDA that it can, where they are told."""

    version: str
    cuda: str

    def words(self) -> str:
        """Return it in words: ``driver 550.54.15 (CUDA 12.4)``."""
        newest = f" (CUDA {self.cuda})" if self.cuda else ""
        return f"driver {self.version or 'of an unknown version'}{newest}"


def find_driver() -> Driver | None:
    """Return the driver as nvidia-smi tells it, else the kernel; None without one."""
    program = shutil.which("nvidia-smi")
    if program is not None:
        ended = run([program], limit_s=LIMIT_S)
        if not ended.fault():
            return read_nvidia_smi(ended.output)
    if KERNEL_MODULE.exists():
        text = KERNEL_MODULE.read_text(encoding="utf-8", errors="replace")
        return read_kernel_module(text)
    return None


def read_nvidia_smi(text: str) -> Driver:
    """Return what the head of nvidia-smi's table says."""
    version = re.search(r"Driver Version\s*:\s*([\d.]+)", text)
    cuda = re.search(r"CUDA\D*Version\s*:\s*([\d.]+)", text)
    return Driver(version.group(1) if version else "", cuda.group(1) if cuda else "")


def read_kernel_module(text: str) -> Driver:
    """Return what the kernel says of the driver: not which CUDA it can."""
    version = re.search(r"\s(\d+\.\d+(\.\d+)*)\s", text)
    return Driver(version.group(1) if version else "", "")
