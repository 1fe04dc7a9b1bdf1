"""The window that shows slices: Tk, so that it works over a plain X connection."""

import math
import tkinter as tk
from collections.abc import Sequence
from tkinter import ttk

import numpy as np
from matplotlib.backends.backend_tkagg import FigureCanvasTkAgg
from matplotlib.figure import Figure

from etpicker_plugin.engine.io.tomogram import read_tomogram
from etpicker_plugin.viewers.slices import PickedTomogram, draw_slice

SCORE_STEPS = 100


class SliceWindow(tk.Toplevel):
    """List of tomograms on the left; slice, z, thickness and score on the right."""

    def __init__(self, parent, items: Sequence[PickedTomogram], *, title: str) -> None:
        super().__init__(parent)
        self.title(title)
        self.geometry("1000x760")
        self._items = list(items)
        self._item, self._data = self._items[0], None
        self._build_list()
        self._build_slice()
        self._tree.selection_set("0")

    def _build_list(self) -> None:
        frame = tk.Frame(self)
        frame.pack(side=tk.LEFT, fill=tk.Y, padx=4, pady=4)
        self._tree = ttk.Treeview(frame, columns=("picks",), selectmode="browse")
        self._tree.heading("#0", text="Tomogram")
        self._tree.heading("picks", text="Picks")
        self._tree.column("#0", width=170)
        self._tree.column("picks", width=60, anchor=tk.E)
        for i, item in enumerate(self._items):
            name, count = item.particles.tomogram_id, len(item.particles)
            self._tree.insert("", tk.END, iid=str(i), text=name, values=(count,))
        self._tree.pack(fill=tk.Y, expand=True)
        self._tree.bind("<<TreeviewSelect>>", self._select)

    def _build_slice(self) -> None:
        frame = tk.Frame(self)
        frame.pack(side=tk.LEFT, fill=tk.BOTH, expand=True)
        self._figure = Figure(figsize=(7, 6.5))
        self._canvas = FigureCanvasTkAgg(self._figure, master=frame)
        self._z = self._add_scale(frame, "z [voxels]", 0, 1)
        self._thickness = self._add_scale(frame, "slab [voxels]", 1, 21)
        self._thickness.set(5)
        self._score = self._add_scale(frame, "lowest score", 0.0, 1.0, step=0.01)
        self._canvas.get_tk_widget().pack(fill=tk.BOTH, expand=True)
        self._canvas.mpl_connect("scroll_event", self._scroll)
        self.bind("<Up>", lambda _event: self._z.set(self._z.get() + 1))
        self.bind("<Down>", lambda _event: self._z.set(self._z.get() - 1))

    def _add_scale(self, parent, label, low, high, *, step=1) -> tk.Scale:
        row = tk.Frame(parent)
        row.pack(side=tk.BOTTOM, fill=tk.X, padx=8)
        tk.Label(row, text=label, width=14, anchor=tk.W).pack(side=tk.LEFT)
        scale = tk.Scale(
            row,
            from_=low,
            to=high,
            resolution=step,
            orient=tk.HORIZONTAL,
            command=self._draw,
        )
        scale.pack(side=tk.LEFT, fill=tk.X, expand=True)
        return scale

    def _select(self, _event) -> None:
        """Open the chosen tomogram at its middle slice."""
        self._item = self._items[int(self._tree.selection()[0])]
        self._data = read_tomogram(self._item.path, self._item.voxel_size).data
        self._z.configure(to=len(self._data) - 1)
        self._z.set(len(self._data) // 2)
        self._set_score_range()
        self._draw()

    def _set_score_range(self) -> None:
        """Let the scale reach from the lowest to the highest score."""
        scores = self._item.particles.scores
        known = scores[np.isfinite(scores)]
        low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
        step = max((high - low) / SCORE_STEPS, 1e-6)
        # Tk rounds to multiples of the step; the lowest score must stay shown.
        low = math.floor(low / step) * step
        self._score.configure(from_=low, to=high, resolution=step)
        self._score.set(low)

    def _scroll(self, event) -> None:
        self._z.set(self._z.get() + (1 if event.button == "up" else -1))

    def _draw(self, _value=None) -> None:
        if self._data is None:
            return
        draw_slice(
            self._figure,
            self._item,
            self._data,
            z=int(self._z.get()),
            thickness=int(self._thickness.get()),
            least_score=float(self._score.get()) - 1e-6,
        )
        self._canvas.draw_idle()
