"""What can be done with the jobs of a table: the default actions by name, links, and an app's own actions."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from inspect import iscoroutinefunction

from asgiref.sync import async_to_sync
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from jobs.models import Job
from jobs.status import Status
from jobs.web.dotted import path_of
from jobs.web.rows import Row
from jobs.web.wording import WORDING

SEPARATOR = "|"
LOGS, MONITOR, RESULTS = "logs", "monitor", "results"
LINKS = {LOGS: "Log", MONITOR: "Monitor", RESULTS: "Results"}
ALIASES = {"terminate": "stop"}
DEFAULT_ACTIONS = (
    *("run", "resume", "pause", "resubmit", "process-again", SEPARATOR),
    *(LOGS, MONITOR, RESULTS, SEPARATOR),
    *("stop", "delete"),
)
"""The Tethys gizmo's sections, in the words of the dashboard; 'terminate' is another name of 'stop'."""


class CustomJobAction:
    """An action of an app's own in the menu of each job.

    Args:
        label: what the menu says.
        callback_or_url: a function of the job at the top level of a module (it may be async; a text that it returns is
            the notice shown afterwards), the name of a method of `job_type`, or the name of a URL that takes the job's id.
        enabled_callback: a function of the job; the action is offered, and done, only where it returns true.
        confirmation_message: asked first.
        show_overlay: taken from Tethys's table and without effect; a button shows by itself that it is busy.
        modal_url: instead of `callback_or_url`, the name of a URL that takes the job's id; what it answers opens in a
            dialog.
        job_type: the subclass of Job that has the method named by `callback_or_url`; Job by default. Other jobs are not
            offered the action.

    Raises:
        TypeError, ValueError: an argument is not what it must be; the message names it.
    """

    def __init__(
        self,
        label: str,
        callback_or_url: Callable | str | None = None,
        enabled_callback: Callable | None = None,
        confirmation_message: str | None = None,
        show_overlay: bool = False,
        modal_url: str | None = None,
        job_type: type[Job] | None = None,
    ):
        if not isinstance(label, str) or not label.strip():
            raise TypeError(f"CustomJobAction: label must be a text, not {label!r}")
        if bool(callback_or_url) == bool(modal_url):
            raise ValueError(f"CustomJobAction {label!r} needs either callback_or_url or modal_url")
        self.label = label
        self.question = confirmation_message or ""
        self.job_type = job_type or Job
        self.function = self.method = self.url = self.modal_url = self.enabled = ""
        if modal_url:
            self.modal_url = checked_url(modal_url, "modal_url")
        elif callable(callback_or_url):
            self.function = path_of(callback_or_url, "callback_or_url")
        elif callable(getattr(self.job_type, callback_or_url, None)) and not callback_or_url.startswith("_"):
            self.method = callback_or_url
        else:
            self.url = checked_url(callback_or_url, "callback_or_url")
        if enabled_callback is not None:
            self.enabled = path_of(enabled_callback, "enabled_callback")

    @property
    def calls(self) -> bool:
        """Whether it does something by itself, instead of leading to a page of the app."""
        return bool(self.function or self.method)

    def fits(self, job: Job) -> bool:
        """Whether it may be done to `job`, an object of its own class, now."""
        return isinstance(job, self.job_type) and (not self.enabled or bool(import_string(self.enabled)(job)))

    def call(self, job: Job):
        """Do it to `job`; what the app's function returns."""
        function = import_string(self.function) if self.function else getattr(type(job), self.method)
        return async_to_sync(function)(job) if iscoroutinefunction(function) else function(job)

    def as_json(self) -> dict:
        """What `from_json` makes the same action of; only to be taken from a signed value."""
        kept = ("label", "question", "function", "method", "url", "modal_url", "enabled")
        found = {name: getattr(self, name) for name in kept if getattr(self, name)}
        if self.job_type is not Job:
            found["job_type"] = f"{self.job_type.__module__}.{self.job_type.__qualname__}"
        return found

    @classmethod
    def from_json(cls, found: dict) -> "CustomJobAction":
        """The action that `as_json` described."""
        action = cls.__new__(cls)
        for name in ("label", "question", "function", "method", "url", "modal_url", "enabled"):
            setattr(action, name, found.get(name, ""))
        action.job_type = import_string(found["job_type"]) if "job_type" in found else Job
        return action


