"""Opens Analyze Results of a project's runs in Scipion's window, with some plots.

    python -m etpicker_plugin.tests.support.results_probe PROJECT NAME... -- RUN...

Prints as JSON, for each run by its number, how many windows of plots are open after
each plot of those names. Run in a process of its own, as Scipion's window is: where Qt
runs, as in other tests, matplotlib opens no window of Tk's.
"""

from __future__ import annotations

import json
import sys

import matplotlib.pyplot as plt
import pyworkflow as pw
import pyworkflow.gui.project  # first: they import one another
from pyworkflow.gui import Window
from pyworkflow.project import Project
from pyworkflow.viewer import DESKTOP_TKINTER

BEGIN_MS = 500


def main() -> None:
    """Open the runs' results one after another, and print what was there."""
    path, *words = sys.argv[1:]
    plots, runs = words[: words.index("--")], words[words.index("--") + 1 :]
    project = Project(pw.Config.getDomain(), path)
    project.load()
    found = {run: analyze(project, int(run), plots) for run in runs}
    sys.stdout.write(json.dumps(found))


def analyze(project: Project, run: int, plots: list[str]) -> dict[str, int]:
    """Open a run's results and its plots; return how many windows there were."""
    protocol = project.getProtocol(run)
    viewer_class, *_ = pw.Config.getDomain().findViewers(
        protocol.getClassName(), DESKTOP_TKINTER
    )
    viewer = viewer_class(project=project, protocol=protocol)
    master = Window("tests")
    found = {}

    def look() -> None:
        # What goes wrong in here Tk only prints: the loop is to end all the same.
        try:
            viewer.formWindow.root.update()
            for name in viewer._getVisualizeDict():
                if name in plots:
                    viewer._visualizeParam(name)
                    found[name] = len(plt.get_fignums())
            plt.close("all")
            viewer.formWindow.root.destroy()
        finally:
            master.root.quit()

    master.root.after(BEGIN_MS, look)
    viewer.visualize(protocol, windows=master)
    master.root.destroy()
    return found


if __name__ == "__main__":
    main()
