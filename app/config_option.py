"""The option ``--config``, which every command that needs the configuration has."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from app.config import DEFAULT_PATH, Config, ConfigError, load_config

config_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    envvar="CONNECTOR_CONFIG",
    default=DEFAULT_PATH,
    show_default=True,
    help="The configuration file.",
)


def load(path: Path) -> Config:
    """The configuration, or the reason why not on standard error and exit code 2."""
    try:
        return load_config(path, os.environ)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
