"""Files in a folder: which are tables, how odd ones read, and what may not be read at all."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.base import Adapter, Cancellation, Options, Query, Table
from adapters.errors import AdapterError, BadAddress, QueryFailed, SchemaChanged, SourceUnavailable
from adapters.evaluate import Number, read_json
from adapters.files import FilesAdapter, copies, whole
from adapters.registry import open_adapter
from tests.sheets import write_parquet, write_workbook


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def adapter(folder: Path) -> Iterator[Adapter]:
    with closing(open_adapter(f"files://{folder}", Options())) as opened:
        yield opened


def put(path: Path, data: str | bytes) -> Path:
    """A file that was written long ago."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    os.utime(path, (1e9, 1e9))
    return path


def names(adapter: Adapter) -> set[str]:
    return {table.name for table in adapter.tables()}


def read(adapter: Adapter, name: str = "t", sql: str | None = None) -> list[list[Any]]:
    """The types of the columns, their names, and the rows."""
    table = Table(name, sql=sql)
    fields = adapter.describe(table)
    query = Query(table, tuple(fields))
    rows = read_json(b"[%s]" % b",".join(b.json for b in adapter.json_rows(query, Cancellation())))
    plain = [[float(v.text) if isinstance(v, Number) else v for v in row] for row in rows]
    return [[field.name for field in fields], [field.type.value for field in fields], *plain]


