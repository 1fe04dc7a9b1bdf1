"""Work through the tutorial in Scipion's own window, and photograph it.

    python docs/make_tutorial.py [--out FOLDER]

Simulates two tomograms, imports them, marks particles in one, trains, picks both, moves
the cut-off, saves and exports: with real clicks in the real windows, under Xvfb and
openbox. Needs xdotool and ImageMagick. The project stays in FOLDER.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

from scipion_driver import WIZARD, Scipion
from screen_driver import SLOW_S, Screen, wait_for

IMAGES = Path(__file__).parent / "images"
INSIDE = "ETPICKER_TUTORIAL_INSIDE"
PROJECT = "tutorial"
VOXEL_SIZE = 20.0
DIAMETERS = "ribosome=323"
SIMULATE = (
    *("--species", "ribosome", "--tomograms", "2", "--name", "tomo", "--seed", "3"),
    *("--shape", "140", "132", "50", "--voxel-size", "20", "--particles", "24"),
    *("--snr", "0.3", "--defocus", "5"),
)
PROJECT_PLACE = "1240x800+40+40"
WINDOW = (1280, 800)
PROBES = (400, 200), (600, 420)
JUDGE_TAB, AUTOMATIC = (970, 54), (1136, 296)
"""Pixels of the etpicker window at that size."""
MINUTES = "2"
WIDE = 1000
"""Width of the pictures of large windows, in pixels."""


def main() -> int:
    """Prepare data, Scipion and a screen; then start again inside them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", help="folder of data and project (default: a new one)")
    out = Path(parser.parse_args().out or tempfile.mkdtemp(prefix="etpicker_tutorial_"))
    if os.environ.get(INSIDE):
        work_through(out.resolve())
        return 0
    return run_inside(out.resolve())


def run_inside(out: Path) -> int:
    """Simulate, configure a Scipion of its own, and run this script on a screen."""
    from etpicker_plugin.demo.scipion_home import prepare_scipion
    from etpicker_plugin.tests.window_driver import screen

    if not (out / "data").is_dir():
        command = [sys.executable, "-m", "etpicker_plugin.engine", "simulate"]
        subprocess.run([*command, "--out", str(out / "data"), *SIMULATE], check=True)
    prepare_scipion(out / "scipion")
    with screen() as display:
        environment = {**os.environ, "DISPLAY": display, INSIDE: "1"}
        manager = subprocess.Popen(["openbox"], env=environment)
        try:
            time.sleep(SLOW_S)
            command = [sys.executable, __file__, "--out", str(out)]
            return subprocess.run(command, env=environment, check=False).returncode
        finally:
            manager.terminate()


def work_through(out: Path) -> None:
    """Open a new project's window, and let the story run beside it."""
    import pyworkflow as pw
    from pyworkflow.gui.project import ProjectWindow
    from pyworkflow.project import Manager

    pw.Config.setDomain("pwem")
    pw.Config.getDomain().getProtocols()
    project = Manager().createProject(PROJECT)
    os.chdir(project.path)
    window = ProjectWindow(project.path)
    story = threading.Thread(target=tell, args=(window, out), daemon=True)
    window.root.after(5000, story.start)
    window.show()


def tell(window, out: Path) -> None:
    """Tell the story; end the process with it, whatever happens."""
    code = 1
    try:
        Story(Scipion(window), out).tell()
        code = 0
    except Exception:  # noqa: BLE001  # a thread: nobody else would say what it was
        traceback.print_exc()
        subprocess.run(["import", "-window", "root", str(out / "stopped.png")])
    # Scipion's window leaves nested event loops behind.
    sys.stdout.flush()
    os._exit(code)


