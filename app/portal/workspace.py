"""`b24-connector portal …`: the sources and datasets of a portal from the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, BinaryIO

import click
import orjson

from app.plural import counted
from app.portal import datasets, methods
from app.portal.errors import NotFound
from app.portal.install import Application
from app.portal.methods import Entity
from app.portal.options import (
    Session,
    Unusable,
    show_json,
    typed_origin,
    with_config,
    with_portal,
)
from app.portal.register import named
from app.portal.tile import SETTINGS
from app.sources import Source

_json = click.option("--json", "as_json", is_flag=True, help="Answer for machines.")
_KINDS = click.Choice([str(entity) for entity in Entity])
_settings = click.option(
    "--settings-from",
    "given",
    type=click.File("rb"),
    help='A JSON object of settings, as {"token": "…"}; - for standard input. Otherwise asked.',
)


@click.group("portal")
def portal_commands() -> None:
    """See and change what a portal has: connectors, sources, datasets, tables."""


@portal_commands.command("list")
@with_portal
@_json
def list_command(session: Session, *, as_json: bool) -> None:
    """List this application's connectors, the sources of each, and their datasets."""
    kinds = (Entity.CONNECTOR, Entity.SOURCE, Entity.DATASET)
    found = {kind: methods.listed(session.client, kind) for kind in kinds}
    if as_json:
        show_json({f"{kind}s": [_shown(item) for item in items] for kind, items in found.items()})
        return
    for connector in found[Entity.CONNECTOR]:
        name = named(session.config, connector) or "not in the configuration"
        click.echo(f"connector {connector['id']}  {connector.get('title')}  [{name}]")
        for source in _of(found[Entity.SOURCE], "connectorId", connector):
            click.echo(f"  source {source['id']}  {source.get('title')}")
            for dataset in _of(found[Entity.DATASET], "sourceId", source):
                table = dataset.get("externalCode")
                click.echo(f"    dataset {dataset['id']}  {dataset.get('name')}  of table {table}")
    if not found[Entity.CONNECTOR]:
        click.echo("This application has nothing in the portal; `b24-connector register` adds it.")


@portal_commands.command("show")
@click.argument("kind", type=_KINDS)
@click.argument("number", type=click.IntRange(1))
@with_portal
def show_command(session: Session, kind: str, number: int) -> None:
    """Show everything that the portal says about one thing, secrets left out."""
    show_json(_shown(methods.get(session.client, Entity(kind), number)))


@portal_commands.command("add-source")
@click.argument("connector")
@click.option("--title", required=True, help="What the portal's users see.")
@click.option("--description", default="")
@_settings
@with_portal
def add_source_command(
    session: Session, connector: str, title: str, description: str, given: BinaryIO | None
) -> None:
    """Make a source of CONNECTOR, a name of the configuration; its settings are asked for."""
    if connector not in session.config.connectors:
        choices = ", ".join(session.config.connectors)
        raise Unusable(f"There is no connector {connector} in the configuration: {choices}.")
    found = [
        item
        for item in methods.listed(session.client, Entity.CONNECTOR)
        if named(session.config, item) == connector
    ]
    if not found:
        raise NotFound("CONNECTOR_NOT_FOUND", f"{connector} is not registered in this portal")
    fields = {
        "title": title,
        "connectorId": found[0]["id"],
        "settings": _asked(session, connector, given),
    } | ({"description": description} if description else {})
    number = methods.add(session.client, Entity.SOURCE, fields)
    click.echo(f"source {number}: added; the portal has reached the database with it")


@portal_commands.command("add-dataset")
@click.argument("source_id", type=click.IntRange(1))
@click.argument("table")
@click.option("--name", default="", help="The dataset's name; by default the table's code.")
@click.option("--field", "only", multiple=True, help="A field to take; by default all. Repeatable.")
@_settings
@with_portal
def add_dataset_command(session: Session, **arguments: Any) -> None:
    """Make a dataset of TABLE from source SOURCE_ID, fields as our own description has them."""
    _add(session, Entity.DATASET, **arguments)


@portal_commands.command("add-table")
@click.argument("source_id", type=click.IntRange(1))
@click.argument("table")
@click.option("--name", default="", help="The name in the portal; by default the table's code.")
@click.option("--field", "only", multiple=True, help="A field to take; by default all. Repeatable.")
@_settings
@with_portal
def add_table_command(session: Session, **arguments: Any) -> None:
    """Like add-dataset, but without a dataset of the BI engine on top; new portals only."""
    _add(session, Entity.TABLE, **arguments)


def _add(
    session: Session,
    entity: Entity,
    *,
    source_id: int,
    table: str,
    name: str,
    only: tuple[str, ...],
    given: BinaryIO | None,
) -> None:
    about = _described(session, source_id, table, given)
    fields = datasets.dataset_fields(source_id, about, name, only)
    number = methods.add(session.client, entity, fields)
    width = counted(len(fields["fields"]), "field")
    click.echo(f"{entity} {number}: added as {fields['name']}, {width}")


