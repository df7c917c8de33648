"""What callers send to the task API, checked strictly: an unknown key or a wrong type is refused with its name."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MOST_RETRIES = 1000
MOST_PARAMS = 200
LONGEST = 2**53


def _checked_id(text: str) -> str:
    if not text.isprintable() or "/" in text or text.strip() != text or "{id}" in text:
        raise ValueError("an id is one line of text without '/', '{id}' and spaces around it")
    return text


def _with_program(params: dict[str, str]) -> dict[str, str]:
    if not next((value.strip() for name, value in params.items() if name.lower() == "executable"), ""):
        raise ValueError("executable: say which program is to run")
    return params


def _moment(value):
    """ISO 8601; without a zone it is UTC, as all times of this API are."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("give a time in ISO 8601, for example 2026-01-31T14:00:00, or null")
    moment = datetime.fromisoformat(value)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if not 1970 <= moment.year < 9000:
        raise ValueError("is no time that anything could expire at")
    return moment


class Body(BaseModel):
    """What all bodies have in common."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewTask(Body):
    """`POST /tasks`."""

    id: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_checked_id)] | None = None
    state: Literal[0] = 0
    subParams: Annotated[dict[str, str], Field(max_length=MOST_PARAMS), AfterValidator(_with_program)]
    retriesLeft: Annotated[int, Field(ge=0, le=MOST_RETRIES)] = 2


Number = Annotated[int, Field(ge=0, le=LONGEST)] | None


class TaskChange(Body):
    """`POST /tasks/{id}`: what is given is changed; null clears the last three."""

    state: Literal[0, -1] = 0
    retriesLeft: Annotated[int, Field(ge=0, le=MOST_RETRIES)] = 0
    clusterId: Number = None
    procId: Number = None
    expirationDate: Annotated[datetime | None, BeforeValidator(_moment)] = None

    def given(self) -> dict:
        """Only what the caller sent."""
        return self.model_dump(include=self.model_fields_set)


class Cluster(Body):
    """`POST /htc-clusters`."""

    model_config = ConfigDict(extra="allow", strict=True)

    id: Annotated[int, Field(ge=0, le=LONGEST)]
    taskId: str | None = None
    clusterAd: dict = {}
    firstProc: Annotated[int, Field(ge=0, le=LONGEST)] = 0
    numProcs: Annotated[int, Field(ge=0, le=LONGEST)] = 1


class JobEvent(Body):
    """`POST /htc-job-events`."""

    clusterId: Annotated[int, Field(ge=0, le=LONGEST)]
    procId: Number = None
    timestamp: str | int | float | None = None
    eventType: str | int | None = None
    details: dict | list | str | None = None
