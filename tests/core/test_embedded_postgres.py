"""The embedded server under what happens to it: kill -9, leftovers, foreign folders, full disks, root."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from twotrack.core import postgres_data, postgres_programs
from twotrack.core.embedded_postgres import EmbeddedPostgres, shared_buffers_mib
from twotrack.core.errors import DiskFull, FolderUnusable
from twotrack.core.postgres_data import DataFolderVersion
from twotrack.core.processes import ProcessIdentity, guarded

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")

# Starts the server on the home named by its argument, tells the server's pid, and waits for its end.
OWNER = """
import sys
from pathlib import Path
from twotrack.core.embedded_postgres import EmbeddedPostgres
postgres = EmbeddedPostgres(Path(sys.argv[1]))
postgres.start()
print(postgres.process.pid, flush=True)
sys.stdin.read()
"""


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def _keep(url: str, kind: str) -> None:
    _execute(url, f"INSERT INTO events (kind) VALUES ('{kind}')")


def _kept(url: str, kind: str) -> object:
    return _value(url, f"SELECT count(*) FROM events WHERE kind = '{kind}'")


def _value(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def test_a_new_home_gets_a_durable_server_that_knows_vectors_and_hangul(home: Path) -> None:
    abandoned = home / "postgres" / "staging-killed-in-initdb"
    abandoned.mkdir(parents=True)
    with EmbeddedPostgres(home) as postgres:
        url = postgres.url()
        _execute(url, "CREATE EXTENSION vector")
        _execute(url, "CREATE EXTENSION pg_trgm")
        assert _value(url, "SELECT similarity('두 트랙', '두 트랙')") == 1
        assert _value(url, "SELECT '[1,2]'::vector <-> '[1,2]'::vector") == 0
        settings = {name: _value(url, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "jit")}
        assert settings == {"fsync": "on", "synchronous_commit": "on", "jit": "off"}
        assert _value(url, "SHOW listen_addresses") == ""
    assert not abandoned.exists()


def test_what_was_committed_survives_kill_9_of_the_server(used_home: Path) -> None:
    with EmbeddedPostgres(used_home) as postgres:
        url = postgres.url()
        for _ in range(50):
            _keep(url, "before kill -9")
        assert postgres.process
        postgres.process.kill()
        postgres.process.wait()
        assert postgres.start() == url
        assert _kept(url, "before kill -9") == 50


def test_the_server_ends_with_an_owner_that_is_killed(used_home: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(used_home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert owner.stdout
        server = ProcessIdentity.of(int(owner.stdout.readline()))
        assert server
        _keep(EmbeddedPostgres(used_home).url(), "owner")
    finally:
        owner.kill()
        owner.communicate()
    assert server.wait(30)
    with EmbeddedPostgres(used_home) as postgres:
        assert _kept(postgres.url(), "owner") == 1


def test_a_server_that_outlived_its_owner_is_ended_before_the_next_starts(used_home: Path) -> None:
    vanished = EmbeddedPostgres(used_home)
    vanished.start()
    _keep(vanished.url(), "vanished")
    assert vanished.process
    # What remains of an owner whose server did not hear of its end.
    vanished._give_back()
    with EmbeddedPostgres(used_home) as postgres:
        assert vanished.process.wait(0) == 0
        assert _kept(postgres.url(), "vanished") == 1


def test_a_pid_file_that_names_a_stranger_neither_stops_the_start_nor_the_stranger(used_home: Path) -> None:
    user = postgres_data.server_user(used_home / "postgres" / "data")
    stranger = subprocess.Popen(["/bin/sleep", "1000"], user=user.pw_uid if user else None)
    try:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            (used_home / "postgres" / "data" / name).write_text(f"{stranger.pid}\n/proc/self/cwd\n1\n5432\n")
        with EmbeddedPostgres(used_home) as postgres:
            assert _value(postgres.url(), "SELECT 1") == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_second_owner_is_refused_and_the_first_keeps_working(used_home: Path) -> None:
    with EmbeddedPostgres(used_home) as postgres:
        with pytest.raises(FolderUnusable, match="another studio"):
            EmbeddedPostgres(used_home).start()
        assert _value(postgres.url(), "SELECT 1") == 1


def test_a_folder_of_another_major_version_is_refused_untouched(home: Path) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(DataFolderVersion, match="PostgreSQL 17"):
        EmbeddedPostgres(home).start()
    assert (data / "PG_VERSION").read_text() == "17\n"


def test_a_damaged_folder_is_reported_with_the_servers_own_words(home_to_break: Path) -> None:
    (home_to_break / "postgres" / "data" / "global" / "pg_control").unlink()
    with pytest.raises(postgres_data.DatabaseFailedToStart, match="pg_control"):
        EmbeddedPostgres(home_to_break).start()
    shutil.rmtree(home_to_break / "postgres" / "data")
    (home_to_break / "postgres" / "data").mkdir()
    with pytest.raises(FolderUnusable, match="PG_VERSION"):
        EmbeddedPostgres(home_to_break).start()


def test_a_file_where_the_folder_should_be_is_named(home: Path) -> None:
    (home / "postgres").write_text("")
    with pytest.raises(FolderUnusable, match=str(home / "postgres")):
        EmbeddedPostgres(home).start()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(home: Path) -> None:
    home.chmod(0o500)
    with pytest.raises(FolderUnusable, match="Permission denied"):
        EmbeddedPostgres(home).start()


@as_root
def test_a_full_disk_is_reported_before_anything_is_made(home: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(home)], check=False)
    if mounted.returncode:
        pytest.skip("this root may not mount")
    try:
        with pytest.raises(DiskFull, match="256 MiB"):
            EmbeddedPostgres(home).start()
        assert not list(home.glob("postgres/staging-*"))
    finally:
        subprocess.run(["umount", str(home)], check=True)


def test_a_home_too_deep_for_a_socket_works_and_leaves_nothing_outside(home_to_break: Path) -> None:
    deep = home_to_break / ("d" * 100)
    deep.mkdir()
    (home_to_break / "postgres").rename(deep / "postgres")
    with EmbeddedPostgres(deep) as postgres:
        outside = (deep / "postgres" / "socket").readlink()
        assert stat.S_IMODE(outside.stat().st_mode) == 0o700
        url = postgres.url()
        assert _value(url, "SELECT 1") == 1
        assert postgres.process
        postgres.process.kill()
        postgres.process.wait()
        assert postgres.start() == url
        assert _value(url, "SELECT 1") == 1
    assert not outside.exists()


@as_root
def test_started_by_root_the_server_is_unprivileged_and_no_parent_folder_is_opened(used_home: Path) -> None:
    parents = [used_home, *used_home.parents]
    before = [parent.stat().st_mode for parent in parents]
    assert not used_home.stat().st_mode & 0o077
    with EmbeddedPostgres(used_home) as postgres:
        assert _value(postgres.url(), "SELECT 1") == 1
        assert postgres.process
        status = Path(f"/proc/{postgres.process.pid}/status").read_text()
        identities = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
        assert "0" not in identities
    assert [parent.stat().st_mode for parent in parents] == before


@as_root
def test_only_the_user_who_started_the_server_gets_in(used_home: Path) -> None:
    data = used_home / "postgres" / "data"
    owner = postgres_data.server_user(data)
    stranger = pwd.getpwnam("daemon")
    assert owner
    psql = postgres_programs.programs_for_others(postgres_programs.installed()) / "psql"
    with EmbeddedPostgres(used_home):
        for user, refusal in ((owner, "Peer authentication failed"), (stranger, "Permission denied")):
            # It enters the folder as root does, so that nothing but the server itself is in its way.
            command = [str(psql), "-h", "/proc/self/cwd", "-U", "twotrack", "-c", "SELECT 1", "postgres"]
            asked = subprocess.run(
                guarded(command, user=(user.pw_uid, user.pw_gid), folder=data),
                env=postgres_data.ENVIRONMENT,
                capture_output=True,
                text=True,
                check=False,
            )
            assert asked.returncode
            assert refusal in asked.stderr


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every user can reach, which pytest's own are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@as_root
def test_programs_that_only_root_can_read_are_copied_once_for_the_server(
    used_home: Path, tmp_path: Path, shared: Path
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    installed = postgres_programs.installed()
    for part in (installed, installed.with_name("embedded_postgres.libs")):
        if part.exists():
            shutil.copytree(part, closed / part.name, ignore=shutil.ignore_patterns("include"))
    (shared / "staging-killed-in-copy").mkdir()
    with EmbeddedPostgres(used_home, package=closed / "embedded_postgres", shared=shared) as postgres:
        assert _value(postgres.url(), "SELECT 1") == 1
    copied = [path for path in shared.iterdir() if path.name != "lock"]
    assert [path.name for path in copied] == [f"postgresql-{postgres_programs.version()}"]
    before = copied[0].stat().st_ctime_ns
    with EmbeddedPostgres(used_home, package=closed / "embedded_postgres", shared=shared):
        pass
    assert copied[0].stat().st_ctime_ns == before


def test_stopping_while_a_client_is_connected_ends_in_order(used_home: Path) -> None:
    postgres = EmbeddedPostgres(used_home)
    postgres.start()
    process = postgres.process
    assert process
    with psycopg.connect(postgres.url()) as connection:
        connection.execute("INSERT INTO events (kind) VALUES ('open')")
        postgres.stop()
        assert process.returncode == 0
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with postgres:
        assert _kept(postgres.url(), "open") == 0


@pytest.mark.parametrize(("gib", "mib"), [(0.5, 64), (2, 128), (16, 256), (512, 256)])
def test_buffers_grow_with_the_machine_within_bounds(gib: float, mib: int) -> None:
    assert shared_buffers_mib(int(gib * 2**30)) == mib
