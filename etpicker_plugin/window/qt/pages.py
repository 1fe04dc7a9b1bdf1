"""The pages at the right: annotate, judge, suggest."""

from collections.abc import Sequence

from PyQt5.QtWidgets import QTabWidget, QWidget

from etpicker_plugin.window.keys import KEYS
from etpicker_plugin.window.qt.frame import scrolled
from etpicker_plugin.window.qt.key_press import mnemonic

ANNOTATE, JUDGE, SUGGEST = range(3)


class Pages(QTabWidget):
    """Three pages that scroll where the screen is low."""

    def __init__(
        self, annotate: Sequence[QWidget], judge: QWidget, suggest: QWidget
    ) -> None:
        super().__init__()
        for text, name, page in (
            ("Annotate", "page_annotate", scrolled(*annotate)),
            ("Judge", "page_judge", scrolled(judge, stretch=True)),
            ("Suggest", "page_suggest", scrolled(suggest)),
        ):
            self.addTab(page, mnemonic(text, KEYS[name]))

    def judge(self) -> None:
        """Turn to the page for judging."""
        self.setCurrentIndex(JUDGE)

    def is_judging(self) -> bool:
        """Return whether the page for judging is shown."""
        return self.currentIndex() == JUDGE
