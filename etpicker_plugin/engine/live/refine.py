"""``etpicker refine``: a training from the answers so far, and whether it is better."""

import errno
import glob
import logging
import os
import shutil
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path
from typing import TextIO

from etpicker_plugin.engine.config.refine import FEWEST_PARTICLES, RefineConfig
from etpicker_plugin.engine.disk import cannot_write
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.live.comparing import find_held_out
from etpicker_plugin.engine.live.held_out import Count, count_all, hold_out, judge
from etpicker_plugin.engine.live.learning import training_config
from etpicker_plugin.engine.live.requests import Marks, Solve, read_request
from etpicker_plugin.engine.live.session import Session
from etpicker_plugin.engine.live.telling import tell
from etpicker_plugin.engine.progress import Progress, ProgressEvent, report_to
from etpicker_plugin.engine.training.run import MODEL_NAME
from etpicker_plugin.engine.training.train import train

logger = logging.getLogger(__name__)

NICENESS = 15
"""It gives way to the window, and to the live picker."""


def refine(config: RefineConfig, out_dir: Path, *, on_progress: Progress) -> None:
    """Train on most of the answers; compare with the live model on the others.

    What is compared is what would show candidates: the live model, whose head follows
    from the answers that were not held out, and the trained one, taught by the same.

    Raises
    ------
    ConfigError, InputDataError, CheckpointError, ResourceError
        If there is too little to learn from, or something cannot be used or written.
    """
    os.nice(NICENESS)
    end_with(sys.stdin)
    request = read_marks(Path(config.marks))
    kept, held = hold_out(request)
    # First, as it tells at once of a tomogram that is another now.
    live = _find(config, config.model, Path(config.features), kept, held)
    require_room(config, kept, out_dir)
    told = report_to([on_progress, _tell_progress])
    training = training_config(config, kept, out_dir / "training")
    trained = train(training, out_dir / "training", on_progress=told)
    model = out_dir / MODEL_NAME
    os.replace(trained, model)
    refined = _find(config, str(model), out_dir, kept, held)
    of = count_all(held)
    verdict = judge(refined, live, of)
    logger.info("Of %s: the live model %s, refined %s: %s", of, live, refined, verdict)
    tell(
        {
            "event": "refined",
            "verdict": verdict,
            "held_out": asdict(of),
            "live": asdict(live),
            "refined": asdict(refined),
        }
    )


def read_marks(path: Path) -> Solve:
    """Return the question in a file.

    Raises
    ------
    ConfigError
        If it is none, or has too few particles to be learnt from.
    """
    try:
        request = read_request(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--marks {path}: it cannot be read ({error}).") from error
    if not isinstance(request, Solve):
        raise ConfigError(f"--marks {path}: it holds no marks.")
    particles = count_all(request.marks).particles
    if particles < FEWEST_PARTICLES:
        raise ConfigError(
            f"{particles} particle(s) are marked or accepted, expected "
            f"{FEWEST_PARTICLES} or more: of fewer a training learns nothing that Live "
            "does not know. Answer some more."
        )
    return request


def require_room(config: RefineConfig, kept: Solve, out_dir: Path) -> None:
    """See, before it learns for minutes, that there is room for what it will see.

    That is as much as what the live picker sees in the same tomograms.

    Raises
    ------
    ResourceError
        Saying how much there is, and how much it takes.
    """
    needed = sum(
        file.stat().st_size
        for name in filter(kept.has_marks, config.names())
        for file in Path(config.features).glob(f"{glob.escape(name)}_*A.features")
    )
    if shutil.disk_usage(out_dir).free < needed:
        what = "What the refined model sees in the tomograms"
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise cannot_write(what, out_dir / "features", full, needed=needed)


def _find(
    config: RefineConfig, model: str, folder: Path, kept: Solve, held: Marks
) -> Count:
    session = Session(replace(config, model=model), folder)
    return find_held_out(session, kept, held, on_progress=_tell_progress)


def _tell_progress(event: ProgressEvent) -> None:
    tell(
        {
            "event": "refining",
            "what": event.stage,
            "done": event.done,
            "total": event.total,
            "left_s": event.left_s,
        }
    )


def end_with(stream: TextIO) -> None:
    """End the process when nobody waits for it any more: its stdin ends then."""

    def wait() -> None:
        for _ in stream:
            pass
        os._exit(os.EX_TEMPFAIL)

    threading.Thread(target=wait, daemon=True).start()
