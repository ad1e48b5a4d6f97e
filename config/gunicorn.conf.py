"""gunicorn, as the connector needs it: threads, since an answer waits for its database.

WEB_CONCURRENCY sets the number of workers, PORT the port, GUNICORN_CMD_ARGS anything else.
"""

import atexit
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from gunicorn import util
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker

worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

# Where workers count together; it has to be known before anything that counts is imported. This
# file is read again at every SIGHUP, and inherited by a master that takes over.
_COUNTS = "PROMETHEUS_MULTIPROC_DIR"
if f"b24-{os.getpid()}-" not in os.environ.get(_COUNTS, ""):
    os.environ[_COUNTS] = tempfile.mkdtemp(prefix=f"b24-{os.getpid()}-", dir=worker_tmp_dir)
    atexit.register(
        lambda master, path: master == os.getpid() and shutil.rmtree(path, ignore_errors=True),
        os.getpid(),
        os.environ[_COUNTS],
    )

from prometheus_client.multiprocess import mark_process_dead  # noqa: E402

from adapters.alarm import ALARMS, sever  # noqa: E402
from app import create_app, read_config  # noqa: E402
from app.config import ConfigError  # noqa: E402

bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 32
# How long a worker's main thread may be silent; answers run in other threads and may take longer.
timeout = 60
# How long running answers may go on after SIGTERM.
graceful_timeout = 30
keepalive = 5
wsgi_app = "app:create_app()"
# The application logs every request itself, without the values that gunicorn would print.
accesslog = None
control_socket_disable = True


# Seconds in which the head of a request has to come.
_HEAD = 20.0


# What tells a worker to stop.
_STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


class Worker(ThreadWorker):
    """gunicorn's, patient with nobody for ever, and silent about what clients send."""

    def handle(self, conn: Any) -> Any:
        """Serve a connection, or end it if it sends no whole head in time."""
        conn.asked = False
        with ALARMS.every(_HEAD, lambda: conn.asked or sever(conn.sock.fileno())):
            kept = super().handle(conn)
        if not kept:
            # Waits two seconds for a client that does not hang up; gunicorn would let the thread
            # wait that accepts connections, and all other clients with it.
            with suppress(OSError):
                conn.close(graceful=True)
            conn.close = lambda **_: None
        return kept

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head is there."""
        conn.asked = True
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Refuse what is no HTTP without repeating it: a password may be among it."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("a request from %s is no HTTP: %s", (addr or "?")[0], type(exc).__name__)
        with suppress(OSError):
            util.write_error(client, 400, "Bad Request", "")

    def handle_quit(self, sig: Any, frame: Any) -> None:
        """Stop at once; a second signal would wait for a lock that the first one holds."""
        for each in (signal.SIGINT, signal.SIGQUIT):
            signal.signal(each, signal.SIG_IGN)
        super().handle_quit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - gunicorn's signature
        """Begin to accept connections, or refuse them, where they would wait and be lost."""
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()


worker_class = Worker


def on_starting(server: Any) -> None:
    """A configuration that cannot be used stops the server before it forks a worker."""
    try:
        server.connector = _usable_config()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


def on_reload(server: Any) -> None:
    """SIGHUP takes a new configuration, unless it cannot be used."""
    try:
        server.connector = _usable_config()
    except Exception as error:  # whatever it is, the server goes on
        create_app(server.connector)  # gunicorn has just undone what keeps secrets out of its log
        reason = error if isinstance(error, ConfigError) else type(error).__name__
        said = "The new configuration is not used, the old one stays: %s"
        server.log.error(said, reason)  # noqa: TRY400 - a traceback may hold secrets


def post_fork(server: Any, worker: Any) -> None:
    """Every worker serves what was found usable, whatever the file has become since."""
    # Told to stop before it listens to signals, it would never know; so that has to wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    _inherit_counts(worker.pid)
    worker.app.callable = create_app(server.connector)


def post_worker_init(_: Any) -> None:
    """From here on a worker knows what to do when it is told to stop."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)


def child_exit(_: Any, worker: Any) -> None:
    """What a worker had under way has ended with it; what it has counted stays."""
    mark_process_dead(worker.pid)
    for left in Path(os.environ[_COUNTS]).glob(f"*_{worker.pid}.db"):
        kind = left.name.partition("_")[0]
        left.rename(left.with_name(f"{kind}_left-{worker.pid}-{time.time_ns()}.db"))


def _inherit_counts(pid: int) -> None:
    """Count on where a worker that is gone has left off, or each would leave its files for good."""
    for kind in ("counter", "histogram"):
        for left in Path(os.environ[_COUNTS]).glob(f"{kind}_left-*.db"):
            with suppress(FileNotFoundError):  # another worker was quicker
                left.rename(left.with_name(f"{kind}_{pid}.db"))
                break


def _usable_config() -> Any:
    config = read_config()
    create_app(config)
    return config
