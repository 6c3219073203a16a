"""The PostgreSQL that the tests run on: started for the run, with the product's three roles, thrown away afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from deploy.local.postgres import Postgres, Urls

_home = Path(tempfile.mkdtemp(prefix="dtat-tests-"))
# The server's own user (when the tests run as root) has to pass through.
_home.chmod(0o711)
server = Postgres(_home, fast_and_unsafe=True)


def start() -> Urls:
    """Start the server, make the database, and set the environment that the settings read."""
    server.start()
    urls = server.create("dtat_test")
    home = _home / "home"
    home.mkdir(mode=0o700)
    os.environ.update(
        DTAT_ENVIRONMENT="embedded",
        DTAT_SECRET_KEY=secrets.token_urlsafe(48),
        DTAT_JWT_KEY=secrets.token_urlsafe(48),
        DTAT_HOME=str(home),
        DATABASE_URL=urls["app"],
        DATABASE_OWNER_URL=urls["owner"],
        DJANGO_SETTINGS_MODULE="dtat_site.settings",
        DTAT_DATABASE_CONNECTION_SECONDS="0",
        DTAT_SYNCHRONOUS="0",  # tests of the synchronous way switch it on
        DTAT_TEXTRACT_TPS="100000",  # tests of the quota set it
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_EC2_METADATA_DISABLED="true",
        AWS_ENDPOINT_URL_TEXTRACT="http://127.0.0.1:9",
    )
    return urls


def stop() -> None:
    server.stop(immediately=True)
    shutil.rmtree(_home, ignore_errors=True)
