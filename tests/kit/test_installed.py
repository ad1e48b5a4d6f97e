"""What pip installs, not only a checkout, serves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

from tests.server import eventually, free_port

ROOT = Path(__file__).parents[2]
PARTS = ("app", "adapters", "emulator", "config")
CONFIG = """
[connectors.company]
title = "Company"
[sources.shop]
url = "sqlite:///shop.db"
tokens = ["open"]
"""


def test_an_installed_package_serves(tmp_path: Path) -> None:
    source, place = tmp_path / "source", tmp_path / "venv"
    for part in PARTS:
        shutil.copytree(ROOT / part, source / part)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    venv.create(place)
    # Its dependencies are those of this environment, which holds no package of ours but a link.
    (site,) = place.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    pip = [sys.executable, "-m", "pip", "--python", str(place), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", str(source)], check=True)
    shutil.rmtree(source)

    (tmp_path / "shop.toml").write_text(CONFIG)
    (tmp_path / "shop.db").touch()
    port = free_port()
    command = [str(place / "bin" / "b24-connector"), "serve", "--config", "shop.toml"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    process = subprocess.Popen([*command, "--port", str(port)], cwd=tmp_path, env=environment)

    def answers() -> bool:
        try:
            with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
                connection.request("GET", "/healthz")
                return connection.getresponse().status == 200
        except OSError:
            return False

    try:
        eventually(answers, 30)
    finally:
        process.terminate()
        process.wait(40)
