"""Tokens: encrypted, renewed once however many ask, stored before they are used."""

import multiprocessing
import sqlite3
import stat
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from app.portal import methods
from app.portal.errors import AccessLost, Nonsense, TryLater
from app.portal.install import Application
from app.portal.methods import Entity
from app.portal.oauth import Pair
from app.portal.options import Unusable, installation_at
from app.portal.sealing import MissingKey, Sealer, WrongKey
from app.portal.settings import Portal
from app.portal.store import Busy, NotInstalled, Store
from tests.portal.kit import CLIENT_SECRET, KEY, QUICK, read_config, write_config

# Those that may hold the store: it has to have transactions.
pytestmark = pytest.mark.engines("sqlite", "postgresql", "mysql")


@pytest.fixture
def settings(engine):
    """The settings of an empty store on each engine."""
    engine.execute("DROP TABLE IF EXISTS portal_installations")
    return Portal(database_url=engine.url, secret_keys=(KEY,))


@pytest.fixture
def store(settings):
    return Store(settings)


@pytest.fixture
def application(b24, tmp_path):
    """Our application, installed in the portal."""
    made = Application(read_config(write_config(tmp_path, b24.url, "http://127.0.0.1:9")), QUICK)
    made.store.keep(b24.installation())
    return made


def only(application):
    (installation,) = application.store.all()
    return installation


def listed(application):
    return methods.listed(application.client(only(application)), Entity.CONNECTOR)


def test_an_installation_is_kept_found_replaced_and_forgotten(b24, store):
    installation = b24.installation()
    assert store.all() == []
    assert store.find(installation.member_id) is None
    store.keep(installation)
    assert store.all() == [installation]
    other = replace(installation, application_token="other", pair=Pair("a", "r", 7))
    store.keep(other)
    assert store.find(installation.member_id) == other
    assert store.forget(installation.member_id)
    assert not store.forget(installation.member_id)
    assert store.all() == []


def test_workers_that_store_the_same_installation_at_once(b24, settings):
    installation = b24.installation()
    stores = [Store(settings) for _ in range(4)]
    together = threading.Barrier(len(stores))

    def keep(store):
        together.wait()
        store.keep(installation)

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(keep, stores))
    assert stores[0].all() == [installation]


def test_nothing_secret_can_be_read_from_the_file_or_a_repr(b24, tmp_path):
    settings = Portal(database_url=f"sqlite:///{tmp_path}/sub/portal.db", secret_keys=(KEY,))
    store, installation = Store(settings), b24.installation()
    store.keep(installation)
    path = tmp_path / "sub" / "portal.db"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    pair = installation.pair
    for secret in (pair.access, pair.refresh, installation.application_token):
        assert secret.encode() not in content
        assert secret not in repr(installation)
    assert KEY not in repr(settings)


def test_without_a_key_nothing_is_stored(tmp_path):
    with pytest.raises(MissingKey, match="CONNECTOR_SECRET_KEY"):
        Store(Portal(database_url=f"sqlite:///{tmp_path}/portal.db"))
    assert not (tmp_path / "portal.db").exists()


def test_a_key_can_be_replaced(b24, settings):
    old, new = Store(settings), "another-key-that-is-long-enough-too"
    installation = b24.installation()
    old.keep(installation)
    both = Store(replace(settings, secret_keys=(new, KEY)))
    assert both.find(installation.member_id) == installation
    both.keep(installation)
    assert Store(replace(settings, secret_keys=(new,))).all() == [installation]
    with pytest.raises(WrongKey, match="CONNECTOR_SECRET_KEY"):
        old.all()


def test_the_same_text_is_never_sealed_the_same_way_twice():
    sealer = Sealer((KEY,))
    assert sealer.seal("text") != sealer.seal("text")
    assert sealer.unseal(sealer.seal("текст")) == "текст"


def test_an_expired_token_is_renewed_once_and_stored(b24, application):
    before = only(application).pair
    b24.control("tokens/expire")
    assert listed(application) == []
    after = only(application).pair
    assert after.access != before.access
    assert after.refresh != before.refresh
    assert after.expires > before.expires - 60
    assert len(b24.calls("refresh")) == 1
    assert listed(application) == []
    assert len(b24.calls("refresh")) == 1


def test_a_portal_that_calls_every_token_expired_is_not_asked_for_ever(b24, application):
    b24.fault("biconnector.connector.list", status=401, error="expired_token", times=0)
    with pytest.raises(AccessLost, match="expired_token"):
        listed(application)
    assert len(b24.calls("refresh")) == 1


def test_the_new_pair_is_stored_before_it_is_used(b24, application):
    seen = []
    client = application.client(only(application))
    b24.control("tokens/expire")
    original = application.store.renew

    def watched(*arguments):
        pair = original(*arguments)
        seen.append((pair, only(application).pair))
        return pair

    application.store.renew = watched
    methods.listed(client, Entity.CONNECTOR)
    ((given, stored),) = seen
    assert given == stored


def test_workers_that_find_the_token_expired_at_once_renew_it_once(b24, settings):
    """Each worker has a store of its own, as processes have; the exchange is slow on purpose."""
    installation = b24.installation()
    stores = [Store(settings) for _ in range(4)]
    stores[0].keep(installation)
    together = threading.Barrier(len(stores))
    exchanged = []

    def exchange(known):
        exchanged.append(known.pair)
        time.sleep(0.3)  # the others ask meanwhile, and have to wait
        return Pair("new-access", "new-refresh", 7)

    def work(store):
        together.wait()
        return store.renew(installation.member_id, installation.pair.access, exchange)

    with ThreadPoolExecutor(len(stores)) as pool:
        pairs = list(pool.map(work, stores))
    assert exchanged == [installation.pair]
    assert pairs == [Pair("new-access", "new-refresh", 7)] * len(stores)
    assert stores[3].find(installation.member_id).pair == pairs[0]


