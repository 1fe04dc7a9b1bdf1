"""Work through the tutorial in Scipion's own window, and photograph it.

    python docs/make_tutorial.py [--out FOLDER] [--minutes 2] [--screen 1600x1000]

Simulates two tomograms, imports them, marks particles in one, trains, picks both, moves
the cut-off, saves and exports: with real clicks in the real windows, under Xvfb and
openbox. Needs xdotool, xwininfo and ImageMagick. The project stays in FOLDER. A busy or
slow machine needs more minutes of training.

On the usual screen the pictures go to docs/images. On another one, ``--screen
1280x800``, they go to FOLDER/images, to be looked at only. A window that is not wholly
on the screen, or a button that lies beyond it, ends the run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import tkinter
import traceback
from pathlib import Path
from tkinter import ttk

from annotator import Annotator
from scipion_driver import WIZARD, Scipion
from screen_driver import Screen, room, wait_for, xdotool
from screen_room import Room, read_room

from etpicker_plugin.engine.formats.relion_formats import RELION5

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
SCREEN = Room(1600, 1000)
"""The screen of the pictures in the documentation."""

WINDOW = (1280, 800)
"""The etpicker window's size where there is room; else it is as it opens."""

Z_DRAGS = ((0.5, 0.408), (0.5, 0.386)), ((0.5, 0.118), (0.5, 0.14))
"""In the figure of the Z range: lines of the first tomogram, at the outer slices."""

LOW = 0.0001
"""A threshold that lets some wrong picks through: something to cut off."""

LEAST_SCORE = 0.8
"""Validation score of a model whose picks are worth a picture."""

WIDE = 1000
WIDER = 1100
"""Widths of the pictures of the etpicker window and the project's, in pixels."""


def main() -> int:
    """Prepare data, Scipion and a screen; then start again inside them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", help="folder of data and project (default: a new one)")
    parser.add_argument("--minutes", default="2", help="time limit of the training")
    parser.add_argument(
        "--screen",
        type=read_room,
        default=SCREEN,
        metavar="WIDTHxHEIGHT",
        help="size of the screen in pixels (default: %(default)s)",
    )
    arguments = parser.parse_args()
    out = Path(arguments.out or tempfile.mkdtemp(prefix="etpicker_tutorial_")).resolve()
    if os.environ.get(INSIDE):
        work_through(out, arguments.minutes)
        return 0
    if (out / "scipion").exists():
        parser.error(f"{out} holds a project already: give another folder")
    return run_inside(out, arguments.minutes, arguments.screen)


def run_inside(out: Path, minutes: str, size: Room) -> int:
    """Simulate, configure a Scipion of its own, and run this script on a screen."""
    from etpicker_plugin.demo.scipion_home import prepare_scipion
    from etpicker_plugin.tests.support.screen import screen

    if not (out / "data").is_dir():
        command = [sys.executable, "-m", "etpicker_plugin.engine", "simulate"]
        subprocess.run([*command, "--out", str(out / "data"), *SIMULATE], check=True)
    prepare_scipion(out / "scipion")
    with screen(f"{size}x24") as display:
        environment = {**os.environ, "DISPLAY": display, INSIDE: "1"}
        manager = subprocess.Popen(["openbox"], env=environment)
        try:
            command = [sys.executable, __file__, "--out", str(out)]
            command += ["--minutes", minutes]
            return subprocess.run(command, env=environment, check=False).returncode
        finally:
            manager.terminate()


def work_through(out: Path, minutes: str) -> None:
    """Open a new project's window, and let the story run beside it."""
    import pyworkflow as pw
    from pyworkflow.gui.project import ProjectWindow
    from pyworkflow.project import Manager

    wait_for(lambda: xdotool("get_num_desktops"), what="the window manager")
    pw.Config.setDomain("pwem")
    pw.Config.getDomain().getProtocols()
    project = Manager().createProject(PROJECT)
    os.chdir(project.path)
    window = ProjectWindow(project.path)
    story = threading.Thread(target=tell, args=(window, out, minutes), daemon=True)
    window.root.after(5000, story.start)
    window.show()


def tell(window, out: Path, minutes: str) -> None:
    """Tell the story; end the process with it, whatever happens."""
    code = 1
    try:
        Story(Scipion(window), out, minutes).tell()
        code = 0
    except Exception:  # noqa: BLE001  # a thread: nobody else would say what it was
        traceback.print_exc()
        subprocess.run(["import", "-window", "root", str(out / "stopped.png")])
    # Scipion's window leaves nested event loops behind.
    sys.stdout.flush()
    os._exit(code)


