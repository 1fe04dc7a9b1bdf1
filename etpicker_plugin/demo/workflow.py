"""The demo's Scipion project, from the plugin's own template."""

import json
from pathlib import Path

from etpicker_plugin.demo.follow import ProjectFollower
from etpicker_plugin.demo.scipion_home import DemoError
from etpicker_plugin.run_template import (
    create_project,
    fill_template,
    find_template,
    run_workflow,
)

TEMPLATE = "train_pick_evaluate"
OWN_PREFIX = "ProtEtPicker"


def run_project(name: str, values: dict[str, str]):
    """Run the template in a new project on the CPU; return the project.

    Raises
    ------
    DemoError
        If a protocol fails.
    """
    workflow = fill_template(find_template(TEMPLATE), values)
    stay_on_cpu(Path(workflow))
    project = create_project(name)
    with ProjectFollower(Path(project.path)):
        exit_code = run_workflow(project, workflow)
    if exit_code:
        raise DemoError(
            f"The Scipion project {project.path} stopped; the lines above say where."
        )
    return project


def stay_on_cpu(workflow: Path) -> None:
    """Set 'Use GPU' to no, so that the demo is the same on every machine."""
    entries = json.loads(workflow.read_text(encoding="utf-8"))
    for entry in entries:
        if entry["object.className"].startswith(OWN_PREFIX):
            entry["useGpu"] = False
    workflow.write_text(json.dumps(entries, indent=1), encoding="utf-8")


def last_run(project, class_name: str):
    """Return the newest run of a protocol."""
    return [r for r in project.getRuns() if r.getClassName() == class_name][-1]