@dataclass(frozen=True)
class Offer:
    """An action that a row offers.

    Attributes:
        key: in the URL that does it, and in its element's id.
        label: on the button.
        href: where a link leads; empty for what is done by POST.
        dialog: what is at `href` opens in a dialog.
        asks: a question comes first.
        prominent: a button of the row, not an entry of its menu.
        danger: what it takes away does not come back.
    """

    key: str
    label: str
    href: str = ""
    dialog: bool = False
    asks: bool = False
    prominent: bool = False
    danger: bool = False


def actions_of(actions: Iterable | None, *, monitor_url: str, results_url: str) -> list[str | CustomJobAction]:
    """The option `actions`, checked; separators stay in their places.

    Raises:
        TypeError, ValueError: an item is no action.
    """
    if isinstance(actions, str):
        raise TypeError(f"actions: give a tuple of names, for example ({actions!r},), not one text")
    found = [_action(item) for item in (DEFAULT_ACTIONS if actions is None else actions)]
    found += [name for name, url in ((MONITOR, monitor_url), (RESULTS, results_url)) if url and name not in found]
    return found if monitor_url else [item for item in found if item != MONITOR]


def _action(item) -> str | CustomJobAction:
    if isinstance(item, CustomJobAction):
        return item
    if isinstance(item, tuple | list):
        return CustomJobAction(*item)
    name = ALIASES.get(item, item) if isinstance(item, str) else None
    if name == SEPARATOR or name in LINKS or name in WORDING:
        return name
    known = ", ".join(repr(name) for name in (*WORDING, *ALIASES, *LINKS, SEPARATOR))
    raise ValueError(f"actions: {item!r} is no action; there are {known} and CustomJobAction(...)")


def checked_url(name: str, option: str) -> str:
    """`name`, if it is the name of a URL that takes a job's id.

    Raises:
        ValueError: it is not.
    """
    try:
        reverse(name, args=[1])
    except NoReverseMatch as error:
        raise ValueError(
            f"{option}: {name!r} is not the name of a URL that takes a job's id: write, for example, "
            "path('results/<int:job_id>/', ...) and name it"
        ) from error
    return name


def offers(actions: Sequence, row: Row, instance: Job, *, acts: bool, urls: dict[str, str]) -> list[Offer | None]:
    """What a row offers, in the table's order; None stands for a separator.

    Args:
        actions: the table's, from `actions_of`.
        row: of the job.
        instance: the job as an object of its own class, for an app's functions.
        acts: whether the person may act on the job at all.
        urls: names of the pages behind the links.
    """
    found: list[Offer | None] = []
    for number, action in enumerate(actions):
        if action == SEPARATOR:
            found.append(None)
            continue
        offer = _custom(action, number, instance, acts) if isinstance(action, CustomJobAction) else None
        if action in LINKS:
            offer = _link(action, row, urls)
        elif action in row.actions:
            words = WORDING[action]
            offer = Offer(
                action,
                words.button,
                asks=bool(words.question),
                prominent=words.prominent,
                danger=action == "delete",
            )
        if offer is not None:
            found.append(offer)
    return in_sections(found)


def in_sections(offers: Iterable[Offer | None]) -> list[Offer | None]:
    """`offers` without separators that separate nothing."""
    found: list[Offer | None] = []
    waiting = False
    for offer in offers:
        if offer is None:
            waiting = bool(found)
            continue
        found += [None, offer] if waiting else [offer]
        waiting = False
    return found


def custom_key(number: int) -> str:
    """How the action at this place of the table's list is called in URLs."""
    return f"custom-{number}"


def _custom(action: CustomJobAction, number: int, instance: Job, acts: bool) -> Offer | None:
    if (action.calls and not acts) or not action.fits(instance):
        return None
    page = action.modal_url or ("" if action.question else action.url)
    return Offer(
        custom_key(number),
        action.label,
        href=reverse(page, args=[instance.pk]) if page else "",
        dialog=bool(action.modal_url),
        asks=bool(action.question),
    )


def _link(name: str, row: Row, urls: dict[str, str]) -> Offer | None:
    job = row.job
    begun = job.attempt > 1 or job.status_code not in (Status.PENDING, Status.SUBMITTED)
    there = {
        LOGS: begun and job.type is not None,
        MONITOR: job.status_code in (Status.RUNNING, Status.PAUSED, Status.VARIOUS, Status.OTHER),
        RESULTS: job.is_over,
    }
    if not there[name]:
        return None
    well = job.status_code in (Status.COMPLETE, Status.VARIOUS_COMPLETE)
    return Offer(name, LINKS[name], href=reverse(urls[name], args=[job.pk]), prominent=name == RESULTS and well)
