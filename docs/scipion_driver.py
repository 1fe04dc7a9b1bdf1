"""Works Scipion's window as a person does, with real clicks and keys.

What to click is found by what is written on it. The driver runs in a thread beside the
window's own loop, in the same process, and asks Tk for the places of widgets only.
"""

import contextlib
import queue
import time
import tkinter
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from tkinter import ttk
from typing import Any

from screen_driver import SETTLE_S, SLOW_S, WAIT_S, save_picture, wait_for, xdotool

RUN_WAIT_S = 2400
WINDOW_WAIT_S = 30
TRIES = 5
SELECT, WIZARD = 0, -2
"""Buttons beside a parameter: the first looks for inputs, the last but one is the
wand (after it comes the question mark)."""


def written_on(widget: Any) -> str:
    """Return a widget's text; Scipion writes Å in two ways."""
    return unicodedata.normalize("NFC", str(widget.cget("text"))).strip()


class Scipion:
    """Scipion's project window and its forms and dialogs."""

    def __init__(self, window: Any) -> None:
        self.window = window
        self.root = window.root
        self.view = window.viewWidget

    # --------------------------- asking ---------------------------------------
    def ask(self, question: Callable[[], Any]) -> Any:
        """Return what a function gives in the window's own thread."""
        answers: queue.Queue[Any] = queue.Queue()

        def answer() -> None:
            try:
                answers.put((question(), None))
            except Exception as error:  # noqa: BLE001  # raised again where it was asked
                answers.put((None, error))

        self.root.after(0, answer)
        found, error = answers.get(timeout=WAIT_S)
        if error is not None:
            raise error
        return found

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

    def windows(self) -> list[Any]:
        """Return the Tk windows that can be seen, the oldest first."""

        def below(parent: Any) -> Iterator[Any]:
            for child in parent.winfo_children():
                if isinstance(child, tkinter.Toplevel) and child.winfo_viewable():
                    yield child
                yield from below(child)

        return self.ask(lambda: list(below(self.root)))

    def wait_window(self, title: str) -> Any:
        """Return the newest window whose title begins so, once it is there."""

        def found() -> Any:
            titled = [w for w in self.windows() if w.title().startswith(title)]
            return titled[-1] if titled else None

        window = wait_for(found, what=f"window '{title}'")
        time.sleep(SLOW_S)
        return window

    def find(self, parent: Any, kind: type, text: str = "") -> Any:
        """Return the first visible widget of a kind with this text."""

        def below(widget: Any) -> Iterator[Any]:
            for child in widget.winfo_children():
                yield child
                yield from below(child)

        def match() -> Any:
            for child in below(parent):
                if isinstance(child, kind) and child.winfo_viewable():
                    if not text or written_on(child) == text:
                        return child
            return None

        return wait_for(lambda: self.ask(match), what=f"{kind.__name__} '{text}'")

    def place(self, geometry: str) -> None:
        """Give the project's window this size and place."""
        self.ask(lambda: self.root.attributes("-zoomed", False))
        time.sleep(SLOW_S)
        self.ask(lambda: self.root.geometry(geometry))
        self.settle()

    # --------------------------- clicking -------------------------------------
    def click(self, widget: Any, at: tuple[int, int] | None = None, times: int = 1):
        """Click the middle of a widget, or a pixel of it."""
        x, y = at or (widget.winfo_width() // 2, widget.winfo_height() // 2)
        xdotool("mousemove", widget.winfo_rootx() + x, widget.winfo_rooty() + y)
        time.sleep(0.3)
        xdotool("click", "--repeat", times, "--delay", 120, 1)
        self.settle()

    def settle(self) -> None:
        """Wait until the window has done what was asked of it, however busy it is."""
        for _ in range(2):
            time.sleep(SETTLE_S / 2)
            self.ask(self.root.update_idletasks)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        xdotool("type", "--delay", 25, text)
        self.settle()

    def press(self, parent: Any, text: str) -> None:
        """Click the button with this text."""
        self.click(self.find(parent, tkinter.Button, text))

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

        return self._window_of(double_click, text)

    def _window_of(self, act: Callable[[], None], what: str) -> Any:
        """Return the window that an act opens; it is done again if none comes."""
        before = set(self.windows())

        def new() -> list[Any]:
            return [w for w in self.windows() if w not in before]

        for _ in range(TRIES):
            act()
            with contextlib.suppress(TimeoutError):
                found = wait_for(new, what=what, within_s=WINDOW_WAIT_S)
                time.sleep(SLOW_S)
                return found[-1]
        raise TimeoutError(f"{what}: no window after {TRIES} tries")

    def choose_run(self, name: str) -> None:
        """Click a run's box."""
        canvas = self.view.runsGraphCanvas

        def place() -> tuple[int, int]:
            items = canvas.items.values()
            item = next(i for i in items if i.getText().split("\n")[0] == name)
            return int(item.x - canvas.canvasx(0)), int(item.y - canvas.canvasy(0))

        self.click(canvas, self.ask(place))
        time.sleep(SLOW_S)

    def analyze(self, name: str) -> Any:
        """Choose a run and click 'Analyze Results'; return the new window."""
        self.choose_run(name)
        return self._window_of(
            lambda: self.click(self.view.btnAnalyze), f"results of {name}"
        )

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
        xdotool("key", "ctrl+a")
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
        self.settle()

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

    def execute(self, form: Any, *, photo: Path | None = None) -> None:
        """Photograph a form, and click 'Execute'."""
        if photo is not None:
            self.photograph(form, photo)
        self.press(form, "Execute")

    # --------------------------- pictures -------------------------------------
    def photograph(self, window: Any, path: Path, *, width: int | None = None) -> None:
        """Save what the screen shows of a Tk window."""
        window.lift()
        time.sleep(SETTLE_S)
        size = f"{window.winfo_width()}x{window.winfo_height()}"
        place = f"{size}+{window.winfo_rootx()}+{window.winfo_rooty()}"
        save_picture(path, place=place, width=width)
