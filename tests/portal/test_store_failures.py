"""A database for the tokens that cannot be used: the operator is told why, nobody a password."""

import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.engine import make_url

from app.cli import main
from app.endpoints.gate import VISITS
from app.portal import database, store
from app.portal.database import StoreUnavailable
from app.portal.settings import Portal
from app.portal.store import Store
from tests.engines import postgresql_engine
from tests.http.troubles import password_needed
from tests.portal.kit import (
    KEY,
    clean_environment,
    post_form,
    running_connector,
    write_config,
)

PASSWORD = "pl'ant @pass%word"
DEAD = make_url("postgresql://u@127.0.0.1:1/tokens").set(password=PASSWORD)


def text_of(url):
    return url.render_as_string(hide_password=False)


def open_store(url):
    return Store(Portal(database_url=text_of(url), secret_keys=(KEY,)))


def reason(url):
    with pytest.raises(StoreUnavailable) as caught:
        open_store(url)
    assert "\n" not in caught.value.reason
    assert PASSWORD not in caught.value.reason
    assert caught.value.reason.startswith(str(caught.value)[:-1] + ": ")
    return caught.value.reason


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_host_that_is_dead(scheme):
    said = reason(DEAD.set(drivername=scheme))
    assert "OperationalError: " in said
    assert "127.0.0.1" in said
    assert "Connection refused" in said


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_is_silent_is_given_up(monkeypatch, scheme):
    monkeypatch.setattr(database, "_ENTRY", 2)
    monkeypatch.setattr(database, "_WAIT", 2)
    with ThreadPoolExecutor(1) as threads, socket.create_server(("127.0.0.1", 0)) as mute:
        url = DEAD.set(drivername=scheme, port=mute.getsockname()[1])
        assert threads.submit(reason, url).result(20)


def test_a_silent_store_takes_few_threads(monkeypatch, tmp_path):
    unlocked = threading.Event()

    def open_silent(_):
        unlocked.wait()
        raise StoreUnavailable(TimeoutError())

    monkeypatch.setattr(store, "open_engine", open_silent)
    with (
        running_connector(tmp_path, "", DATABASE_URL="sqlite:///never") as connector,
        ThreadPoolExecutor(VISITS + 1) as strangers,
    ):

        def event():
            auth = {"auth[member_id]": "x", "auth[application_token]": "y"}
            return post_form(f"{connector.url}/events", {"event": "ONAPPUNINSTALL", **auth})

        try:
            waiting = [strangers.submit(event) for _ in range(VISITS + 1)]
            first = next(as_completed(waiting, 10)).result()
            assert (first.status, first.json["error"]) == (503, "TOO_BUSY")
        finally:
            unlocked.set()


def test_a_directory_that_cannot_be_written():
    assert "/proc/nowhere" in reason(make_url("sqlite:////proc/nowhere/portal.db"))


def test_a_password_that_is_wrong_in_postgresql(servers):
    with (
        postgresql_engine(servers["postgresql"], "test_store") as engine,
        password_needed(engine.url, "right-password") as locked,
    ):
        assert "password authentication failed" in reason(make_url(locked).set(password=PASSWORD))


@pytest.fixture
def poor(engine):
    """The address for an account that may log in and nothing else."""
    engine.execute("DROP TABLE IF EXISTS portal_installations")
    url = make_url(engine.url)
    if url.get_backend_name() == "postgresql":
        engine.execute("CREATE ROLE b24_poor LOGIN")
        engine.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        yield url.set(username="b24_poor")
        engine.execute("DROP OWNED BY b24_poor")
        engine.execute("DROP ROLE b24_poor")
    else:
        engine.execute("CREATE USER b24_poor IDENTIFIED BY 'right-password'")
        yield url.set(username="b24_poor", password="right-password")
        engine.execute("DROP USER b24_poor")


@pytest.mark.engines("mysql")
def test_a_password_that_is_wrong_in_mysql(engine, poor):
    assert "Access denied for user 'b24_poor'" in reason(poor.set(password=PASSWORD))


@pytest.mark.engines("postgresql", "mysql")
def test_the_rights_that_are_needed(b24, engine, poor):
    assert "denied" in reason(poor)
    open_store(make_url(engine.url))
    with pytest.raises(StoreUnavailable) as caught:
        open_store(poor).all()
    assert "denied" in caught.value.reason
    engine.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON portal_installations TO b24_poor")
    limited, installation = open_store(poor), b24.installation()
    limited.keep(installation)
    limited.keep(installation)
    with limited.alone(installation.member_id):
        assert limited.find(installation.member_id) == installation
    assert limited.forget(installation.member_id)


@pytest.mark.parametrize("form", [PASSWORD, "pl%27ant%20%40pass%25word", "pl\\'ant @pass%word"])
@pytest.mark.parametrize("url", [DEAD, make_url("mysql://h/d").set(query={"passwd": PASSWORD})])
def test_a_password_that_a_driver_quotes_is_cut_out(form, url):
    error = sa.exc.OperationalError("SELECT 1", {}, RuntimeError(f"no\nentry with {form}, sorry"))
    assert StoreUnavailable(error, url).reason.endswith(": RuntimeError: no entry with ***, sorry")


def test_what_was_to_be_written_is_not_repeated():
    error = sa.exc.DataError("INSERT", {}, RuntimeError("the row (plant)"))
    assert "plant" not in StoreUnavailable(error, DEAD).reason


def test_the_log_and_the_commands_say_why_and_the_page_does_not(b24, tmp_path, caplog):
    ours = logging.getLogger("b24")
    with running_connector(tmp_path, b24.url, DATABASE_URL=text_of(DEAD)) as connector:
        ours.addHandler(caplog.handler)
        try:
            page = b24.page(connector.url)
        finally:
            ours.removeHandler(caplog.handler)
    assert page.status == 503
    assert "Connection refused" not in page.text
    assert "OperationalError" in page.text
    (line,) = (r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)
    assert line.startswith(f"request {page.headers['X-Request-Id']}: The database for the tokens")
    assert "Connection refused" in line
    path = write_config(tmp_path, b24.url, "http://127.0.0.1:9")
    environment = clean_environment() | {"DATABASE_URL": text_of(DEAD)}
    done = CliRunner().invoke(main, ["status", "--config", str(path)], env=environment)
    assert done.exit_code != 0
    assert "Connection refused" in done.output
    assert "word" not in done.output
