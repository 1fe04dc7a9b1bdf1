"""Photograph the plugin in the real Scipion window, under Xvfb and openbox.

    python docs/make_screenshots.py PROJECT
    python docs/make_screenshots.py --verdict REPORT

REPORT is the page of a finished ``etpicker validate``; its beginning is photographed.
PROJECT is a finished project made from the template ``train_pick_evaluate`` or
``train_update_pick`` (see ``python -m etpicker_plugin.run_template``); what its runs
can show is photographed. Needs Xvfb, openbox and ImageMagick, and wkhtmltoimage for
reports.
"""

import argparse
import os
import subprocess
import sys
import time
import tkinter
from pathlib import Path
from tkinter import ttk

IMAGES = Path(__file__).parent / "images"
DISPLAY = ":87"
SCREEN = "1600x950x24"
INSIDE = "--inside"
PAUSE_MS = 1500
TREE_WIDTH = 380
LARGEST_FILE = 300_000
PAGE_WIDTH = 1100
ZOOM = 2
"""So much larger a page is drawn, then shrunk: itself, it shrinks pictures coarsely."""

PICTURE_WIDTH = 900
VERDICT_HEIGHT = 1410


def run_on_virtual_screen(project: str) -> int:
    """Start a screen and a window manager, and this script again inside them."""
    screen = subprocess.Popen(
        ["Xvfb", DISPLAY, "-screen", "0", SCREEN, "-nolisten", "tcp"]
    )
    try:
        time.sleep(2)
        environment = {**os.environ, "DISPLAY": DISPLAY}
        manager = subprocess.Popen(["openbox"], env=environment)
        try:
            time.sleep(1)
            command = [sys.executable, __file__, INSIDE, project]
            return subprocess.run(command, env=environment, check=False).returncode
        finally:
            manager.terminate()
    finally:
        screen.terminate()


def photograph(window, name: str) -> None:
    """Save what the screen shows of one Tk window."""
    window.update()
    width, height = window.winfo_width(), window.winfo_height()
    place = f"{width}x{height}+{window.winfo_rootx()}+{window.winfo_rooty()}"
    path = IMAGES / f"{name}.png"
    subprocess.run(
        [
            *("import", "-window", "root", "-crop", place, "+repage"),
            *("-colors", "255", f"png8:{path}"),
        ],
        check=True,
    )
    size = path.stat().st_size
    print(f"{path.name}: {width} x {height}, {size / 1000:.0f} kB")
    if size > LARGEST_FILE:
        raise SystemExit(f"{path} is larger than {LARGEST_FILE} bytes")


