"""Runs a command with the environment that the tests have: `python -m tests.house.with_database COMMAND ...`."""

from __future__ import annotations

import subprocess
import sys

from tests import database

if __name__ == "__main__":
    database.start()
    try:
        code = subprocess.run(sys.argv[1:], check=False).returncode
    finally:
        database.stop()
    sys.exit(code)
