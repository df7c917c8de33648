"""Which program a schedule's command is on this host, whether it may run, and as whom."""

import os
import pwd
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from jobs.schedules.agent.launch import Account
from jobs.schedules.agent.output import MOST
from jobs.schedules.agent.records import Open
from jobs.schedules.agent.timetable import SECOND

SHELL = "/bin/sh"


class NotAllowedError(Exception):
    """The command is not to run here; says why."""


def account_named(name: str) -> Account:
    """The account of that name.

    Raises:
        ValueError: there is none, or this process may not become it.
    """
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        raise ValueError(f"there is no account {name!r} on this host") from None
    if os.geteuid() != 0:
        raise ValueError("only root may run commands as somebody else; start the agent as that account, without --user")
    groups = tuple(os.getgrouplist(name, found.pw_gid))
    return Account(name, found.pw_uid, found.pw_gid, groups, found.pw_dir)


@dataclass(frozen=True, slots=True)
class Rules:
    """How commands run on this host.

    Attributes:
        folder: where they begin.
        account: who they run as; None for the agent's own account.
        allowed: paths and names of the only programs that run; None for any.
    """

    folder: str
    account: Account | None = None
    allowed: tuple[str, ...] | None = None

    def program(self, document: dict) -> str:
        """Path of what a schedule starts; or its name, where there is none.

        Raises:
            NotAllowedError: it is not one of those that are allowed.
        """
        name = SHELL if document.get("shell") else document["argv"][0]
        if self.allowed is None:
            return name if "/" in name else self._resolved(name)
        path = self._resolved(name)
        if path not in {self._resolved(one) for one in self.allowed}:
            if document.get("shell"):
                raise NotAllowedError(
                    f"this agent runs only certain programs, and no shell lines: {SHELL} is not one of them; give the "
                    "program and its arguments instead"
                )
            raise NotAllowedError(f"this agent runs only certain programs, and {name!r} is not one of them")
        return path

    def _resolved(self, name: str) -> str:
        if "/" in name:
            return os.path.normpath(os.path.join(self.folder, name))  # noqa: PTH118 resolves no links
        return shutil.which(name) or name

    def description(self, one: Open, output_limit: int, offset: int) -> dict:
        """All that a supervisor needs to know.

        Args:
            output_limit: bytes of each stream that are kept.
            offset: of the site's time from the steady clock.

        Raises:
            NotAllowedError: it is not to run here.
        """
        document = one.document
        environment = {
            "JOBDECK_EXECUTION": one.id,
            "JOBDECK_SCHEDULE": one.schedule,
            "JOBDECK_DUE": datetime.fromtimestamp(one.due / SECOND, UTC).isoformat(),
        }
        if self.account is not None:
            environment |= {"HOME": self.account.home, "USER": self.account.name, "LOGNAME": self.account.name}
        return {
            "program": self.program(document),
            "argv": [SHELL, "-c", document["shell"]] if document.get("shell") else document["argv"],
            "folder": self.folder,
            "environment": environment,
            "account": None if self.account is None else asdict(self.account),
            "tag": tag_of(one.id),
            "timeout": document.get("timeout"),
            "output_limit": min(output_limit, MOST),
            "offset": offset,
        }


def tag_of(execution: str) -> str:
    """What marks the processes of an execution in their environment."""
    return f"agent/{execution}"
