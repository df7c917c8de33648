"""The functions that there are: `@job_function` registers one, `discover` finds those of installed apps and packages."""

import inspect
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from django.utils.module_loading import autodiscover_modules

from jobs.functions.signature import Signature, fingerprint_of, signature_of

log = logging.getLogger(__name__)

GROUP = "jobdeck.functions"
"""Entry points of this group name modules with functions, in any installed package."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
RESERVED = frozenset({"workers"})
"""Their places among the functions' pages and in REST are taken."""
QUEUE = re.compile(r"[A-Za-z0-9_-]{1,60}")


class UnknownFunction(ValueError):
    """No installed app or package has a function of that name."""


@dataclass(frozen=True, eq=False)
class Function:
    """A registered function, and how it is run.

    Attributes:
        name: what callers call it.
        call: the Python function.
        signature: its parameters.
        description: the first paragraph of its docstring.
        public: callers need no permission for it, and the API of flask-tasks asks no login where the site says so.
        queue: which workers take it.
        time_limit: seconds that one try may take; None for any.
        retries: tries after the first one that fails or whose worker dies.
        backoff: seconds before the first of these; doubles with each.
        idempotent: it may be run again where its worker died, without it being known how far it came.
        fingerprint: the same in every process that means the same by the name.
    """

    name: str
    call: Callable[..., Any]
    signature: Signature
    description: str
    public: bool
    queue: str
    time_limit: float | None
    retries: int
    backoff: float
    idempotent: bool
    fingerprint: str

    @property
    def route(self) -> str:
        """What a worker must have to take its jobs."""
        return f"{self.name}:{self.fingerprint}"

    @property
    def permission(self) -> str:
        """What a person needs to run it, where it is not public."""
        return f"jobs_functions.call_{self.name}"

    @property
    def documentation(self) -> str:
        """Its docstring."""
        return inspect.getdoc(self.call) or ""


_functions: dict[str, Function] = {}
broken: dict[str, str] = {}
"""Entry points that could not be loaded, and why; see `jobs.functions.checks`."""


def job_function(
    call: Callable | None = None,
    *,
    name: str = "",
    public: bool = False,
    queue: str = "default",
    time_limit: float | None = None,
    retries: int = 0,
    backoff: float = 1.0,
    idempotent: bool = False,
    version: str = "",
):
    """Register a function, so that jobs can run it; the function itself stays what it is.

    Args:
        call: every parameter needs an annotation that pydantic can read JSON as. What it returns must be JSON.
        name: what callers call it; that of the Python function if nothing is said.
        public: see `Function`, as for the next five.
        queue: letters, digits, `-` and `_`.
        version: to be changed where the function does something else now that older workers must not do in its place.

    Raises:
        TypeError, ValueError: what is wrong with the function, or another one has its name.
    """

    def register(call: Callable) -> Callable:
        _register(call, name or call.__name__, public, queue, time_limit, retries, backoff, idempotent, version)
        return call

    return register if call is None else register(call)


def _register(call, name, public, queue, time_limit, retries, backoff, idempotent, version) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a function: letters, digits and _, at most 80 of them")
    if name in RESERVED:
        raise ValueError(f"{name!r} is no name for a function: the page of the workers has it; give another")
    if not QUEUE.fullmatch(queue):
        raise ValueError(f"{name}: {queue!r} is no name for a queue: letters, digits, - and _, at most 60 of them")
    if inspect.iscoroutinefunction(call):
        raise TypeError(f"{name}: is async; a worker calls plain functions (asyncio.run inside one)")
    for what, value, least in (("time_limit", time_limit, 1), ("retries", retries, 0), ("backoff", backoff, 0)):
        if value is not None and not value >= least:
            raise ValueError(f"{name}: {what} must be at least {least}, not {value}")
    known = _functions.get(name)
    if known is not None and (known.call.__module__, known.call.__qualname__) != (call.__module__, call.__qualname__):
        raise ValueError(
            f"{name}: {known.call.__module__}.{known.call.__qualname__} has that name already; "
            f"give {call.__module__}.{call.__qualname__} another: @job_function(name=...)"
        )
    signature = signature_of(call)
    _functions[name] = Function(
        name,
        call,
        signature,
        (inspect.getdoc(call) or "").partition("\n\n")[0].replace("\n", " "),
        public,
        queue,
        time_limit,
        retries,
        backoff,
        idempotent,
        fingerprint_of(name, version, signature),
    )


def unregister(name: str) -> None:
    """Take back `job_function`; for tests."""
    _functions.pop(name, None)


def functions() -> list[Function]:
    """All registered functions by name."""
    return [_functions[name] for name in sorted(_functions)]


def get_function(name: str) -> Function:
    """The function of that name.

    Raises:
        UnknownFunction: there is none; the message lists those that there are.
    """
    found = _functions.get(name)
    if found is None:
        raise UnknownFunction(f"there is no function {name!r}; there are: {', '.join(sorted(_functions)) or 'none'}")
    return found


def name_of(call: Callable) -> str:
    """The name that a Python function is registered by.

    Raises:
        UnknownFunction: it is not.
    """
    for function in _functions.values():
        if function.call is call:
            return function.name
    raise UnknownFunction(
        f"function: {getattr(call, '__qualname__', call)!r} is not registered; put @job_function on it"
    )


def discover() -> None:
    """Import `functions.py` of every installed app, and the modules that entry points of installed packages name."""
    autodiscover_modules("functions")
    for entry in entry_points(group=GROUP):
        try:
            entry.load()
        except Exception as error:  # a package's bug must not take the site with it; a system check tells of it
            log.exception("entry point %s: functions could not be loaded", entry.name)
            broken[f"{entry.name} = {entry.value}"] = f"{type(error).__name__}: {error}"
