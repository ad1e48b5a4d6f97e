"""A certificate authority of our own, and servers of PostgreSQL with its certificates."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.server import free_port
from tests.tcp import PASSWORD, USER


class Authority:
    """Signs certificates; its own is in the file ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, path.stem)])
        constraint = x509.BasicConstraints(ca=True, path_length=0)
        made = self._draft(self._name, self._key).add_extension(constraint, critical=True)
        signed = made.sign(self._key, hashes.SHA256())
        path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str, certificate: Path, key: Path) -> None:
        """Write a certificate for the name ``host``, and its key."""
        own = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        signed = self._draft(subject, own).add_extension(names, critical=False)
        made = signed.sign(self._key, hashes.SHA256())
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        key.chmod(0o600)

    def _draft(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )


@contextmanager
def postgresql_with_tls(directory: Path, certificate: Path, key: Path) -> Iterator[int]:
    """The port of a server of Debian's package, since the one of the test packages has no TLS."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        message = "no PostgreSQL of the system's own: TLS to PostgreSQL NOT TESTED"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    programs, data, port = found[-1].parent, directory / "pg", free_port()
    user = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else os.geteuid()
    data.mkdir()
    os.chown(data, user, -1)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(data), *arguments]
        who = {"user": user, "group": user} if os.geteuid() == 0 else {}
        quiet = subprocess.DEVNULL
        subprocess.run(command, check=True, stdout=quiet, timeout=60, cwd="/", **who)  # type: ignore[call-overload]

    run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    for source, name in ((certificate, "server.crt"), (key, "server.key")):
        shutil.copy(source, data / name)
        os.chown(data / name, user, -1)
        (data / name).chmod(0o600)
    (data / "pg_hba.conf").write_text(
        "local all all trust\n"
        f"host all clear 127.0.0.1/32 password\nhost all {USER} 127.0.0.1/32 scram-sha-256\n"
    )
    options = f"-h 127.0.0.1 -p {port} -k {data} -c ssl=on -c fsync=off"
    run("pg_ctl", "-w", "-o", options, "-l", str(data / "log"), "start")
    try:
        with psycopg.connect(host=str(data), port=port, user="postgres", autocommit=True) as owner:
            owner.execute("CREATE DATABASE shop")
            for name in (USER, "clear"):
                quoted = PASSWORD.replace("'", "''").replace("\\", "\\\\")
                owner.execute(f"CREATE ROLE {name} LOGIN PASSWORD E'{quoted}'")  # type: ignore[arg-type]
        yield port
    finally:
        run("pg_ctl", "-m", "immediate", "-w", "stop")
