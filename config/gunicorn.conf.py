"""gunicorn, as the connector needs it: threads, since an answer waits for its database.

WEB_CONCURRENCY sets the number of workers, PORT the port, GUNICORN_CMD_ARGS anything else.
"""

import os

bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 16
# How long a worker's main thread may be silent; answers run in other threads and may take longer.
timeout = 60
# How long running answers may go on after SIGTERM.
graceful_timeout = 30
keepalive = 5
wsgi_app = "app:create_app()"
# The application logs every request itself, without the values that gunicorn would print.
accesslog = None
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, S108


def on_starting(server: object) -> None:
    """A configuration that cannot be used stops the server before it forks a worker."""
    import sys

    from app import create_app
    from app.config import ConfigError

    try:
        create_app()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
