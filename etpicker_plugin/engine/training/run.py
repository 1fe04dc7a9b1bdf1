"""A run that learns, of ``train`` or ``update``: begun, gone on with, and finished."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from etpicker_plugin import __version__
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.device import (
    choose_device,
    describe_device,
    is_out_of_memory,
)
from etpicker_plugin.engine.errors import CheckpointError, ResourceError
from etpicker_plugin.engine.model.card import ModelCard, read_card
from etpicker_plugin.engine.model.exemplars import Exemplar
from etpicker_plugin.engine.model.kept_maps import KeptMaps
from etpicker_plugin.engine.model.model_file import save_model
from etpicker_plugin.engine.model.network import Network
from etpicker_plugin.engine.model.training_end import describe_end
from etpicker_plugin.engine.progress import Progress
from etpicker_plugin.engine.run_folder import claim_folder, digest_run
from etpicker_plugin.engine.training.finish_request import FinishRequest
from etpicker_plugin.engine.training.fit import (
    FitSettings,
    fit,
    learn_from_labels,
)
from etpicker_plugin.engine.training.flatness import seconds_to_learn
from etpicker_plugin.engine.training.judge import equal_score, make_validate
from etpicker_plugin.engine.training.make_card import describe_course
from etpicker_plugin.engine.training.material import Material
from etpicker_plugin.engine.training.pace import Pace
from etpicker_plugin.engine.training.parallel import Run, only_logits
from etpicker_plugin.engine.training.patches import BatchSource, TrainingVolume
from etpicker_plugin.engine.training.ranks import Ranks, join_ranks
from etpicker_plugin.engine.training.resume import Counters, TrainingState, load_state
from etpicker_plugin.engine.training.schedule import Budget
from etpicker_plugin.engine.training.watch import make_watch
from etpicker_plugin.engine.training.weights import Loss

logger = logging.getLogger(__name__)

MODEL_NAME = "model.safetensors"
STATE_NAME = "training_state.safetensors"
RESERVED_S = 20.0
LAST_SHARE = 0.25
"""Of a time limit, at most, is kept for learning what flatness costs."""


@dataclass(frozen=True, kw_only=True)
class LearningRun:
    """A run under way: what is asked for, where it stands, and who works on it.

    Attributes
    ----------
    began
        Monotonic time at which the command began.
    state
        Where it begins: at nothing, or where a run that was killed has come to.
    """

    config: TrainConfig | UpdateConfig
    out_dir: Path
    began: float
    device: torch.device
    ranks: Ranks
    state: TrainingState
    on_progress: Progress

    @property
    def model_path(self) -> Path:
        """The file that will hold the model."""
        return self.out_dir / MODEL_NAME

    def learn(
        self,
        network: Network,
        source: BatchSource,
        material: Material,
        *,
        pace: Pace,
        minutes: float | None,
        first_validation: float,
        outputs: Run = only_logits,
        loss: Loss = learn_from_labels,
    ) -> Network:
        """Return the network that validated best, ready to be used.

        Parameters
        ----------
        network
            To begin with; changed in place.
        source
            Gives the batches of this process.
        pace
            How fast and how long.
        minutes
            That the whole command may take.
        first_validation
            See ``FitSettings``.
        outputs, loss
            What is computed of a batch, and its loss (see ``fit``).

        Raises
        ------
        ResourceError
            If memory does not suffice.
        ConfigError
            If training diverges.
        """
        config, judge = self.config, material.judge(self.config.f_alpha)
        watch = make_watch(
            self.out_dir,
            material.parts,
            material.species,
            voxel_size=material.voxel_size,
        )
        settings = FitSettings(
            budget=remaining_budget(
                pace.steps, minutes, began=self.began, volumes=material.volumes
            ),
            batch_size=config.batch_size,
            learning_rate=pace.learning_rate,
            patience=config.patience,
            equal_score=equal_score(material.parts),
            learn_statistics=pace.learn_statistics,
            first_validation=first_validation,
        )
        request = FinishRequest(self.out_dir)
        if not self.state.counters.step:
            request.forget()  # that of another training
        logger.info("To finish early with the best model: %s", request.how())
        with (
            explain_memory(batch_size=config.batch_size, patch_size=config.patch_size),
            request,
        ):
            best = fit(
                network,
                source,
                settings=settings,
                validate=make_validate(judge, material.parts, watch=watch),
                state=self.state,
                state_path=self.out_dir / STATE_NAME,
                on_progress=self.on_progress,
                is_asked_to_finish=request.is_made,
                run=outputs,
                loss=loss,
                ranks=self.ranks,
            )
        self.ranks.leave()
        logger.info("%s", describe_end(describe_course(self.state.counters)))
        return best.eval()

    def finish(
        self,
        network: Network,
        card: ModelCard,
        exemplars: Sequence[Exemplar],
        maps: KeptMaps | None = None,
    ) -> None:
        """Write the model, and forget the state."""
        save_model(self.model_path, network, card, exemplars=list(exemplars), maps=maps)
        (self.out_dir / STATE_NAME).unlink(missing_ok=True)
        FinishRequest(self.out_dir).forget()


def begin_run(
    config: TrainConfig | UpdateConfig, out_dir: Path, *, on_progress: Progress
) -> LearningRun | None:
    """Begin a run, or go on with it; return ``None`` if it is finished.

    Raises
    ------
    ConfigError
        If another run's model or state stands in the folder.
    """
    began = time.monotonic()
    same = digest_run(config)
    if claim_folder(out_dir, same, result=MODEL_NAME, begun=(STATE_NAME,)):
        ended = describe_end(read_card(out_dir / MODEL_NAME).training)
        logger.info("%s is finished already. %s", out_dir / MODEL_NAME, ended)
        return None
    device = choose_device(config.device, threads=config.threads)
    ranks = join_ranks(device)
    logger.info("etpicker %s, %s", __version__, describe_device(device))
    return LearningRun(
        config=config,
        out_dir=out_dir,
        began=began,
        device=device,
        ranks=ranks,
        state=starting_state(out_dir / STATE_NAME, same.digest),
        on_progress=on_progress,
    )


def starting_state(path: Path, digest: str) -> TrainingState:
    """Return the state in which a run was interrupted, or that of a new one.

    A state that is damaged, or of another run, is not used, and written over later.
    """
    new = TrainingState(Counters(digest), {}, {})
    if not path.exists():
        return new
    try:
        state = load_state(path)
    except CheckpointError as error:
        logger.warning(
            "%s is damaged (%s): training begins anew.", path, error.__cause__
        )
        return new
    if state.counters.digest != digest:
        logger.warning("%s is of another run: training begins anew.", path)
        return new
    logger.info("Going on from step %d.", state.counters.step)
    return state


def remaining_budget(
    steps: int,
    max_minutes: float | None,
    *,
    began: float,
    volumes: Sequence[TrainingVolume],
) -> Budget:
    """Turn a time limit into what is left of it, after reading, for the steps.

    ``began`` is the monotonic time at which the command began.
    """
    if max_minutes is None:
        return Budget(steps=steps)
    limit = 60.0 * max_minutes
    last = RESERVED_S + min(seconds_to_learn(volumes), LAST_SHARE * limit)
    left = limit - (time.monotonic() - began) - last
    return Budget(steps=steps, seconds=max(left, 1.0))


@contextmanager
def explain_memory(*, batch_size: int, patch_size: int) -> Iterator[None]:
    """Turn running out of memory into an error that says what would fit.

    Raises
    ------
    ResourceError
        Naming a smaller batch and patch.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise ResourceError(
            f"Memory does not suffice for batches of {batch_size} patches of "
            f"{patch_size} voxels. Other programs may fill it: end them. Or try "
            f"--batch-size {max(batch_size // 2, 1)}, or "
            f"--patch-size {max(patch_size * 3 // 4 // 8 * 8, 16)}."
        ) from error
