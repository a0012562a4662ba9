"""Child processes that cannot outlive their parent, and names for processes that a recycled pid cannot take.

Two ties hold a child to its parent. The kernel's parent-death signal (Linux) reaches a child however busy it
is; the lifeline, a pipe whose write end only the parent holds, works on every POSIX system and has no gap
between fork and the first instruction of the child. A Python child takes both:

    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "…", **child_options())   # parent
    watch_lifeline()                                                                               # child

Hazard: the parent-death signal fires when the *thread* that spawned the child ends. Spawn from a thread that
lives as long as the process, such as the one that runs the event loop, never from a thread pool.
"""

import asyncio
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypedDict

import psutil

_LIFELINE = "TWOTRACK_LIFELINE"

# Runs in a bare interpreter (no site packages, some 15 ms) and becomes the command by exec, so the pid stays.
# A preexec_fn could do the same, but between fork and exec of a process with threads it can deadlock.
_BECOME = """
import os, signal, sys
parent, death, uid, gid, folder, *command = sys.argv[1:]
libc = None
if sys.platform == "linux":
    # Before the privileges go: this interpreter may lie where the user cannot read.
    import ctypes
    libc = ctypes.CDLL(None)
if folder:
    os.chdir(folder)
if uid:
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))
if libc:
    # After setuid: a change of credentials clears it.
    libc.prctl(1, int(death), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("the parent has ended")
os.execv(command[0], command)
"""

_PR_SET_PDEATHSIG = 1
_LOOK_S = 0.01


class ChildOptions(TypedDict):
    """Keyword arguments for `subprocess.Popen` and `asyncio.create_subprocess_exec`."""

    env: dict[str, str]
    pass_fds: tuple[int, ...]
    start_new_session: bool


# (read end, write end) by pid: a forked process must not take its parent's for its own.
_lifelines: dict[int, tuple[int, int]] = {}


def child_options(
    environment: Mapping[str, str] | None = None, *, pass_fds: Sequence[int] = ()
) -> ChildOptions:
    """How to spawn a Python child that calls `watch_lifeline` first thing.

    The child gets this process's environment with `environment` on top, and a session of its own: Ctrl-C in
    the terminal reaches the parent alone, which then ends its children in order.
    """
    if os.getpid() not in _lifelines:
        # One pipe for all children. The write end is never written, never closed, and inherited by nobody.
        _lifelines[os.getpid()] = os.pipe()
    read_end, _ = _lifelines[os.getpid()]
    return ChildOptions(
        env={**os.environ, **(environment or {}), _LIFELINE: str(read_end)},
        pass_fds=(read_end, *pass_fds),
        start_new_session=True,
    )


def watch_lifeline() -> None:
    """Tie this process to the parent that spawned it with `child_options`; without such a parent do nothing.

    When the parent ends, this process ends at once, without cleaning up: whatever it does must survive
    kill -9 anyway. Call it before anything heavy is imported.
    """
    lifeline = os.environ.pop(_LIFELINE, None)
    if lifeline is None:
        return
    descriptor = int(lifeline)
    os.set_inheritable(descriptor, False)
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    def watch() -> None:
        while os.read(descriptor, 1):
            pass
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def guarded(
    command: Sequence[str],
    *,
    death_signal: signal.Signals = signal.SIGKILL,
    user: tuple[int, int] | None = None,
    folder: Path | None = None,
) -> list[str]:
    """`command` so that on Linux it gets `death_signal` when this process's spawning thread ends.

    For programs that know nothing of lifelines. It is entered in `folder` while still privileged, then the
    privileges are dropped to `user` (uid, gid), so a program can work in a folder whose parents are closed to
    it. The command's first word is an absolute path; the pid of what is spawned becomes the command's.
    """
    uid, gid = ("", "") if user is None else (str(user[0]), str(user[1]))
    before = [str(os.getpid()), str(int(death_signal)), uid, gid, "" if folder is None else str(folder)]
    return [sys.executable, "-I", "-S", "-c", _BECOME, *before, *command]


def stop(process: subprocess.Popen[bytes], *, grace: float, first: signal.Signals = signal.SIGTERM) -> int:
    """End a child: `first`, then SIGKILL after `grace` seconds. Its return code."""
    if process.poll() is None:
        process.send_signal(first)
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


async def stop_async(
    process: asyncio.subprocess.Process, *, grace: float, first: signal.Signals = signal.SIGTERM
) -> int:
    """`stop` for a child of asyncio."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.send_signal(first)
        if not await has_ended(process, within=grace):
            with suppress(ProcessLookupError):
                process.kill()
            await has_ended(process)
    assert process.returncode is not None
    return process.returncode


async def has_ended(process: asyncio.subprocess.Process, *, within: float = math.inf) -> bool:
    """Wait up to `within` seconds for the child's end; whether it ended.

    `Process.wait` waits for the ends of its pipes as well (python/cpython#119710), which a process that the
    child left behind can hold open for ever.
    """
    deadline = time.monotonic() + within
    while process.returncode is None:
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_LOOK_S)
    return True


@dataclass(frozen=True)
class ProcessIdentity:
    """A process by pid and start: a later process with the same pid is another one.

    `started` is opaque; it is the same in every process that asks, and after a change of the clock.
    """

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The running process with this pid; a zombie is not running."""
        started = _start_of(pid)
        return None if started is None else cls(pid, started)

    def is_running(self) -> bool:
        return _start_of(self.pid) == self.started

    def send(self, number: signal.Signals) -> bool:
        """Send a signal to this process and no other; False when it is not running."""
        try:
            # Held open, a pidfd keeps naming this process even when the pid is given away meanwhile.
            descriptor = os.pidfd_open(self.pid) if hasattr(os, "pidfd_open") else None
        except ProcessLookupError:
            return False
        except OSError:
            descriptor = None
        try:
            if not self.is_running():
                return False
            if descriptor is None:
                os.kill(self.pid, number)
            else:
                signal.pidfd_send_signal(descriptor, number)
            return True
        except ProcessLookupError:
            return False
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for its end; whether it ended."""
        deadline = time.monotonic() + timeout
        while self.is_running():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True


def _start_of(pid: int) -> str | None:
    if sys.platform != "linux":
        try:
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
        except psutil.Error:
            return None
    try:
        # proc_pid_stat(5): the name in parentheses may hold anything; state is the first field after it and
        # the start, in ticks since boot, the twentieth.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"


def proportional_set_size(pid: int) -> int:
    """Memory of a process in bytes, pages shared by n processes counted as 1/n (proc_pid_smaps(5)).

    Where the system does not tell, the resident set; 0 when the process has ended.
    """
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def peak_resident_size(pid: int) -> int:
    """Bytes that a process held at most since it began, or since its own `forget_peak_size`.

    Where the system does not tell, what it holds now; 0 when it has ended. What wait4(2) tells of a child is
    another thing: it begins with its parent's.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        pass
    else:
        # proc_pid_status(5). What has ended and was not waited for yet has none.
        found = status.partition("VmHWM:")[2].split(maxsplit=1)
        return int(found[0]) * 1024 if found else 0
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def forget_peak_size() -> None:
    """Let this process's `peak_resident_size` begin anew, where the system can (proc_pid_clear_refs(5))."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
