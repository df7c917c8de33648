"""Starting a command under a supervisor: in a session, a folder and an account of its own, with its output in pipes."""

import json
import os
import signal
from dataclasses import dataclass, field

from jobs.processes.prctl import die_with


class NotStartedError(Exception):
    """The command could not be started; the text says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who commands run as, where it is not the agent's own account.

    Attributes:
        name: as the host knows it.
        groups: all of its groups.
    """

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


@dataclass(frozen=True, slots=True)
class Command:
    """What is started.

    Attributes:
        program: path, or a name that is looked for in PATH.
        argv: with the name that the program is given first.
        folder: where it begins.
        environment: all of it.
        account: None for the agent's own.
    """

    program: str
    argv: list[str]
    folder: str
    environment: dict[str, str] = field(repr=False)
    account: Account | None = None


def start(command: Command, stdout: int, stderr: int) -> int:
    """Start it; it dies when this process dies. The handles are its own from then on.

    Returns: its pid; its program runs already.

    Raises:
        NotStartedError: nothing was started.
    """
    trouble, report = os.pipe()  # closed by a successful exec
    parent = os.getpid()
    # This process's handlers must not run in the child.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _become(command, parent, stdout, stderr, report)
    except OSError as error:
        os.close(trouble)
        raise NotStartedError(f"the host could start no process: {error.strerror}") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for handle in (stdout, stderr, report):
            os.close(handle)
    with open(trouble, "rb") as pipe:  # noqa: PTH123 a handle
        reported = pipe.read()
    if not reported:
        return pid
    os.waitpid(pid, 0)
    raise NotStartedError(json.loads(reported))


def _become(command: Command, parent: int, stdout: int, stderr: int, report: int) -> None:
    """Turn the forked child into the command, or report why not; never returns."""
    step = "begin a session"
    try:
        os.setsid()
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        for target, handle in enumerate((nothing, stdout, stderr)):
            os.dup2(handle, target)
        if (account := command.account) is not None:
            step = f"become {account.name}"
            os.setgroups(account.groups)
            os.setgid(account.gid)
            os.setuid(account.uid)
        # After the change of account, which the kernel lets undo it.
        die_with(parent)
        step = f"enter the folder {command.folder}"
        os.chdir(command.folder)
        step = f"start the program {command.program!r}"
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execvpe(command.program, command.argv, command.environment)  # noqa: S606 - this is what schedules are for
    except (OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or str(error)
        os.write(report, json.dumps(f"could not {step}: {text}").encode("ascii"))
    finally:
        os._exit(127)
