"""From Qt's key events to the names of keys in ``keys``, and to letters underlined."""

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QKeyEvent, QKeySequence

from etpicker_plugin.window.keys import Binding


def key_text(event: QKeyEvent) -> str:
    """Return the key as ``keys`` names it; one of the number pad as any other."""
    modifiers = int(event.modifiers() & ~Qt.KeypadModifier)
    return QKeySequence(modifiers | event.key()).toString(QKeySequence.PortableText)


def mnemonic(text: str, binding: Binding) -> str:
    """Return the text with the letter marked that its ``Alt+`` key names."""
    letter = binding.keys[0].rpartition("+")[2]
    place = text.lower().index(letter.lower())
    return f"{text[:place]}&{text[place:]}"
