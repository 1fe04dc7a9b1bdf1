"""The pages at the right: annotate, live, judge, suggest."""

from collections.abc import Sequence

from PyQt5.QtWidgets import QTabWidget, QWidget

from etpicker_plugin.window.keys import KEYS
from etpicker_plugin.window.qt.frame import scrolled
from etpicker_plugin.window.qt.key_press import mnemonic

ANNOTATE, LIVE, JUDGE, SUGGEST = range(4)


class Pages(QTabWidget):
    """Four pages that scroll where the screen is low."""

    def __init__(
        self,
        annotate: Sequence[QWidget],
        live: QWidget,
        judge: QWidget,
        suggest: QWidget,
    ) -> None:
        super().__init__()
        for text, name, page in (
            ("Annotate", "page_annotate", scrolled(*annotate)),
            ("Live", "page_live", scrolled(live, stretch=True)),
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

    def is_live(self) -> bool:
        """Return whether the page of the live picker is shown."""
        return self.currentIndex() == LIVE

    def grey_live(self, reason: str) -> None:
        """Grey the page of the live picker, and say why; not without a reason."""
        self.setTabEnabled(LIVE, not reason)
        self.setTabToolTip(LIVE, reason)
