"""The line on the GPU for what torch says where we have been, and where not."""

import pytest

from etpicker_plugin.engine.doctor.gpu import judge_gpu, megavoxels
from etpicker_plugin.engine.doctor.networks import judge_torch
from etpicker_plugin.engine.doctor.nvidia import (
    Driver,
    find_driver,
    read_kernel_module,
    read_nvidia_smi,
)

NVIDIA_SMI = """\
Fri Nov 27 12:00:00 2026
+-----------------------------------------------------------------------------+
| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA Version: 12.4      |
|-------------------------------+----------------------+----------------------+
"""
KERNEL = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 2023\n"
    "GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n"
)
OPEN_KERNEL = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release "
    "Build  (dvs-builder@U16)\n"
)
DRIVER = Driver("550.54.15", "12.4")
NO_DRIVER = (
    "Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU "
    "and installed a driver from http://www.nvidia.com/Download/index.aspx"
)
TOO_OLD = (
    "The NVIDIA driver on your system is too old (found version 12040). Please update "
    "your GPU driver by downloading and installing a new version from the URL: "
    "http://www.nvidia.com/Download/index.aspx"
)
CUDA = {"built_for": "CUDA 13.0"}
CARD = {
    "name": "NVIDIA T4",
    "capability": "7.5",
    "free": 14_500_000_000,
    "total": 15_800_000_000,
}
SEEN = {**CUDA, "gpus": [CARD], "gpu_bfloat16": False}


