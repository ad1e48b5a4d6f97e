"""What is remembered of a database's schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from app.config import load_config
from app.sources import Source


def test_fields_of_tables_that_are_gone_are_forgotten(tmp_path: Path) -> None:
    config = tmp_path / "connector.toml"
    config.write_text(
        f'[connectors.company]\ntitle = "Company"\n[sources.shop]\ntokens = ["of-shop"]\n'
        f'url = "sqlite:///{tmp_path}/shop.db"\n'
    )
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.execute("CREATE TABLE stays (id integer)")
        source = Source(load_config(config, {}).sources["shop"])
        for day in range(5):
            database.execute(f"CREATE TABLE day{day} (id integer)")
            for table in source.tables(fresh=True).values():
                source.fields(table)
            database.execute(f"DROP TABLE day{day}")
        source.tables(fresh=True)
    assert list(source._fields) == ["stays"]
    source.adapter.close()
