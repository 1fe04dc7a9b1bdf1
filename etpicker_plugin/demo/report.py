"""From a finished project to the demo's page."""

import platform
from importlib.metadata import version
from pathlib import Path

from matplotlib.figure import Figure

import etpicker_plugin
from etpicker_plugin.convert import (
    particles_by_tomogram,
    tomogram_file,
    tomograms_by_id,
)
from etpicker_plugin.demo.page import Picture, make_page
from etpicker_plugin.demo.pictures import (
    draw_slices,
    encode_png,
    find_pairs,
    to_data_url,
)
from etpicker_plugin.demo.workflow import last_run
from etpicker_plugin.engine.volumes.tomogram import read_tomogram, read_whole
from etpicker_plugin.viewers.edit_window import first_outputs
from etpicker_plugin.viewers.training_curves import draw_training, read_curves
from etpicker_plugin.viewers.viewers import class_names

PACKAGES = ("scipion-em", "scipion-em-tomo", "torch", "numpy", "scipy", "mrcfile")


def write_page(path: Path, project, *, lead: str, facts: dict[str, str]) -> dict:
    """Write the page of a project; return the metrics of each class.

    The current folder must be the project's.
    """
    trained = last_run(project, "ProtEtPickerTrain")
    picked = last_run(project, "ProtEtPickerPick")
    truth = last_run(project, "ProtEtPickerImportCoordinates")
    evaluated = last_run(project, "ProtEtPickerEvaluate")
    pictures = [
        *picture_slices(picked, truth),
        picture_training(trained),
        *picture_evaluation(Path(evaluated.getReportFile()).parent),
    ]
    metrics = evaluated.getMetrics()
    path.write_text(
        make_page(
            lead=lead,
            metrics=metrics,
            pictures=pictures,
            facts={**facts, **describe_versions()},
        ),
        encoding="utf-8",
    )
    return metrics


def picture_slices(picked, truth) -> list[Picture]:
    """Return one picture per picked tomogram."""
    picks, centres = (read_output(protocol) for protocol in (picked, truth))
    rate = picked.inputTomograms.get().getSamplingRate()
    radii = {name: d / rate / 2 for name, d in picked.getDiameters().items()}
    pictures = []
    for ts_id, tomogram in tomograms_by_id(picked.inputTomograms.get()).items():
        data = read_whole(read_tomogram(tomogram_file(tomogram), rate))
        found = find_pairs(picks[ts_id], centres[ts_id], radii)
        caption = (
            "A tomogram that was not trained on. Each circle is the section of a "
            "picked sphere at this height; a cross is the true centre of a particle "
            "that reaches it. A pick is true within half a diameter."
        )
        pictures.append(
            Picture(f"Picks in {ts_id}", caption, to_data_url(draw_slices(data, found)))
        )
    return pictures


def read_output(protocol):
    """Return a protocol's coordinates by tomogram, with the names of the classes."""
    return particles_by_tomogram(
        [(item, class_names(protocol, item)) for _, item in first_outputs(protocol)]
    )


def picture_training(trained) -> Picture:
    """Return the training curves, as the viewer draws them."""
    figure = Figure(figsize=(8, 5.5))
    curves = read_curves(Path(trained.getProgressFile()))
    draw_training(figure, curves, title="training")
    caption = (
        "Loss and learning rate above; below, picks in the held-out slabs of the "
        "training tomograms: the score weighted to recall, and each class's F1 at its "
        "best threshold."
    )
    return Picture("Training", caption, to_data_url(figure))


def picture_evaluation(folder: Path) -> list[Picture]:
    """Return the pictures of the evaluation's own report."""
    wanted = (
        ("scores.png", "Scores", "Scores of true and false picks of each class."),
        (
            "precision_recall.png",
            "Precision and recall",
            "What other thresholds would give; the dot is the model's own.",
        ),
    )
    return [
        Picture(title, caption, encode_png((folder / name).read_bytes()))
        for name, title, caption in wanted
    ]


def describe_versions() -> dict[str, str]:
    """Return what the demo ran on."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return {
        "etpicker": etpicker_plugin.__version__,
        "Python": f"{platform.python_version()} on {platform.platform()}",
        "Packages": packages,
    }
