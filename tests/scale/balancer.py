"""Instances behind a real nginx, with the configuration that docs/scale.md shows."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.server import free_port

DOCUMENT = Path(__file__).parents[2] / "docs" / "scale.md"
NAME = "bi.example.com"


@dataclass(frozen=True)
class Balancer:
    """Where nginx listens, and what its clients need to trust it."""

    port: int
    trust: ssl.SSLContext


@contextmanager
def balancing(directory: Path, ports: Sequence[int]) -> Iterator[Balancer]:
    """A running nginx in front of the instances at ``ports``, of which there are two."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        message = "nginx is not on this machine: several instances NOT TESTED"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    port = free_port()
    certificate, key = _certificate(directory)
    (directory / "nginx.conf").write_text(
        f"""
        daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log stderr;
        events {{ worker_connections 512; }}
        http {{
            access_log off;
            client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
            fastcgi_temp_path {directory}/1; uwsgi_temp_path {directory}/2;
            scgi_temp_path {directory}/3;
            {_documented(port, ports, certificate, key)}
        }}
        """
    )
    with (directory / "nginx.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-p", directory, "-e", "stderr", "-c", "nginx.conf"], stderr=log
        )
    trust = ssl.create_default_context(cafile=certificate)
    try:
        deadline = time.monotonic() + 10
        while not (directory / "nginx.pid").exists():
            log_text = (directory / "nginx.log").read_text()
            assert process.poll() is None, log_text
            assert time.monotonic() < deadline, log_text
            time.sleep(0.05)
        yield Balancer(port, trust)
    finally:
        process.terminate()
        process.wait(10)


def _documented(port: int, ports: Sequence[int], certificate: Path, key: Path) -> str:
    """The document's configuration with nothing changed but addresses and files."""
    blocks = re.findall(r"```nginx\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    (text,) = blocks
    for old, new in {
        "10.0.0.11:8000": f"127.0.0.1:{ports[0]}",
        "10.0.0.12:8000": f"127.0.0.1:{ports[1]}",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        f"/etc/ssl/{NAME}.pem": str(certificate),
        f"/etc/ssl/{NAME}.key": str(key),
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def _certificate(directory: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = directory / "tls.pem", directory / "tls.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files
