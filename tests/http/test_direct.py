"""Users name a database and log in to it; nobody reaches any other, and nobody learns why not."""

from __future__ import annotations

import contextlib
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from app.endpoints.gate import SHARE
from tests.server import Answer, Server, eventually, free_port, serving
from tests.tcp import OTHER, OTHER_PASSWORD, PASSWORD, USER, Database, mariadb, postgresql

ENDPOINTS = ("check", "table_list", "table_description", "data")
SECONDS = 1.2  # connect_timeout of the server under test


@pytest.fixture(scope="module", params=[postgresql, mariadb], ids=["postgresql", "mariadb"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    # Sockets need short paths.
    with tempfile.TemporaryDirectory(prefix="b24-") as directory:
        Path(directory).chmod(0o755)
        with request.param(Path(directory)) as running:
            yield running


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    """One that is closed, and one that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield free_port(), listening.getsockname()[1]


@pytest.fixture(scope="module")
def server(
    database: Database, ports: tuple[int, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with ExitStack() as stack:
        closed, mute = ports
        config = f"""
            [server]
            guesses_per_minute = 1000
            [connectors.database]
            title = "Databases"
            access = "direct"
            engine = "{database.engine}"
            allow_hosts = ["127.0.0.1:{database.port}", "localhost:{database.port}",
                           "127.0.0.1:{closed}", "127.0.0.1:{mute}", "192.0.2.1"]
            hide = ["*.secret"]
            tls = "prefer"
            connect_timeout = {SECONDS}
        """
        environment = {"PGPASSWORD": PASSWORD, "PGUSER": USER, "PGDATABASE": "shop"}
        running = serving(tmp_path_factory.mktemp("server"), config, **environment)
        yield stack.enter_context(running)


def login(at: Database, /, **changes: str) -> dict[str, str]:
    typed = {
        "host": "127.0.0.1",
        "port": str(at.port),
        "database": "shop",
        "username": USER,
        "password": PASSWORD,
    }
    return typed | changes


def ask(server: Server, typed: dict[str, str], endpoint: str = "check", **more: str) -> Answer:
    body = {f"connection[{key}]": value for key, value in typed.items()}
    return server.post(f"/api/database/{endpoint}", urlencode(body | more))


def rows(server: Server, typed: dict[str, str]) -> Any:
    answer = ask(server, typed, "data", table="goods")
    assert answer.status == 200, answer
    return sorted(answer.json[1:])


def test_a_login_opens_every_endpoint(server: Server, database: Database) -> None:
    typed = login(database)
    assert ask(server, typed).json == {"status": "ok"}
    listed = ask(server, typed, "table_list").json
    assert [row["code"] for row in listed] == ["goods", "hidden"]
    described = ask(server, typed, "table_description", table="hidden").json
    assert [field["code"] for field in described] == ["ID"]
    assert rows(server, typed) == [[1, "pen"], [2, "ручка"]]


@pytest.mark.parametrize("host", ["localhost", " LOCALHOST. ", "[::ffff:127.0.0.1]"])
def test_hosts_have_several_spellings(server: Server, database: Database, host: str) -> None:
    assert ask(server, login(database, host=host)).status == 200


def refused(server: Server, typed: dict[str, str], endpoint: str = "check") -> tuple[bytes, float]:
    started = time.monotonic()
    answer = ask(server, typed, endpoint, table="goods")
    taken = time.monotonic() - started
    assert (answer.status, answer.error) == (401, "CANNOT_CONNECT")
    return answer.body, taken


def all_refused(
    server: Server, database: Database, failures: list[dict[str, str]]
) -> list[tuple[dict[str, str], bytes, float]]:
    """Every login with one of the changes fails; several at once, since each takes its time."""

    def run(changes: dict[str, str]) -> tuple[dict[str, str], bytes, float]:
        return changes, *refused(server, login(database, **changes))

    with ThreadPoolExecutor(SHARE) as threads:
        return list(threads.map(run, failures))


def test_all_failures_look_the_same_and_take_the_same_time(
    server: Server, database: Database, ports: tuple[int, int]
) -> None:
    closed, mute = ports
    seen = all_refused(
        server,
        database,
        [
            {"password": "wrong"},
            {"username": "nobody"},
            {"database": "nothing"},
            {"port": str(closed)},
            {"port": str(mute)},
            {"port": ""},  # the usual one, which is not on the list for this host
            {"port": "1"},
            {"port": "x"},
            {"host": "192.0.2.1", "port": ""},  # leads nowhere
            {"host": "127.0.0.2"},
            {"host": "no.such.name.example"},
            {"host": "169.254.169.254"},
        ],
    )
    assert len({body for _, body, _ in seen}) == 1
    for changes, _, taken in seen:
        assert SECONDS <= taken < SECONDS + 0.7, changes


def test_no_value_becomes_a_parameter_or_another_host(server: Server, database: Database) -> None:
    hosts = (
        *("127.0.0.1,127.0.0.1", "/tmp", "@socket", "127.0.0.1 hostaddr=10.0.0.1", "2130706433"),
        *("127.1", "reader@127.0.0.1", "127.0.0.1/shop?sslmode=disable", "127.0.0.1\0.example.com"),
    )
    names = (
        *("shop host=/tmp", "host=127.0.0.1 dbname=shop", "postgresql://127.0.0.1/shop"),
        *("shop?unix_socket=/tmp/x&local_infile=1", "shop\0"),
    )
    all_refused(server, database, [{"host": host} for host in hosts])
    all_refused(server, database, [{"database": name} for name in names])
    rest = [
        {"username": f"{USER} options=-cdefault_transaction_read_only=off"},
        {"password": f"{PASSWORD} host=/tmp"},
        *({"port": port} for port in ("5432,5433", "-1", "٣٣٠٦", f"{database.port} host=/tmp")),
    ]
    all_refused(server, database, rest)


def test_a_database_may_have_a_name_that_looks_like_parameters(
    server: Server, database: Database
) -> None:
    quote = '"' if database.engine == "postgresql" else "`"
    for name in ("dbname=shop host=x", "shop?host=x&local_infile=1", "a b'c"):
        database.execute(f"CREATE DATABASE {quote}{name}{quote}")
        typed = login(database, database=name)
        assert ask(server, typed).status == 200
        assert ask(server, typed, "table_list").json == []


@pytest.mark.parametrize("missing", ["host", "database", "username", "password"])
@pytest.mark.parametrize("value", [None, "", " "])
def test_nothing_is_filled_in_for_a_missing_value(
    server: Server, database: Database, missing: str, value: str | None
) -> None:
    """The environment of the server has values for all of them."""
    typed = login(database)
    del typed[missing]
    if value is not None:
        typed[missing] = value
    body, taken = refused(server, typed)
    assert missing in body.decode()
    assert taken < SECONDS / 2


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_parameters_of_drivers_are_not_read(
    server: Server, database: Database, endpoint: str
) -> None:
    more = {
        "unix_socket": "/tmp/x",
        "hostaddr": "10.0.0.1",
        "options": "-c x=1",
        "sslmode": "disable",
        "service": "x",
        "read_default_file": "/etc/passwd",
        "local_infile": "1",
        "init_command": "SET x",
        "token": "x",
    }
    assert ask(server, login(database) | more, endpoint, table="goods").status == 200


def test_a_server_that_asks_for_no_password_is_refused(server: Server, database: Database) -> None:
    if database.engine != "postgresql":
        pytest.skip("MariaDB checks a typed password even where an account has none")
    refused(server, login(database, username="trusted", password="anything"))


def test_no_connection_is_shared_between_logins(server: Server, database: Database) -> None:
    ask(server, login(database))
    mine = login(database, username=OTHER, password=OTHER_PASSWORD)
    assert rows(server, mine) == rows(server, login(database))
    database.execute(
        "REVOKE SELECT ON goods FROM other"
        if database.engine == "postgresql"
        else "REVOKE SELECT ON shop.goods FROM other@'%'"
    )
    eventually(lambda: ask(server, mine, "data", table="goods").status != 200)
    assert rows(server, login(database)) == [[1, "pen"], [2, "ручка"]]
    # What somebody has opened is not open to a wrong password.
    refused(server, login(database, password="wrong"), "data")


def test_the_driver_looks_nothing_up(database: Database) -> None:
    """A name that has no address by now: the connection goes to the one that was checked."""
    from adapters.base import Options
    from adapters.direct import Login, Tls, open_login

    typed = Login(
        "gone.invalid", "127.0.0.1", database.port, "shop", USER, PASSWORD, tls=Tls("prefer")
    )
    adapter = open_login(database.engine, typed, Options())
    try:
        adapter.check()
    finally:
        adapter.close()


def test_a_query_can_be_ended_without_looking_anything_up(database: Database) -> None:
    from adapters.base import Cancellation, Options
    from adapters.direct import Login, Tls, open_login
    from adapters.errors import AdapterError

    typed = Login(
        "gone.invalid", "127.0.0.1", database.port, "shop", USER, PASSWORD, tls=Tls("prefer")
    )
    adapter: Any = open_login(database.engine, typed, Options())
    sleep = "pg_sleep" if database.engine == "postgresql" else "sleep"
    cancellation = Cancellation()
    timer = threading.Timer(0.5, cancellation.cancel, ["enough"])
    started = time.monotonic()
    timer.start()
    try:
        with contextlib.suppress(AdapterError), adapter.session(cancellation) as connection:
            connection.exec_driver_sql(f"SELECT {sleep}(20)")
    finally:
        timer.join()
        adapter.close()
    assert time.monotonic() - started < 5


def test_sessions_are_read_only(server: Server, database: Database) -> None:
    from adapters.base import Cancellation, Options
    from adapters.direct import Login, Tls, open_login

    typed = Login(
        "localhost", "127.0.0.1", database.port, "shop", USER, PASSWORD, tls=Tls("prefer")
    )
    adapter: Any = open_login(database.engine, typed, Options())
    try:
        with (
            pytest.raises(Exception, match=r"(?i)read.only"),
            adapter.session(Cancellation()) as connection,
        ):
            connection.exec_driver_sql("CREATE TABLE t (id int)")
    finally:
        adapter.close()


def test_typed_passwords_are_in_no_log(server: Server) -> None:
    logged = server.lines()
    assert re.search(r"request [0-9a-f]{32}: connector \w+: login refused: ", logged)
    assert "plant" not in logged
    assert "wrong" not in logged
