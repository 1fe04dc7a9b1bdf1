"""Run a workflow template without a window, waiting for every protocol.

    python -m etpicker_plugin.run_template PROJECT TEMPLATE alias=value ...

TEMPLATE is a file, or the name of one of the plugin's own templates. Exit code 0: all
finished; 1: a protocol did not validate; 2: one failed; 3: a wrong argument.
"""

import argparse
import json
import logging
import os
import sys
import time
from pathlib import Path

from etpicker_plugin.engine.newer_python import without_end

logger = logging.getLogger(__name__)

EXIT_INVALID = 1
EXIT_FAILED = 2
EXIT_USAGE = 3
POLL_S = 2
TEMPLATE_SUFFIX = ".json.template"


def find_template(name):
    """Return a template's file.

    Raises
    ------
    FileNotFoundError
        If it is neither a file nor a template of this plugin.
    """
    from etpicker_plugin import Plugin

    folder = Path(Plugin().getPluginTemplateDir())
    for path in (Path(name), folder / name, folder / f"{name}{TEMPLATE_SUFFIX}"):
        if path.is_file():
            return path
    known = sorted(without_end(p.name, TEMPLATE_SUFFIX) for p in folder.glob("*.json*"))
    raise FileNotFoundError(
        f"No template '{name}'. The plugin has: {', '.join(known)}."
    )


def fill_template(path, values):
    """Return the workflow file made from a template and its values.

    Raises
    ------
    ValueError
        If an alias is unknown or a value does not fit its type.
    """
    from pyworkflow.template import LocalTemplate

    template = LocalTemplate("etpicker", str(path))
    template.replaceEnvVariables()
    template.parseContent()
    known = {p.getAlias(): p for p in template.getParams().values()}
    for alias, value in values.items():
        if alias not in known:
            raise ValueError(
                f"'{alias}' is no field of the template. Fields: "
                f"{', '.join(sorted(known))}."
            )
        for parameter in template.getParams().values():
            if parameter.getAlias() == alias:
                set_parameter(parameter, value)
    return template.createTemplateFile()


def set_parameter(parameter, value):
    """Give one field its value; paths become absolute, as the project is elsewhere.

    Raises
    ------
    ValueError
        If the value does not fit the field's type.
    """
    from pyworkflow import VarTypes

    if parameter.getType() in (VarTypes.PATH.value, VarTypes.FOLDER.value):
        value = os.path.abspath(value)
    parameter.setValue(value)
    problem = parameter.validate()
    if problem is not None:
        raise ValueError(f"{parameter.getAlias()}={value}: {problem}")


def create_project(name):
    """Create a project and make its folder the current one.

    Raises
    ------
    FileExistsError
        If there is one of that name.
    """
    import pyworkflow as pw
    from pyworkflow.project import Manager

    pw.Config.setDomain("pwem")
    pw.Config.getDomain().getProtocols()
    manager = Manager()
    if manager.hasProject(name):
        raise FileExistsError(f"There is a project '{name}' already. Give a new name.")
    project = manager.createProject(name)
    os.chdir(project.path)
    return project


def load_labels(workflow):
    """Return the label of each protocol of a workflow file, by its id."""
    entries = json.loads(Path(workflow).read_text(encoding="utf-8"))
    return {str(e["object.id"]): e.get("object.label") for e in entries}


def run_workflow(project, workflow):
    """Run every protocol in order; return the exit code.

    One whose input is still arriving is not waited for: as soon as it has an output,
    what works on that is started beside it. If that fails, it is stopped.
    """
    beside = []
    try:
        return run_steps(project, workflow, beside)
    finally:
        for protocol, _ in beside:
            if protocol.isActive():
                project.stopProtocol(protocol)


def run_steps(project, workflow, beside):
    """Run every protocol; put those not waited for, and when they began, in a list."""
    labels = load_labels(workflow)
    for number, protocol in project.loadProtocols(workflow).items():
        # Scipion overwrites a label on creation.
        if labels.get(str(number)):
            protocol.setObjLabel(labels[str(number)])
        errors = protocol.validate()
        if errors:
            logger.error("%s: not valid", protocol.getRunName())
            for error in errors:
                logger.error("  %s", error)
            return EXIT_INVALID
        began = time.monotonic()
        if takes_what_arrives(protocol):
            project.launchProtocol(protocol, wait=False)
            wait_until(project, protocol, lambda p: any(p.iterOutputAttributes()))
            if protocol.isActive():
                beside.append((protocol, began))
                continue
        else:
            project.launchProtocol(protocol, wait=True)
        if not report_end(protocol, began):
            return EXIT_FAILED
    for protocol, began in beside:
        wait_until(project, protocol, lambda _: False)
        if not report_end(protocol, began):
            return EXIT_FAILED
    return 0


def takes_what_arrives(protocol):
    """Tell whether an import waits for more files, as pwem's do where they are told."""
    waits = getattr(protocol, "dataStreaming", None)
    return waits is not None and bool(waits.get())


def wait_until(project, protocol, is_enough):
    """Wait until a protocol that runs beside this has ended, or is far enough."""
    while protocol.isActive() and not is_enough(protocol):
        time.sleep(POLL_S)
        project._updateProtocol(protocol)


def report_end(protocol, began):
    """Tell how a protocol ended; return whether others can go on from it."""
    seconds = time.monotonic() - began
    logger.info("%s: %s, %.0f s", protocol.getRunName(), protocol.getStatus(), seconds)
    for line in protocol.summary():
        logger.info("  %s", line)
    # One that a person works in stays open for more, with what there is by now.
    if protocol.isFinished() or protocol.isInteractive():
        return True
    logger.error("  %s", protocol.getErrorMessage())
    logger.error("  log: %s", Path(protocol.getStdoutLog()).resolve())
    return False


def parse_values(words):
    """Return alias -> value of ``alias=value`` words.

    Raises
    ------
    ValueError
        If a word has no ``=``.
    """
    values = {}
    for word in words:
        alias, sign, value = word.partition("=")
        if not sign:
            raise ValueError(f"got '{word}', expected alias=value.")
        values[alias] = value
    return values


def main(argv=None):
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m etpicker_plugin.run_template",
        description="Run a workflow template without a window, and wait for it.",
    )
    parser.add_argument("project", help="name of the new project")
    parser.add_argument("template", help="template file, or a name of the plugin's")
    parser.add_argument("values", nargs="*", help="alias=value for its fields")
    arguments = parser.parse_args(argv)
    try:
        template = find_template(arguments.template)
        workflow = fill_template(template, parse_values(arguments.values))
        project = create_project(arguments.project)
    except (OSError, ValueError) as error:
        logger.error("%s", error)
        return EXIT_USAGE
    logger.info("project: %s", project.path)
    return run_workflow(project, workflow)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    sys.exit(main())
