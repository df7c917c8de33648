"""What app code says to a job: execute, stop, status, …, and the hooks that authors of plain types override."""

import time
from datetime import timedelta

from jobs import clock
from jobs.errors import NotSubmitted, StatusNotRefreshed
from jobs.status import ACTIVE, FINAL, Status, resolve_status
from jobs.tokens import callback_token, token_hash

WAIT_STEP = 0.1
"""Seconds between two looks at the row while app code waits for something."""


class JobVerbs:
    """Methods of `Job`. They write intents; the monitor and the workers carry them out."""

    # --- status

    @property
    def status(self) -> str:
        """The display word of the status in the database now; also asks the monitor to look soon."""
        word = self.cached_status
        if self.status_code in ACTIVE:
            from jobs.intents import look_soon

            look_soon([self.scheduler_id])
        return word

    @property
    def cached_status(self) -> str:
        """The display word of the status in the database now (one query by primary key)."""
        self.read_row()
        return self.status_display

    @property
    def status_display(self) -> str:
        """The display word of the status that this object was read with; no query."""
        return self.status_label or Status(self.status_code).label

    @property
    def is_over(self) -> bool:
        """Whether this object was read in a final status; no query."""
        return self.status_code in FINAL

    @property
    def run_time(self) -> timedelta | None:
        """From start to end, or to now while it runs; None before the start."""
        if self.start_time is None:
            return None
        end = self.completion_time or (clock.now() if self.status_code not in FINAL else None)
        return max(end - self.start_time, timedelta(0)) if end else None

    def read_row(self) -> None:
        """Read what the core owns of this job again; what the author changed on the object stays.

        Raises:
            Job.DoesNotExist: the job is gone.
        """
        # An object from before the submission does not know the scheduler that was chosen for it.
        chosen = {"scheduler"} if self.scheduler_id is None else set()
        self.refresh_from_db(fields=sorted(self.OWNED | chosen))

    def update_status(self, status: str | None = None, *, message: str | None = None, timeout: float = 10.0) -> str:
        """Move the job, or wait for a fresh look at it.

        Args:
            status: code, display word or custom status, for a BasicJob or a type with hooks; without it the monitor
                is asked to look at the job's engine.
            message: shown beside the status.
            timeout: seconds to wait for the monitor's answer.

        Returns:
            The display word of the status.

        Raises:
            ValueError: no such status.
            StatusOwnedByEngine: an engine says what the status of this job is.
            JobOver: the job is in a final status, or may not go from its status to that one.
            StatusNotRefreshed: no answer within `timeout`.
        """
        from jobs import intents, reporting

        if status is not None:
            reporting.move(self, *resolve_status(status), message=message)
            return self.cached_status
        self.read_row()
        if self.status_code in ACTIVE and (self.scheduler_id or (self.type and self.type.hooks)):
            intent = intents.ask_for_refresh(self)
            deadline = time.monotonic() + timeout
            while not intents.is_closed(intent):
                if time.monotonic() > deadline:
                    raise StatusNotRefreshed(self, timeout)
                time.sleep(WAIT_STEP)
        return self.cached_status

    # --- actions

    def execute(self, timeout: float | None = None) -> None:
        """Save the job and have it run.

        Args:
            timeout: seconds to wait until the engine has it; None does not wait.

        Raises:
            ActionNotAllowed: the job is not pending.
            NotSubmitted: it waited, and the engine does not have it yet; it stays wanted.
        """
        self.save()
        self._want("run")
        if timeout is None:
            return
        deadline = time.monotonic() + timeout
        self.read_row()
        while self.status_code == Status.PENDING:
            if time.monotonic() > deadline:
                raise NotSubmitted(self, timeout)
            time.sleep(WAIT_STEP)
            self.read_row()

    def stop(self):
        """Have the job stopped, with all that it started."""
        self._want("stop")

    def pause(self):
        """Have the job suspended."""
        self._want("pause")

    def resume(self):
        """Have a paused job go on."""
        self._want("resume")

    def resubmit(self):
        """Run a job that is over once more, as a new attempt."""
        self._want("resubmit")

    def process_again(self):
        """Process the results once more after an Error that came from processing them."""
        self._want("process-again")

    def delete(self, *args, **kwargs):
        """Have the job stopped if need be, and removed with its workspace; it is out of all lists at once."""
        self._want("delete")

    def _want(self, action: str) -> None:
        from jobs.intents import want

        want(self, action)
        self.read_row()

    # --- the engine's side

    @property
    def type(self):
        """The registered `JobType` of this job, or None where its room is not installed."""
        from jobs.types import type_of

        return type_of(self)

    @property
    def tag(self) -> str:
        """What marks this attempt at the engine."""
        from jobs.engine import make_tag

        return make_tag(self.uuid, self.attempt)

    def callback_token(self) -> str:
        """The token with which the current attempt may report; a secret."""
        return callback_token(self.uuid, self.attempt)

    def callback_token_hash(self) -> str:
        """The hash of `callback_token()`, for the database."""
        return token_hash(self.callback_token())

    # --- hooks of plain types (a type without an engine overrides them; see jobs/hooks.py)

    def _execute(self):
        """Start the work. A type without an engine must override it."""
        raise NotImplementedError(
            f"{type(self).__name__} has no engine and no _execute(): override it, or give its JobType an engine"
        )

    def _update_status(self):
        """Look at the work and return its status (code, word or custom), or None for 'as before'."""

    def _process_results(self):
        """Process the results; the default calls the process_results_function."""
        from django.utils.module_loading import import_string

        if self.process_results_function:
            import_string(self.process_results_function)(self)

    def _resubmit(self):
        """Start the work again as a new attempt; the default is `_execute()`."""
        self._execute()

    def _get_logs(self) -> dict:
        """The logs by name, as text."""
        return {}
