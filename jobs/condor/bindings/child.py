"""The program that speaks to one pool through HTCondor's bindings; `child_process` starts it and gives it its work.

It imports nothing that imports Django. One line of JSON tells it the connection, then each line is a request
`{"op", "within", …}`, answered by one line: `{"ok": value}`, or `{"error": text, "kind": "refused" | "unavailable"}`. It
ends when its input does, when it has had nothing to do for some time, when a request takes longer than it may, and with
the process that started it.
"""

import ctypes
import json
import os
import signal
import sys
import tempfile
import warnings

from jobs.condor.bindings.pool import Pool

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def _separate_answers():
    # What the bindings print must never come between the answers: it goes to a file, and what they say of a failure is
    # found there. Only a traceback of this program goes where the parent's goes.
    answers = os.fdopen(os.dup(1), "wb")
    sys.stderr = os.fdopen(os.dup(2), "w")
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
    os.dup2(2, 1)
    return answers


def main() -> None:
    """Serve the process that started this one, whose pid is the first argument."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        return  # it was gone before we asked to go with it
    warnings.simplefilter("ignore")  # about submit descriptions; nobody would read them
    connection = json.loads(sys.stdin.buffer.readline())
    answers = _separate_answers()
    pool = Pool(connection)
    while True:
        # What the alarm does by default ends the process also while the bindings wait, as no handler of Python's could.
        signal.setitimer(signal.ITIMER_REAL, connection["idle"])
        line = sys.stdin.buffer.readline()
        if not line:
            return
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, request.pop("within"))
        os.ftruncate(2, 0)
        os.lseek(2, 0, os.SEEK_SET)
        answers.write(pool.answer(request).encode() + b"\n")
        answers.flush()
