"""Sees to it that ports are free: `python -m app.ports 127.0.0.1 PORT=8000 PORTAL_PORT=8001`."""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack
from errno import EADDRINUSE


def listen(host: str, port: int, variable: str) -> socket.socket:
    """Take a port as a server would, or stop with a sentence that names the port.

    ``variable`` is where the port comes from.
    """
    try:
        family, *_, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == EADDRINUSE
        reason = "is taken" if taken else f"cannot be used ({error})"
        sys.exit(f"Port {port} {reason}: give another one as {variable}.")


def main() -> None:
    """Take all ports at once, so that no two are the same."""
    host, *given = sys.argv[1:]
    with ExitStack() as taken:
        for pair in given:
            variable, _, port = pair.partition("=")
            taken.enter_context(listen(host, int(port), variable))


if __name__ == "__main__":
    main()
