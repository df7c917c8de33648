"""`jobdeck-agent.pyz enrol | run | status`."""

import dataclasses
import logging
import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

from jobs.schedules.agent.folder import DataFolder, FolderError
from jobs.schedules.agent.keeper import fork_keeper
from jobs.schedules.agent.options import NAME, parser, token

FAILED = 1
_NOT_LET_IN = f"no site has let this agent in: begin with {NAME} enrol SITE_URL"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    whole = parser()
    options = whole.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    folder = DataFolder(options.data)
    try:
        return {"enrol": _enrol, "run": _run, "status": _status}[options.command](folder, options, whole)
    except (FolderError, OSError) as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return FAILED


def _enrol(folder: DataFolder, options, whole) -> int:
    from jobs.schedules.agent.enrolment import NotLetInError, enrol
    from jobs.schedules.agent.store import Store
    from jobs.schedules.agent.transport import AddressError, checked_site

    try:
        site = checked_site(options.site, options.plain_http)
        secret = token(options.token_file)
        ca = str(options.ca.absolute()) if options.ca else ""
        folder.make()
        folder.lock()
        who = enrol(Store(folder.database), site, secret, options.name, tuple(options.tag), ca)
    except (AddressError, NotLetInError, UnicodeDecodeError) as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return FAILED
    print(f"let in: agent {who.name} of {who.site}; now: {NAME} run")
    return 0


def _run(folder: DataFolder, options, whole) -> int:
    if not folder.database.exists():
        print(f"{NAME}: {_NOT_LET_IN}", file=sys.stderr)
        return FAILED
    folder.make()
    # First of all: it must have neither threads, nor the lock, nor much memory.
    keeper = fork_keeper(folder.runs, folder.bell)
    folder.lock()
    from jobs.schedules.agent.execution import KeeperDiedError
    from jobs.schedules.agent.program import Agent, BrokenError
    from jobs.schedules.agent.store import Store
    from jobs.schedules.agent.transport import AddressError, checked_site

    store = Store(folder.database)
    who = store.identity()
    if who is None or not who.agent:
        print(f"{NAME}: {_NOT_LET_IN}", file=sys.stderr)
        return FAILED
    try:
        if options.site:
            who = dataclasses.replace(who, site=checked_site(options.site, options.plain_http))
            store.keep_identity(who)
        agent = Agent(folder, store, who, _agent_options(options, whole), keeper)
    except AddressError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return FAILED
    except OSError as error:
        print(f"{NAME}: cannot listen: {error}", file=sys.stderr)
        return FAILED
    try:
        agent.run()
    except KeeperDiedError:
        logging.getLogger("jobdeck-agent").error("what starts commands was ended; beginning anew")
        store.close()
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 the same program once more
    except BrokenError:
        return FAILED
    except sqlite3.Error as error:
        print(f"{NAME}: {folder.database} cannot be used: {error}", file=sys.stderr)
        return FAILED
    store.close()
    return 0


def _agent_options(options, whole):
    from jobs.schedules.agent.commands import Rules, account_named
    from jobs.schedules.agent.program import Options
    from jobs.schedules.agent.transport import is_loopback

    account = None
    if options.user:
        try:
            account = account_named(options.user)
        except ValueError as error:
            whole.error(f"--user: {error}")
    folder = options.folder or Path(account.home if account else "~").expanduser()
    if not folder.is_dir():
        whole.error(f"--folder: there is no folder {folder}")
    if options.listen and not is_loopback(options.listen[0]):
        if options.accept_unsigned:
            whole.error("--accept-unsigned: only with --listen at a loopback address, such as 127.0.0.1:9090")
        if not options.anywhere:
            whole.error(f"--listen: other hosts reach {options.listen[0]}; add --anywhere if they are meant to")
    if options.accept_unsigned and not options.listen:
        whole.error("--accept-unsigned: needs --listen")
    allowed = tuple(options.allow) if options.allow else None
    rules = Rules(str(folder.absolute()), account, allowed)
    return Options(rules, options.listen, options.accept_unsigned, options.at_once, options.keep_hours, options.keep_mb)


def _status(folder: DataFolder, options, whole) -> int:
    from jobs.schedules.agent.status import status_lines
    from jobs.schedules.agent.store import Store

    if not folder.database.exists():
        print(_NOT_LET_IN)
        return FAILED
    works = not folder.try_lock()
    folder.unlock()
    store = Store(folder.database)
    who = store.identity()
    if who is None or not who.agent:
        print(_NOT_LET_IN)
        return FAILED
    print("\n".join(status_lines(folder, store, who, works)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
