"""How an attempt ended, in figures for the engine and in sentences for people."""

import os
import resource
import signal
import sys

_WHY = {
    "stopped": "It was stopped on request.",
    "timed out": "It ran longer than its timeout of {timeout:g} s (time spent paused not counted), and was ended.",
    "runner terminated": "This machine, or somebody on it, ended the job's runner, and the job with it.",
}


def outcome_of(
    reason: str, status: int | None, started: str | None, finished: str, message: str
) -> dict[str, str | int | float | None]:
    """What `AttemptFolder.finish` is to write, with what the ended children of this process used.

    Args:
        reason: one of those that `AttemptFolder.outcome` lists.
        status: the main process's wait status; None when it was never started or has not ended.
        started, finished: ISO 8601, UTC.
        message: one or more sentences for people.
    """
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "reason": reason,
        "exit_code": os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None,
        "started": started,
        "finished": finished,
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 6),
        # Kilobytes, but bytes on macOS.
        "max_rss_bytes": used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        "message": message,
    }


def describe(reason: str, status: int | None, timeout: float | None, ended: int, left: list[int]) -> str:
    """Say how a command that was started has ended.

    Args:
        reason, status: as for `outcome_of`.
        timeout: the command's, in seconds.
        ended: how many processes were asked to end.
        left: pids of those that could not be ended.
    """
    sentences = []
    if reason in _WHY:
        sentences.append(_WHY[reason].format(timeout=timeout or 0))
    if status is not None and os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        sentences.append(f"The command was ended by signal {number} ({_signal_name(number)}).")
    elif status is not None:
        sentences.append(f"The command ended with exit code {os.WEXITSTATUS(status)}.")
    if reason == "exited" and ended:
        sentences.append(f"{ended} {'process' if ended == 1 else 'processes'} that it left running had to be ended.")
    if left:
        sentences.append(
            f"Processes that could not be ended may still run on this machine (pids {left}): they belong to another "
            "account or hang in the kernel."
        )
    return " ".join(sentences)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "a real-time signal"
