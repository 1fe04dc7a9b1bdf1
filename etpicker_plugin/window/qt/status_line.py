"""The line at the foot: what was said, where the mouse is, how much is safe."""

from PyQt5.QtWidgets import QLabel, QStatusBar

from etpicker_plugin.window.qt.editor import Editor
from etpicker_plugin.window.qt.view_state import ViewState

SAID_MS = 4000


class StatusLine(QStatusBar):
    """Messages to the left, place and edits to the right."""

    def __init__(self) -> None:
        super().__init__()
        self.live = QLabel()
        self.addWidget(self.live)
        self.place = QLabel()
        self.place.setObjectName("place")
        self.saved = QLabel()
        self.saved.setProperty("faint", True)
        self.addPermanentWidget(self.place)
        self.addPermanentWidget(self.saved)

    def say(self, text: str) -> None:
        """Show a message for a while."""
        self.showMessage(text, SAID_MS)

    def show_live(self, text: str) -> None:
        """Show what the live picker does; a message hides it for a while."""
        self.live.setText(text)

    def follow(self, editor: Editor, state: ViewState) -> None:
        """Show what an editor says, and where the cursor is."""
        self._editor, self._state = editor, state
        editor.said.connect(self.say)
        state.cursor_moved.connect(self.show_cursor)

    def show_cursor(self) -> None:
        """Show where the cursor is."""
        self.show_place(self._state.cursor_zyx)

    def show_place(self, position_zyx: object) -> None:
        """Show a position in voxels and in Å."""
        voxel_size = self._editor.document.volume.voxel_size
        z, y, x = (float(p) for p in position_zyx)
        self.place.setText(
            f"x {x:.1f}  y {y:.1f}  z {z:.1f} voxels     "
            f"{x * voxel_size:.0f}, {y * voxel_size:.0f}, {z * voxel_size:.0f} Å"
        )

    def show_edits(self, count: int) -> None:
        """Show how many edits of the open tomogram are on disk."""
        self.saved.setText(f"{count:,} edits saved" if count else "no edits")
