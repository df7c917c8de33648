"""What the agent knows, in one SQLite file: who it is, its schedules, and the executions of which the site has yet to hear.

Each method is one transaction, and durable when it returns. Any thread may call.
"""

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from jobs.schedules.agent.records import THROWN_AWAY, Identity, LeftOut, Open

_SCHEMA = """
CREATE TABLE IF NOT EXISTS identity (
    one INTEGER PRIMARY KEY CHECK (one = 1), site TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, tags TEXT NOT NULL,
    ca TEXT NOT NULL, agent TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
-- own: taken without the site (--accept-unsigned).
CREATE TABLE IF NOT EXISTS schedules (id TEXT PRIMARY KEY, own INTEGER NOT NULL, document TEXT NOT NULL);
-- Due times up to here are decided; kept when a schedule goes, in case it comes back.
CREATE TABLE IF NOT EXISTS marks (schedule TEXT PRIMARY KEY, handled INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS asked (id TEXT PRIMARY KEY, due INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS executions (
    id TEXT PRIMARY KEY, schedule TEXT NOT NULL, due INTEGER NOT NULL, asked INTEGER NOT NULL, document TEXT NOT NULL,
    boot TEXT NOT NULL, is_open INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', started INTEGER, completed INTEGER, exit_code INTEGER,
    stdout_size INTEGER NOT NULL DEFAULT 0, stderr_size INTEGER NOT NULL DEFAULT 0, ended INTEGER
);
CREATE INDEX IF NOT EXISTS executions_by_end ON executions (is_open, ended, due);
CREATE TABLE IF NOT EXISTS outputs (
    execution TEXT PRIMARY KEY REFERENCES executions (id) ON DELETE CASCADE, ended INTEGER NOT NULL, size INTEGER NOT NULL,
    stdout TEXT NOT NULL, stderr TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS outputs_by_end ON outputs (ended, size);
"""


