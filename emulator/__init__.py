"""A Bitrix24 portal to develop and demonstrate against; it talks HTTP and imports nothing of ours.

Run it with `python -m emulator`, or make an application with `create_app(Options(...))` for a
threaded server of one process, since its memory is not shared.

What it serves
--------------
`/`                          the analyst workspace, with the wire log beside it
`/rest/<method>[.json]`      the REST API, with `auth` or under a webhook's address
`/oauth/token/`              the exchange of a refresh token for a new pair
`/api/v1/`                   a stand-in for the portal's `BX24` script
`/emulator/...`              the controls of the emulator itself, below

Controls (JSON in, JSON out; a wrong command is answered with 400 and `{"error"}`)
--------
`GET  /emulator/health`      whether it runs
`GET  /emulator/state`       settings, applications, connectors, sources, datasets; no secrets
`POST /emulator/settings`    any of `portal` (old, new), `language` (en, ru), `site_format` (ru, en,
                             de, fr), `allow_private`, `user_has_access` (booleans)
`POST /emulator/reset`       forget everything: state, faults, log
`POST /emulator/applications`   declare a local application: `client_id`, `client_secret` (made up
                             if missing), `title`, `install_url` (with a page), `event_url` (without
                             one, and for removal), `scope`; answers with `client_id`,
                             `client_secret`, `application_token`, `member_id`
`POST /emulator/applications/<client_id>/install`     the handshake of PROTOCOL's local application:
                             the page if there is an `install_url`, else the event; 502 if it fails
`POST /emulator/applications/<client_id>/uninstall`   tokens die, then `ONAPPUNINSTALL` is posted
`POST /emulator/applications/<client_id>/event`       post an event: `event`, `changes` (values that
                             replace those of `auth`, for forged ones), `url`
`POST /emulator/tokens`      issue a pair: `client_id`, `expires_in`
`POST /emulator/tokens/expire`  let access tokens run out: `client_id`, or all
`POST /emulator/tokens/revoke`  let refresh tokens run out as well
`POST /emulator/webhooks`    make a webhook: `scope`; answers with `url`
`POST /emulator/faults`      set a fault: `path` (a pattern for the method, or `oauth`), `kind`
                             (`error`, `nonsense`, `inner`, `delay`), `status`, `error`,
                             `description`, `seconds`, `times` (0: for good), `skip`
`GET, DELETE /emulator/faults`  show them, clear them
`GET  /emulator/wire?after=N`   exchanges after number N, masked, each with its `curl` and the
                             `curl_variables` that have to be filled in
`DELETE /emulator/wire`      empty the log
"""

from __future__ import annotations

from flask import Flask

from emulator import control, oauth, pages
from emulator.options import Limits, Options
from emulator.pages import api
from emulator.portal import Portal, build
from emulator.rest import server

__all__ = ["Limits", "Options", "create_app", "portal_of"]


def create_app(options: Options | None = None) -> Flask:
    """Make a portal that is ready to be served."""
    app = Flask(__name__, static_folder=None)
    app.extensions["portal"] = build(options or Options())
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    for part in (server, oauth, control, api, pages):
        app.register_blueprint(part.blueprint)
    return app


def portal_of(app: Flask) -> Portal:
    """Return the portal behind an application."""
    portal: Portal = app.extensions["portal"]
    return portal
