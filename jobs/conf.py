"""The app's settings: one dictionary `JOBS` in the site's settings; what it leaves out has the default below."""

import os
from pathlib import Path

from django.conf import settings

DEFAULTS = {
    # Folder shared by web, workers and monitor: workspaces and the engines' own files. Default: var/ in the current folder.
    "DATA_DIR": "var",
    # This site's address as jobs see it (https://example.org), for callback URLs made where there is no request.
    "URL": "",
    # Name of this installation inside the tag that travels to the engines; keep it for the life of the database.
    "INSTANCE": "jobdeck",
    # The Celery queue of Jobdeck's own work, which functions never share; one for each installation at a broker.
    "QUEUE": "jobdeck",
    # Folders of the web host that callers from REST, forms and dialects may name beside the job's own workspace.
    "SHARED_FOLDERS": [],
    # The account that calls of the task API without a login are made as; empty: they need one. Whoever reaches it may run
    # commands as that account, so it holds for this machine only, unless TASKAPI_ANYWHERE says otherwise.
    "TASKAPI_ACCOUNT": "",
    "TASKAPI_ANYWHERE": False,
    # The account that calls of the API of flask-tasks without a login are made as, for public functions; empty: they need
    # one. For this machine only, unless FLASKTASKS_ANYWHERE says otherwise.
    "FLASKTASKS_ACCOUNT": "",
    "FLASKTASKS_ANYWHERE": False,
    # RSA keys (PEM) that sign the tokens of that API; empty: those that `manage.py jwt_keys` made. And how long one is good.
    "JWT_PRIVATE_PEM": "",
    "JWT_PUBLIC_PEM": "",
    "JWT_EXPIRE_SEC": 3600,
    # Requests of a kind that one person may make in a minute; 0 for any number.
    "API_RATES": {"read": 3000, "write": 600, "submit": 600},
    # Requests that wait for a job at once, in one web process.
    "API_WAITERS": 2,
    # Bytes of a file that is uploaded over REST.
    "UPLOAD_LIMIT": 1_000_000_000,
    # Custom statuses: {label: code of the base status}, for example {"Calibrating": "RUN"}.
    "CUSTOM_STATUSES": {},
    # Seconds for which a claim or a lease holds without being renewed; its owner renews it every third of that.
    "LEASE": 15.0,
    # Seconds between two sweeps of the monitor (intents, results to process, looks that are due). At most 1.
    "SWEEP_INTERVAL": 0.25,
    # Seconds after which an intent whose wake-up brought nothing is sent again; doubles up to 60.
    "RESEND_AFTER": 2.0,
    # Seconds between two signs of life of worker and monitor, and the age at which one counts as gone.
    "HEARTBEAT_INTERVAL": 2.0,
    "HEARTBEAT_AGE": 15.0,
    # Seconds that a process_results_function, and a hook of a plain Job subclass, may take.
    "RESULTS_TIMEOUT": 600.0,
    "HOOK_TIMEOUT": 60.0,
    # How often a process_results_function whose process died (was killed, ran out of memory) is tried in all.
    "RESULTS_TRIES": 3,
    # Seconds between two looks at a job whose type has hooks instead of an engine.
    "HOOK_INTERVAL": 10.0,
    # Longest `?delay=` of the callback URL, in seconds, and the least time between two looks that it asks for.
    "CALLBACK_MAX_DELAY": 3600,
    "CALLBACK_LEAST_INTERVAL": 1.0,
    # Seconds after which a function whose worker was not heard of is taken from it; at least 3.
    "FUNCTION_LEASE": 30.0,
    # Bytes of JSON up to which what a function returned is kept in the database; above, in a file of the workspace.
    "FUNCTION_RESULT_LIMIT": 100_000,
    # Bytes of JSON of one farm task's result; what is larger is sent as a file.
    "FARM_RESULT_LIMIT": 100_000,
    # The account that calls of the API of taskscheduler without a login are made as; empty: they need one. For this machine
    # only, unless TASKSCHEDULER_ANYWHERE says otherwise.
    "TASKSCHEDULER_ACCOUNT": "",
    "TASKSCHEDULER_ANYWHERE": False,
    # Where agents listen, `http(s)://host:port`: the site calls them there when there is something new for them.
    "AVAILABLE_SERVERS": [],
    # Seconds between two questions of an agent, and the age of its last one at which it is marked as silent.
    "AGENT_POLL": 1.0,
    "AGENT_SILENT": 30.0,
    # Bytes of stdout, and of stderr, that are kept of one execution; of more, the beginning and the end.
    "EXECUTION_OUTPUT_LIMIT": 65_536,
    # Commands at once on one machine, and seconds between TERM and KILL when one is stopped.
    "LOCAL_SLOTS": os.cpu_count() or 1,
    "LOCAL_GRACE": 10.0,
}


class Conf:
    """Reads `settings.JOBS` over `DEFAULTS` at each access, so that `override_settings` works."""

    def __getattr__(self, name: str):
        if name not in DEFAULTS:
            raise AttributeError(f"Jobdeck has no setting JOBS[{name!r}]; it knows {', '.join(sorted(DEFAULTS))}")
        return getattr(settings, "JOBS", {}).get(name, DEFAULTS[name])

    @property
    def data_dir(self) -> Path:
        """The data folder as an absolute path."""
        return Path(self.DATA_DIR).absolute()

    @property
    def shared_folders(self) -> list[Path]:
        """The shared folders as absolute paths, empty entries left out."""
        return [Path(folder).absolute() for folder in self.SHARED_FOLDERS if str(folder).strip()]


conf = Conf()
