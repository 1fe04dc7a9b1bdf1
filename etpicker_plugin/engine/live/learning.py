"""What a training beside the live picker learns from: the same tomograms and marks."""

from pathlib import Path

import numpy as np

from etpicker_plugin.engine.annotation import SPARSE
from etpicker_plugin.engine.config.refine import RefineConfig
from etpicker_plugin.engine.config.train import TrainConfig
from etpicker_plugin.engine.disk import cannot_write
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.live.requests import Solve
from etpicker_plugin.engine.live.scene import Source, sources_of
from etpicker_plugin.engine.particles import make_particles


def training_config(config: RefineConfig, kept: Solve, folder: Path) -> TrainConfig:
    """Write the marks below a folder, and return what ``train`` is told.

    It learns from tomograms with a particle: by their names, whatever their files are
    called, since two files may have the same.

    Raises
    ------
    ResourceError
        If a file cannot be written.
    """
    sources = sources_of(config)
    names = [
        name
        for name in config.names()
        if any(len(kept.places(name, one)) for one in kept.clicked_classes())
    ]
    chosen = [sources[name] for name in names]
    sizes = {source.voxel_size for source in chosen}
    size = sizes.pop() if len(sizes) == 1 else None  # Else each header is right.
    masks = [one.mask for one in chosen if one.mask is not None]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return TrainConfig(
            tomogram=tuple(
                _link(one, one.path, folder / "tomograms") for one in chosen
            ),
            coordinates=tuple(_write_marks(kept, name, folder) for name in names),
            mask=tuple(
                _link(one, str(one.mask), folder / "masks") for one in chosen if masks
            ),
            diameter={name: kept.diameters[name] for name in kept.clicked_classes()},
            annotation=SPARSE,
            voxel_size=size,
            trust_voxel_size=size is not None,
            max_minutes=config.max_minutes,
            steps=config.steps,
            exemplars="none",
            seed=config.seed,
            device=config.device,
            threads=config.threads,
            out=str(folder),
        )
    except OSError as error:
        raise cannot_write(f"{folder}", folder / "file", error) from error


def _link(source: Source, path: str, folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    link = folder / f"{source.name}{Path(path).suffix}"
    link.symlink_to(Path(path).resolve())
    return str(link)


def _write_marks(kept: Solve, name: str, folder: Path) -> str:
    (folder / "marks").mkdir(exist_ok=True)
    path = folder / "marks" / f"{name}.csv"
    marks = kept.marks[name]
    names = [np.repeat(of, len(places)) for of, places in marks.items()]
    positions = np.concatenate(list(marks.values()))
    write_csv(make_particles(name, positions, class_names=np.concatenate(names)), path)
    return str(path)
