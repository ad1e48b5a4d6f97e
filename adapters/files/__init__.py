"""Files in a folder as tables, read by DuckDB: CSV, JSON, Parquet and workbooks.

Nothing is loaded beforehand. Every request looks at the folder; what was found out about a file is
remembered for as long as the file is the same. A table is a view of one session, which reads the
files or, where DuckDB cannot, a copy (:mod:`adapters.files.copies`). What is sent is checked at its
end: rows of a file that changed meanwhile never look like all of them.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adapters.base import Options, Table
from adapters.duckdb import DuckDBAdapter, run
from adapters.errors import QueryFailed, SchemaChanged
from adapters.files import copies, delimited, folder, plain, whole
from adapters.files.folder import Source
from adapters.files.naming import literal, quoted
from adapters.files.whole import Signature
from adapters.sql.pace import Pace


@dataclass(frozen=True)
class _Known:
    """A table as it was when its files had these signatures; ``select`` reads it."""

    files: dict[Path, Signature]
    select: str


class FilesAdapter(DuckDBAdapter):
    """``files:///data/exports``: always an absolute path, as in ``file://``.

    ``?encoding=windows-1251`` says what CSV files are in that are not UTF-8.
    """

    parameters = DuckDBAdapter.parameters | {"encoding"}

    def __init__(self, url: str, options: Options) -> None:
        super().__init__(url, options)
        self._folder = Path("/", self.path).resolve()
        self._opening = threading.Lock()
        self._database: duckdb.DuckDBPyConnection | None = None
        self._copies: copies.Room | None = None
        self._sheets: dict[Path, tuple[Signature, list[str]]] = {}
        self._known: dict[str, _Known] = {}
        # Copies with what they are of.
        self._copied: dict[Path, dict[Path, Signature]] = {}
        self._copying = threading.Lock()

    def open(self) -> duckdb.DuckDBPyConnection:
        """A session of the one database in memory, which is there from the first session on."""
        with self._opening:
            if self._database is None:
                self._copies = copies.Room()
                self._database = duckdb.connect(":memory:", config=self.config())
                rooms = ", ".join(map(literal, (str(self._folder), self._copies.name)))
                self._database.execute(
                    f"SET allowed_directories = [{rooms}]; SET enable_external_file_cache = false;"
                    "SET enable_external_access = false; SET lock_configuration = true"
                )
            return self._database.cursor()

    def check(self) -> None:
        self._sources()
        super().check()

    def tables(self) -> list[Table]:
        return [Table(name) for name in self._sources()]

    def describe_table(
        self, connection: sa.Connection, table: Table
    ) -> list[tuple[str, TypeEngine[Any]]]:
        source = self._sources().get(table.name)
        if source is None:
            raise SchemaChanged(f"table {table.name} does not exist any more")
        self._show(connection, table.name, source)
        return super().describe_table(connection, table)

    def describe_sql(
        self, connection: sa.Connection, sql: str
    ) -> list[tuple[str, TypeEngine[Any]]]:
        """A query of the configuration sees the tables whose names are somewhere in it."""
        for name, source in self._sources().items():
            if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE):
                self._show(connection, name, source)
        return super().describe_sql(connection, sql)

    def fetch(
        self, connection: sa.Connection, found: duckdb.DuckDBPyConnection, pace: Pace
    ) -> Iterator[list[Any]]:
        """The last batch is given when the files are known not to have changed meanwhile."""
        held: list[Any] = []
        for batch in super().fetch(connection, found, pace):
            if held:
                yield held
            held = batch
        whole.unchanged(connection.info.get("files", {}))
        if held:
            yield held

    def close(self) -> None:
        super().close()
        if self._database is not None:
            self._database.close()
        if self._copies is not None:
            self._copies.cleanup()

    def _sources(self) -> dict[str, Source]:
        return folder.sources(self._folder, self._sheets_of)

    def _sheets_of(self, path: Path) -> list[str]:
        (signature,) = whole.signatures([path]).values()
        known = self._sheets.get(path)
        if known is None or known[0] != signature:
            known = self._sheets[path] = (signature, copies.sheets(path))
        return known[1]

    def _show(self, connection: sa.Connection, name: str, source: Source) -> None:
        """Make the table a view of the session, and remember there which files it reads."""
        files = whole.whole(source.paths)
        known = self._known.get(name)
        if known is None or known.files != files:
            try:
                select = self._select(connection, source, files)
            except duckdb.Error as error:
                raise QueryFailed(f"{name}: {error}") from None
            whole.unchanged(files)
            known = self._known[name] = _Known(files, select)
            self._forget()
        connection.info.setdefault("files", {}).update(files)
        run(connection, f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {known.select}")

    def _select(
        self, connection: sa.Connection, source: Source, files: dict[Path, Signature]
    ) -> str:
        """The SELECT that reads the files, each column with its type."""
        raw: Any = connection.connection.dbapi_connection
        match source.kind:
            case "parquet":
                return plain.parquet(raw, source.paths)
            case "json":
                return plain.json(raw, source.paths[0])
            case _:
                paths = [self._as_csv(source, path, files[path]) for path in source.paths]
                return delimited.select(raw, source.paths, paths)

    def _as_csv(self, source: Source, path: Path, signature: Signature) -> Path:
        """The file itself, or its copy in UTF-8."""
        encoding = ""
        if source.kind == "delimited":
            encoding = copies.encoding_of(path, self.settings.get("encoding", "")) or ""
            if not encoding:
                return path
        assert self._copies is not None  # noqa: S101 - there is a session
        place = Path(self._copies.name)
        digest = hashlib.sha256(repr((path, source.sheet, signature)).encode()).hexdigest()
        copy = place / f"{digest}.csv"
        if not copy.exists():
            # One after the other: each may take much memory, and many ask for the same at once.
            with self._copying:
                if not copy.exists():
                    with _fresh(place) as fresh:
                        if encoding:
                            copies.recode(path, encoding, fresh)
                        else:
                            copies.unpack(path, source.sheet, fresh)
                        fresh.rename(copy)
                    self._copied[copy] = {path: signature}
        return copy

    def _forget(self) -> None:
        """Forget what was known of files that have changed or gone, of which there is no end."""
        for path, (signature, _) in list(self._sheets.items()):
            if whole.are_past({path: signature}):
                self._sheets.pop(path, None)
        for name, known in list(self._known.items()):
            if whole.are_past(known.files):
                self._known.pop(name, None)
        for copy, files in list(self._copied.items()):
            if whole.are_past(files):
                self._copied.pop(copy, None)
                copy.unlink(missing_ok=True)


@contextmanager
def _fresh(place: Path) -> Iterator[Path]:
    """An empty file to be filled in the block and then renamed; what fails leaves nothing."""
    descriptor, name = tempfile.mkstemp(dir=place)
    os.close(descriptor)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