def photograph_page(page: Path, name: str, *, height: int = 0) -> None:
    """Save a picture of an HTML page, or of its first ``height`` pixels."""
    path = IMAGES / f"{name}.png"
    size = ("--width", str(ZOOM * PAGE_WIDTH), "--height", str(ZOOM * height))
    larger = f"<style>body {{ zoom: {ZOOM} }}</style>"
    subprocess.run(
        ["wkhtmltoimage", *size, "-", str(path)],
        input=page.read_bytes() + larger.encode(),
        check=True,
        capture_output=True,
    )
    small = ("-resize", str(PICTURE_WIDTH), "+dither", "-colors", "128")
    subprocess.run(["mogrify", *small, str(path)], check=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


class Photographer:
    """Walks through the windows: each step is done, and photographed a moment later."""

    def __init__(self, window) -> None:
        self.window = window
        self.view = window.viewWidget
        self.root = window.root
        self.steps = list(self.plan())

    def start(self) -> None:
        self.root.after(4000, self.next_step)

    def next_step(self) -> None:
        if not self.steps:
            if self.has("ProtEtPickerUpdate"):
                run = self.run_of("ProtEtPickerUpdate")
                photograph_page(Path(run.getReportFile()), "update_report")
            # Scipion's window leaves nested event loops behind.
            sys.stdout.flush()
            os._exit(0)
        action, name, pause = self.steps.pop(0)
        self.root.after(pause, lambda: self.finish_step(name))
        action()

    def finish_step(self, name: str) -> None:
        newest = self.newest_window()
        newest.lift()
        self.root.update()
        photograph(newest, name)
        self.close_others()
        self.root.after(300, self.next_step)

    def plan(self):
        """Yield what to open, the image's name, and how long it takes to draw."""
        if self.has("ProtEtPickerUpdate"):
            yield self.show_update, "update_project", PAUSE_MS
            return
        yield self.show_project, "project", PAUSE_MS
        for class_name, parameter, name in (
            ("ProtEtPickerPick", "showScores", "score_histogram"),
            ("ProtEtPickerEvaluate", "showMetrics", "metrics"),
        ):
            yield (
                lambda c=class_name, p=parameter: self.open_viewer(c, p),
                name,
                2 * PAUSE_MS,
            )

    # --------------------------- windows --------------------------------------
    def newest_window(self):
        """Return the Tk window opened last: a dialog, a figure, or the project."""
        import matplotlib.pyplot as plt

        figures = [plt.figure(n).canvas.manager.window for n in plt.get_fignums()]
        windows = [w for w in self.all_windows(self.root) if w.winfo_viewable()]
        return (figures or windows or [self.root])[-1]

    def all_windows(self, parent):
        found = []
        for child in parent.winfo_children():
            if isinstance(child, tkinter.Toplevel):
                found.append(child)
            found += self.all_windows(child)
        return found

    def close_others(self) -> None:
        import matplotlib.pyplot as plt

        plt.close("all")
        for window in reversed(self.all_windows(self.root)):
            window.destroy()
        self.root.update()

    # --------------------------- actions --------------------------------------
    def run_of(self, class_name):
        runs = self.window.project.getRuns()
        return [run for run in runs if run.getClassName() == class_name][-1]

    def has(self, class_name) -> bool:
        runs = self.window.project.getRuns()
        return any(run.getClassName() == class_name for run in runs)

    def show_update(self) -> None:
        """Show the graph with the update selected, and its summary."""
        self.show_project()
        self.view._selectItemProtocol(self.run_of("ProtEtPickerUpdate"))

    def show_project(self) -> None:
        """Open Tomography, Particles, Picking in the tree; select the training."""
        for widget in self.widgets(self.root):
            if isinstance(widget, ttk.Combobox) and "Tomography" in widget["values"]:
                widget.set("Tomography")
                self.view._onSelectProtocols(widget)
            if isinstance(widget, tkinter.PanedWindow):
                if str(widget["orient"]) == "horizontal" and widget.panes():
                    widget.sash_place(0, TREE_WIDTH, 1)
        tree = self.view.protTree
        for item in self.descendants(tree, ""):
            wanted = tree.item(item, "text") in ("Tomography", "Particles", "Picking")
            tree.item(item, open=wanted)
        self.view._selectItemProtocol(self.run_of("ProtEtPickerTrain"))

    def descendants(self, tree, item):
        found = []
        for child in tree.get_children(item):
            found += [child, *self.descendants(tree, child)]
        return found

    def widgets(self, parent):
        found = []
        for child in parent.winfo_children():
            found += [child, *self.widgets(child)]
        return found

    def open_viewer(self, class_name, parameter) -> None:
        self.root.after(900, lambda: self.viewer._visualizeParam(parameter))
        run = self.run_of(class_name)
        (viewer,) = self.view.domain.findViewers(run, "tkinter")
        self.viewer = viewer(
            project=self.window.project, protocol=run, parent=self.window
        )
        self.viewer.visualize(run, windows=self.window)


def take_pictures(project: str) -> None:
    """Open the project's window and walk through it."""
    import pyworkflow as pw
    from pyworkflow.gui.project import ProjectWindow
    from pyworkflow.project import Manager

    pw.Config.setDomain("pwem")
    IMAGES.mkdir(exist_ok=True)
    window = ProjectWindow(Manager().getProjectPath(project))
    Photographer(window).start()
    window.show()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("project", nargs="?", help="name of a finished project")
    parser.add_argument("--verdict", type=Path, help="report.html of a validation")
    parser.add_argument(INSIDE, action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.verdict:
        photograph_page(arguments.verdict, "verdict_report", height=VERDICT_HEIGHT)
    if arguments.project is None:
        return 0
    if not arguments.inside:
        return run_on_virtual_screen(arguments.project)
    take_pictures(arguments.project)
    return 0


if __name__ == "__main__":
    sys.exit(main())
