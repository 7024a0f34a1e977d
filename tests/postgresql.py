"""A real PostgreSQL, of the tests' own: on a Unix socket in a temporary folder, as durable as in production.

    python -m tests.postgresql

writes anew what a fresh ledger's guards are, which `ledger verify` holds a ledger against.
"""

from __future__ import annotations

import itertools
import json
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from psycopg import sql

from mandate.engine.evidence.sql import database, postgresql

OBJECTS = Path(database.__file__).with_name("postgresql_objects.json")
_SETTINGS = """
listen_addresses = ''
unix_socket_permissions = 0700
fsync = on
shared_buffers = 16MB
autovacuum = off
wal_level = replica
"""
_PATIENCE = 30.0


class Server:
    """A cluster of databases in `folder`, and the server, which can be stopped in every way."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count()
        self._free: list[str] = []
        """Databases that are empty."""

    @classmethod
    def make(cls) -> Server:
        """A new cluster, its server running."""
        folder = Path(mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path must be short
        server = cls(folder, _programs())
        if os.geteuid() == 0:
            shutil.chown(folder, _owner(), _owner())
        server.run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "-D", str(server.data))
        with (server.data / "postgresql.conf").open("a") as settings:
            settings.write(f"{_SETTINGS}unix_socket_directories = '{folder}'\n")
        server.start()
        return server

    @property
    def data(self) -> Path:
        """Where the cluster is."""
        return self.folder / "data"

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs to its end."""
        subprocess.run(self._command(program, *arguments), check=True, stdout=subprocess.DEVNULL, cwd="/")

    def start(
        self, *, settings: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start the server, with other settings than the file's, and wait until it answers."""
        given = [f"--{name}={value}" for name, value in (settings or {}).items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", str(self.data), *given),
                stderr=log,
                stdout=log,
                cwd="/",
                env={**os.environ, **(environment or {})},
            )
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.02)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT (fast: sessions are ended), or SIGQUIT (immediate: as if it had crashed)."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(timeout=_PATIENCE)
        self._process = None

    @contextmanager
    def restarted(self, **settings: str) -> Iterator[None]:
        """The server with other settings, and afterwards as it was."""
        self.stop()
        self.start(settings=settings)
        try:
            yield
        finally:
            self.stop()
            self.start()

    @contextmanager
    def standby(self) -> Iterator[Server]:
        """A server that follows this one, and has all that this one has."""
        folder = Path(mkdtemp(prefix="pg-", dir="/tmp"))
        following = Server(folder, self._programs)
        if os.geteuid() == 0:
            shutil.chown(folder, _owner(), _owner())
        source = f"host={self.folder} user=postgres"
        following.run(
            "pg_basebackup", "-D", str(following.data), "-d", source, "-c", "fast", "-R", "--no-sync"
        )
        following.start(settings={"unix_socket_directories": str(folder)})
        try:
            yield following
        finally:
            following.remove()

    def remove(self) -> None:
        """Stop it, and remove all of it."""
        if self._process is not None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def url(self, name: str, *, user: str = "postgres", host: Path | None = None) -> str:
        """How a database is reached."""
        return f"postgresql:///{name}?host={host or self.folder}&user={user}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of an empty database. To make one and to drop it takes a second, so it is emptied and used
        again."""
        if self._free:
            name = self._free.pop()
        else:
            name = f"test_{next(self._numbers)}"
            self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        yield self.url(name)
        with closing(psycopg.connect(self.url(name), autocommit=True)) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute(f"DROP SCHEMA IF EXISTS {postgresql.SCHEMA} CASCADE")
        self._free.append(name)

    def role(self) -> str:
        """A new role, which may log in and nothing else."""
        name = f"role_{next(self._numbers)}"
        self.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        return name

    def execute(self, statement: sql.Composed) -> None:
        """Run a statement as the superuser."""
        with closing(psycopg.connect(self.url("postgres"), autocommit=True)) as connection:
            connection.execute(statement)

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() != 0:
            return command
        # PostgreSQL refuses to run as root.
        return ["setpriv", f"--reuid={_owner()}", f"--regid={_owner()}", "--clear-groups", *command]


def _owner() -> str:
    """Whoever runs the server where the tests run as root."""
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


def _programs() -> Path:
    """The folder of the newest server that is installed: Debian has them outside of PATH."""
    found = [Path(path).parent for path in [shutil.which("postgres")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    for folder in reversed(found):
        if (folder / "initdb").exists():
            return folder
    raise RuntimeError("there is no PostgreSQL server here: run `apt-get install postgresql`")


def objects(url: str) -> Mapping[str, str]:
    """The guards of the ledger at `url`, and what they guard."""
    new = postgresql.PostgresqlDatabase(url)
    with closing(new.opened()) as connection:
        return dict(new.queries.objects(connection))


def text(found: Mapping[str, str]) -> str:
    """The objects as the file has them."""
    return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the objects of a fresh ledger."""
    server = Server.make()
    try:
        with server.database() as url:
            postgresql.create(url, origin="any.example")
            OBJECTS.write_text(text(objects(url)), encoding="utf-8")
    finally:
        server.remove()


if __name__ == "__main__":
    main()
