"""A pytest plugin: one JSON line for each test in the file that INTEROP_OUTCOMES names."""
import json
import os

import pytest

RANK = {"passed": 0, "skipped": 1, "failed": 2}


class Outcomes:
    """A test is what its worst phase is: a failure in its tear-down is a failure."""

    def __init__(self, path):
        self.path = path
        self.worst = {}

    def pytest_runtest_logreport(self, report):
        outcome, why = self.worst.get(report.nodeid, ("passed", ""))
        if RANK[report.outcome] > RANK[outcome]:
            outcome, why = report.outcome, self.reason(report)
        self.worst[report.nodeid] = (outcome, why)
        if report.when == "teardown":
            self.write(report.nodeid, outcome, why)

    def pytest_collectreport(self, report):
        if report.failed:
            self.write(report.nodeid, "failed", self.reason(report))

    def write(self, test, outcome, why):
        with open(self.path, "a", encoding="utf-8") as lines:
            lines.write(json.dumps({"id": test, "outcome": outcome, "why": why}) + "\n")

    @staticmethod
    def reason(report):
        if isinstance(report.longrepr, tuple):
            return report.longrepr[2]
        crash = getattr(report.longrepr, "reprcrash", None)
        return crash.message if crash is not None else str(report.longrepr)


@pytest.hookimpl
def pytest_configure(config):
    config.pluginmanager.register(Outcomes(os.environ["INTEROP_OUTCOMES"]))