def _list_in_another_process(path, start, results):
    application = Application(read_config(path), QUICK)
    start.wait()
    results.put(listed(application))


def test_processes_that_find_the_token_expired_at_once_renew_it_once(b24, application, tmp_path):
    b24.control("tokens/expire")
    b24.fault("oauth", kind="delay", seconds=0.5)
    context = multiprocessing.get_context("spawn")
    start, results = context.Event(), context.Queue()
    arguments = (tmp_path / "connector.toml", start, results)
    workers = [context.Process(target=_list_in_another_process, args=arguments) for _ in range(2)]
    for worker in workers:
        worker.start()
    start.set()
    assert [results.get(timeout=60) for _ in workers] == [[], []]
    for worker in workers:
        worker.join(30)
    assert len(b24.calls("refresh")) == 1


def test_a_refresh_that_fails_loses_nothing(b24, application):
    before = only(application)
    b24.control("tokens/expire")
    b24.fault("oauth", status=503, error="OVERLOAD_LIMIT")
    with pytest.raises(TryLater):
        listed(application)
    b24.fault("oauth", kind="nonsense", status=200)
    with pytest.raises(Nonsense):
        listed(application)
    b24.fault("oauth", kind="nonsense", status=500)
    with pytest.raises(TryLater):
        listed(application)
    assert only(application) == before
    assert listed(application) == []


def test_tokens_that_were_revoked_in_the_middle(b24, application):
    assert listed(application) == []
    b24.control("tokens/revoke")
    with pytest.raises(AccessLost, match="invalid_grant") as caught:
        listed(application)
    whole = "".join(traceback.format_exception(caught.value))
    pair = only(application).pair
    for secret in (pair.access, pair.refresh, CLIENT_SECRET):
        assert secret not in whole


def test_an_oauth_server_that_is_down_shows_no_secret(b24, application):
    known = only(application)
    nowhere = replace(known.oauth_server, port=9)
    settings = replace(application.config.portal, oauth_servers=(str(nowhere),))
    application.config = replace(application.config, portal=settings)
    application.store.keep(replace(known, oauth_server=nowhere))
    b24.control("tokens/expire")
    with pytest.raises(TryLater, match="OAUTH_UNREACHABLE") as caught:
        listed(application)
    whole = "".join(traceback.format_exception(caught.value))
    for secret in (known.pair.refresh, CLIENT_SECRET):
        assert secret not in whole


def test_an_oauth_server_that_left_the_list_gets_no_secret(b24, application):
    settings = replace(application.config.portal, oauth_servers=("oauth.bitrix.info",))
    application.config = replace(application.config, portal=settings)
    b24.control("tokens/expire")
    with pytest.raises(AccessLost, match=r"portal\.oauth_servers"):
        listed(application)
    assert b24.calls("refresh") == []


def test_an_installation_that_was_removed_meanwhile(b24, application):
    client = application.client(only(application))
    application.store.forget(only(application).member_id)
    with pytest.raises(AccessLost, match="NOT_INSTALLED"):
        methods.listed(client, Entity.CONNECTOR)
    with pytest.raises(NotInstalled):
        application.store.renew("nobody", "spent", lambda _: Pair("a", "r", 0))


def test_one_registers_at_a_time(b24, settings):
    one, other = Store(settings), Store(settings)
    member_id = b24.installation().member_id
    with pytest.raises(NotInstalled), one.alone(member_id):
        pass
    one.keep(b24.installation())
    with one.alone(member_id):
        with pytest.raises(Busy, match="in 10 if it was killed"), other.alone(member_id, wait=0):
            pass
        # Renewing goes on meanwhile.
        spent = one.find(member_id).pair.access
        assert other.renew(member_id, spent, lambda _: Pair("a", "r", 0)).access == "a"
    with other.alone(member_id, wait=0):
        pass


def test_many_workers_make_the_table_at_once(settings):
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(Store, [settings] * 4))
    assert [store.all() for store in stores] == [[]] * 4


def test_the_file_is_an_ordinary_database(b24, tmp_path):
    store = Store(Portal(database_url=f"sqlite:///{tmp_path}/p.db", secret_keys=(KEY,)))
    store.keep(b24.installation())
    connection = sqlite3.connect(tmp_path / "p.db")
    rows = connection.execute("SELECT origin FROM portal_installations").fetchall()
    connection.close()
    assert rows == [(b24.url,)]


def test_a_wrong_secret_is_no_reason_to_install_again(b24, application):
    settings = replace(application.config.portal, client_secret="wrong")
    application.config = replace(application.config, portal=settings)
    b24.control("tokens/expire")
    with pytest.raises(AccessLost, match="invalid_client") as caught:
        listed(application)
    assert "client_secret" in caught.value.advice
    assert "nothing has to be installed again" in caught.value.advice


def test_a_portal_that_was_set_up_anew_under_its_address(b24, application):
    application.store.keep(replace(only(application), member_id="another"))
    with pytest.raises(Unusable, match=r"2 installations.*portal forget") as caught:
        installation_at(application, b24.url)
    assert "say --portal" not in str(caught.value)
