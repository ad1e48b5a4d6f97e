"""`b24-connector register`, `unregister` and `status`."""

from __future__ import annotations

import sys
from typing import Any

import click

from app.portal.options import Session, show_json, with_portal
from app.portal.reach import silent
from app.portal.register import Action, Outcome, differing, register, strangers, unregister
from app.portal.tile import addresses, unreachable

_DRY = {
    Action.ADDED: "would be added",
    Action.UPDATED: "would be updated",
    Action.REMOVED: "would be removed",
}
_json = click.option("--json", "as_json", is_flag=True, help="Answer for machines.")


@click.command("register")
@with_portal
@click.option("--dry-run", is_flag=True, help="Show what would be sent, and send nothing.")
@click.option(
    "--moved-from",
    default="",
    metavar="URL",
    help="The public_url of before: connectors with it are changed, and keep their sources.",
)
@_json
def register_command(session: Session, *, dry_run: bool, moved_from: str, as_json: bool) -> None:
    """Add the connectors to a portal, or bring them up to date; a second time changes nothing."""
    if warning := unreachable(session.config):
        click.echo(f"Note: {warning}", err=True)
    with session.alone():
        outcomes = register(session.client, session.config, dry_run=dry_run, moved_from=moved_from)
    if as_json:
        show_json([_plain(outcome) for outcome in outcomes])
        return
    for outcome in outcomes:
        _tell(outcome, dry_run=dry_run)
    if not dry_run and all(outcome.action is Action.UNCHANGED for outcome in outcomes):
        click.echo("Nothing had to be changed.")


@click.command("unregister")
@with_portal
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
@_json
def unregister_command(session: Session, *, dry_run: bool, as_json: bool) -> None:
    """Remove the connectors from a portal; it refuses while a connector has sources."""
    outcomes = unregister(session.client, session.config, dry_run=dry_run)
    if as_json:
        show_json([_plain(outcome) for outcome in outcomes])
        return
    for outcome in outcomes:
        _tell(outcome, dry_run=dry_run)


@click.command("status")
@with_portal
@_json
def status_command(session: Session, *, as_json: bool) -> None:
    """Say what is registered, whether it matches, and whether the addresses answer from here.

    Ends with code 1 if anything is amiss.
    """
    config = session.config
    outcomes = register(session.client, config, dry_run=True)
    silence = {
        name: silent(addresses(config, connector)) for name, connector in config.connectors.items()
    }
    left = strangers(session.client, config)
    if as_json:
        show_json(
            {
                "portal": str(session.client.origin),
                "note": unreachable(config),
                "connectors": [
                    _plain(outcome) | {"silent": silence[outcome.connector]} for outcome in outcomes
                ],
                "others": [{"id": item.get("id"), "title": item.get("title")} for item in left],
            }
        )
    else:
        _tell_status(session, outcomes, silence)
        for item in left:
            click.echo(
                f"Connector {item.get('id')} ({item.get('title')}) is not in the "
                "configuration: an earlier address or name of this service."
            )
    matches = all(o.action is Action.UNCHANGED and not o.twins for o in outcomes)
    sys.exit(0 if matches and not any(silence.values()) else 1)


def _tell_status(
    session: Session, outcomes: list[Outcome], silence: dict[str, dict[str, str]]
) -> None:
    click.echo(f"Portal {session.client.origin}")
    if warning := unreachable(session.config):
        click.echo(f"Note: {warning}")
    for outcome in outcomes:
        match outcome.action:
            case Action.ADDED:
                state = "not registered; `b24-connector register` adds it"
            case Action.UPDATED:
                state = f"registered, but differs in {', '.join(dict.fromkeys(differing(outcome)))}"
            case _:
                state = "registered and up to date"
        click.echo(f"{outcome.connector}: {state}{_twins(outcome)}")
        reasons = silence[outcome.connector]
        for name, reason in reasons.items():
            click.echo(f"  {name}: {reason}")
        if not reasons:
            click.echo("  its four addresses answer")


def _tell(outcome: Outcome, *, dry_run: bool) -> None:
    action = _DRY.get(outcome.action, outcome.action) if dry_run else outcome.action
    number = f" (id {outcome.number})" if outcome.number else ""
    click.echo(f"{outcome.connector}: {action}{number}{_twins(outcome)}")
    if outcome.action is Action.REMOVED:
        return
    for key, value in outcome.sent.items() if dry_run else ():
        text = str(value)
        click.echo(f"  {key} = {text if len(text) < 200 else text[:197] + '...'}")
    if outcome.action is Action.UPDATED and not dry_run:
        click.echo(f"  {', '.join(outcome.sent)}")


def _twins(outcome: Outcome) -> str:
    if not outcome.twins:
        return ""
    numbers = ", ".join(map(str, outcome.twins))
    return f"; the same addresses also have {numbers}: `b24-connector portal delete connector ID`"


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "connector": outcome.connector,
        "action": str(outcome.action),
        "id": outcome.number,
        "fields": dict(outcome.sent),
        "twins": list(outcome.twins),
    }