class Store:
    """The file.

    Args:
        path: of it; made where it is not there.
    """

    def __init__(self, path: Path):
        self._lock = threading.RLock()
        new = not path.exists()
        if new:
            path.touch(mode=0o600)
        # Nobody else writes, but `status` reads.
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        if new:
            self._connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "journal_size_limit = 8388608"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(_SCHEMA)
        self.kept_bytes = self._one("SELECT coalesce(sum(size), 0) FROM outputs")
        """Size of the outputs that are kept."""

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _all(self, query: str, *values) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def _one(self, query: str, *values):
        rows = self._all(query, *values)
        return rows[0][0] if rows else None

    # --- who it is, and what there is to know

    def identity(self) -> Identity | None:
        """Who the agent is; None where nobody has said yet."""
        rows = self._all("SELECT * FROM identity")
        if not rows:
            return None
        row = rows[0]
        tags = tuple(json.loads(row["tags"]))
        return Identity(row["site"], bytes.fromhex(row["key"]), row["name"], tags, row["ca"], row["agent"])

    def keep_identity(self, who: Identity) -> None:
        """Take it in the place of any other one."""
        with self._changing() as change:
            change.execute(
                "INSERT OR REPLACE INTO identity (one, site, key, name, tags, ca, agent) VALUES (1, ?, ?, ?, ?, ?, ?)",
                (who.site, who.key.hex(), who.name, json.dumps(who.tags), who.ca, who.agent),
            )

    def fact(self, name: str, otherwise=None):
        """A value that was kept under a name."""
        value = self._one("SELECT value FROM facts WHERE name = ?", name)
        return otherwise if value is None else json.loads(value)

    def keep_fact(self, name: str, value) -> None:
        """Keep a value."""
        with self._changing() as change:
            _keep_fact(change, name, value)

    # --- schedules

    def schedules(self) -> list[tuple[dict, int]]:
        """The documents of all, each with the moment up to which its due times are decided."""
        rows = self._all("SELECT document, handled FROM schedules LEFT JOIN marks ON marks.schedule = schedules.id")
        return [(json.loads(row["document"]), row["handled"] or 0) for row in rows]

    def own_schedules(self) -> set[str]:
        """The ids of those that were taken without the site."""
        return {row["id"] for row in self._all("SELECT id FROM schedules WHERE own")}

    def take_schedules(self, documents: Iterable[dict], revision: int) -> None:
        """What the site wants run, in place of what it wanted before."""
        with self._changing() as change:
            change.execute("DELETE FROM schedules WHERE NOT own")
            for document in documents:
                _keep_schedule(change, document, own=False)
            _keep_fact(change, "revision", revision)

    def take_own_schedule(self, document: dict) -> bool:
        """Run it without the site. Whether that is new: the same command, as often, under the same id, changes nothing."""
        with self._changing() as change:
            row = change.execute("SELECT document FROM schedules WHERE id = ?", (document["id"],)).fetchone()
            if row is not None:
                before = json.loads(row["document"])
                if all(before[name] == document[name] for name in ("argv", "shell", "frequency")):
                    return False
            _keep_schedule(change, document, own=True)
            return True

    # --- executions

    def decide(self, marks: dict[str, int], run: Iterable[Open], left_out: Iterable[LeftOut], now: int) -> None:
        """Settle what becomes of due times. Nothing that was decided is decided again."""
        with self._changing() as change:
            for schedule, handled in marks.items():
                change.execute(
                    "INSERT INTO marks VALUES (?, ?) "
                    "ON CONFLICT (schedule) DO UPDATE SET handled = max(handled, excluded.handled)",
                    (schedule, handled),
                )
            for one in run:
                change.execute(
                    "INSERT OR IGNORE INTO executions (id, schedule, due, asked, document, boot, is_open) "
                    "VALUES (?, ?, ?, ?, ?, ?, 1)",
                    (one.id, one.schedule, one.due, one.asked, json.dumps(one.document), one.boot),
                )
                _note_asked(change, one, now)
            for one in left_out:
                # Also one that was to run and never came to it.
                change.execute(
                    "INSERT INTO executions (id, schedule, due, asked, document, boot, is_open, state, reason, ended) "
                    "VALUES (?, ?, ?, ?, '{}', '', 0, ?, ?, ?) ON CONFLICT (id) DO UPDATE "
                    "SET is_open = 0, state = excluded.state, reason = excluded.reason, ended = excluded.ended "
                    "WHERE is_open",
                    (one.id, one.schedule, one.due, one.asked, one.state, one.reason, now),
                )
                _note_asked(change, one, now)

    def was_asked(self, execution: str) -> bool:
        """Whether it was run, or left out, because a person asked for it."""
        return self._one("SELECT 1 FROM asked WHERE id = ?", execution) is not None

    def open(self) -> list[Open]:
        """All whose end is not known, the earliest due first."""
        rows = self._all("SELECT * FROM executions WHERE is_open ORDER BY due")
        return [
            Open(row["id"], row["schedule"], row["due"], bool(row["asked"]), json.loads(row["document"]), row["boot"])
            for row in rows
        ]

    def end(self, outcomes: dict[str, dict], now: int) -> None:
        """Take how executions ended, as `runs.RunFile.outcome` tells it."""
        size = 0
        with self._changing() as change:
            for execution, outcome in outcomes.items():
                changed = change.execute(
                    "UPDATE executions SET is_open = 0, state = 'ran', reason = ?, started = ?, completed = ?, exit_code = ?, "
                    "stdout_size = ?, stderr_size = ?, ended = ? WHERE id = ? AND is_open",
                    (
                        outcome["reason"], outcome.get("started"), outcome.get("completed"), outcome["exit_code"],
                        outcome.get("stdout_size", 0), outcome.get("stderr_size", 0), now, execution,
                    ),
                )  # fmt: skip
                stdout, stderr = outcome.get("stdout", ""), outcome.get("stderr", "")
                if changed.rowcount and (stdout or stderr):
                    length = len(stdout.encode()) + len(stderr.encode())
                    change.execute(
                        "INSERT INTO outputs VALUES (?, ?, ?, ?, ?)", (execution, now, length, stdout, stderr)
                    )
                    size += length
        self.kept_bytes += size

    # --- what the site has to hear

    def unsent(self) -> int:
        """How many have ended of which the site has not heard."""
        return self._one("SELECT count(*) FROM executions WHERE NOT is_open")

    def reports(self, most: int) -> Iterator[dict]:
        """The ends of which the site has not heard, the oldest first, as `report` tells them."""
        rows = self._all("SELECT id FROM executions WHERE is_open = 0 ORDER BY ended, due LIMIT ?", most)
        for (execution,) in rows:
            found = self._all(
                "SELECT * FROM executions LEFT JOIN outputs ON execution = id WHERE id = ? AND NOT is_open", execution
            )
            for row in found:
                yield _report(row)

    def forget(self, executions: Iterable[str]) -> None:
        """The site has them, or is never going to take them."""
        with self._changing() as change:
            for execution in executions:
                change.execute("DELETE FROM executions WHERE id = ? AND NOT is_open", (execution,))
        self._count()

    # --- bounds

    def throw_away(self, before: int, most_bytes: int, most_ends: int) -> int:
        """Let the oldest of what is kept for the site go; how many executions that touched.

        Args:
            before: outputs of executions that ended before go.
            most_bytes: of outputs, that may be kept.
            most_ends: of executions, that may be kept at all.
        """
        with self._changing() as change:
            over = change.execute("SELECT count(*) FROM executions WHERE NOT is_open").fetchone()[0] - most_ends
            gone = 0
            if over > 0:
                gone = change.execute(
                    "DELETE FROM executions WHERE id IN "
                    "(SELECT id FROM executions WHERE is_open = 0 ORDER BY ended, due LIMIT ?)",
                    (over,),
                ).rowcount
            # Of those that go for their number, sums go from the oldest on.
            victims, size = [], change.execute("SELECT coalesce(sum(size), 0) FROM outputs").fetchone()[0]
            for row in change.execute("SELECT execution, ended, size FROM outputs ORDER BY ended"):
                if row["ended"] < before:
                    victims.append((row["execution"], "the site did not take it in time"))
                elif size > most_bytes:
                    victims.append((row["execution"], "there was no room for more while the site was away"))
                else:
                    break
                size -= row["size"]
            for execution, why in victims:
                change.execute("DELETE FROM outputs WHERE execution = ?", (execution,))
                change.execute(
                    "UPDATE executions SET reason = CASE reason WHEN '' THEN '' ELSE reason || '; ' END || ? WHERE id = ?",
                    (f"{THROWN_AWAY}: {why}", execution),
                )
            count = gone + len(victims)
            if count:
                row = change.execute("SELECT value FROM facts WHERE name = 'dropped'").fetchone()
                _keep_fact(change, "dropped", (json.loads(row[0]) if row else 0) + count)
        if count:
            self._count()
        return count

    def tidy(self, before: int) -> None:
        """Give room back to the disk, and forget what was asked for long ago."""
        with self._changing() as change:
            change.execute("DELETE FROM asked WHERE due < ?", (before,))
        with self._lock:
            self._connection.execute("PRAGMA incremental_vacuum(2000)").fetchall()

    def _count(self) -> None:
        with self._lock:
            self.kept_bytes = self._one("SELECT coalesce(sum(size), 0) FROM outputs")


def _keep_fact(change: sqlite3.Connection, name: str, value) -> None:
    change.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))


def _keep_schedule(change: sqlite3.Connection, document: dict, own: bool) -> None:
    change.execute("INSERT OR REPLACE INTO schedules VALUES (?, ?, ?)", (document["id"], own, json.dumps(document)))


def _note_asked(change: sqlite3.Connection, one: Open | LeftOut, now: int) -> None:
    if one.asked:
        change.execute("INSERT OR IGNORE INTO asked VALUES (?, ?)", (one.id, now))


def _report(row: sqlite3.Row) -> dict:
    report = {name: row[name] for name in ("id", "schedule", "due", "state", "reason")}
    if row["state"] == "ran":
        names = ("started", "completed", "exit_code", "stdout_size", "stderr_size")
        report |= {name: row[name] for name in names}
        report |= {"stdout": row["stdout"] or "", "stderr": row["stderr"] or ""}
    return report
