"""Works Scipion's window as a person does: runs, forms, dialogs."""

import time
import tkinter
from pathlib import Path
from tkinter import ttk
from typing import Any

from screen_driver import SLOW_S, room, wait_for, xdotool
from tk_driver import TRIES, TkDriver

RUN_WAIT_S = 2400
PROJECT_SIZE, PROJECT_CORNER = (1360, 800), (40, 40)
MENU_BAR = 32
"""Pixels of the project's menu, which Tk does not count."""

FORM_CORNER = (220, 10)
SELECT, WIZARD = 0, -2
"""Buttons beside a parameter: the first looks for inputs, the last but one is the
wand (after it comes the question mark)."""


class Scipion(TkDriver):
    """Scipion's project window and its forms and dialogs."""

    def __init__(self, window: Any) -> None:
        super().__init__(window.root)
        self.window = window
        self.view = window.viewWidget

    def statuses(self) -> dict[str, str]:
        """Return the status of every run by its name."""
        runs = self.ask(lambda: self.window.project.getRuns(refresh=True))
        return {run.getRunName(): run.getStatus() for run in runs}

    def wait_run(self, name: str, status: str = "finished") -> None:
        """Wait until a run has a status; fail if it failed."""

        def arrived() -> bool:
            found = self.statuses().get(name)
            if found == "failed":
                raise RuntimeError(f"{name} failed")
            return found == status

        wait_for(arrived, what=f"{name} {status}", within_s=RUN_WAIT_S, every_s=3)
        time.sleep(SLOW_S)

    def wait_output(self, name: str, output: str) -> None:
        """Wait until a run has an output."""

        def is_there() -> bool:
            runs = self.ask(lambda: self.window.project.getRuns(refresh=True))
            return any(
                run.getRunName() == name and hasattr(run, output) for run in runs
            )

        wait_for(is_there, what=f"{name}: {output}")

    def place(self) -> None:
        """Give the project's window its size and place, as far as there is room."""
        self.ask(lambda: self.root.attributes("-zoomed", False))
        time.sleep(SLOW_S)
        width, height = PROJECT_SIZE
        width, height, x, y = room().place(width, height + MENU_BAR, PROJECT_CORNER)
        place = f"{width}x{height - MENU_BAR}+{x}+{y}"
        self.ask(lambda: self.root.geometry(place))
        self.settle()

    def open_tree(self, *sections: str) -> None:
        """Show these sections of the tree of protocols, and nothing else."""

        def show() -> None:
            tree = self.view.protTree
            for item in self._items(tree, ""):
                tree.item(item, open=tree.item(item, "text") in sections)

        self.ask(show)

    def _items(self, tree: Any, item: str) -> list[str]:
        children = tree.get_children(item)
        return [i for child in children for i in (child, *self._items(tree, child))]

    def open_protocol(self, text: str) -> Any:
        """Double-click a protocol in the tree; return its form."""
        tree = self.view.protTree

        def place() -> Any:
            items = self._items(tree, "")
            item = next(i for i in items if tree.item(i, "text").strip() == text)
            tree.see(item)
            return tree.bbox(item)

        def double_click() -> None:
            x, y, _, height = self.ask(place)
            self.click(tree, (x + 60, y + height // 2), times=2)

        return self.pull_up(self.window_of(double_click, text))

    def pull_up(self, form: Any) -> Any:
        """Put a form where all of it is on the screen, and return it.

        Scipion puts it in the middle of the project's window before it knows how large
        it is; a person drags it up by its title.
        """
        size = form.winfo_width(), form.winfo_height()
        _, _, x, y = room().place(*size, FORM_CORNER)
        self.ask(lambda: form.geometry(f"+{x}+{y}"))
        self.settle()
        return form

    def choose_run(self, name: str) -> None:
        """Click a run's box, as often as it takes: the graph may be drawn anew."""
        canvas = self.view.runsGraphCanvas

        def place() -> tuple[int, int]:
            boxes = [i for i in canvas.items.values() if hasattr(i, "text")]
            # A star marks plugins that are installed for development.
            names = [box.text.split("\n")[0].removeprefix("* ") for box in boxes]
            box = boxes[names.index(name)]
            return int(box.x - canvas.canvasx(0)), int(box.y - canvas.canvasy(0))

        def chosen() -> str:
            run = self.view.getSelectedProtocol()
            return run.getRunName() if run else ""

        self.ask(self.view.refreshRuns)
        for _ in range(TRIES):
            self.click(canvas, self.ask(place))
            time.sleep(SLOW_S)
            if self.ask(chosen) == name:
                return
        raise TimeoutError(f"{name}: not chosen after {TRIES} clicks")

    def analyze(self, name: str) -> Any:
        """Choose a run and click 'Analyze Results'; return the new window."""
        self.choose_run(name)
        viewer = self.window_of(
            lambda: self.click(self.view.btnAnalyze), f"results of {name}"
        )
        return self.pull_up(viewer)

    # --------------------------- forms ----------------------------------------
    def parts(self, form: Any, label: str) -> tuple[Any, list[Any]]:
        """Return what a parameter is entered into, and the buttons beside it."""
        name = self.find(form, tkinter.Label, label)

        def beside() -> tuple[Any, list[Any]]:
            row = name.grid_info()["row"]
            slaves = name.master.grid_slaves(row=row)
            by_column = {int(s.grid_info()["column"]): s for s in slaves}
            buttons = by_column[2].winfo_children()
            buttons.sort(key=lambda button: button.grid_info()["column"])
            return by_column.get(1), buttons

        return self.ask(beside)

    def fill(self, form: Any, label: str, text: str) -> None:
        """Type a parameter's value."""
        content, _ = self.parts(form, label)
        entry = self.find(content, tkinter.Entry)
        self.click(entry)
        xdotool("key", "Home", "shift+End")
        self.type(text)
        wait_for(lambda: self.ask(entry.get) == text, what=f"{label}: {text}")

    def choose(self, form: Any, label: str, choice: str) -> None:
        """Choose from a parameter's list."""
        content, _ = self.parts(form, label)
        combo = self.find(content, ttk.Combobox)
        steps = combo["values"].index(choice) - combo.current()
        self.click(combo)
        for _ in range(abs(steps)):
            xdotool("key", "Down" if steps > 0 else "Up")
        xdotool("key", "Return")
        wait_for(lambda: self.ask(combo.get) == choice, what=f"{label}: {choice}")

    def link(self, form: Any, label: str, wanted: str, *, photo: Path | None = None):
        """Choose an input from the list of the project's objects."""
        _, buttons = self.parts(form, label)
        self.click(buttons[SELECT])
        dialog = self.wait_window("Select object")
        tree = self.find(dialog, ttk.Treeview)

        def place() -> Any:
            # Labels hide an output's name; the row's own name has it.
            rows = {f"{i} {tree.item(i, 'text')}": i for i in tree.get_children()}
            return tree.bbox(next(rows[name] for name in rows if wanted in name))

        x, y, _, height = self.ask(place)
        self.click(tree, (x + 60, y + height // 2))
        if photo is not None:
            self.photograph(dialog, photo)
        self.press(dialog, "Select")

    def show(self, viewer: Any, label: str) -> None:
        """Click the eye beside a result."""
        _, buttons = self.parts(viewer, label)
        self.click(buttons[0])

    def show_tab(self, form: Any, text: str) -> None:
        """Click a form's tab."""
        book = self.find(form, ttk.Notebook)

        def place() -> tuple[int, int]:
            index = [book.tab(t, "text").strip() for t in book.tabs()].index(text)
            for x in range(0, book.winfo_width(), 4):
                if book.tk.call(book, "identify", "tab", x, 8) == index:
                    return x + 8, 8
            raise LookupError(text)

        self.click(book, self.ask(place))

    def execute(
        self, form: Any, *, photo: Path | None = None, warned: bool = False
    ) -> None:
        """Photograph a form, click 'Execute', and say yes to its warning."""
        if photo is not None:
            self.photograph(form, photo)
        self.press(form, "Execute")
        if warned:
            self.press(self.wait_window("There are some warnings"), "Yes")
        wait_for(lambda: form not in self.windows(), what="a form without errors")
