"""The command line: flags from the configs, progress, logs and exit codes."""

import argparse
import importlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from etpicker_plugin.engine import torchrun
from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.average import AverageConfig
from etpicker_plugin.engine.config.compare import CompareConfig
from etpicker_plugin.engine.config.convert import ConvertConfig
from etpicker_plugin.engine.config.doctor import DoctorConfig
from etpicker_plugin.engine.config.evaluate import EvaluateConfig
from etpicker_plugin.engine.config.exemplars import ExemplarsConfig
from etpicker_plugin.engine.config.extract import ExtractConfig
from etpicker_plugin.engine.config.live import LiveConfig
from etpicker_plugin.engine.config.models import ModelsConfig
from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.config.refine import RefineConfig
from etpicker_plugin.engine.config.simulate import SimulateConfig
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.config.validate import ValidateConfig
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.disk import NO_SPACE, cannot_write
from etpicker_plugin.engine.errors import ConfigError, EtPickerError, ResourceError
from etpicker_plugin.engine.flags import add_flags, config_from_arguments
from etpicker_plugin.engine.progress import (
    BarProgress,
    JsonLinesProgress,
    LogProgress,
    Progress,
    ignore_progress,
    report_to,
)
from etpicker_plugin.engine.records import (
    ERROR_FILE,
    FINISHED_FILE,
    PROGRESS_FILE,
    forget_end,
    records_folder,
)
from etpicker_plugin.engine.running import alone_in
from etpicker_plugin.engine.terminal import PlainFormatter, PlainParser

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Command:
    """A command: its parameters, and where the function of its name lives.

    ``by_torchrun``: several processes of torchrun can do it together.

    The module is imported only when the command runs, so that ``--help`` and the
    commands without a network do not wait for torch.
    """

    config_class: type
    module: str
    help: str
    package: str = "etpicker_plugin.engine"
    by_torchrun: bool = False

    def load(self) -> ModuleType:
        """Import the module."""
        return importlib.import_module(f"{self.package}.{self.module}")


COMMANDS = {
    "train": Command(
        TrainConfig,
        "training.train",
        "learn a picker from clicked centres",
        by_torchrun=True,
    ),
    "pick": Command(PickConfig, "picking.pick", "pick particles in tomograms"),
    "update": Command(
        UpdateConfig,
        "update.update",
        "teach a model new data or species, without forgetting the old",
        by_torchrun=True,
    ),
    "models": Command(
        ModelsConfig, "lineage.models", "list a folder's models as a tree of updates"
    ),
    "exemplars": Command(
        ExemplarsConfig,
        "lineage.exemplars",
        "list what a model keeps of its data, or delete it by owner",
    ),
    "evaluate": Command(
        EvaluateConfig, "evaluation.evaluate", "compare picks with a truth"
    ),
    "compare": Command(
        CompareConfig, "comparison.compare", "what pickers share and where they differ"
    ),
    "validate": Command(
        ValidateConfig,
        "verdict.validate",
        "judge picks by what they average to",
    ),
    "convert": Command(
        ConvertConfig, "conversion.convert", "translate coordinates between programs"
    ),
    "extract": Command(
        ExtractConfig, "subtomograms.extract", "cut boxes around picks for averaging"
    ),
    "average": Command(
        AverageConfig, "averaging.average", "classify or refine boxes with RELION"
    ),
    "simulate": Command(
        SimulateConfig, "simulation.simulate", "make phantom images with a truth"
    ),
    "view": Command(
        ViewConfig,
        "view",
        "look at tomograms, mark particles and judge picks in a window",
        package="etpicker_plugin.window",
    ),
    "live": Command(
        LiveConfig,
        "live.live",
        "pick while a person clicks: the window's own, which starts it",
    ),
    "refine": Command(
        RefineConfig,
        "live.refine",
        "train beside the live picker, and compare: the window's own too",
    ),
    "doctor": Command(
        DoctorConfig, "doctor.doctor", "tell what works here, and what to do if not"
    ),
}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = PlainParser(
        prog="etpicker", description="Pick particles in cryo-electron tomograms."
    )
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        add_flags(
            subparsers.add_parser(name, help=command.help, description=command.help),
            command.config_class,
        )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the process's exit code (see ``errors``)."""
    # Threads that wait give their core away: on a shared machine spinning ones make
    # every step several times slower. Large pages: to get memory for a layer's output
    # in small ones takes longer than to compute it. To be set before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    is_first = torchrun.rank() == 0
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter())
    # Of several processes one speaks, and writes.
    level = logging.INFO if is_first else logging.CRITICAL
    logging.basicConfig(level=level, handlers=[handler])
    arguments = build_parser().parse_args(argv)
    name = vars(arguments).pop("command")
    with ExitStack() as held:
        return _run(name, arguments, held, is_first=is_first)


