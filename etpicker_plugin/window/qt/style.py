"""The dark look of the window."""

from PyQt5.QtGui import QColor, QPalette
from PyQt5.QtWidgets import QApplication

BACKGROUND = "#16181d"
PANEL = "#1f232b"
RAISED = "#2a2f3a"
LINE = "#363c49"
TEXT = "#d8dee9"
FAINT = "#8b93a5"
ACCENT = "#7aa2f7"
WARNING = "#ffcc66"

STYLE_SHEET = f"""
QWidget {{ color: {TEXT}; font-size: 12px; }}
QMainWindow, QDialog {{ background: {BACKGROUND}; }}
QToolBar {{ background: {PANEL}; border: 0; border-bottom: 1px solid {LINE};
    padding: 3px 6px; spacing: 3px; }}
QToolBar::separator {{ background: {LINE}; width: 1px; margin: 4px 4px; }}
QToolButton {{ padding: 4px 6px; border: 1px solid transparent; border-radius: 4px; }}
QToolButton:hover {{ background: {RAISED}; }}
QToolButton:checked {{ background: {ACCENT}; color: #10131a; }}
QToolButton:disabled {{ color: #5a6272; }}
QDockWidget {{ font-weight: bold; }}
QDockWidget::title {{ background: {PANEL}; padding: 5px 8px; }}
QGroupBox {{ background: {PANEL}; border: 1px solid {LINE}; border-radius: 5px;
    margin-top: 9px; padding: 8px 6px 6px 6px; }}
QGroupBox::title {{ subcontrol-origin: margin; left: 8px; color: {FAINT}; }}
QTabWidget::pane {{ border: 1px solid {LINE}; background: {PANEL}; }}
QTabBar::tab {{ background: {BACKGROUND}; color: {FAINT}; padding: 6px 11px; }}
QTabBar::tab:selected {{ background: {PANEL}; color: {TEXT};
    border-bottom: 2px solid {ACCENT}; }}
QTableWidget, QListView {{ background: {BACKGROUND}; gridline-color: {LINE};
    border: 1px solid {LINE}; selection-background-color: #33415e;
    selection-color: {TEXT}; }}
QHeaderView::section {{ background: {PANEL}; color: {FAINT}; border: 0;
    padding: 4px 5px; }}
QPushButton {{ background: {RAISED}; border: 1px solid {LINE}; border-radius: 4px;
    padding: 4px 10px; }}
QPushButton:hover {{ border-color: {ACCENT}; }}
QPushButton:disabled {{ color: #5a6272; }}
QPushButton[small="true"] {{ padding: 2px 8px; }}
QCheckBox::indicator {{ width: 11px; height: 11px; border: 1px solid {FAINT};
    border-radius: 3px; background: {BACKGROUND}; }}
QCheckBox::indicator:checked {{ background: {ACCENT}; border-color: {ACCENT}; }}
QSlider::groove:horizontal {{ height: 4px; background: {LINE}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: 12px; margin: -5px 0; border-radius: 6px;
    background: {ACCENT}; }}
QFrame#chip {{ background: {BACKGROUND}; border: 1px solid {LINE};
    border-radius: 4px; }}
QFrame#chip[chosen="true"] {{ border-color: {ACCENT}; background: #33415e; }}
QFrame#chip QToolButton {{ padding: 2px; }}
QFrame#chip QPushButton {{ background: transparent; border: 0; padding: 4px 1px;
    text-align: left; }}
QFrame#chip[shown="false"] QPushButton {{ color: {FAINT}; }}
QFrame#hint {{ background: #3a3322; border: 0; border-bottom: 1px solid {WARNING}; }}
QFrame#hint QLabel {{ color: {WARNING}; }}
QLabel#trouble {{ color: {WARNING}; }}
QStatusBar {{ background: {PANEL}; border-top: 1px solid {LINE}; }}
QStatusBar::item {{ border: 0; }}
QLabel[faint="true"] {{ color: {FAINT}; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; }}
"""


def dress(application: QApplication) -> None:
    """Give the application the dark look."""
    application.setStyle("Fusion")
    palette = QPalette()
    for role, colour in (
        (QPalette.Window, PANEL),
        (QPalette.WindowText, TEXT),
        (QPalette.Base, BACKGROUND),
        (QPalette.AlternateBase, PANEL),
        (QPalette.Text, TEXT),
        (QPalette.Button, RAISED),
        (QPalette.ButtonText, TEXT),
        (QPalette.Highlight, "#33415e"),
        (QPalette.HighlightedText, TEXT),
        (QPalette.ToolTipBase, RAISED),
        (QPalette.ToolTipText, TEXT),
    ):
        palette.setColor(role, QColor(colour))
    application.setPalette(palette)
    application.setStyleSheet(STYLE_SHEET)
