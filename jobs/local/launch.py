"""Starting a command under a runner, and saying what to do about it where it cannot be started."""

# The runner starts with every job, and pathlib would take a fifth of its start.
# ruff: noqa: PTH110, PTH118, PTH123

import errno
import json
import os
import signal
from collections import namedtuple

from jobs.processes.identity import TAG_VARIABLE
from jobs.processes.prctl import die_with

DEFAULT_GRACE = 10.0  # seconds from SIGTERM to SIGKILL where the spec names none

Command = namedtuple("Command", "argv cwd environment stdout stderr timeout grace doorbell")


class CouldNotStartError(Exception):
    """The command was not started; the text says why, and what to do about it."""


def read_command(spec: dict | None) -> Command:
    """Check a spec as `AttemptFolder.prepare` describes it, and complete it.

    Raises:
        CouldNotStartError: it is missing or damaged.
    """
    if spec is None:
        raise _damaged("it is missing, or no JSON object")
    argv = _read_argv(spec)
    for name in ("tag", "cwd", "stdout", "stderr"):
        if not isinstance(spec.get(name), str) or not spec[name]:
            raise _damaged(f"'{name}' must be a text")
    environment = spec.get("environment")
    if not isinstance(environment, dict) or not all(isinstance(value, str) for value in environment.values()):
        raise _damaged("'environment' must be an object of texts")
    for name in ("timeout", "grace"):
        value = spec.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            raise _damaged(f"'{name}' must be a number of seconds, not below 0")
    doorbell = spec.get("doorbell")
    if doorbell is not None and not isinstance(doorbell, str):
        raise _damaged("'doorbell' must be a path")
    return Command(
        argv=argv,
        cwd=spec["cwd"],
        environment={**environment, TAG_VARIABLE: spec["tag"]},
        stdout=spec["stdout"],
        stderr=spec["stderr"],
        timeout=spec.get("timeout"),
        grace=DEFAULT_GRACE if spec.get("grace") is None else spec["grace"],
        doorbell=doorbell,
    )


def _read_argv(spec: dict) -> list[str]:
    argv, shell = spec.get("argv"), spec.get("shell")
    if (argv is None) == (shell is None):
        raise _damaged("it must name either 'argv' or 'shell'")
    if shell is not None:
        if not isinstance(shell, str):
            raise _damaged("'shell' must be one command line")
        return ["/bin/sh", "-c", shell]
    if not isinstance(argv, list) or not argv or not all(isinstance(part, str) for part in argv):
        raise _damaged("'argv' must be a list of texts, the program first")
    return argv


def _damaged(what: str) -> CouldNotStartError:
    return CouldNotStartError(f"The description of what to run (spec.json) is damaged: {what}. Resubmit the job.")


def start_command(command: Command) -> int:
    """Start the command in a session of its own; it dies when this process dies.

    Returns: its pid; its program runs already.

    Raises:
        CouldNotStartError: nothing was started.
    """
    stdout = _open_log(command.stdout)
    stderr = stdout if command.stderr == command.stdout else _open_log(command.stderr)
    stdin = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    trouble, report = os.pipe()  # closed by a successful exec
    runner = os.getpid()
    # The runner's handlers must not run in the child.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _become(command, runner, (stdin, stdout, stderr), report)
    except OSError as error:
        os.close(trouble)
        raise CouldNotStartError(
            f"This machine could start no process for the command: {error.strerror}. Resubmit the job when it has "
            "fewer processes or more free memory."
        ) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for handle in {stdin, stdout, stderr, report}:
            os.close(handle)
    with open(trouble, "rb") as pipe:
        reported = pipe.read()
    if not reported:
        return pid
    os.waitpid(pid, 0)
    raise CouldNotStartError(_explain(command, **json.loads(reported)))


def _become(command: Command, runner: int, streams: tuple[int, int, int], report: int) -> None:
    """Turn the forked child into the command, or report why not; never returns."""
    step = "session"
    try:
        os.setsid()
        die_with(runner)
        # An ignored signal stays ignored through exec, and so does the mask.
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for target, handle in enumerate(streams):
            os.dup2(handle, target)
        step = "cwd"
        os.chdir(command.cwd)
        step = "program"
        os.execvpe(command.argv[0], command.argv, command.environment)  # noqa: S606 - this is what jobs are for
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", None)
        os.write(report, json.dumps({"step": step, "number": number, "text": str(error)}).encode("ascii"))
    finally:
        os._exit(127)


def _open_log(path: str) -> int:
    """Open for appending what the command will write to, readable for this user only."""
    # A job of the same user may have put a link here that leads to a file of theirs: never through a link.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except (OSError, ValueError) as error:
        raise CouldNotStartError(
            f"The file {path!r} for the command's output cannot be opened: {getattr(error, 'strerror', error)}. "
            "Make its folder writable for the account that Jobdeck runs under, or name another file."
        ) from error


def _explain(command: Command, step: str, number: int | None, text: str) -> str:
    program = command.argv[0]
    if step == "cwd":
        return (
            f"The folder {command.cwd!r}, in which the command should start, cannot be entered: "
            f"{os.strerror(number) if number else text}. Create it, or give the job another folder."
        )
    if step == "program" and number in (errno.ENOENT, errno.ENOTDIR):
        if "/" not in program:
            path = command.environment.get("PATH", os.defpath)
            return (
                f"The program {program!r} was not found in the folders of the job's PATH ({path}). Check its name, "
                "give its whole path, or install it on this machine."
            )
        if os.path.exists(os.path.join(command.cwd, program)):
            return (
                f"The program {program!r} is there, but the interpreter that its first line names, or the loader that "
                "it needs, is not. Correct that line, or install what it names on this machine."
            )
        return f"The program {program!r} was not found. Check its path, seen from {command.cwd!r}."
    if step == "program" and number == errno.EACCES:
        return (
            f"The program {program!r} may not be executed by the account that Jobdeck runs under. Make it executable "
            f"(chmod +x), or name its interpreter first, as in 'python {program}'."
        )
    if step == "program" and number == errno.ENOEXEC:
        return (
            f"The program {program!r} is none that this machine can execute. If it is a script, begin it with a line "
            f"such as '#!/bin/sh', or name its interpreter first, as in 'sh {program}'."
        )
    if step == "program" and number == errno.E2BIG:
        return (
            f"The program {program!r} was given more arguments and environment than this machine allows. "
            "Pass long lists in a file."
        )
    reason = os.strerror(number) if number else text
    return f"The program {program!r} could not be started: {reason}. Check the job's command and environment."
