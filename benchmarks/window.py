"""How fast the window opens, scrolls and draws, and what memory it takes.

    python benchmarks/window.py [--folder DIR] [--picks 100000]

Makes a 1024 x 1024 x 512 int16 tomogram (1 GB, removed at the end) with as many picks,
opens the real window on it under Xvfb, and scrolls through each axis, every slice drawn
on the screen before the next. Figures are printed as a table for docs/benchmarks.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mrcfile
import numpy as np

SHAPE_ZYX = (512, 1024, 1024)
VOXEL_SIZE = 8.0
DIAMETER = 160.0
SLICES = 120
INSIDE = "--inside"


def write_tomogram(path: Path) -> None:
    """Write noise, section by section."""
    generator = np.random.default_rng(0)
    section = generator.normal(0, 1000, SHAPE_ZYX[1:])
    with mrcfile.new_mmap(path, shape=SHAPE_ZYX, mrc_mode=1) as mrc:
        for z in range(SHAPE_ZYX[0]):
            mrc.data[z] = np.roll(section, 37 * z, axis=(z % 2)).astype(np.int16)
        mrc.voxel_size = VOXEL_SIZE


def write_picks(path: Path, count: int) -> None:
    """Write picks all over the volume, with scores."""
    generator = np.random.default_rng(1)
    z, y, x = (generator.uniform(0, n - 1, count) for n in SHAPE_ZYX)
    scores = generator.beta(2, 2, count)
    lines = [
        f"particle,{a:.2f},{b:.2f},{c:.2f},{s:.4f}\n"
        for a, b, c, s in zip(x, y, z, scores, strict=True)
    ]
    path.write_text("class,x,y,z,score\n" + "".join(lines), encoding="utf-8")


def memory_mb(kind: str) -> float:
    """Return this process's resident memory in MB: ``VmRSS`` now, ``VmHWM`` at most."""
    text = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(x for x in text.splitlines() if x.startswith(kind))
    return int(line.split()[1]) / 1000


def measure(folder: Path, started: float) -> None:
    """Open the window and measure; run in a process of its own."""
    from PyQt5.QtWidgets import QApplication

    from etpicker_plugin.engine.config.view import ViewConfig
    from etpicker_plugin.tests.support.window_driver import wait_drawn
    from etpicker_plugin.window.document.session import Session
    from etpicker_plugin.window.qt.main_window import MainWindow
    from etpicker_plugin.window.qt.style import dress

    config = ViewConfig(
        tomogram=(str(folder / "big.mrc"),),
        coordinates=(str(folder / "big.csv"),),
        diameter={"particle": DIAMETER},
        out=str(folder / "annotation"),
    )
    (folder / "annotation").mkdir()
    application = QApplication(["etpicker"])
    dress(application)
    window = MainWindow(Session(config, folder / "annotation"))
    window.show()
    window.start()
    shown = window.views.views[0]
    while shown.sections is None:
        application.processEvents()
        time.sleep(0.002)
    application.processEvents()
    print(
        f"| first slice and its picks on the screen | {time.time() - started:.2f} s |"
    )
    wait_drawn(window)
    print(f"| all three slices | {time.time() - started:.2f} s |")
    print(f"| circles in the xy slice | {len(shown.sections.ids):,} |")
    for axis, name in enumerate("zyx"):
        report_scrolling(window, application, axis, name)
    print(
        f"| resident memory at the end, at most | {memory_mb('VmRSS'):.0f} MB, "
        f"{memory_mb('VmHWM'):.0f} MB |"
    )


def report_scrolling(window, application, axis: int, name: str) -> None:
    """Step through slices, each drawn before the next."""
    first = SHAPE_ZYX[axis] // 4
    times = []
    for index in range(first, first + SLICES):
        begun = time.perf_counter()
        window.state.step(axis, index - window.state.cursor_zyx[axis])
        while not window.views.is_drawn():
            application.processEvents()
            time.sleep(0.001)
        application.processEvents()
        times.append(time.perf_counter() - begun)
    rate = len(times) / sum(times)
    print(
        f"| scrolling along {name} | {rate:.0f} slices/s, "
        f"slowest {1000 * max(times):.0f} ms |"
    )


def main() -> None:
    """Make the data, start a screen, and measure in a fresh process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--picks", type=int, default=100_000)
    parser.add_argument(INSIDE, nargs=2, default=None)
    arguments = parser.parse_args()
    if arguments.inside:
        measure(Path(arguments.inside[0]), float(arguments.inside[1]))
        return
    from etpicker_plugin.tests.support.screen import screen

    with tempfile.TemporaryDirectory(dir=arguments.folder) as name, screen() as display:
        folder = Path(name)
        write_tomogram(folder / "big.mrc")
        write_picks(folder / "big.csv", arguments.picks)
        environment = {**os.environ, "DISPLAY": display or ""}
        print(
            f"| {arguments.picks:,} picks | load {os.getloadavg()[0]:.1f} |\n|---|---|"
        )
        sys.stdout.flush()
        subprocess.run(
            [sys.executable, __file__, INSIDE, name, str(time.time())],
            env=environment,
            check=True,
        )


if __name__ == "__main__":
    main()
