"""What the commands have in common: which portal, let in how, and how failures are told."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson

from adapters.errors import AdapterError
from app.config import Config
from app.config_option import config_option, load
from app.errors import ApiError
from app.portal.database import StoreUnavailable
from app.portal.errors import PortalError
from app.portal.install import Application
from app.portal.origins import BadAddress, Origin, admits, origin_of, refuse_webhook
from app.portal.rest import Client
from app.portal.sealing import MissingKey, WrongKey
from app.portal.sessions import GivenToken
from app.portal.store import Busy, Installation, NotInstalled
from app.portal.tile import BadTile

TOKEN_VARIABLE = "CONNECTOR_ACCESS_TOKEN"  # noqa: S105 - its name, not its value

Command = Callable[..., Any]


class Unusable(Exception):
    """What was typed cannot be used; the message says why, and what can."""


@dataclass(frozen=True)
class Session:
    """One run of a command."""

    application: Application
    client: Client
    member_id: str | None = None

    @property
    def config(self) -> Config:
        """The configuration."""
        return self.application.config

    def alone(self) -> AbstractContextManager[None]:
        """Keep an installation that comes in meanwhile from registering the same twice.

        Raises Busy.
        """
        if self.member_id is None:
            return contextlib.nullcontext()
        return self.application.store.alone(self.member_id)


def application_of(path: Path) -> Application:
    """The configuration as an application, or the reason why not and exit code 2."""
    return Application(load(path))


def with_config(command: Command) -> Command:
    """Give the command ``application``, and tell its failures in one sentence each."""

    @config_option
    @functools.wraps(command)
    def run(path: Path, **arguments: Any) -> None:
        try:
            command(application=application_of(path), **arguments)
        except PortalError as error:
            _stop(f"{error}. {error.advice}")
        except ApiError as error:
            _stop(f"{error.description} ({error.code})")
        except NotInstalled:
            _stop("The application was removed from this portal meanwhile.")
        except AdapterError as error:
            _stop(f"The source cannot be read: {type(error).__name__}: {error}")
        except StoreUnavailable as error:
            _stop(error.reason)
        except (BadAddress, BadTile, Busy, MissingKey, Unusable, WrongKey) as error:
            _stop(str(error))

    return run


def with_portal(command: Command) -> Command:
    """Give the command ``session``: a portal that lets us in."""

    @with_config
    @click.option("--portal", "address", default="", help="The portal, as acme.bitrix24.com.")
    @click.option(
        "--ask-token",
        is_flag=True,
        help=f"Ask for an access token of an application. {TOKEN_VARIABLE} can hold it as well; "
        "without either the installed application is used.",
    )
    @functools.wraps(command)
    def run(application: Application, address: str, *, ask_token: bool, **arguments: Any) -> None:
        token = os.environ.get(TOKEN_VARIABLE, "")
        if ask_token:
            token = click.prompt("Access token", hide_input=True, err=True)
        session = _given(application, address, token) if token else _installed(application, address)
        command(session=session, **arguments)

    return run


def _given(application: Application, address: str, token: str) -> Session:
    refuse_webhook(token)
    if not address:
        raise Unusable("Say with --portal whose access token this is.")
    origin = typed_origin(address)
    if not admits(application.config.portal.domains, origin):
        raise Unusable(f"{origin} is not among portal.domains; add it there if it is yours.")
    client = Client(GivenToken(origin, token.strip()), application.patience)
    return Session(application, client)


def _installed(application: Application, address: str) -> Session:
    installation = installation_at(application, address)
    return Session(application, application.client(installation), installation.member_id)


def installation_at(application: Application, address: str) -> Installation:
    """The installation in the portal at ``address``, or the only one; raises Unusable."""
    origin = typed_origin(address) if address else None
    known = [item for item in application.store.all() if origin in (None, item.origin)]
    if len(known) == 1:
        return known[0]
    if known and len({item.origin for item in known}) == 1:
        raise Unusable(
            f"{known[0].origin} has {len(known)} installations, as if it was set up anew: "
            f"b24-connector portal forget {known[0].origin}, then install again."
        )
    if known:
        portals = ", ".join(sorted({str(item.origin) for item in known}))
        raise Unusable(f"The application is installed in several portals; say --portal: {portals}.")
    where = f" in {origin}" if origin else ""
    raise Unusable(
        f"The application is not installed{where}: add it to the portal as a local application "
        f"(docs/registering.md), or put an access token of an application into {TOKEN_VARIABLE}."
    )


def typed_origin(address: str) -> Origin:
    """The portal that somebody typed; raises BadAddress, with the reason if it is a webhook."""
    refuse_webhook(address)
    return origin_of(address)


def _stop(message: str) -> None:
    click.echo(message, err=True)
    sys.exit(1)


def show_json(value: Any) -> None:
    """Print for machines."""
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
