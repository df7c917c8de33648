"""What a command means that a person types, or a client of taskscheduler sends: on the site and on its agents alike."""

import re
import shlex

_NO_SHELL_NEEDED = re.compile(r"[\w \t@%+:,./=^'\"-]*")
"""Signs for which the shell does nothing but split a line (POSIX.1, 'Quoting'); quotes are read here too."""
_SHELLS_OWN = frozenset(
    {
        "!",
        ".",
        ":",
        "alias",
        "bg",
        "break",
        "case",
        "cd",
        "command",
        "continue",
        "eval",
        "exec",
        "exit",
        "export",
        "fc",
        "fg",
        "for",
    }
    | {
        "function",
        "getopts",
        "hash",
        "if",
        "jobs",
        "read",
        "readonly",
        "return",
        "set",
        "shift",
        "source",
        "time",
        "times",
        "trap",
    }
    | {"type", "ulimit", "umask", "unalias", "unset", "until", "wait", "while"}
)
"""Words that begin what only the shell can do (POSIX.1, 'Reserved Words', 'Special Built-In Utilities')."""


def argv_or_shell(line: str) -> tuple[list[str], str]:
    """What a line means: program and arguments, or else the line for the shell, where that is needed; the other one is empty.

    Where the shell is not needed it is not asked, so that agents with a list of allowed programs run it.

    Raises:
        ValueError: it is no command; says what is wrong.
    """
    line = line.strip()
    if not line or "\0" in line:
        raise ValueError("must say what is to be run, for example: df -h")
    first = line.split()[0]
    if first in _SHELLS_OWN or "=" in first or not _NO_SHELL_NEEDED.fullmatch(line):
        return [], line
    try:
        return shlex.split(line), ""
    except ValueError:
        raise ValueError("has a quotation mark that is not closed") from None