@pytest.fixture(autouse=True)
def every_gpu_visible(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_the_driver_is_what_nvidia_smi_says(tmp_path, monkeypatch):
    assert read_nvidia_smi(NVIDIA_SMI) == DRIVER
    assert DRIVER.words() == "driver 550.54.15 (CUDA 12.4)"
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{NVIDIA_SMI}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert find_driver() == DRIVER


def test_the_driver_is_known_where_nvidia_smi_fails(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\necho 'Failed to initialize NVML: Driver/library version mismatch'\n"
        "exit 18\n"
    )
    program.chmod(0o755)
    module = tmp_path / "version"
    module.write_text(KERNEL)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("etpicker_plugin.engine.doctor.nvidia.KERNEL_MODULE", module)

    assert find_driver() == Driver("535.104.05", "")
    assert read_kernel_module(OPEN_KERNEL) == Driver("570.124.06", "")


def test_no_gpu_and_a_torch_for_the_cpu_is_well():
    found = judge_gpu({"built_for": "the CPU"}, "", None)

    assert (found.state, found.remedy) == ("ok", "")


def test_a_torch_for_the_cpu_beside_a_driver():
    found = judge_gpu({"built_for": "the CPU"}, "", DRIVER)

    assert found.state == "warning"
    assert "has an NVIDIA driver 550.54.15" in found.what
    assert "torch is built for the CPU alone" in found.what
    assert "a torch that is built for CUDA, 12.4 at most" in found.remedy


def test_a_torch_for_cuda_without_a_driver():
    found = judge_gpu({**CUDA, "gpu_fault": NO_DRIVER}, "", None)

    assert found.state == "warning"
    assert found.what == (
        "torch is built for CUDA 13.0, but there is no NVIDIA driver here: the CPU "
        "computes"
    )


def test_a_driver_that_is_too_old():
    found = judge_gpu({**CUDA, "gpu_fault": TOO_OLD}, "", DRIVER)

    assert found.state == "bad"
    assert found.what == (
        "the NVIDIA driver 550.54.15 (CUDA 12.4) is too old for this torch, which is "
        "built for CUDA 13.0: the GPU is not used"
    )
    assert "an older CUDA, 12.4 at most" in found.remedy


def test_hidden_gpus_are_told(monkeypatch):
    told = {**CUDA, "gpu_fault": "No CUDA GPUs are available"}

    assert judge_gpu(told, "", DRIVER).state == "bad"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    found = judge_gpu(told, "", DRIVER)
    assert found.state == "warning"
    assert "CUDA_VISIBLE_DEVICES is ''" in found.what


def test_another_fault_is_told_in_torchs_words():
    found = judge_gpu({**CUDA, "gpu_fault": "CUDA unknown error"}, "", DRIVER)

    assert found.state == "bad"
    assert found.what.endswith("finds no usable GPU: CUDA unknown error")


def test_a_crash_while_the_driver_is_asked():
    found = judge_gpu(CUDA, "it was ended by SIGSEGV", DRIVER)

    assert found.state == "bad"
    assert "SIGSEGV" in found.what


def test_a_gpu_that_works():
    told = {**SEEN, "likeness": 0.9998, "gpu_speed": 412.4}

    found = judge_gpu(told, "", DRIVER)

    assert found.state == "ok"
    assert found.what == (
        "NVIDIA T4, compute capability 7.5, 14.5 of 15.8 GB free; driver 550.54.15 "
        "(CUDA 12.4); float32: the default network does 412 Mvoxel/s"
    )


@pytest.mark.parametrize(
    ("speed", "words"),
    [(0.9964, "0.996"), (2.206, "2.21"), (412.4, "412"), (1986.4, "1,990")],
)
def test_a_speed_has_three_digits(speed, words):
    assert megavoxels(speed) == f"the default network does {words} Mvoxel/s"


@pytest.mark.parametrize("likeness", [0.62, float("nan")])
def test_a_gpu_that_computes_something_else_is_bad(likeness):
    told = {**SEEN, "likeness": likeness, "gpu_speed": 412.4}

    found = judge_gpu(told, "", DRIVER)

    assert found.state == "bad"
    assert "computes something else than the CPU" in found.what


@pytest.mark.parametrize(
    ("told", "crash", "words"),
    [
        ({"run_fault": "no kernel image is available"}, "", "no kernel image"),
        ({}, "it was ended by SIGSEGV", "SIGSEGV"),
        ({"likeness": 0.9998}, "no answer within 120 s", "no answer"),
        ({"run_fault": "CUDA out of memory", "full": True}, "", "too little of its"),
    ],
)
def test_a_gpu_on_which_the_network_does_not_run(told, crash, words):
    found = judge_gpu({**SEEN, **told}, crash, DRIVER)

    assert found.state == "bad"
    assert words in found.what


def test_torch_that_cannot_be_imported_or_does_not_run():
    known = {"version": "2.13.0+cpu", "built_for": "the CPU"}

    absent = judge_torch({}, "ImportError: libgomp.so.1: cannot open")
    crashing = judge_torch(known, "it was ended by SIGILL")
    well = judge_torch({**known, "threads": 2, "bfloat16": False, "speed": 1.06}, "")

    assert (absent.state, crashing.state, well.state) == ("bad", "bad", "ok")
    assert "libgomp.so.1" in absent.what
    assert "SIGILL" in crashing.what
    assert well.what == (
        "2.13.0+cpu, built for the CPU; CPU with 2 threads, float32 (no bfloat16 in "
        "hardware): the default network does 1.06 Mvoxel/s"
    )


def test_in_scipion_s_environment_installb_gets_another_torch(monkeypatch):
    monkeypatch.setattr(
        "etpicker_plugin.engine.doctor.reinstalling.read_note", lambda prefix: "/em/e-1"
    )
    known = {"version": "2.13.0", "built_for": "the CPU"}

    found = [
        judge_torch({}, "ImportError: libgomp.so.1: cannot open"),
        judge_torch(known, "it was ended by SIGILL"),
        judge_gpu(known, "", DRIVER),
        judge_gpu({**CUDA, "gpu_fault": TOO_OLD}, "", DRIVER),
    ]
    old_card = judge_gpu({**SEEN, "run_fault": "no kernel image"}, "", DRIVER)

    remedy = "Remove /em/e-1 and run 'scipion3 installb etpicker'"
    assert [finding.remedy.startswith(remedy) for finding in found] == [True] * 4
    assert "run 'ETPICKER_CUDA=12.6 scipion3 installb etpicker'" in old_card.remedy
    assert not any("pip" in finding.remedy for finding in [*found, old_card])
