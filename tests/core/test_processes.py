"""Children end with their parent, whatever they do; a recycled pid is never mistaken for what it was."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from twotrack.core import processes
from twotrack.core.processes import ProcessIdentity

linux = pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")

# Spawns the command given as arguments in the way named first, tells its pid, and waits.
PARENT = """
import subprocess, sys
from twotrack.core.processes import child_options, guarded
how, *command = sys.argv[1:]
options = child_options() if how == "lifeline" else {}
command = guarded(command) if how == "guarded" else command
child = subprocess.Popen(command, stdout=subprocess.PIPE, **options)
assert child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""
IDLE = "from twotrack.core.processes import watch_lifeline as watch; watch(); print(flush=True); input()"
BUSY = IDLE.replace("input()", "[None for _ in iter(int, 1)]")
# Without the kernel's signal, as on other systems: the pipe alone.
PIPE_ONLY = f"import sys, twotrack.core.processes; sys.platform = 'other'\n{BUSY}"
STUBBORN = ["-c", "trap '' TERM INT HUP; echo; while :; do :; done"]


def _child_of_a_killed_parent(*arguments: str) -> ProcessIdentity:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert parent.stdout
        child = ProcessIdentity.of(int(parent.stdout.readline()))
        assert child
        assert child.is_running()
    finally:
        parent.kill()
        parent.communicate()
    return child


@pytest.mark.parametrize("script", [IDLE, BUSY, PIPE_ONLY])
def test_a_python_child_ends_when_its_parent_is_killed(script: str) -> None:
    assert _child_of_a_killed_parent("lifeline", sys.executable, "-c", script).wait(30)


@linux
def test_a_program_that_knows_nothing_of_it_ends_when_its_parent_is_killed() -> None:
    assert _child_of_a_killed_parent("guarded", "/bin/sh", *STUBBORN).wait(30)


def test_without_a_parent_that_asked_for_it_nothing_is_tied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWOTRACK_LIFELINE", raising=False)
    processes.watch_lifeline()


def test_a_child_passes_its_lifeline_on_to_nobody() -> None:
    script = (
        "from twotrack.core.processes import watch_lifeline as watch; watch(); import os, subprocess, sys\n"
    )
    script += "print('TWOTRACK_LIFELINE' in os.environ)\n"
    asked = subprocess.run(
        [sys.executable, "-c", script], **processes.child_options(), capture_output=True, check=True
    )
    assert asked.stdout.strip() == b"False"


def test_a_guarded_command_keeps_its_pid_its_arguments_and_its_folder(tmp_path: Path) -> None:
    command = processes.guarded(["/bin/sh", "-c", 'echo $$ "$1"; pwd', "-", "a b"], folder=tmp_path)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        output, _ = process.communicate()
    assert output.decode() == f"{process.pid} a b\n{tmp_path}\n"


def test_an_identity_is_of_one_process_only() -> None:
    me = ProcessIdentity.of(os.getpid())
    assert me
    assert me.is_running()
    assert ProcessIdentity.of(os.getpid()) == me
    recycled = ProcessIdentity(os.getpid(), "another start")
    assert not recycled.is_running()
    assert not recycled.send(signal.SIGKILL)
    assert recycled.wait(0)


def test_a_zombie_is_not_running() -> None:
    with subprocess.Popen(["/bin/sleep", "1000"]) as process:
        identity = ProcessIdentity.of(process.pid)
        assert identity
        assert identity.send(signal.SIGKILL)
        assert identity.wait(30)
        # Not reaped yet: the system still lists it.
        assert psutil.pid_exists(process.pid)
        assert ProcessIdentity.of(process.pid) is None
        assert not identity.send(signal.SIGTERM)


def test_waiting_for_a_process_that_goes_on_gives_up() -> None:
    me = ProcessIdentity.of(os.getpid())
    assert me
    assert not me.wait(0)


def test_stop_asks_first_and_then_kills() -> None:
    polite = subprocess.Popen(["/bin/sleep", "1000"])
    assert processes.stop(polite, grace=30) == -signal.SIGTERM
    assert processes.stop(polite, grace=30) == -signal.SIGTERM
    with subprocess.Popen(["/bin/sh", *STUBBORN], stdout=subprocess.PIPE) as stubborn:
        assert stubborn.stdout
        stubborn.stdout.readline()
        assert processes.stop(stubborn, grace=0.01) == -signal.SIGKILL


async def test_stop_async_asks_first_and_then_kills() -> None:
    polite = await asyncio.create_subprocess_exec("/bin/sleep", "1000")
    assert await processes.stop_async(polite, grace=30) == -signal.SIGTERM
    stubborn = await asyncio.create_subprocess_exec("/bin/sh", *STUBBORN, stdout=asyncio.subprocess.PIPE)
    assert stubborn.stdout
    await stubborn.stdout.readline()
    assert await processes.stop_async(stubborn, grace=0.01) == -signal.SIGKILL


async def test_who_is_stopped_has_ended_though_what_it_left_behind_holds_its_output() -> None:
    leaving = "import subprocess; print(subprocess.Popen(['/bin/sleep', '1000']).pid, flush=True); input()"
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", leaving), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout
    other = psutil.Process(int(await child.stdout.readline()))
    try:
        async with asyncio.timeout(30):
            assert not await processes.has_ended(child, within=0)
            assert await processes.stop_async(child, grace=3600) == -signal.SIGTERM
            assert await processes.has_ended(child)
        assert other.is_running()
    finally:
        other.kill()
    assert await child.stdout.read() == b""


def test_the_peak_of_a_process_is_what_it_gave_back_too_until_it_is_forgotten() -> None:
    large = 256 * 2**20
    processes.forget_peak_size()
    before = psutil.Process().memory_info().rss
    # Of one byte, so that every page is touched.
    bytearray(b"x") * large
    assert processes.peak_resident_size(os.getpid()) > before + 0.9 * large
    if sys.platform == "linux":
        processes.forget_peak_size()
        assert processes.peak_resident_size(os.getpid()) < before + 0.5 * large
    with subprocess.Popen(["/bin/true"]) as ended:
        ended.wait()
    assert processes.peak_resident_size(ended.pid) == 0


def test_the_proportional_set_size_is_within_the_resident_one() -> None:
    resident = psutil.Process().memory_info().rss
    assert 2**20 < processes.proportional_set_size(os.getpid()) <= resident * 1.1
    with subprocess.Popen(["/bin/true"]) as ended:
        ended.wait()
    assert processes.proportional_set_size(ended.pid) == 0
