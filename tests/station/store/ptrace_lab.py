"""Runs a scenario in a child under ptrace: kills it at its N-th change of the disk, lets a flush fail, or records all.

A process of its own, because a tracer must be single-threaded and because every child is a fork of one that has
everything imported. No tool is needed but the kernel (Linux 5.3, x86-64 or arm64).

    python ptrace_lab.py kill SCENARIO HOME N        ends the child before its N-th change
    python ptrace_lab.py fail SCENARIO HOME N        the N-th flush of the write-ahead log reports EIO (x86-64)
    python ptrace_lab.py record SCENARIO,… HOME FOLDER   writes every change and flush to FOLDER/SCENARIO.pickle

    python ptrace_lab.py probe                       ends with 0 if children can be traced here

N may be a range ``A-B`` with a stride ``A-B/S``: HOME is copied to HOME.N for each, and one JSON line per N says what
the child had acknowledged and whether it came to its end.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import pickle
import platform
import shutil
import signal
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

_NUMBERS = {
    "x86_64": {
        1: "write", 2: "open", 18: "pwrite", 74: "fsync", 75: "fsync", 77: "ftruncate", 82: "rename", 83: "mkdir",
        87: "unlink", 257: "openat", 258: "mkdirat", 263: "unlinkat", 264: "renameat", 285: "fallocate",
        316: "renameat",
    },
    "aarch64": {
        64: "write", 68: "pwrite", 82: "fsync", 83: "fsync", 46: "ftruncate", 34: "mkdirat", 56: "openat",
        35: "unlinkat", 38: "renameat", 47: "fallocate", 276: "renameat",
    },
}  # fmt: skip
CALLS = _NUMBERS.get(platform.machine(), {})
TRACEME, SYSCALL, SETOPTIONS, GETREGS, SETREGS, GET_SYSCALL_INFO = 0, 24, 0x4200, 12, 13, 0x420E
SYSGOOD, CLONE, EXITKILL = 1, 8, 0x100000
WALL = 0x40000000
ACKS = 9
"""File descriptor on which the child says what it was promised."""

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class CannotTrace(Exception):
    """This kernel or sandbox forbids it."""


def ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    result = int(libc.ptrace(request, pid, address, data))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


@dataclass
class Call:
    """One system call that may change the disk."""

    name: str
    pid: int
    args: tuple[int, ...]
    path: str
    """File it is about; of a rename, the old name."""
    new_path: str = ""
    offset: int = 0
    data: bytes = b""
    existed: bool = False


Entered = Callable[[Call], "int | None"]
"""Told each call before it runs; −1 kills the child, an errno makes the call fail."""


def trace(scenario: Callable[[], None], entered: Entered, left: Callable[[Call, int], None]) -> bool:
    """Run a scenario in a traced fork; True = it came to its end."""
    pid = os.fork()
    if pid == 0:
        try:
            ptrace(TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            scenario()
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    _, status = os.waitpid(pid, WALL)
    if not os.WIFSTOPPED(status):
        raise CannotTrace("the child could not be traced")
    ptrace(SETOPTIONS, pid, 0, SYSGOOD | CLONE | EXITKILL)
    known, inside, failing = {pid}, {}, {}
    ptrace(SYSCALL, pid)
    while True:
        tid, status = os.waitpid(-1, WALL)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            if tid == pid:
                return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
            continue
        forward = 0
        stop = os.WSTOPSIG(status)
        if stop == signal.SIGTRAP | 0x80:
            operation, words = _syscall_info(tid)
            if operation == 1 and (name := CALLS.get(words[0])) is not None:
                call = _describe(name, pid, words[1:])
                if call is not None:
                    inside[tid] = call
                    verdict = entered(call)
                    if verdict == -1:
                        os.kill(pid, signal.SIGKILL)
                        continue
                    if verdict:
                        failing[tid] = verdict
                        _set_register(tid, 15, 2**64 - 1)  # orig_rax: no such call
            elif operation == 2 and tid in inside:
                call = inside.pop(tid)
                if tid in failing:
                    _set_register(tid, 10, 2**64 - failing.pop(tid))  # rax
                else:
                    result = struct.unpack("q", struct.pack("Q", words[0]))[0]
                    if result >= 0:
                        left(call, result)
        elif stop == signal.SIGTRAP and status >> 16:
            pass  # a thread was made
        elif tid not in known:
            known.add(tid)  # a new thread's first stop
        else:
            forward = stop
        known.add(tid)
        try:
            ptrace(SYSCALL, tid, 0, forward)
        except ProcessLookupError:
            continue


def _syscall_info(tid: int) -> tuple[int, tuple[int, ...]]:
    buffer = ctypes.create_string_buffer(88)
    try:
        ptrace(GET_SYSCALL_INFO, tid, 88, ctypes.addressof(buffer))
    except OSError as error:
        if error.errno == errno.ESRCH:
            return 0, (0,) * 7
        raise CannotTrace(f"PTRACE_GET_SYSCALL_INFO: {error}") from error
    return buffer.raw[0], struct.unpack_from("7Q", buffer.raw, 24)


def _set_register(tid: int, index: int, value: int) -> None:
    registers = (ctypes.c_ulonglong * 27)()
    ptrace(GETREGS, tid, 0, ctypes.addressof(registers))
    registers[index] = value
    ptrace(SETREGS, tid, 0, ctypes.addressof(registers))


def _memory(pid: int, address: int, size: int) -> bytes:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        memory.seek(address)
        return memory.read(size)


def _text(pid: int, address: int) -> str:
    result = b""
    while b"\0" not in result:
        result += _memory(pid, address + len(result), 4096 - (address + len(result)) % 4096)
    return os.fsdecode(result.partition(b"\0")[0])


def _describe(name: str, pid: int, args: tuple[int, ...]) -> Call | None:
    if name in {"open", "mkdir", "unlink"}:
        path = _text(pid, args[0])
        call = Call(name, pid, args, path, existed=os.path.lexists(path))
    elif name in {"openat", "mkdirat", "unlinkat"}:
        path = _text(pid, args[1])
        call = Call(name.removesuffix("at"), pid, (args[0], *args[2:]), path, existed=os.path.lexists(path))
        if name == "openat":
            call.args = (args[1], *args[2:])
    elif name == "rename":
        call = Call(name, pid, args, _text(pid, args[0]), _text(pid, args[1]))
    elif name == "renameat":
        call = Call("rename", pid, args, _text(pid, args[1]), _text(pid, args[3]))
    else:
        try:
            path = str(Path(f"/proc/{pid}/fd/{args[0]}").readlink())
        except OSError:
            return None
        call = Call(name, pid, args, path)
        if name in {"write", "pwrite"}:
            call.data = _memory(pid, args[1], args[2])
            call.offset = args[3]
            if name == "write" and path.startswith("/"):
                with Path(f"/proc/{pid}/fdinfo/{args[0]}").open() as fdinfo:
                    call.offset = int(fdinfo.readline().split()[1])
    return call


def _concerns(call: Call, home: Path) -> bool:
    """Whether a call changes or flushes something that lasts: the shared-memory file is made anew at each start."""
    return call.path.startswith(str(home)) and not call.path.endswith("-shm")


_CREATE, _TRUNCATE = os.O_CREAT, os.O_TRUNC


def _changes(call: Call) -> bool:
    if call.name == "open":
        return bool(call.args[1] & _TRUNCATE) or (bool(call.args[1] & _CREATE) and not call.existed)
    return True


def kill_at(scenario: Callable[[], None], home: Path, number: int) -> bool:
    seen = 0

    def entered(call: Call) -> int | None:
        nonlocal seen
        if _concerns(call, home) and _changes(call):
            seen += 1
            if seen == number:
                return -1
        return None

    return trace(scenario, entered, lambda _call, _result: None)


def fail_at(scenario: Callable[[], None], home: Path, number: int) -> bool:
    seen = 0

    def entered(call: Call) -> int | None:
        nonlocal seen
        if call.name == "fsync" and call.path.endswith("-wal") and _concerns(call, home):
            seen += 1
            if seen == number:
                return errno.EIO
        return None

    return trace(scenario, entered, lambda _call, _result: None)


def record(scenario: Callable[[], None], home: Path) -> list[tuple[object, ...]]:
    """Every change, flush and acknowledgement in order.

    ``(exists path node) (create path node) (mkdir path) (write node offset data)
    (truncate node size) (extend node size) (sync node) (syncdir path) (rename old new) (unlink path) (ack text)``;
    a node is a file's identity, whatever its name.
    """
    steps: list[tuple[object, ...]] = []
    nodes: dict[tuple[int, int], int] = {}

    def node(call: Call, descriptor: int) -> int:
        found = Path(f"/proc/{call.pid}/fd/{descriptor}").stat()
        key = (found.st_dev, found.st_ino)
        if key not in nodes:
            nodes[key] = len(steps)
            steps.append(("exists", call.path, nodes[key]))
        return nodes[key]

    def left(call: Call, result: int) -> None:
        if call.name == "write" and call.args[0] == ACKS:
            steps.append(("ack", call.data.decode()))
        if not _concerns(call, home):
            return
        match call.name:
            case "open":
                if call.args[1] & _CREATE and not call.existed:
                    found = Path(f"/proc/{call.pid}/fd/{result}").stat()
                    # also where the number is known: that of a removed file comes again
                    nodes[found.st_dev, found.st_ino] = len(steps)
                    steps.append(("create", call.path, len(steps)))
                elif call.args[1] & _TRUNCATE:
                    steps.append(("truncate", node(call, result), 0))
            case "mkdir":
                steps.append(("mkdir", call.path))
            case "unlink":
                steps.append(("unlink", call.path))
            case "rename":
                steps.append(("rename", call.path, call.new_path))
            case "write" | "pwrite":
                steps.append(("write", node(call, call.args[0]), call.offset, call.data[:result]))
            case "ftruncate":
                steps.append(("truncate", node(call, call.args[0]), call.args[1]))
            case "fallocate":
                steps.append(("extend", node(call, call.args[0]), call.args[2] + call.args[3]))
            case "fsync":
                if Path(call.path).is_dir():
                    steps.append(("syncdir", call.path))
                else:
                    steps.append(("sync", node(call, call.args[0])))

    trace(scenario, lambda _call: None, left)
    return steps


def _say(text: str) -> None:
    os.write(ACKS, f"{text}\n".encode())


def _shift(home: Path, units: int, synchronous: str = "FULL") -> None:
    import store_lab

    store_lab.work_a_shift(home, _say, units=units, synchronous=synchronous)


def _two_shifts(home: Path, units: int, synchronous: str = "FULL") -> None:
    _shift(home, units, synchronous)
    _shift(home, units, synchronous)


def _stubborn_shift(home: Path) -> None:
    """Goes on after a fault and says what came of each commit."""
    import store_lab

    from station.errors import StoreFault
    from station.store import Store

    with Store.open(home, station="bench-1", clock=store_lab.TickingClock(), ballast_bytes=0) as store:
        for number in range(1, 5):
            facts = [store_lab.inspection(number)]
            try:
                entries = store.commit(facts, actor="ines", drafts={"unit": b"%d" % number})
            except StoreFault as fault:
                _say(f"fault {number} {fault}")
            else:
                _say(f"entry {number} {entries[0].id}")


def _migrate(home: Path) -> None:
    import store_lab

    from station.store import Store

    Store.open(home, station="bench-1", clock=store_lab.SteadyClock(), ballast_bytes=0).close()


SCENARIOS: dict[str, Callable[[Path], None]] = {
    "unit": partial(_shift, units=1),
    "three_units": partial(_shift, units=3),
    "two_shifts": partial(_two_shifts, units=5),
    "two_shifts_normal": partial(_two_shifts, units=5, synchronous="NORMAL"),
    "stubborn": _stubborn_shift,
    "migrate": _migrate,
}


def _acknowledged(run: Callable[[], bool]) -> tuple[bool, list[str]]:
    """Run with a pipe at ACKS that outlives the child."""
    reading, writing = os.pipe()
    os.dup2(writing, ACKS)
    os.close(writing)
    os.set_inheritable(ACKS, True)
    try:
        ended = run()
    finally:
        os.close(ACKS)
    with os.fdopen(reading, "rb") as pipe:
        return ended, pipe.read().decode().splitlines()


def main() -> int:
    if not CALLS:
        raise CannotTrace(f"no table of system calls for {platform.machine()}")
    if sys.argv[1:] == ["probe"]:
        return 0 if trace(lambda: None, lambda _call: None, lambda _call, _result: None) else 1
    what, names, home, last = sys.argv[1:]
    # every child is a fork of this process: what is imported here is not imported in each
    import store_lab  # noqa: F401

    import station.store.store  # noqa: F401

    if "migrate" in names:
        import alembic.command  # noqa: F401
    if what == "record":
        for name in names.split(","):
            _record(name, Path(home), Path(last))
    else:
        _repeat({"kill": kill_at, "fail": fail_at}[what], SCENARIOS[names], Path(home), last, until_end=what == "kill")
    return 0


def _record(name: str, home: Path, folder: Path) -> None:
    working = folder / f"work-{name}"
    shutil.copytree(home, working)
    steps: list[tuple[object, ...]] = []

    def run() -> bool:
        steps.extend(record(lambda: SCENARIOS[name](working), working))
        return True

    _acknowledged(run)
    folder.joinpath(f"{name}.pickle").write_bytes(pickle.dumps((str(working), steps)))


def _repeat(
    act: Callable[[Callable[[], None], Path, int], bool],
    scenario: Callable[[Path], None],
    home: Path,
    points: str,
    *,
    until_end: bool,
) -> None:
    span, _, stride = points.partition("/")
    first, _, end = span.partition("-")
    for number in range(int(first), int(end or first) + 1, int(stride or 1)):
        copy = home.with_name(f"{home.name}.{number}")
        shutil.copytree(home, copy)
        ended, acks = _acknowledged(lambda: act(lambda: scenario(copy), copy, number))  # noqa: B023
        sys.stdout.write(json.dumps({"number": number, "home": str(copy), "ended": ended, "acks": acks}) + "\n")
        sys.stdout.flush()
        if ended and until_end:
            break  # there is no N-th change: every point has been visited


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (CannotTrace, PermissionError) as error:
        sys.stderr.write(f"cannot trace: {error}\n")
        sys.exit(77)
