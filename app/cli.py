"""The ``b24-connector`` command."""

from __future__ import annotations

import os
import secrets
import sys
import sysconfig
from hashlib import sha256
from pathlib import Path

import click

from app import demo, ports
from app.config import DEFAULT_PATH
from app.config_option import config_option, load
from app.doctor import examine
from app.plural import counted
from app.portal.commands import register_command, status_command, unregister_command
from app.portal.tile import unusable_logos
from app.portal.workspace import portal_commands
from app.sources import Source

_CHECKOUT = Path(__file__).parent.parent / "config"
_INSTALLED = Path(sysconfig.get_path("data"), "share", "b24-connector")
GUNICORN_CONFIG = (_CHECKOUT if _CHECKOUT.is_dir() else _INSTALLED) / "gunicorn.conf.py"


_PORT = click.IntRange(0, 65535)


@click.group()
@click.version_option(package_name="b24-connector")
def main() -> None:
    """Connect databases to the BI Builder of Bitrix24."""


@main.command()
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=8000, show_default=True, help="Port to listen on.")
def serve(path: Path, host: str, port: int) -> None:
    """Answer portals, under gunicorn."""
    load(path)
    environment = os.environ | {"CONNECTOR_CONFIG": str(path), "HOST": host, "PORT": str(port)}
    arguments = [sys.executable, "-m", "gunicorn", "-c", str(GUNICORN_CONFIG)]
    os.execve(sys.executable, arguments, environment)  # noqa: S606 - becomes the server


@main.command("check-config")
@config_option
def check_config(path: Path) -> None:
    """Say whether the configuration can be used, without contacting any database."""
    config = load(path)
    if faults := list(unusable_logos(config)):
        click.echo("\n".join(f"{path}: {fault}" for fault in faults), err=True)
        sys.exit(2)
    connectors = counted(len(config.connectors), "connector")
    click.echo(f"{path}: {connectors}, {counted(len(config.sources), 'source')}: fine")


@main.command()
def token() -> None:
    """Make a token, and the digest under which a configuration can keep it."""
    made = secrets.token_urlsafe(32)
    click.echo(f"token   {made}")
    click.echo(f"digest  sha256:{sha256(made.encode()).hexdigest()}")
    click.echo("Put the digest into a source's tokens, and give the token to the portal's user.")


@main.command()
@config_option
def doctor(path: Path) -> None:
    """Contact every source and say what is published, or what is wrong."""
    sources = load(path).sources
    if not sources:
        click.echo("no sources to contact: users of direct connectors log in to their databases")
    failed = False
    for name, settings in sources.items():
        report = examine(Source(settings))
        for fault in report.faults:
            failed = True
            click.echo(f"{name}: {fault}", err=True)
        if report.tables:
            tables = counted(len(report.tables), "table")
            click.echo(f"{name}: {tables}: {', '.join(report.tables)}")
    sys.exit(1 if failed else 0)


@main.command("demo")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=8000, show_default=True, help="Port to listen on.")
@click.option("--portal", default="", help="Address of an emulated portal that may install us.")
@click.option("--build", is_flag=True, help="Make the data and the secrets, and stop.")
def run_demo(host: str, port: int, portal: str, *, build: bool) -> None:
    """Serve real flight data from SQLite, made on the first run."""
    address = f"http://{host}:{port}"
    demo.build_database(demo.DATABASE)
    environment = demo.environment(address, portal)
    if build:
        return
    ports.listen(host, port, "--port").close()
    demo.keep(environment)
    os.environ.update(environment)
    click.echo(demo.instructions(address, environment["DEMO_TOKEN"]))
    serve.main(["--config", DEFAULT_PATH, "--host", host, "--port", str(port)])


main.add_command(register_command)
main.add_command(unregister_command)
main.add_command(status_command)
main.add_command(portal_commands)

if __name__ == "__main__":
    main()