class Story:
    """The chapters of the tutorial, in their order."""

    def __init__(self, scipion: Scipion, out: Path, minutes: str) -> None:
        self.scipion = scipion
        self.data = out / "data"
        self.images = IMAGES if room() == SCREEN else out / "images"
        self.minutes = minutes

    def tell(self) -> None:
        """Work through all of it."""
        self.images.mkdir(exist_ok=True)
        self.scipion.place()
        self.scipion.ask(self.show_tomography)
        self.scipion.settle()
        self.scipion.open_tree("Imports", "Particles", "Picking")
        self.import_tomograms()
        self.annotate()
        self.train()
        self.pick()
        self.threshold()
        self.export()
        print(f"Pictures: {self.images}", flush=True)

    def photo(self, name: str) -> Path:
        """Return the file of a picture."""
        return self.images / f"tutorial_{name}.png"

    def show_tomography(self) -> None:
        """Choose the view 'Tomography' above the tree, with room for long names."""

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
        self.scipion.fill(form, "Time limit [min]", self.minutes)
        self.scipion.execute(form, photo=self.photo("train_form_training"), warned=True)
        self.scipion.wait_run(name)
        viewer = self.scipion.analyze(name)
        self.scipion.show(viewer, "Watch it learn")
        curves = Screen("^Training: ")
        curves.photograph(self.photo("curves"), width=WIDE)
        curves.key("ctrl+w")
        self.scipion.press(viewer, "Close")
        (extra,) = Path("Runs").glob("*Train/extra")
        require_learnt(extra)

    def pick(self) -> None:
        """Chapter 4."""
        name = "etpicker - pick particles"
        form = self.scipion.open_protocol(name)
        self.scipion.link(form, "Tomograms", "import tomograms")
        self.scipion.link(form, "Model", "train model")
        self.scipion.fill(form, "Thresholds", f"ribosome={LOW}")
        self.scipion.photograph(form, self.photo("pick_form"))
        self.choose_slices(form)
        self.scipion.execute(form)
        self.scipion.wait_run(name)
        self.scipion.choose_run(name)
        self.scipion.photograph(self.scipion.root, self.photo("project"), width=WIDER)

    def choose_slices(self, form) -> None:
        """Drag both lines of the Z range's wizard inwards."""
        self.scipion.show_tab(form, "Picking")
        content, buttons = self.scipion.parts(form, "Z range [voxels]")
        self.scipion.click(buttons[WIZARD])
        window = Screen("^Z range")
        for drag in Z_DRAGS:
            window.drag(*drag)
        window.photograph(self.photo("z_range"))
        window.key("ctrl+w")
        entry = self.scipion.find(content, tkinter.Entry)
        wait_for(lambda: self.scipion.ask(entry.get), what="slices in the form")

    def threshold(self) -> None:
        """Chapter 5: the cut-off in the window, saved as a new output."""
        name = "etpicker - pick particles"
        viewer = self.scipion.analyze(name)
        self.scipion.photograph(viewer, self.photo("picks_viewer"))
        self.scipion.show(viewer, "Picks on tomograms")
        window = Screen("^tomo_01", size=WINDOW)
        window.key("f", "alt+j", "alt+a")
        (classes,) = Path("Runs").glob("*Pick/extra/window/annotation/classes.json")
        wait_for(lambda: threshold_in(classes) > LOW, what="a higher cut-off")
        window.photograph(self.photo("threshold"), width=WIDE)
        window.key("ctrl+q")
        dialog = self.scipion.wait_window("Save picks")
        self.scipion.photograph(dialog, self.photo("save"))
        self.scipion.press(dialog, "Yes")
        self.scipion.wait_output(name, "Coordinates3D_v2")
        self.scipion.press(viewer, "Close")

    def export(self) -> None:
        """Chapter 6."""
        name = "etpicker - export coordinates"
        form = self.scipion.open_protocol(name)
        self.scipion.link(
            form, "Coordinates", "Coordinates3D_v2", photo=self.photo("select")
        )
        self.scipion.choose(form, "Output format", RELION5.title)
        self.scipion.execute(form, photo=self.photo("export_form"))
        self.scipion.wait_run(name)
        self.scipion.choose_run(name)
        self.scipion.photograph(self.scipion.root, self.photo("end"), width=WIDER)


def require_learnt(training: Path) -> None:
    """Refuse a model that had too little time to learn; ``training`` is its folder."""
    from etpicker_plugin.engine.records import progress_file
    from etpicker_plugin.viewers.training_curves import read_curves

    score = max(read_curves(progress_file(training)).score.values())
    if score < LEAST_SCORE:
        raise RuntimeError(
            f"The model's validation score is {score:.2f}, and its picks would be bad. "
            "Give the training more time: --minutes."
        )


def threshold_in(classes: Path) -> float:
    """Return the cut-off that the window wrote down."""
    (item,) = json.loads(classes.read_text(encoding="utf-8"))["classes"]
    return item["threshold"]


if __name__ == "__main__":
    sys.exit(main())
