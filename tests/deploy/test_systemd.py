"""The units say what a supervisor has to know about these processes."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.__main__ import DRAIN_SECONDS
from tests.conftest import ROOT

UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))


def _service(name: str) -> configparser.SectionProxy:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read(UNITS / name)
    return unit["Service"]


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd is not installed")
    for path in UNITS.glob("dtat*"):
        text = path.read_text().replace("/opt/dtat/.venv/bin/python", sys.executable)
        (tmp_path / path.name).write_text(text.replace("User=dtat", "User=root").replace("Group=dtat", "Group=root"))
    ran = subprocess.run(
        [verify, "verify", *sorted(str(path) for path in tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in ran.stderr.splitlines() if "dtat" in line] == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_is_started_again_however_it_ended(name: str) -> None:
    assert _service(name)["Restart"] == "always"


@pytest.mark.parametrize("name", ["dtat-web.service", "dtat-workers.service"])
def test_only_the_first_process_is_told_to_stop_and_nobody_is_left(name: str) -> None:
    assert _service(name)["KillMode"] == "mixed"


def test_readers_get_the_time_to_finish_what_they_hold() -> None:
    assert int(_service("dtat-workers.service")["TimeoutStopSec"]) == DRAIN_SECONDS


@pytest.mark.parametrize("name", SERVICES)
def test_each_unit_runs_a_module_that_is_there(name: str) -> None:
    words = _service(name)["ExecStart"].split()
    assert words[1] == "-m"
    module = words[2]
    assert module == "gunicorn" or (ROOT / f"{module.replace('.', '/')}.py").is_file()


def test_the_example_of_an_environment_names_only_what_is_read() -> None:
    described = (ROOT / "docs" / "configuration.md").read_text()
    lines = (UNITS / "environment.example").read_text().splitlines()
    names = [line.partition("=")[0] for line in lines if line and not line.startswith("#")]
    assert names
    assert [name for name in names if f"`{name}`" not in described] == []
