"""Ask the Scipion of this Python what it finds of the plugin; print it as JSON."""

import contextlib
import io
import json
import sys
from configparser import ConfigParser
from pathlib import Path

import pyworkflow as pw

NAME = "etpicker_plugin"


def of_plugin(classes):
    """Return the names of the classes that come from the plugin."""
    return sorted(k for k, c in classes.items() if c.__module__.startswith(NAME))


def listed_protocols(path):
    """Return place and name of the protocols in a protocols.conf."""
    config = ConfigParser()
    config.optionxform = str
    config.read(path, encoding="utf-8")
    found = []
    for view, text in config.items("PROTOCOLS"):
        walk(json.loads(text), (view,), found)
    return found


def walk(entries, place, found):
    for entry in entries:
        if entry["tag"] == "protocol":
            found.append(["/".join(place), entry["value"]])
        walk(entry.get("children", []), (*place, entry["text"]), found)


def listed_tests():
    """Return the test classes that ``scipion tests`` shows."""
    from pyworkflow.apps.pw_run_tests import Tester

    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        Tester().main(["--grep", NAME, "--mode", "onlyclasses"])
    words = shown.getvalue().split()
    return sorted({w for w in words if w.startswith(f"{NAME}.tests.")})


def probe():
    """Return what Scipion finds."""
    domain = pw.Config.getDomain()
    found = {
        "protocols": of_plugin(domain.getProtocols()),
        "viewers": of_plugin(domain.getViewers()),
        "wizards": of_plugin(domain.getWizards()),
        "objects": of_plugin(domain.getObjects()),
    }
    plugin = domain.getPlugins()[NAME]
    instance = plugin._pluginInstance
    return {
        **found,
        "path": str(Path(plugin.__path__[0]).resolve()),
        "plugin": [instance.getName(), str(Path(instance.getPath()).resolve())],
        "variables": sorted(v for v in plugin.Plugin.getVars() if "ETPICKER" in v),
        "templates": sorted(t.name for t in instance.getTemplates()),
        "tree": listed_protocols(Path(plugin.__path__[0]) / "protocols.conf"),
        "icon": (Path(plugin.__path__[0]) / plugin._logo).is_file(),
        "pretrained": [p.name for p in Path(plugin.__path__[0]).rglob("*.safetensors")],
        "references": sorted(plugin._bibtex),
        "torch": "torch" in sys.modules,
        "tests": listed_tests(),
    }


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(probe()) + "\n")
