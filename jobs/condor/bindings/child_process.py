"""One child (`child`) as its parent has it: started, asked with a deadline, ended."""

import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

IDLE = 60.0
"""Seconds after which a child that has nothing to do ends by itself."""
GRACE = 5.0
"""Seconds after the deadline of a request at which a child ends by itself, should nobody be left who ends it."""

_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_ROOT = str(Path(__file__).parents[3])
# The root comes last on the path: it may be site-packages, where nothing shall hide a standard module.
_PROGRAM = f"import sys; sys.path.append({_ROOT!r}); from jobs.condor.bindings.child import main; main()"


class Broken(Exception):
    """The child is of no use any more; why."""


class ChildProcess:
    """A running child. It ends with this process, also when that is killed.

    Args:
        connection: what the child reads first.

    Raises:
        OSError: the machine can start no process.
    """

    def __init__(self, connection: dict):
        self._unsent = json.dumps({**connection, "idle": IDLE}) + "\n"
        self._failure: OSError | None = None
        self._used = time.monotonic()
        started = threading.Event()
        # For the kernel, a process' parent is the thread that started it: when it ends, the child is killed. So each
        # child has a thread that starts it and stays; and so none becomes a zombie.
        self._keeper = threading.Thread(target=self._keep, args=(started,), daemon=True, name="htcondor child")
        self._keeper.start()
        started.wait()
        if self._failure:
            raise self._failure

    def _keep(self, started: threading.Event) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                cwd="/",
                env={
                    **{name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                    "CONDOR_CONFIG": os.devnull,
                },
                start_new_session=True,  # Ctrl-C is for its parent
            )
            os.set_blocking(self._process.stdin.fileno(), False)
        except OSError as error:
            self._failure = error
            return
        finally:
            started.set()
        self._process.wait()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_usable(self) -> bool:
        """It runs, and is not about to end because nobody needed it."""
        if time.monotonic() - self._used > IDLE * 0.9:
            return False
        # Without a question there is nothing to read but that it has ended.
        return not _is_ready(self._process.stdout.fileno(), select.POLLIN, time.monotonic())

    def ask(self, request: dict, until: float) -> dict:
        """Send a request and return the answer.

        Args:
            until: `time.monotonic()` of the deadline.

        Raises:
            TimeoutError: there was none by then. The child is at it still and must be ended.
            Broken: there will be none.
        """
        within = max(0.0, until - time.monotonic()) + GRACE
        line = json.dumps({**request, "within": within}) + "\n"
        try:
            self._send((self._unsent + line).encode(), until)
            answer = json.loads(self._receive(until))
        except BrokenPipeError:
            raise Broken(self._end_of_it()) from None
        except ValueError:
            raise Broken("it said what is no answer") from None
        self._unsent = ""
        self._used = time.monotonic()
        return answer

    def end(self) -> None:
        """End it now, whatever it does."""
        self._process.kill()
        self._process.stdin.close()
        self._process.stdout.close()

    def _send(self, data: bytes, until: float) -> None:
        pipe = self._process.stdin.fileno()
        while data:
            _wait(pipe, select.POLLOUT, until)
            data = data[os.write(pipe, data) :]

    def _receive(self, until: float) -> bytes:
        pipe = self._process.stdout.fileno()
        pieces = []
        while not pieces or not pieces[-1].endswith(b"\n"):
            _wait(pipe, select.POLLIN, until)
            pieces.append(os.read(pipe, 1 << 20))
            if not pieces[-1]:
                raise Broken(self._end_of_it())
        return b"".join(pieces)

    def _end_of_it(self) -> str:
        self._keeper.join(1)
        code = self._process.returncode
        return f"its process ended ({f'signal {-code}' if code is not None and code < 0 else f'exit code {code}'})"


def _wait(pipe: int, event: int, until: float) -> None:
    if not _is_ready(pipe, event, until):
        raise TimeoutError


def _is_ready(pipe: int, event: int, until: float) -> bool:
    poll = select.poll()
    poll.register(pipe, event)
    return bool(poll.poll(max(0.0, until - time.monotonic()) * 1000))