def _run(
    name: str, arguments: argparse.Namespace, held: ExitStack, *, is_first: bool
) -> int:
    """Run a command, which holds its folder until ``held`` is left."""
    command = COMMANDS[name]
    records: Path | None = None
    try:
        config: Any = config_from_arguments(command.config_class, arguments)
        check_torchrun(name)
        out_dir = None
        if hasattr(config, "out"):
            out_dir = make_output_folder(Path(config.out))
            records = hold_records_folder(config, name, held) if is_first else None
        run = getattr(command.load(), name)
        progress = _progress_for(records) if is_first else ignore_progress
        run(config, out_dir, on_progress=progress)
    except EtPickerError as error:
        return _fail(error, records)
    except OSError as error:
        path = Path(error.filename or getattr(config, "out", "."))
        if error.errno not in NO_SPACE and not _is_inside(path, config):
            raise
        return _fail(cannot_write(str(path), path, error), records)
    except (MemoryError, RuntimeError) as error:
        from etpicker_plugin.engine.device import is_out_of_memory, out_of_memory

        if not is_out_of_memory(error):
            raise
        return _fail(out_of_memory(error), records)
    except KeyboardInterrupt:
        logger.error("Stopped. Run the same command again to go on from here.")
        return 130
    _write_end(records, FINISHED_FILE, {"command": name})
    return 0


def _is_inside(path: Path, config: Any) -> bool:
    """Tell whether a file lies in a command's output folder."""
    out = getattr(config, "out", None)
    return out is not None and Path(out).resolve() in path.absolute().parents


def _fail(error: EtPickerError, records: Path | None) -> int:
    """Say what went wrong; return the exit code."""
    logger.error("%s", error)
    _write_end(records, ERROR_FILE, _describe(error))
    return error.exit_code


def check_torchrun(name: str) -> None:
    """Refuse to do one thing in several processes at once.

    Raises
    ------
    ConfigError
        If torchrun started a command whose processes would not work together.
    """
    if torchrun.is_launched() and not COMMANDS[name].by_torchrun:
        able = ", ".join(n for n, command in COMMANDS.items() if command.by_torchrun)
        raise ConfigError(
            f"etpicker {name} is not for torchrun, which is for {able}. Several GPUs "
            "pick side by side with --part 1/2, --part 2/2 and so on."
        )


def make_output_folder(path: Path) -> Path:
    """Create the output folder and see that it can be written.

    Raises
    ------
    ResourceError
        If it cannot.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        # Under a name of its own: other processes may begin here at the same time.
        with tempfile.NamedTemporaryFile(dir=path, prefix=".etpicker_test_") as probe:
            probe.write(b"\0" * 4096)
            probe.flush()
    except OSError as error:
        raise cannot_write(f"Output folder {path}", path / "file", error) from error
    return path


def hold_records_folder(config: Any, name: str, held: ExitStack) -> Path:
    """Return the folder of this process's progress and end, without a former end.

    It is this process's alone until ``held`` is left.

    Raises
    ------
    ResourceError
        If it cannot be written, or another process holds it.
    """
    folder = make_output_folder(records_folder(config))
    held.enter_context(alone_in(folder, name))
    try:
        forget_end(folder)
    except OSError as error:
        raise cannot_write(f"{folder}", folder / ERROR_FILE, error) from error
    return folder


def _progress_for(records: Path | None) -> Progress:
    shown: Progress = BarProgress() if sys.stderr.isatty() else LogProgress()
    if records is None:
        return shown
    return report_to([shown, JsonLinesProgress(records / PROGRESS_FILE)])


def _describe(error: EtPickerError) -> dict[str, Any]:
    return {
        "kind": type(error).__name__,
        "exit_code": error.exit_code,
        "message": str(error),
    }


def _write_end(records: Path | None, name: str, record: dict[str, Any]) -> None:
    """Leave how it ended in a file: a queue may lose the exit code."""
    if records is None:
        return
    try:
        with write_whole(records / name) as temporary:
            temporary.write_text(json.dumps(record), encoding="utf-8")
    except ResourceError:
        logger.warning("%s could not be written to %s", name, records)
