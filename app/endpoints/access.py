"""Who may see what: a token opens sources, and nothing else exists for its holder."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from app import config
from app.errors import ApiError
from app.sources import PublishedTable, Source
from app.wire.codes import SOURCE_JOINT
from app.wire.form import Tree


@dataclass(frozen=True)
class Access:
    """The sources that the credentials of one request open."""

    sources: Sequence[Source]

    def tables(self) -> Iterator[tuple[str, PublishedTable]]:
        """All tables with the codes that tell them apart."""
        for source in self.sources:
            for table in source.tables().values():
                yield self.code(source, table), table

    def code(self, source: Source, table: PublishedTable) -> str:
        """The code under which a table is listed, ``source___table`` if there are several sources.

        The portal remembers it and sends it back.
        """
        prefix = f"{source.settings.name}{SOURCE_JOINT}" if len(self.sources) > 1 else ""
        return prefix + table.code

    def find(self, code: str, *, fresh: bool = False) -> tuple[Source, PublishedTable]:
        """The table that ``code`` names, with or without its source as long as only one has it.

        Raises :class:`~app.errors.ApiError` UNKNOWN_TABLE.
        """
        name, joint, rest = code.partition(SOURCE_JOINT)
        sources = [s for s in self.sources if not joint or s.settings.name == name]
        found = [
            (source, table)
            for source in sources
            if (table := source.tables(fresh=fresh).get(rest if joint else code))
        ]
        if len(found) > 1:
            choices = ", ".join(f"{s.settings.name}{SOURCE_JOINT}{code}" for s, _ in found)
            raise ApiError("UNKNOWN_TABLE", f"Several sources have a table {code}: say {choices}.")
        if not found:
            raise ApiError(
                "UNKNOWN_TABLE",
                f"There is no table {code}; the table list has the codes of all tables.",
            )
        return found[0]


def grant(
    connector: config.Connector, sources: Mapping[str, Source], connection: Tree | str | None
) -> Access:
    """What the ``connection`` of a request opens; raises ApiError INVALID_TOKEN.

    Every token of every source is compared, in constant time, whatever the ones before gave.
    """
    token = connection.get("token") if isinstance(connection, dict) else None
    given = sha256(token.encode()).hexdigest() if isinstance(token, str) else ""
    opened = [
        source
        for source in sources.values()
        if connector.name in source.settings.connectors
        # A list, not a generator: no comparison is spared.
        and any([hmac.compare_digest(given, digest) for digest in source.digests])
    ]
    if not opened:
        raise ApiError(
            "INVALID_TOKEN",
            "The token of this connection opens nothing here; the operator of the service has the "
            "right one."
            if token
            else "This connection sends no token; put it into the connection's settings.",
        )
    return Access(opened)
