"""The documents say what the code does: every setting, error code and command, both ways."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest
from marshmallow import fields
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from adapters.registry import GROUP, adapter_class
from app import cli
from app.config import _ConfigSchema
from app.errors import STATUS
from app.ops import metrics
from tests.engines import ENGINES

ROOT = Path(__file__).parent.parent.parent
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]


def table_rows(text: str) -> list[list[str]]:
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def documented_settings() -> set[str]:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    found = set()
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        if heading := re.match(r"\[(.+?)\]", section):
            names = [row[0].strip("`") for row in table_rows(section)]
            found |= {f"{heading[1]}.{each}" for name in names for each in name.split("`, `")}
    return found


def real_settings() -> set[str]:
    found = set()

    def collect(schema: object, path: str) -> None:
        for name, field in schema.fields.items():
            below = f"{path}.{name}" if path else name
            if isinstance(field, fields.Nested):
                collect(field.schema, below)
            elif isinstance(field, fields.Dict) and isinstance(field.value_field, fields.Nested):
                collect(field.value_field.schema, f"{below}.NAME")
            else:
                found.add(below)

    collect(_ConfigSchema(), "")
    return found


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    assert documented_settings() == real_settings()


def test_every_error_code_is_documented_with_its_status() -> None:
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    documented = {row[0].strip("`"): int(row[1]) for row in table_rows(text)}
    assert documented == STATUS


def test_every_command_is_in_the_readme_and_every_mentioned_command_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = {name for name, command in cli.main.commands.items() if not command.hidden}
    for name in commands:
        assert f"b24-connector {name}" in readme, name
    for document in DOCUMENTS:
        mentioned = re.findall(r"b24-connector ([a-z][a-z-]*)", document.read_text("utf-8"))
        assert set(mentioned) <= commands, document.name


def test_every_page_is_linked_from_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert f"](docs/{page.name})" in text, page.name


def test_every_engine_is_documented() -> None:
    text = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    ours = [entry for entry in entry_points(group=GROUP) if entry.value.startswith("adapters.")]
    documented = {entry.value for entry in ours if f"`{entry.name}://" in text}
    assert documented == {entry.value for entry in ours}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_every_make_target_in_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    assert set(re.findall(r"^make ([a-z]+)", readme, flags=re.M)) <= targets


def test_the_options_of_commands_have_help() -> None:
    for name, command in cli.main.commands.items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.name}"


def test_every_promise_of_security_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    promises = [line for line in text.splitlines() if re.match(r"\| [A-Z]", line)]
    assert len(promises) > 20
    for line in promises:
        named = re.findall(r"`(\w+/test_\w+\.py)::(test_\w+)`", line)
        assert named, line
        for file, name in named:
            code = (ROOT / "tests" / file).read_text(encoding="utf-8")
            assert f"def {name}(" in code, f"{file}::{name}"


def test_every_metric_is_documented_with_its_labels() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = {row[0].strip("`"): row[1].strip("`") for row in table_rows(text)}
    found = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            name = metric._name + ("_total" if isinstance(metric, Counter) else "")
            found[name] = "`, `".join(metric._labelnames) or "none"
    assert {name: labels for name, labels in rows.items() if name.startswith("b24_")} == found


def test_what_engines_cannot_do_is_documented() -> None:
    text = (ROOT / "docs" / "engines.md").read_text(encoding="utf-8")
    section = text.partition("## What an engine cannot do")[2].partition("\n## ")[0]
    documented = {(row[0].strip("`"), row[1], row[2]) for row in table_rows(section)}
    declared = {
        (name, str(capability), why)
        for name in ENGINES
        if name != "mysqlclient"
        for capability, why in adapter_class(f"{name}://").lacks.items()
    }
    assert documented == declared