@portal_commands.command("sync")
@click.argument("number", type=click.IntRange(1))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@_settings
@with_portal
def sync_command(session: Session, number: int, *, dry_run: bool, given: BinaryIO | None) -> None:
    """Give dataset NUMBER the columns that its table has now, and drop those that are gone."""
    dataset = methods.get(session.client, Entity.DATASET, number)
    source_id, table = methods.whole(dataset, "sourceId"), str(dataset.get("externalCode"))
    about = _described(session, source_id, table, given)
    wanted = datasets.changes(dataset, about)
    for item in wanted.added:
        click.echo(f"+ {item['name']} ({item['type']})")
    for name in wanted.deleted:
        click.echo(f"- {name}")
    for text in wanted.retyped:
        click.echo(f"! {text}: a portal cannot change a type; delete the dataset and add it again")
    if not dry_run:
        datasets.apply(session.client, number, wanted)
    if not wanted:
        click.echo(f"dataset {number}: its fields are those of the table")
    else:
        click.echo(f"dataset {number}: {'would be changed' if dry_run else 'changed'}")


@portal_commands.command("delete")
@click.argument("kind", type=_KINDS)
@click.argument("number", type=click.IntRange(1))
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_portal
def delete_command(session: Session, kind: str, number: int, *, yes: bool) -> None:
    """Delete a dataset, a source without datasets, or a connector without sources."""
    if not yes:
        click.confirm(f"Delete {kind} {number} in {session.client.origin}?", abort=True, err=True)
    methods.delete(session.client, Entity(kind), number)
    click.echo(f"{kind} {number}: deleted")


@portal_commands.command("installations")
@with_config
@_json
def installations_command(application: Application, *, as_json: bool) -> None:
    """List the portals in which the application is installed."""
    found = [
        {
            "portal": str(item.origin),
            "member_id": item.member_id,
            "oauth_server": str(item.oauth_server),
            "installed": datetime.fromtimestamp(item.installed_at, UTC).isoformat(),
        }
        for item in application.store.all()
    ]
    if as_json:
        show_json(found)
        return
    for item in found:
        click.echo(f"{item['portal']}  installed {item['installed']}")
    if not found:
        click.echo("The application is not installed anywhere.")


@portal_commands.command("forget")
@click.argument("address")
@with_config
def forget_command(application: Application, address: str) -> None:
    """Throw away the tokens of a portal that is gone, or that shall install again."""
    origin = typed_origin(address)
    if not application.store.forget_portal(origin):
        raise Unusable(f"The application is not installed in {origin}.")
    click.echo(f"{origin}: forgotten")


def _described(
    session: Session, source_id: int, table: str, given: BinaryIO | None
) -> datasets.Described:
    connector, settings = datasets.connector_of(session.client, session.config, source_id)
    missing = [s.code for s in SETTINGS[_access(session, connector)] if s.code not in settings]
    if missing or given is not None:
        settings = _asked(session, connector, given)
    sources = {name: Source(found) for name, found in session.config.sources.items()}
    try:
        access = datasets.opened(session.config, connector, sources, settings)
        return datasets.described(access, table)
    finally:
        for source in sources.values():
            source.adapter.close()


def _access(session: Session, connector: str) -> str:
    return session.config.connectors[connector].access


def _asked(session: Session, connector: str, given: BinaryIO | None) -> dict[str, str]:
    """The settings of a connection, from a file or from the keyboard without echo."""
    wanted = SETTINGS[_access(session, connector)]
    if given is None:
        return {
            setting.code: click.prompt(setting.name, hide_input=True, err=True)
            for setting in wanted
        }
    try:
        settings = orjson.loads(given.read())
    except orjson.JSONDecodeError:
        settings = None
    if not isinstance(settings, dict) or not all(isinstance(v, str) for v in settings.values()):
        raise Unusable('The settings have to be a JSON object of texts, as {"token": "…"}.')
    if missing := [setting.code for setting in wanted if setting.code not in settings]:
        raise Unusable(f"The settings lack {', '.join(missing)}.")
    return {setting.code: settings[setting.code] for setting in wanted}


def _of(items: list[dict[str, Any]], key: str, parent: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in items if str(item.get(key)) == str(parent["id"])]


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    """Without the values of settings, which are passwords and tokens."""
    settings = item.get("settings")
    if not isinstance(settings, list):
        return item if settings is None else item | {"settings": "***"}
    return item | {
        "settings": [
            {k: "***" if k == "value" else v for k, v in setting.items()}
            if isinstance(setting, dict)
            else "***"
            for setting in settings
        ]
    }
