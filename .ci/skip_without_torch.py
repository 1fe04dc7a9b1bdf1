"""A plugin of pytest: where there is no torch, tests that import it are skipped."""

import importlib.util

import pytest

ABSENT = "No module named 'torch'"


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    """Turn the failure to import torch into a skip, with its reason."""
    report = (yield).get_result()
    without = importlib.util.find_spec("torch") is None
    if without and report.failed and ABSENT in str(report.longrepr):
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, "Skipped: it needs torch")
