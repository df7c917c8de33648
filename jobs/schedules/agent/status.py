"""What `status` shows: who the agent is, what it runs, and what the site has yet to hear."""

from datetime import datetime

from jobs.schedules.agent.clock import Clock
from jobs.schedules.agent.folder import DataFolder
from jobs.schedules.agent.records import Identity
from jobs.schedules.agent.store import Store
from jobs.schedules.agent.timetable import SECOND, FrequencyError, Timetable


def status_lines(folder: DataFolder, store: Store, who: Identity, works: bool) -> list[str]:
    """The same, line by line."""
    clock = Clock(store.fact("clock"))
    lines = [
        f"agent {who.name} of {who.site}",
        f"id: {who.agent}",
        f"tags: {', '.join(who.tags) or '-'}",
        f"folder: {folder.path}",
        f"works: {'yes' if works else 'no'}",
        f"the site has yet to hear of {store.unsent()} executions, with {store.kept_bytes} bytes of output",
        f"thrown away since it was let in: {store.fact('dropped', 0)}",
        f"under way: {len(store.open())}",
    ]
    for document, handled in sorted(store.schedules(), key=lambda one: one[0]["name"]):
        lines.append(f"schedule {document['name']}: {document['frequency']}, next {_next(document, handled, clock)}")
    return lines


def _next(document: dict, handled: int, clock: Clock) -> str:
    try:
        table = Timetable(document["frequency"], document["zone"], document["start"], document["end"])
    except FrequencyError as error:
        return f"never: {error}"
    due = table.after(max(handled, document["since"], clock.now()))
    return "never" if due is None else datetime.fromtimestamp(due // SECOND).astimezone().isoformat(" ")
