"""An adapter that is broken in the way that its URL names; copied to where a server finds it."""

import asyncio
import sys
import time

from adapters.base import Adapter, Batch, Field, FieldType, Table
from adapters.errors import AdapterError, SchemaChanged

FIELDS = [Field("id", FieldType.INT), Field("name", FieldType.STRING)]
ROW = (1, "one")
TABLE = Table("t")


class Private(AdapterError):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("not even this works")


def hang(*_):
    while True:
        time.sleep(0.05)  # in turns, so that the thread is seen to run on


def complain(*_):
    raise ValueError("the secret is sesame-opens")


def raising(error):
    def throw(*_):
        raise error

    return throw


def batches(*given, then=lambda: None):
    def rows(query, cancellation):
        yield from given
        then()

    return rows


# What each kind does instead of what it should.
KINDS = {
    "check_raises": {"check": complain},
    "check_exits": {"check": lambda: sys.exit(3)},
    "check_hangs": {"check": hang},
    "tables_raise": {"tables": complain},
    "tables_hang": {"tables": hang},
    "tables_none": {"tables": lambda: None},
    "tables_twice": {"tables": lambda: [TABLE, TABLE]},
    "tables_alike": {"tables": lambda: [Table("t", "a"), Table("t", "b")]},
    "tables_texts": {"tables": lambda: ["t"]},
    "tables_unnamed": {"tables": lambda: [Table(None)]},
    "ghost": {"describe": raising(SchemaChanged("there is no t"))},
    "describe_raises": {"describe": complain},
    "fields_hang": {"describe": hang},
    "fields_twice": {"describe": lambda table: [FIELDS[0], FIELDS[0]]},
    "fields_alike": {
        "case_sensitive_names": False,
        "describe": lambda table: [Field("id", FieldType.INT), Field("ID", FieldType.INT)],
    },
    "fields_texts": {"describe": lambda table: ["id", "name"]},
    "fields_untyped": {"describe": lambda table: [Field("id", "money")]},
    "fields_unnamed": {"describe": lambda table: [Field(None, FieldType.INT)]},
    "fields_half": {"describe": lambda table: [Field("\ud800", FieldType.INT)]},
    "raises": {"rows": complain},
    "raises_private": {"rows": raising(Private(1, 2))},
    "raises_unspeakable": {"rows": raising(Unspeakable())},
    "raises_cancelled": {"rows": raising(asyncio.CancelledError())},
    "raises_exit": {"rows": raising(SystemExit(1))},
    "raises_later": {"rows": batches([ROW], then=complain)},
    "hangs": {"rows": hang},
    "hangs_later": {"rows": batches([ROW], then=hang)},
    "endless": {"rows": lambda *_: iter(lambda: [ROW], None)},
    "silent": {"rows": lambda *_: iter(list, None)},
    "ragged": {"rows": batches([ROW, (1,)])},
    "ragged_later": {"rows": batches([ROW], [ROW, (1, "one", None)])},
    "types": {"rows": batches([("one", 1)])},
    "objects": {"rows": batches([(1, {"a": 1})])},
    "dict_rows": {"rows": batches([{"id": 1, "name": "one"}])},
    "text_rows": {"rows": batches(["ab"])},
    "none_batch": {"rows": batches([ROW], None, [ROW])},
    "no_rows": {"rows": lambda *_: None},
    "json_texts": {"json_rows": batches('[1,"one"]')},
    "json_open": {"json_rows": batches(Batch(1, b'[1,"one"'))},
    "too_many": {"rows": batches([ROW] * 30)},
}


class Broken(Adapter):
    def __init__(self, url, options):
        self.options = options
        vars(self).update(KINDS[url.partition("://")[2]])

    def check(self):
        pass

    def tables(self):
        return [TABLE]

    def describe(self, table):
        return FIELDS

    def rows(self, query, cancellation):
        yield [ROW]

    close = check
