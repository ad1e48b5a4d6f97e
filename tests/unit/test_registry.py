"""The adapter of a URL is found among installed packages, or the reason why not is named."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.base import Options
from adapters.registry import UnknownScheme, adapter_class, open_adapter
from adapters.sqlite import SQLiteAdapter

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package that claims a scheme, until the test ends."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def installed(package: str, entry: str, code: str = "", extra: str = "") -> None:
        (tmp_path / f"{package}.py").write_text(code)
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        offered = f"Provides-Extra: {extra}\n" if extra else ""
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n{offered}"
        )
        (info / "entry_points.txt").write_text(f"[b24_connector.adapters]\n{entry}\n")
        importlib.invalidate_caches()

    yield installed
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///x.db", "SQLiteAdapter"),
        ("SQLite:///x.db", "SQLiteAdapter"),
        ("postgresql://h/db", "PostgreSQLAdapter"),
        ("postgres://h/db", "PostgreSQLAdapter"),
        ("postgresql+psycopg://h/db", "PostgreSQLAdapter"),
        ("mysql://h/db", "MySQLAdapter"),
        ("mariadb://h/db", "MySQLAdapter"),
        ("mysql+pymysql://h/db", "MySQLAdapter"),
        ("mssql://h/db", "SQLServerAdapter"),
        ("oracle://h/db", "OracleAdapter"),
        ("trino://h/catalog", "TrinoAdapter"),
    ],
)
def test_the_scheme_chooses_the_adapter(url: str, name: str) -> None:
    assert adapter_class(url).__name__ == name


@pytest.mark.parametrize("scheme", ["mysql+mysqldb", "mariadb+mysqldb"])
def test_a_driver_that_is_asked_for_is_used_or_named(scheme: str) -> None:
    try:
        import MySQLdb  # noqa: F401
    except ImportError:
        with pytest.raises(UnknownScheme, match=r"pip install '\.\[mysqlclient\]'"):
            adapter_class(f"{scheme}://h/db")
    else:
        assert adapter_class(f"{scheme}://h/db").__name__ == "MySQLClientAdapter"


def test_opening_contacts_no_database() -> None:
    adapter = open_adapter("postgresql://u:p@192.0.2.1/db", Options())
    assert adapter.options == Options()
    adapter.close()


@pytest.mark.parametrize(
    ("url", "culprit"),
    [
        ("db2://u:sesame@h/db", "no adapter for db2:// is installed; there are .*sqlite"),
        ("://u:sesame@h/db", "no adapter for :// "),
        ("u:sesame@h/db", "begins with a scheme"),
        ("", "begins with a scheme"),
    ],
)
def test_an_unknown_scheme_is_named_and_nothing_else(url: str, culprit: str) -> None:
    with pytest.raises(UnknownScheme, match=culprit) as caught:
        adapter_class(url)
    assert "sesame" not in str(caught.value)


def test_two_claims_to_one_scheme_are_refused_by_name(install: Install) -> None:
    install("greedy", "sqlite = greedy:Adapter")
    with pytest.raises(UnknownScheme, match=r"adapters\.sqlite:SQLiteAdapter and greedy:Adapter"):
        adapter_class("sqlite:///x.db")


def test_the_same_claim_twice_is_one(install: Install) -> None:
    install("twin", "sqlite = adapters.sqlite:SQLiteAdapter")
    assert adapter_class("sqlite:///x.db") is SQLiteAdapter


def test_a_package_of_somebody_else_is_found(install: Install) -> None:
    install("toy", "toy = adapters.sqlite:SQLiteAdapter")
    assert adapter_class("toy://x") is SQLiteAdapter


def test_a_missing_driver_is_named_with_what_to_install(install: Install) -> None:
    install("lonely", "lonely = lonely:Adapter [drivers]", "import no_such_driver", "drivers")
    with pytest.raises(UnknownScheme, match="lonely:// needs the module no_such_driver") as caught:
        adapter_class("lonely://h")
    assert str(caught.value).endswith("pip install 'lonely[drivers]'")


def test_an_extra_that_a_package_has_not_got_is_not_advised(install: Install) -> None:
    install("bare", "bare = bare:Adapter", "import no_such_driver")
    with pytest.raises(UnknownScheme, match="bare:// needs the module no_such_driver") as caught:
        adapter_class("bare://h")
    assert "pip install" not in str(caught.value)
    assert str(caught.value).endswith("install it; bare:Adapter imports it")


@pytest.mark.parametrize(
    ("scheme", "driver", "extra"),
    [
        ("trino", "trino", "trino"),
        ("mssql", "pymssql", "mssql"),
        ("oracle", "oracledb", "oracle"),
        ("mysql", "pymysql", "mysql"),
    ],
)
def test_a_driver_that_is_not_installed_is_named_with_its_extra(
    scheme: str, driver: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.split(".")[0] == driver]:
        monkeypatch.delitem(sys.modules, name)
    for name in [n for n in sys.modules if n.startswith(f"adapters.{extra}")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Absent(driver), *sys.meta_path])
    with pytest.raises(UnknownScheme, match=f"{scheme}:// needs the module {driver}") as caught:
        adapter_class(f"{scheme}://h/db")
    assert str(caught.value).endswith(f"pip install '.[{extra}]'")


class _Absent:
    """Makes a package look as if it was not there."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(self, name: str, *_: object) -> None:
        if name.split(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_what_is_no_adapter_is_refused(install: Install) -> None:
    install("fake", "fake = fake:Adapter", "class Adapter: pass")
    with pytest.raises(UnknownScheme, match="fake:Adapter, found for fake://, is not an Adapter"):
        adapter_class("fake://h")


def test_an_adapter_that_cannot_be_loaded_is_named(install: Install) -> None:
    install("hasty", "hasty = hasty:Adapter", "1 / 0")
    with pytest.raises(UnknownScheme, match=r"hasty:Adapter, .* cannot be loaded: ZeroDivision"):
        adapter_class("hasty://h")


def test_an_unfinished_adapter_is_told_what_it_has_not_got(install: Install) -> None:
    code = """
from adapters.base import Adapter
class Unfinished(Adapter):
    def check(self): pass
    def close(self): pass
"""
    install("unfinished", "unfinished = unfinished:Unfinished", code)
    with pytest.raises(UnknownScheme, match="has no describe, rows, tables"):
        adapter_class("unfinished://h")
