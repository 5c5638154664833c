"""Compiles capture filters with libpcap in processes with little CPU time, little memory and no network.

A question: {"link_type": "EN10MB", "optimize": true, "groups": [[HEAD, [TAIL, …]], …]}, where HEAD and
TAIL together are a filter. Its answer: {"group": N, "error": "…"}: the number of the first group of
which any filter compiles, or null, and what libpcap said to the very first filter. Or {"missing": true}
without libpcap, {"unknown": true} for a link type it does not know.

Started alone, with `python -I -S`: it imports nothing of podcap. Standard input is a socket on which the ends
of other sockets come, one a question; each question has a process of its own.
"""

import ctypes
import json
import os
import platform
import resource
import signal
import socket
from typing import Any, NoReturn

_LIBRARIES = ("libpcap.so.1", "libpcap.so.0.8", "libpcap.so")
_ERRBUF_SIZE = 256
_SNAPLEN = 262_144
_NETMASK_UNKNOWN = 0xFFFFFFFF

_CPU_SECONDS = 2
_ADDRESS_SPACE = 256 * 1024 * 1024
_FILES = 16
_WALL_SECONDS = 20

# linux/prctl.h, linux/seccomp.h, linux/filter.h; socket's number is in each architecture's unistd.h.
_NO_NEW_PRIVILEGES = 38
_SET_SECCOMP = 22
_FILTER_MODE = 2
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x0005000D
_SOCKET = {"x86_64": 41, "aarch64": 198, "riscv64": 198, "ppc64le": 326, "s390x": 359}


class _Program(ctypes.Structure):
    """struct bpf_program."""

    _fields_ = (("length", ctypes.c_uint), ("instructions", ctypes.c_void_p))


class _SeccompProgram(ctypes.Structure):
    """struct sock_fprog: the same, counted in 16 bits."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class _Instruction(ctypes.Structure):
    """struct sock_filter."""

    _fields_ = (
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("k", ctypes.c_uint),
    )


def limit() -> None:
    """Takes from this process what compiling a filter does not need."""
    for what, most in (
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_AS, _ADDRESS_SPACE),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def leave_network() -> None:
    """Makes every socket() fail, so that no name can be asked for; a kernel without seccomp is let pass."""
    number = _SOCKET.get(platform.machine())
    if number is None:
        return
    libc = ctypes.CDLL(None)
    program = (_Instruction * 4)(
        _Instruction(_LOAD, 0, 0, 0),
        _Instruction(_JUMP_IF_EQUAL, 0, 1, number),
        _Instruction(_RETURN, 0, 0, _REFUSE),
        _Instruction(_RETURN, 0, 0, _ALLOW),
    )
    pointer = ctypes.byref(_SeccompProgram(4, ctypes.addressof(program)))
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        libc.prctl(_SET_SECCOMP, _FILTER_MODE, pointer)


def libpcap() -> ctypes.CDLL | None:
    """The library, under whichever name it is installed."""
    for name in _LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


class Compiler:
    """libpcap's compiler for one link type (pcap_compile(3PCAP))."""

    def __init__(self, library: ctypes.CDLL, link_type: int, *, optimize: bool) -> None:
        library.pcap_open_dead.restype = ctypes.c_void_p
        library.pcap_geterr.restype = ctypes.c_char_p
        library.pcap_geterr.argtypes = [ctypes.c_void_p]
        library.pcap_compile.argtypes = [
            ctypes.c_void_p,
            ctypes.POINTER(_Program),
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.c_uint,
        ]
        self._library = library
        self._handle = library.pcap_open_dead(link_type, _SNAPLEN)
        self._optimize = int(optimize)

    def error(self, capture_filter: str) -> str | None:
        """What libpcap has against this filter; None when it compiles."""
        program = _Program()
        failed = self._library.pcap_compile(
            self._handle, ctypes.byref(program), capture_filter.encode(), self._optimize, _NETMASK_UNKNOWN
        )
        if failed:
            return str(self._library.pcap_geterr(self._handle).decode(errors="replace"))
        self._library.pcap_freecode(ctypes.byref(program))
        return None


def answer(question: dict[str, Any], library: ctypes.CDLL | None) -> dict[str, object]:
    """The answer to what stood on standard input."""
    if library is None:
        return {"missing": True}
    link_type = library.pcap_datalink_name_to_val(str(question["link_type"]).encode())
    if link_type < 0:
        return {"unknown": True}
    compiler = Compiler(library, link_type, optimize=bool(question["optimize"]))
    first: str | None = None
    for number, (head, tails) in enumerate(question["groups"]):
        for tail in tails:
            error = compiler.error(head + tail)
            if error is None:
                return {"group": number, "error": first}
            first = first or error
    return {"group": None, "error": first}


def serve(asked: socket.socket, library: ctypes.CDLL | None) -> None:
    """Answers each question in a fork, which is as alone as a process of its own and starts in a millisecond.

    Args:
        asked: Each message brings a socket, on which one question comes and its answer goes.
        library: libpcap; nothing was compiled with it in this process.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    while True:
        said, descriptors, _, _ = socket.recv_fds(asked, 1, 1)
        if not said:
            return
        for descriptor in descriptors:
            if os.fork() == 0:
                asked.close()
                _answer_on(descriptor, library)
            os.close(descriptor)


def _answer_on(descriptor: int, library: ctypes.CDLL | None) -> NoReturn:
    status = 1
    signal.alarm(_WALL_SECONDS)  # with nobody left who asks, it ends all the same
    try:
        with open(descriptor, "rb", closefd=False) as source:
            question = json.load(source)
        limit()
        leave_network()
        with open(descriptor, "wb") as target:
            target.write(json.dumps(answer(question, library)).encode())
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    serve(socket.socket(fileno=0), libpcap())
