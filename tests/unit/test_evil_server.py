"""A server of MySQL that is after the files of whoever connects to it."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from pymysql.constants import CLIENT

from adapters.base import Options
from adapters.direct import Login, Tls, TlsMode, open_login
from adapters.errors import SourceUnavailable

CAPABILITIES = (
    CLIENT.PROTOCOL_41
    | CLIENT.SECURE_CONNECTION
    | CLIENT.PLUGIN_AUTH
    | CLIENT.TRANSACTIONS
    | CLIENT.LOCAL_FILES
    | CLIENT.CONNECT_WITH_DB
)
GREETING = (
    b"\x0a8.0.0\0"
    + struct.pack("<I", 1)
    + b"saltsalt\0"
    + struct.pack("<HBHHB", CAPABILITIES & 0xFFFF, 45, 2, CAPABILITIES >> 16, 21)
    + b"\0" * 10
    + b"saltsaltsalt\0mysql_native_password\0"
)
OK = b"\0\0\0\2\0\0\0"


def packet(number: int, payload: bytes) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


@contextmanager
def asking_for(file: Path) -> Iterator[tuple[int, list[bytes]]]:
    """Lets everybody in, and answers every statement of ours with a request for ``file``."""
    heard: list[bytes] = []

    def serve() -> None:
        with suppress(OSError):
            client, _ = listening.accept()
            with client:
                client.settimeout(5)
                client.sendall(packet(0, GREETING))
                heard.append(client.recv(65536))
                client.sendall(packet(2, OK))
                while piece := client.recv(65536):
                    heard.append(piece)
                    own = piece[5:].startswith((b"SET NAMES", b"SET AUTOCOMMIT"))
                    client.sendall(packet(1, OK if own else b"\xfb" + str(file).encode()))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], heard
        thread.join(10)
        assert not thread.is_alive()


def test_a_server_cannot_ask_for_files(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("plant-content-of-a-file")
    with asking_for(file) as (port, heard):
        tls = Tls("prefer")
        login = Login("localhost", "127.0.0.1", port, "shop", "reader", "password", 5, tls)
        adapter = open_login("mariadb", login, Options())
        # Whatever it is that stops the driver.
        with pytest.raises(Exception, match=r"(?i)local"):
            adapter.check()
        adapter.close()
    assert len(heard) >= 2, "it was not asked"
    assert b"SET NAMES" in b"".join(heard)
    assert b"plant-content" not in b"".join(heard)


@pytest.mark.parametrize("plugin", [b"mysql_clear_password", b"dialog"])
@pytest.mark.parametrize("mode", ["prefer", "require"])
def test_a_server_cannot_ask_for_the_password_in_clear_text(plugin: bytes, mode: TlsMode) -> None:
    heard = []

    def serve() -> None:
        with suppress(OSError):
            client, _ = listening.accept()
            with client:
                client.settimeout(5)
                client.sendall(packet(0, GREETING))
                heard.append(client.recv(65536))
                client.sendall(packet(2, b"\xfe" + plugin + b"\0\4Password: \0"))
                heard.append(client.recv(65536))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        port = listening.getsockname()[1]
        login = Login("x", "127.0.0.1", port, "shop", "reader", "plant-secret", 5, Tls(mode))
        adapter = open_login("mariadb", login, Options())
        with pytest.raises(SourceUnavailable, match=r"clear text|SSL"):
            adapter.check()
        adapter.close()
        thread.join(10)
    assert b"plant-secret" not in b"".join(heard)
    assert mode == "require" or b"reader" in b"".join(heard)
