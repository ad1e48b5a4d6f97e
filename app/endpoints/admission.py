"""Lets the sender of a request in, by a token or by a login of the database's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from flask import Response, after_this_request, current_app

from app import config
from app.direct.door import Door
from app.endpoints.access import Access, grant
from app.sources import Source
from app.wire.form import Tree


def admit(
    connector: config.Connector, sources: Mapping[str, Source], connection: Tree | str | None
) -> Access:
    """What the ``connection`` of the present request opens.

    Raises ApiError INVALID_TOKEN and CANNOT_CONNECT.
    """
    if connector.direct is None:
        return grant(connector, sources, connection)
    door = cast(Door, current_app.extensions["b24_door"])
    lease = door.open(connector.direct, connection)

    @after_this_request
    def give_back(response: Response) -> Response:
        # Not before the last row has left.
        response.call_on_close(lambda: door.pools.give_back(lease))
        return response

    return Access([lease.source])
