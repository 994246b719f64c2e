"""The child process as the client holds it: started, heard, spoken to, and ended with all its own children.

Threads move bytes only; whoever calls :meth:`WorkerProcess.next_event` gets them in its own thread. What the lines
mean is ``protocol``'s, what an end means ``post_mortem``'s business. Ring 7 (worker).
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from MedSegAILib.core.errors import SetupError

from .bootstrap import Launch
from .protocol import Message, encode

LOG_LINES = 200
# After the process is gone, what it still had in its pipes; a grandchild may hold them open for ever.
_DRAIN_S = 1.0
_LONGEST_LINE = 4000  # characters of one log line that are kept


@dataclass(frozen=True)
class Ended:
    """The process is gone; a negative exit code is the signal that ended it (POSIX)."""

    exit_code: int


class WorkerProcess:
    """A running server.

    Raises:
        SetupError: "setup.python" when the interpreter does not start.
    """

    def __init__(self, launch: Launch) -> None:
        self._events: queue.SimpleQueue[bytes | Ended] = queue.SimpleQueue()
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self.line_count = 0  # of all lines ever logged
        self._stdin_lock = threading.Lock()
        try:
            self._popen = _popen(launch)
        except OSError as error:
            raise SetupError(
                "setup.python",
                f"The worker's Python {launch.command[0]} does not start ({error.strerror}).",
                "Name another interpreter in the settings of the module.",
            ) from error
        stdin, stdout, stderr = self._popen.stdin, self._popen.stdout, self._popen.stderr
        if stdin is None or stdout is None or stderr is None:
            raise SetupError("setup.python", "The worker started without its pipes.", "Run it again.")
        self._stdin: IO[bytes] = stdin
        readers = [_thread("messages", self._read_messages, stdout), _thread("log", self._read_log, stderr)]
        self._waiter = _thread("end", self._wait, *readers)

    @property
    def pid(self) -> int:
        """Process id of the child that was started (in Slicer this may be a launcher)."""
        return self._popen.pid

    @property
    def is_alive(self) -> bool:
        """Whether the child runs."""
        return self._popen.poll() is None

    def log_lines(self, since: int = 0) -> list[str]:
        """Give the last lines that the worker wrote to its log after its first ``since`` ones, oldest first."""
        lines = list(self._log)
        return lines[max(0, len(lines) - (self.line_count - since)) :]

    def add_log_line(self, line: bytes) -> None:
        """Keep a line; also one that came on the message pipe before the first message (a launcher's greeting)."""
        self._log.append(_text(line))
        self.line_count += 1

    def next_event(self, wait_s: float) -> bytes | Ended | None:
        """Give the next line or the end; None when nothing came within ``wait_s`` seconds."""
        try:
            return self._events.get(timeout=wait_s) if wait_s > 0 else self._events.get_nowait()
        except queue.Empty:
            return None

    def send(self, message: Message) -> bool:
        """Say something to the worker; False when it does not listen any more."""
        line = memoryview(encode(message))
        with self._stdin_lock:
            try:
                while line:
                    line = line[self._stdin.write(line) :]
            except (OSError, ValueError):
                return False
        return True

    def hang_up(self) -> None:
        """Close the worker's input, which asks it to leave."""
        with self._stdin_lock, contextlib.suppress(OSError):
            self._stdin.close()

    def kill(self) -> None:
        """End the child and everything that it started, at once."""
        self._signal_tree(hard=True)
        self.hang_up()

    def close(self, patience_s: float) -> None:
        """Ask the worker to leave, then make it; gives back when it is gone."""
        self.hang_up()
        if not self._is_gone_within(patience_s):
            self._signal_tree(hard=False)
            if not self._is_gone_within(patience_s):
                self.kill()
        self._waiter.join(timeout=2 * _DRAIN_S)

    def _is_gone_within(self, patience_s: float) -> bool:
        try:
            self._popen.wait(timeout=patience_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _signal_tree(self, *, hard: bool) -> None:
        if not self.is_alive:
            return
        if sys.platform == "win32":
            force = ["/F"] if hard else []
            subprocess.run(
                ["taskkill", "/T", *force, "/PID", str(self.pid)],
                capture_output=True,
                check=False,
                creationflags=subprocess.CREATE_NO_WINDOW,
            )
        else:
            # The child leads its own session, so its number is that of the group of all its children.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL if hard else signal.SIGTERM)

    def _read_messages(self, stream: IO[bytes]) -> None:
        with stream:
            for line in iter(stream.readline, b""):
                self._events.put(line)

    def _read_log(self, stream: IO[bytes]) -> None:
        with stream:
            for line in iter(stream.readline, b""):
                self.add_log_line(line)

    def _wait(self, messages: threading.Thread, log: threading.Thread) -> None:
        exit_code = self._popen.wait()
        if sys.platform != "win32":
            # Children that it left behind; none is the usual case.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        messages.join(timeout=_DRAIN_S)
        log.join(timeout=_DRAIN_S)
        self.hang_up()
        self._events.put(Ended(exit_code))


def _popen(launch: Launch) -> subprocess.Popen[bytes]:
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    # Unbuffered: a line is on its way when send() gives back, and closing never blocks on a flush.
    return subprocess.Popen(
        launch.command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env=dict(launch.environment),
        cwd=launch.folder,
        start_new_session=sys.platform != "win32",
        creationflags=flags,
    )


def _thread(name: str, target: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, name=f"MedSegAI worker {name}", daemon=True)
    thread.start()
    return thread


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip()[:_LONGEST_LINE]
