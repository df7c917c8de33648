"""The registry: what engines and apps tell the core about themselves. Core, web and API know engines only through it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType

from jobs.errors import UnknownJobType


@dataclass(frozen=True)
class Tab:
    """A tab of a job's page that only jobs of one type have; it stands between Results and Attempts.

    Attributes:
        name: in its URL. A type whose tab is called 'result' shows its result there; the tab of all jobs that is called
            Results is called Files then.
        title: for people.
        show: dotted path of a function of request, job (as its own class) and row. It returns what of it must change for the
            tab to be sent again, cheaply read, and a function that gives its template's context, called only when it is sent.
        template: of what stands under the tabs.
        assets: static files of its own: style sheets and scripts by their names.
    """

    name: str
    title: str
    show: str
    template: str
    assets: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class JobType:
    """A type of job.

    Attributes:
        name: the string that `create_job` takes, in capitals; `aliases` are taken too.
        label: for people.
        model: the subclass of Job.
        engine: what runs it; None for a type that is moved by callback and app code, or by its own hooks.
        hooks: the type has no engine, but overrides `_execute` and its fellows.
        form: dotted path of the form for 'New job', empty for none: a Form that takes the keyword `user`, with `create()`,
            which returns the job or raises JobError, `explain()` for what will run, and `advanced`, the fields to fold.
        serializer: dotted path of what REST takes for a new job, a `jobs.serializers.JobSerializer`; empty for none.
        permission: what a caller from REST, forms and dialects needs to make one; empty for none.
        allowed: called with a user, whether there is any job of the type that they may make, where one permission for all
            does not say so.
        custom_statuses: label to base code.
        panels: templates included on a job's page.
        panel_facts: called with a job, what the panels show beside the job itself, as `facts`; they are sent again when its
            `repr` changes, so it is read cheaply.
        tabs: of its page, beside those that all jobs have.
        start_page: name of the URL where a person begins a new one, for a type that has pages of its own instead of `form`.
        api_urls: dotted path of the URLs of its REST, mounted at `/api/jobs/<uuid>/<name>/` with its name in small letters.
        rescue: a job that failed can be resubmitted from where it failed.
        store_parts: called as `store_parts(job_id, attempt, parts)` in the transition's transaction.
    """

    name: str
    label: str
    model: type
    engine: Any = None
    hooks: bool = False
    aliases: Sequence[str] = ()
    description: str = ""
    form: str = ""
    permission: str = ""
    allowed: Callable[[Any], bool] | None = None
    serializer: str = ""
    custom_statuses: dict[str, str] = field(default_factory=dict)
    panels: Sequence[str] = ()
    panel_facts: Callable[[Any], Any] | None = None
    tabs: Sequence[Tab] = ()
    start_page: str = ""
    api_urls: str = ""
    store_parts: Callable | None = None
    rescue: bool = False

    def may_make(self, user) -> bool:
        """Whether a person may make jobs of this type at all."""
        if self.permission and not user.has_perm(self.permission):
            return False
        return self.allowed is None or self.allowed(user)


@dataclass(frozen=True)
class Process:
    """A child that `make run` starts beside web, worker and monitor: `manage.py` with these arguments."""

    name: str
    argv: Sequence[str]


@dataclass(frozen=True)
class Service:
    """Something that the monitor does from time to time: `run()` every `interval` seconds."""

    name: str
    run: Callable[[], None]
    interval: float


@dataclass(frozen=True, eq=False)
class Plugin:
    """What an app adds beside job types.

    Attributes:
        name: also where its URLs are mounted, `/jobs/<name>/` and `/api/<name>/`.
        pages: of the navigation: title and name of the URL.
        urls: dotted path of the URLs of its pages.
        api_urls: the same of its REST.
        services: what the monitor does for it from time to time.
        health: facts for the health page.
        processes: children of `make run`.
        worker: `worker(queues, pool=, concurrency=)` runs a worker for queues of its own until it is told to end, for
            `manage.py worker --queues`.
    """

    name: str
    pages: Sequence[tuple[str, str]] = ()
    urls: str = ""
    api_urls: str = ""
    services: Sequence[Service] = ()
    health: Callable[[], dict] | None = None
    processes: Sequence[Process] = ()
    worker: Callable | None = None


_types: dict[str, JobType] = {}
_plugins: dict[str, Plugin] = {}


def register(thing: JobType | Plugin) -> None:
    """Make a job type or plugin known; an engine's `AppConfig.ready` calls it.

    Raises:
        ValueError: another type has that name or alias.
    """
    if isinstance(thing, Plugin):
        _plugins[thing.name] = thing
        return
    names = (thing.name, *thing.aliases)
    for name in names:
        known = _types.get(name.upper())
        if known is not None and known.model is not thing.model:
            raise ValueError(f"job type {name!r} is registered already, for {known.model.__name__}")
    # All of them or none.
    _types.update({name.upper(): thing for name in names})


def unregister(thing: JobType | Plugin) -> None:
    """Take back `register`; for tests."""
    registry = _plugins if isinstance(thing, Plugin) else _types
    for name in [name for name, known in registry.items() if known is thing]:
        del registry[name]


@contextmanager
def registered(thing: JobType | Plugin) -> Iterator[None]:
    """Have it registered, in place of what has its name, until the block ends; for tests."""
    before = dict(_types), dict(_plugins)
    for name, known in list(_types.items()):
        if isinstance(thing, JobType) and known.model is thing.model:
            del _types[name]
    try:
        register(thing)
        yield
    finally:
        for registry, entries in zip((_types, _plugins), before, strict=True):
            registry.clear()
            registry.update(entries)


def job_types() -> list[JobType]:
    """All registered types, each once, in the order of registration."""
    return list(dict.fromkeys(_types.values()))


def plugins() -> list[Plugin]:
    """All registered plugins."""
    return list(_plugins.values())


def get_type(wanted) -> JobType:
    """The type called so, or of that class.

    Args:
        wanted: a name or alias in any case, or a subclass of Job.

    Raises:
        UnknownJobType: no installed app registered it; the message lists what there is.
    """
    found = type_of_model(wanted) if isinstance(wanted, type) else _types.get(str(wanted).upper())
    if found is None:
        name = wanted.__name__ if isinstance(wanted, type) else repr(wanted)
        known = ", ".join(sorted({job_type.name for job_type in job_types()}))
        raise UnknownJobType(
            f"job_type: {name} is not registered; installed are {known}. Is its app in INSTALLED_APPS, and does its "
            "AppConfig.ready() call jobs.types.register()?"
        )
    return found


def type_of_model(model: type | None) -> JobType | None:
    """The type whose model is `model` or the nearest of its parents."""
    by_model = {job_type.model: job_type for job_type in job_types()}
    return next((by_model[parent] for parent in getattr(model, "__mro__", ()) if parent in by_model), None)


def type_of(job) -> JobType | None:
    """The type of a job, read as itself or as a row of the base table; None where its room is not installed."""
    if job.polymorphic_ctype_id is None:
        return type_of_model(type(job))
    return type_of_model(ContentType.objects.get_for_id(job.polymorphic_ctype_id).model_class())
