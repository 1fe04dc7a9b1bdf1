"""``etpicker live``: lines of questions on stdin, lines of answers on stdout."""

import logging
import sys
from pathlib import Path
from typing import Any

from etpicker_plugin.engine.config.live import LiveConfig
from etpicker_plugin.engine.errors import ConfigError, EtPickerError
from etpicker_plugin.engine.live.inbox import Inbox
from etpicker_plugin.engine.live.requests import Save, Solve
from etpicker_plugin.engine.live.saving import save_answer
from etpicker_plugin.engine.live.session import Session
from etpicker_plugin.engine.live.telling import tell
from etpicker_plugin.engine.progress import Progress

logger = logging.getLogger(__name__)


def live(config: LiveConfig, out_dir: Path, *, on_progress: Progress) -> None:
    """Answer questions until stdin ends or nobody reads the answers.

    Raises
    ------
    CheckpointError, ConfigError, ResourceError
        If the network or the device cannot be used.
    """
    inbox = Inbox(sys.stdin)
    session = Session(config, out_dir)
    try:
        tell({"event": "ready"})
        while (item := inbox.take()) is not None:
            if isinstance(item, ConfigError):
                _refuse(item, None)
            elif isinstance(item, Save):
                _save(item, session)
            else:
                _solve(item, session, inbox)
    except BrokenPipeError:
        logger.info("Nobody reads the answers any more.")


def _solve(request: Solve, session: Session, inbox: Inbox) -> None:
    """Answer a question until there is a newer one."""
    try:
        for step in session.solve(request):
            if step is not None:
                tell(step)
            while inbox.next_is(Save) and session.has_answered(request):
                _save(inbox.take(), session)
            if inbox.next_is(Solve, ConfigError, type(None)):
                return
    except EtPickerError as error:
        _refuse(error, request.number)
        tell({"event": "solved", "number": request.number})


def _save(request: Any, session: Session) -> None:
    try:
        save_answer(session.answer, session.config, session.base, Path(request.path))
        tell({"event": "saved", "path": request.path})
    except EtPickerError as error:
        _refuse(error, None)


def _refuse(error: EtPickerError, number: int | None) -> None:
    logger.warning("%s", error)
    tell({"event": "refused", "number": number, "text": str(error)})