ODD: dict[str, tuple[str | bytes, list[list[Any]]]] = {
    "a German export": (
        "Name;Preis;Am;PLZ;Da\r\nMüller;1234,50;31.12.2025;01234;true\r\n"
        '"Grün; ""Co""";2,5;1.1.2026;;false\r\nLeer;;;99999;\r\n',
        [
            ["Name", "Preis", "Am", "PLZ", "Da"],
            ["string", "double", "date", "string", "int"],
            ["Müller", 1234.5, "2025-12-31", "01234", 1],
            ['Grün; "Co"', 2.5, "2026-01-01", None, 0],
            ["Leer", None, None, "99999", None],
        ],
    ),
    "times": (
        "a\tb\tc\n2026-01-01 10:00\t2026-01-01T10:00:00Z\t01.02.2026 9:05\n",
        [
            ["a", "b", "c"],
            ["datetime", "datetime", "datetime"],
            ["2026-01-01 10:00:00", "2026-01-01 10:00:00", "2026-02-01 09:05:00"],
        ],
    ),
    "months before days, as one of them shows": (
        "d|e\n12/31/2025|31/12/2025\n01/02/2026|01/02/2026\n",
        [["d", "e"], ["date", "date"], ["2025-12-31"] * 2, ["2026-01-02", "2026-02-01"]],
    ),
    "days or months, which nothing shows": (
        "d\n01/02/2026\n03/04/2026\n",
        [["d"], ["string"], ["01/02/2026"], ["03/04/2026"]],
    ),
    "thousands or decimals, which nothing shows": (
        "n;m\n1,234;1.234\n5,678;5.678\n",
        [["n", "m"], ["string", "double"], ["1,234", 1.234], ["5,678", 5.678]],
    ),
    "points that may part thousands where commas are decimal": (
        "n;m\n1,5;1.234\n2,25;5.678\n",
        [["n", "m"], ["double", "string"], [1.5, "1.234"], [2.25, "5.678"]],
    ),
    "no headline": (
        "1;Acme;120,5;2026-09-01\n2;Beta;3,25;2026-09-02\n",
        [
            ["column1", "column2", "column3", "column4"],
            ["int", "string", "double", "date"],
            [1, "Acme", 120.5, "2026-09-01"],
            [2, "Beta", 3.25, "2026-09-02"],
        ],
    ),
    "years in the headline": (
        "region,2024,2025\nNorth,1,2\n",
        [["region", "2024", "2025"], ["string", "int", "int"], ["North", 1, 2]],
    ),
    "names that are missing or the same": (
        "a,A,,a\n1,2,3,4\n",
        [["a", "A_2", "column3", "a_3"], ["int"] * 4, [1, 2, 3, 4]],
    ),
    "empty and missing texts": (
        'a,b\n"",1\n,2\n',
        [["a", "b"], ["string", "int"], ["", 1], [None, 2]],
    ),
    "a mark in front": (b"\xef\xbb\xbfa,b\n1,2\n", [["a", "b"], ["int", "int"], [1, 2]]),
    "UTF-16": (
        "имя;город\nИван;Москва\n".encode("utf-16"),
        [["имя", "город"], ["string"] * 2, ["Иван", "Москва"]],
    ),
    "one column": ("a\nx\ny\n", [["a"], ["string"], ["x"], ["y"]]),
    "only a headline": ("a,b\n", [["a", "b"], ["string", "string"]]),
    "numbers of all sizes": (
        "a,b,c,d\n9223372036854775807,12345678901234567890,1e-05,0.10\n-1,1,1e+300,1\n",
        [
            ["a", "b", "c", "d"],
            ["int", "double", "double", "double"],
            [9223372036854775807.0, 12345678901234567890.0, 1e-05, 0.1],
            [-1, 1, 1e300, 1],
        ],
    ),
    "the 3,000th value is not what those before it were": (
        "a\n" + "1\n" * 3000 + "x\n",
        [["a"], ["string"], *[["1"]] * 3000, ["x"]],
    ),
    "a quoted line feed": ('a,b\n"x\ny",1\n', [["a", "b"], ["string", "int"], ["x\ny", 1]]),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_files_read_right(adapter: Adapter, folder: Path, case: str) -> None:
    data, expected = ODD[case]
    put(folder / "t.csv", data)
    assert read(adapter) == expected


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "a line that is too long": ("a,b\n1,2\n3,4,5\n", "Line: 3"),
    "a line that is too short": ("a,b\n1,2\n3\n", "Line: 3"),
    "a quote that does not end": ('a,b\n1,"2\n3,4\n', "unterminated quote"),
    "another encoding": ("имя;город\nИван;Москва\n".encode("cp1251"), r"\?encoding="),
    "nothing": ("", "empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused(adapter: Adapter, folder: Path, case: str) -> None:
    data, reason = REFUSED[case]
    put(folder / "t.csv", data)
    put(folder / "other.csv", "a\n1\n")
    assert names(adapter) == {"t", "other"}
    with pytest.raises(QueryFailed, match=reason) as refused:
        adapter.describe(Table("t"))
    assert "t: " in str(refused.value) or "t.csv" in str(refused.value)
    assert read(adapter, "other") == [["a"], ["int"], [1]]


@pytest.mark.parametrize(
    ("name", "data"),
    [("t.parquet", b"PAR1 and no more"), ("t.jsonl", '{"a": 1}\n{"a"'), ("t.xlsx", b"PK no")],
)
def test_a_broken_file_is_refused(adapter: Adapter, folder: Path, name: str, data: Any) -> None:
    put(folder / name, data)
    with pytest.raises(QueryFailed):
        adapter.describe(Table("t"))


def test_an_encoding_that_the_operator_names(folder: Path) -> None:
    put(folder / "t.csv", "имя;город\nИван;Москва\n".encode("cp1251"))
    put(folder / "u.csv", "имя\nИван\n")
    with closing(open_adapter(f"files://{folder}?encoding=windows-1251", Options())) as adapter:
        assert read(adapter)[2:] == [["Иван", "Москва"]]
        assert read(adapter, "u")[2:] == [["Иван"]]


def test_json_lines(adapter: Adapter, folder: Path) -> None:
    put(
        folder / "t.jsonl",
        '{"id": 1, "day": "2026-01-01", "code": "007", "said": "31.12.2025", "in": {"k": [1]}}\n'
        '{"id": 2, "at": "2026-01-01T10:00:00Z", "day": null}\n',
    )
    assert read(adapter) == [
        ["id", "day", "code", "said", "in", "at"],
        ["int", "date", "string", "string", "string", "datetime"],
        [1, "2026-01-01", "007", "31.12.2025", '{"k":[1]}', None],
        [2, None, None, None, None, "2026-01-01 10:00:00"],
    ]


def test_a_workbook(adapter: Adapter, folder: Path) -> None:
    rows = [
        ["id", "code", "day", "at", "paid", "price"],
        [1, "007", date(2026, 9, 1), datetime(2026, 9, 1, 10, 30), True, 0.1],
        [2, None, None, None, False, 2.5],
    ]
    write_workbook(folder / "t.xlsx", {"One": rows})
    write_workbook(folder / "u.xlsx", {"Sales": rows, "Больше": [["a"], [1]]})
    assert names(adapter) == {"t", "u.Sales", "u.Больше"}
    assert read(adapter) == [
        rows[0],
        ["int", "string", "date", "datetime", "int", "double"],
        [1, "007", "2026-09-01", "2026-09-01 10:30:00", 1, 0.1],
        [2, None, None, None, 0, 2.5],
    ]
    assert read(adapter, "u.Больше") == [["a"], ["int"], [1]]


def test_folders_and_names(adapter: Adapter, folder: Path) -> None:
    for name in ("1", "2"):
        put(folder / "parts" / f"{name}.csv", f"a,b\n{name},x\n")
        (folder / "whole").mkdir(exist_ok=True)
        write_parquet(folder / "whole" / f"{name}.parquet", "a INTEGER", [(int(name),)])
    put(folder / "unlike" / "1.csv", "a,b\n1,x\n")
    put(folder / "unlike" / "2.csv", "a,c\n1,x\n")
    put(folder / "mixed" / "1.csv", "a\n1\n")
    put(folder / "mixed" / "2.jsonl", '{"a": 1}')
    put(folder / "twice.csv", "a\n1\n")
    put(folder / "TWICE.jsonl", '{"a": 2}')
    put(folder / "pivot.csv", "a\n3\n")
    put(folder / "a*[b]?.csv", "a\n4\n")
    put(folder / "aab.csv", "a,b\n5,5\n")
    put(folder / 'it\'s "x" {1}=2.tsv', "a\n6\n")
    for ignored in (".hidden.csv", "_SUCCESS", "~$t.xlsx", "notes.txt", "t.csv.tmp"):
        put(folder / ignored, "a\n1\n")
    assert names(adapter) == {
        *("parts", "whole", "unlike", "twice.csv", "TWICE.jsonl", "pivot", "a*[b]?", "aab"),
        'it\'s "x" {1}=2',
    }
    assert read(adapter, "parts")[2:] == [[1, "x"], [2, "x"]]
    assert read(adapter, "whole")[2:] == [[1], [2]]
    with pytest.raises(QueryFailed, match=r"2\.csv has other columns than 1\.csv"):
        adapter.describe(Table("unlike"))
    for name, value in {"twice.csv": 1, "TWICE.jsonl": 2, "pivot": 3, "a*[b]?": 4}.items():
        assert read(adapter, name) == [["a"], ["int"], [value]]
    assert read(adapter, 'it\'s "x" {1}=2') == [["a"], ["int"], [6]]
    joined = read(adapter, "q", 'SELECT p.a + t.a AS s FROM Parts p, "twice.csv" t ORDER BY 1')
    assert joined == [["s"], ["int"], [2], [3]]


def test_changes_are_noticed_at_once(adapter: Adapter, folder: Path) -> None:
    path = put(folder / "t.csv", "a\n1\n")
    known = Query(Table("t"), tuple(adapter.describe(Table("t"))))
    assert read(adapter)[2:] == [[1]]
    put(folder / "new.csv", "a\n1\n")
    assert names(adapter) == {"t", "new"}
    path.write_text("a\n1\n2\n")
    assert read(adapter)[2:] == [[1], [2]]
    path.write_text("a\nx\n")
    with pytest.raises(SchemaChanged):
        list(adapter.rows(known, Cancellation()))
    assert read(adapter)[1:] == [["string"], ["x"]]
    path.unlink()
    assert names(adapter) == {"new"}
    for call in (
        lambda: adapter.describe(Table("t")),
        lambda: list(adapter.rows(known, Cancellation())),
    ):
        with pytest.raises(SchemaChanged):
            call()


def test_a_file_that_is_being_written_waits_for_its_end(adapter: Adapter, folder: Path) -> None:
    def write() -> None:
        with (folder / "t.csv").open("w") as file:
            for text in ("a\n", "1\n", "2\n"):
                file.write(text)
                file.flush()
                time.sleep(0.5)

    writer = threading.Thread(target=write)
    writer.start()
    while not (folder / "t.csv").exists():
        time.sleep(0.01)
    assert read(adapter)[2:] == [[1], [2]]
    writer.join()


def test_a_file_that_is_written_without_end_is_refused(
    adapter: Adapter, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "_PATIENCE", 0.5)
    with (folder / "t.csv").open("w") as file:
        file.write("a\n1\n")
        file.flush()
        with pytest.raises(SourceUnavailable, match="being written"):
            adapter.describe(Table("t"))
        for seconds in (-30, 30):  # a long pause, and still open; a clock that runs ahead
            written = time.time() + seconds
            os.utime(folder / "t.csv", (written, written))
            with pytest.raises(SourceUnavailable, match="being written"):
                adapter.describe(Table("t"))
    assert read(adapter)[2:] == [[1]]


def test_rows_of_a_file_that_changes_meanwhile_never_look_whole(
    adapter: Adapter, folder: Path
) -> None:
    path = put(folder / "t.csv", "a\n" + "1\n" * 100_000)
    query = Query(Table("t"), tuple(adapter.describe(Table("t"))))
    rows = adapter.json_rows(query, Cancellation())
    assert next(rows)
    with path.open("a") as file:
        file.write("2\n")
    with pytest.raises(QueryFailed, match="changed while it was read"):
        list(rows)
    assert len(read(adapter)) == 2 + 100_001


OUTSIDE = "a,secret\n1,hush\n"


def test_nothing_outside_of_the_folder_is_read(adapter: Adapter, folder: Path) -> None:
    secret = put(folder.parent / "secret.csv", OUTSIDE)
    put(folder.parent / "data2" / "secret.csv", OUTSIDE)
    put(folder / "t.csv", "a\n1\n")
    (folder / "link.csv").symlink_to(secret)
    (folder / "linked").symlink_to(secret.parent / "data2")
    (folder / "within.csv").symlink_to(folder / "t.csv")
    assert names(adapter) == {"t", "within"}
    for name in (str(secret), "../secret", "link", "linked", "../data2/secret", "t.csv"):
        with pytest.raises(SchemaChanged):
            adapter.describe(Table(name))
    reading = [
        *(f"FROM '{path}'" for path in (secret, folder / "link.csv", folder / ".." / "secret.csv")),
        f"FROM read_csv('{folder}/link.csv')",
        f"FROM read_text('{folder}/linked/*')",
        f"FROM glob('{folder.parent}/*')",
        f"FROM read_text('{folder}2/*')",
        "FROM read_text('/proc/self/environ')",
        "FROM 'https://127.0.0.1:9/x.csv'",
        "SELECT getenv('HOME')",
        "FROM adapter",
        f"SELECT 1) q; COPY (SELECT 1) TO '{folder}/written.csv'; --",
    ]
    for sql in reading:
        with pytest.raises(AdapterError) as refused:
            adapter.describe(Table("q", sql=sql))
        assert "hush" not in str(refused.value), sql
    assert not (folder / "written.csv").exists()
    assert read(adapter, "q", "FROM t")[2:] == [[1]]


@pytest.mark.parametrize(
    "statement",
    ["SET enable_external_access = true", "INSTALL httpfs", "LOAD httpfs", "RESET threads"],
)
def test_a_session_cannot_be_set_free(adapter: FilesAdapter, statement: str) -> None:
    import duckdb

    with closing(adapter.open()) as session, pytest.raises(duckdb.Error):
        session.execute(statement)


def test_a_folder_that_is_not_there(folder: Path) -> None:
    with closing(open_adapter(f"files://{folder}/nowhere", Options())) as adapter:
        for call in (adapter.check, adapter.tables):
            with pytest.raises(SourceUnavailable):
                call()
    with pytest.raises(BadAddress, match="speed"):
        open_adapter(f"files://{folder}?speed=fast", Options())


def test_a_workbook_of_a_few_bytes_takes_no_memory_of_ours(
    adapter: Adapter, folder: Path, tmp_path: Path
) -> None:
    """Two cells in the corners of a sheet are a rectangle of half a terabyte."""
    write_workbook(tmp_path / "small.xlsx", {"One": [["a"], [1]]})
    with (
        zipfile.ZipFile(tmp_path / "small.xlsx") as small,
        zipfile.ZipFile(folder / "t.xlsx", "w") as large,
    ):
        for name in small.namelist():
            text = small.read(name).decode()
            large.writestr(name, text.replace("<c><v>1<", '<c r="XFD1048576"><v>1<'))
    put(folder / "other.csv", "a\n1\n")
    with pytest.raises(QueryFailed, match=r"t\.xlsx .* takes too much memory"):
        read(adapter)
    assert read(adapter, "other")[2:] == [[1]]


def test_no_name_ever_means_another_file(adapter: Adapter, folder: Path) -> None:
    for name in ("a.csv", "b.json", "book.Jan.csv"):
        put(folder / name, "a\n1\n")
    assert names(adapter) == {"a", "b", "book.Jan"}
    put(folder / "a.json", '{"a": 1}')
    put(folder / "a.csv.json", '{"a": 2}')
    write_workbook(folder / "book.xlsx", {"Jan": [["a"], [3]], "Feb": [["a"], [4]]})
    assert names(adapter) == {
        *("a.csv", "a.json", "a.csv.json", "b"),
        *("book.Jan.csv", "book.xlsx.Jan", "book.xlsx.Feb"),
    }
    assert read(adapter, "a.csv")[2:] == [[1]]


def test_a_folder_that_is_not_for_us_is_no_table(
    adapter: Adapter, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder / "t.csv", "a\n1\n")
    put(folder / "lost+found" / "x.csv", "a\n1\n")
    entries = Path.iterdir

    def refusing(path: Path) -> Iterator[Path]:
        if path.name == "lost+found":
            raise PermissionError(13, "Permission denied")
        return entries(path)

    monkeypatch.setattr(Path, "iterdir", refusing)
    assert names(adapter) == {"t"}


def test_copies_leave_no_descriptor_and_failed_ones_no_file(folder: Path) -> None:
    with closing(open_adapter(f"files://{folder}?encoding=cp1251", Options())) as adapter:
        assert isinstance(adapter, FilesAdapter)
        put(folder / "t.csv", "имя\nИван\n".encode("cp1251"))
        read(adapter)
        put(folder / "u.csv", b"a\n\x98\n")  # which stands for nothing there
        before = len(list(Path("/proc/self/fd").iterdir()))
        for size in range(1, 6):
            put(folder / "t.csv", ("имя\n" + "Иван\n" * size).encode("cp1251"))
            assert len(read(adapter)) == 2 + size
            with pytest.raises(QueryFailed, match=r"u\.csv is not in cp1251"):
                adapter.describe(Table("u"))
        assert len(list(Path("/proc/self/fd").iterdir())) == before
        assert adapter._copies is not None
        assert len(list(Path(adapter._copies.name).iterdir())) == 1


def test_copies_are_left_nowhere(folder: Path) -> None:
    write_workbook(folder / "t.xlsx", {"One": [["a"], [1]]})
    adapter = open_adapter(f"files://{folder}", Options(timeout=timedelta(seconds=9)))
    assert isinstance(adapter, FilesAdapter)
    assert read(adapter)[2:] == [[1]]
    assert adapter._copies is not None
    place = Path(adapter._copies.name)
    assert len(list(place.iterdir())) == 1
    write_workbook(folder / "t.xlsx", {"One": [["a"], [1], [2]]})
    assert read(adapter)[2:] == [[1], [2]]
    assert len(list(place.iterdir())) == 1
    adapter.close()
    assert not place.exists()


def test_copies_of_a_process_that_was_killed_go_with_the_next(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    program = """
from adapters.base import Options
from adapters.registry import open_adapter
open_adapter("files://{folder}", Options()).check()
print("ready", flush=True)
input()
"""

    def process() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", program.format(folder=folder)]
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        started = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(place)}, **pipes)
        assert started.stdout is not None
        assert started.stdout.readline() == "ready\n"
        return started

    with process() as living, process() as killed:
        try:
            killed.kill()
            killed.wait()
            assert len(list(place.iterdir())) == 2
            for room in place.iterdir():
                (room / "copy.csv").write_text("a")
                os.utime(room, (1e9, 1e9))
            monkeypatch.setattr(tempfile, "tempdir", str(place))
            with closing(open_adapter(f"files://{folder}", Options())) as adapter:
                adapter.check()
                assert len(list(place.iterdir())) == 2
            (kept,) = place.iterdir()
            assert (kept / "copy.csv").exists()
        finally:
            living.communicate("")
    assert list(place.iterdir()) == []


def test_what_is_gone_is_forgotten(folder: Path) -> None:
    with closing(open_adapter(f"files://{folder}", Options())) as adapter:
        assert isinstance(adapter, FilesAdapter)
        for day in range(5):
            book = folder / f"day{day}.xlsx"
            write_workbook(book, {"One": [["a"], [day]], f"Sheet {day}": [["a"], [day]]})
            assert read(adapter, f"day{day}.Sheet {day}")[2:] == [[day]]
            book.unlink()
        write_workbook(folder / "last.xlsx", {"One": [["a"], [1]], "Two": [["a"], [2]]})
        assert read(adapter, "last.One")[2:] == [[1]]
        write_workbook(folder / "last.xlsx", {"One": [["a"], [3]], "Other": [["a"], [4]]})
        assert read(adapter, "last.Other")[2:] == [[4]]
        assert adapter._copies is not None
        assert len(list(Path(adapter._copies.name).iterdir())) == 1
        assert list(adapter._known) == ["last.Other"]
        assert list(adapter._sheets) == [folder / "last.xlsx"]


def test_a_workbook_is_unpacked_once_however_many_ask(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_workbook(folder / "t.xlsx", {"One": [["a"], [1]]})
    unpack, unpacked, second = copies.unpack, list[Path](), threading.Event()

    def slowly(path: Path, sheet: str | None, copy: Path) -> None:
        unpacked.append(path)
        if len(unpacked) > 1:
            second.set()
        second.wait(1)
        unpack(path, sheet, copy)

    monkeypatch.setattr(copies, "unpack", slowly)
    with (
        closing(open_adapter(f"files://{folder}", Options())) as adapter,
        ThreadPoolExecutor(4) as readers,
    ):
        asked = [readers.submit(read, adapter) for _ in range(4)]
        assert [each.result()[2:] for each in asked] == [[[1]]] * 4
    assert len(unpacked) == 1


def test_a_pipe_is_no_table(adapter: Adapter, folder: Path) -> None:
    put(folder / "t.csv", "a\n1\n")
    os.mkfifo(folder / "pipe.csv")
    assert names(adapter) == {"t"}
