"""Questions before a class goes: into another, or away."""

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QMessageBox, QWidget

from etpicker_plugin.window.document.class_changes import picks_of
from etpicker_plugin.window.qt.editor import Editor


def rename(parent: QWidget, editor: Editor, name: str, new: str) -> None:
    """Rename a class; ask first if another class has the name."""
    if new not in editor.session.classes.names() or _agreed(
        parent,
        f"There is a class {new} already. Make the {picks_of(editor.session, name):,} "
        f"picks of {name} picks of {new}? Undo parts them again.",
        "Make one class",
    ):
        editor.rename_class(name, new)


def remove(parent: QWidget, editor: Editor, name: str) -> None:
    """Remove a class; ask first if it has picks."""
    count = picks_of(editor.session, name)
    if not count or _agreed(
        parent,
        f"Remove {name} with its {count:,} picks, in all tomograms? Undo brings them "
        "back.",
        "Remove",
    ):
        editor.remove_class(name)


def _agreed(parent: QWidget, text: str, yes: str) -> bool:
    question = QMessageBox(QMessageBox.Question, "etpicker", text, parent=parent)
    question.setTextFormat(Qt.PlainText)
    agree = question.addButton(yes, QMessageBox.AcceptRole)
    question.addButton(QMessageBox.Cancel)
    question.exec_()
    return question.clickedButton() is agree