class Story:
    """The chapters of the tutorial, in their order."""

    def __init__(self, scipion: Scipion, out: Path) -> None:
        self.scipion = scipion
        self.data = out / "data"

    def tell(self) -> None:
        """Work through all of it."""
        IMAGES.mkdir(exist_ok=True)
        self.scipion.place(PROJECT_PLACE)
        self.scipion.ask(self.show_tomography)
        self.scipion.settle()
        self.scipion.open_tree("Imports", "Particles", "Picking")
        self.import_tomograms()
        self.annotate()
        self.train()
        self.pick()
        self.threshold()
        self.export()

    def photo(self, name: str) -> Path:
        """Return the file of a picture."""
        return IMAGES / f"tutorial_{name}.png"

    def show_tomography(self) -> None:
        """Choose the view 'Tomography' above the tree, with room for long names."""
        import tkinter
        from tkinter import ttk

        def below(widget):
            for child in widget.winfo_children():
                yield child
                yield from below(child)

        for widget in below(self.scipion.root):
            if isinstance(widget, ttk.Combobox) and "Tomography" in widget["values"]:
                widget.set("Tomography")
                self.scipion.view._onSelectProtocols(widget)
            if isinstance(widget, tkinter.PanedWindow) and widget.panes():
                if str(widget["orient"]) == "horizontal":
                    widget.sash_place(0, 330, 1)

    # --------------------------- chapters -------------------------------------
    def import_tomograms(self) -> None:
        """Chapter 1."""
        form = self.scipion.open_protocol("tomo - import tomograms")
        self.scipion.fill(form, "Files directory", str(self.data))
        self.scipion.fill(form, "Pattern", "*.mrc")
        self.scipion.fill(form, "Pixel size (sampling rate) Å/px", f"{VOXEL_SIZE:g}")
        self.scipion.execute(form, photo=self.photo("import"))
        self.scipion.wait_run("tomo - import tomograms")

    def annotate(self) -> None:
        """Chapter 2."""
        name = "etpicker - annotate particles"
        form = self.scipion.open_protocol(name)
        self.scipion.link(form, "Tomograms", "import tomograms")
        self.scipion.fill(form, "Particle diameter [Å]", DIAMETERS)
        self.scipion.execute(form, photo=self.photo("annotate_form"))
        window = Screen("^tomo_01", size=WINDOW)
        (journal,) = Path("Runs").glob("*Annotate/extra/annotation/tomo_01.journal*")
        Annotator(window, self.data / "tomo_01.csv", journal).mark_all()
        window.photograph(self.photo("annotate"), width=WIDE)
        window.key("ctrl+q")
        self.scipion.wait_run(name, "interactive")

    def train(self) -> None:
        """Chapter 3."""
        name = "etpicker - train model"
        form = self.scipion.open_protocol(name)
        self.scipion.link(form, "Tomograms", "import tomograms")
        self.scipion.link(form, "Coordinates", "Coordinates3D")
        _, buttons = self.scipion.parts(form, "Particle diameter [Å]")
        self.scipion.click(buttons[WIZARD])
        self.scipion.fill(form, "Particle diameter [Å]", DIAMETERS)
        self.scipion.photograph(form, self.photo("train_form"))
        self.scipion.show_tab(form, "Training")
        self.scipion.fill(form, "Time limit [min]", MINUTES)
        self.scipion.execute(form, photo=self.photo("train_form_training"))
        self.scipion.wait_run(name)
        viewer = self.scipion.analyze(name)
        self.scipion.show(viewer, "Training curves")
        Screen("^Training: ").photograph(self.photo("curves"))
        self.scipion.press(viewer, "Close")

    def pick(self) -> None:
        """Chapter 4."""
        name = "etpicker - pick particles"
        form = self.scipion.open_protocol(name)
        self.scipion.link(form, "Tomograms", "import tomograms")
        self.scipion.link(form, "Model", "train model")
        self.scipion.fill(form, "Thresholds", "ribosome=0.05")
        self.scipion.execute(form, photo=self.photo("pick_form"))
        self.scipion.wait_run(name)
        self.scipion.choose_run(name)
        self.scipion.photograph(self.scipion.root, self.photo("project"), width=WIDE)

    def threshold(self) -> None:
        """Chapter 5: the cut-off in the window, saved as a new output."""
        viewer = self.scipion.analyze("etpicker - pick particles")
        self.scipion.photograph(viewer, self.photo("picks_viewer"))
        self.scipion.show(viewer, "Picks on tomograms")
        window = Screen("^tomo_01", size=WINDOW)
        window.click(*JUDGE_TAB)
        window.click(*AUTOMATIC)
        window.photograph(self.photo("threshold"), width=WIDE)
        window.key("ctrl+q")
        dialog = self.scipion.wait_window("Save picks")
        self.scipion.photograph(dialog, self.photo("save"))
        self.scipion.press(dialog, "Yes")
        time.sleep(SLOW_S)
        self.scipion.press(viewer, "Close")

    def export(self) -> None:
        """Chapter 6."""
        name = "etpicker - export coordinates"
        form = self.scipion.open_protocol(name)
        self.scipion.link(
            form, "Coordinates", "Coordinates3D_v2", photo=self.photo("select")
        )
        self.scipion.choose(form, "Output format", "relion5")
        self.scipion.execute(form, photo=self.photo("export_form"))
        self.scipion.wait_run(name)
        self.scipion.choose_run(name)
        self.scipion.photograph(self.scipion.root, self.photo("end"), width=WIDE)


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
        first, second = PROBES
        before = [self.click_and_read(probe) for probe in PROBES]
        self.window.key("ctrl+z", "ctrl+z")
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
            self.click_and_read((round(pixel[0]), round(pixel[1])))

    def step(self, slices: int) -> None:
        """Move through the slices under the mouse."""
        self.window.key(*["Up" if slices > 0 else "Down"] * abs(slices))

    def click_and_read(self, pixel: tuple[int, int]) -> tuple[float, float, float]:
        """Click, and return the x, y, z that the window wrote down."""
        before = len(self.lines())
        self.window.click(*pixel)
        wait_for(lambda: len(self.lines()) > before, what="the click in the journal")
        z, y, x = json.loads(self.lines()[-1])["positions_zyx"][0]
        return x, y, z

    def lines(self) -> list[str]:
        """Return what the window has written down."""
        return self.journal.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    sys.exit(main())
