"""What starts the service says the same everywhere."""

from __future__ import annotations

import json
import re

from tests.docs.test_docs import ROOT


def test_image_and_platforms_start_the_same_command() -> None:
    procfile = (ROOT / "Procfile").read_text(encoding="utf-8")
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (command,) = re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE)
    assert procfile.split() == ["web:", *json.loads(command)]


def test_compose_builds_the_image_with_the_drivers_that_are_asked_for() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (usual,) = re.findall(r"^ARG EXTRAS=(.*)$", dockerfile, re.MULTILINE)
    assert f"args:\n        EXTRAS: ${{EXTRAS:-{usual}}}\n" in service("connector")


def test_in_compose_a_port_is_one_of_the_machine_and_the_container_keeps_its_own() -> None:
    """Variables of ``.env`` are those of the container too, where ``environment`` does not win."""
    text = service("connector")
    (inside,) = re.findall(r'^ {6}PORT: "(\d+)"$', text.partition(" environment:\n")[2], re.M)
    assert re.findall(r'^ {6}- "(.*)"$', text.partition(" ports:\n")[2], re.M)[0] == (
        f"${{PORT:-8000}}:{inside}"
    )
    assert f"http://127.0.0.1:{inside}/healthz" in text.partition(" healthcheck:\n")[2]


def service(name: str) -> str:
    """What compose.yaml says of a service."""
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^  {name}:\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    return str(found)


def test_everything_that_the_image_copies_is_let_in() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    copied = {
        name
        for line in re.findall(r"^COPY (.*) \S+$", dockerfile, re.MULTILINE)
        for name in line.split()
    }
    assert copied == set(re.findall(r"^!(.*)$", ignored, re.MULTILINE))
    assert all((ROOT / name).exists() for name in copied)
