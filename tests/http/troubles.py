"""Troubles to run into on purpose: a locked role, a faulty adapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

# Fails when it is asked, and gives a text that breaks where it is used: a fault that the service
# meets in its own code.
FAULTY = """
from adapters.base import Adapter, Table
class Text(str):
    def split(self, *_): raise RuntimeError("a fault that nobody expected")
class Faulty(Adapter):
    def check(self, *_): raise RuntimeError("a fault of the adapter")
    def tables(self): return [Table("t", comment=Text("text"))]
    describe = rows = check
    def close(self): pass
"""


def install_faulty_adapter(directory: Path) -> None:
    """Install an adapter of somebody else for servers that run in ``directory``."""
    (directory / "faulty.py").write_text(FAULTY)
    info = directory / "faulty-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[b24_connector.adapters]\nfaulty = faulty:Faulty\n")


@contextmanager
def password_needed(url: str, password: str) -> Iterator[str]:
    """The address for a role that the PostgreSQL server asks for its password, unlike all others.

    ``url`` is the owner's; the password in the address is the right one.
    """
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS b24_locked")
        owner.execute(f"CREATE ROLE b24_locked LOGIN PASSWORD '{password}'")  # type: ignore[arg-type]
        (path,) = owner.execute("SHOW hba_file").fetchone() or ("",)
        rules, before = Path(path), Path(path).read_text()
        rules.write_text(f"local all b24_locked scram-sha-256\n{before}")
        owner.execute("SELECT pg_reload_conf()")
        try:
            yield url.replace("://postgres:@", f"://b24_locked:{password}@")
        finally:
            rules.write_text(before)
            owner.execute("SELECT pg_reload_conf()")
