"""HTCondor's bindings by themselves, for what stands beside Jobdeck's figures."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import machine

RAW = """
import json, sys, time, os
connection = json.loads(sys.stdin.readline())
import htcondor2
for name, value in connection["param"].items():
    htcondor2.param[name] = value
ads = htcondor2.Collector(connection["address"]).locateAll(htcondor2.DaemonType.Schedd)
schedd = htcondor2.Schedd(next(ad for ad in ads if ad["Name"] == connection["schedd"]))
for line in sys.stdin:
    request = json.loads(line)
    began = time.perf_counter()
    if "constraint" in request:
        answer = len(schedd.query(request["constraint"], request["projection"]))
    else:
        result = schedd.submit(htcondor2.Submit(request["text"]), count=request["count"], spool=True)
        schedd.spool(result)
        answer = result.cluster()
    print(json.dumps([time.perf_counter() - began, answer]), flush=True)
"""


class Bare:
    """The bindings in a process of their own, with nothing else in it.

    Args:
        pool: as `scripts/pool describe` says.
        tokens: a folder for its token.
        schedd: which one is asked.
    """

    def __init__(self, pool: dict, tokens: Path, schedd: str):
        (tokens / "token").write_text(pool["token"])
        (tokens / "token").chmod(0o600)
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", RAW],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "CONDOR_CONFIG": "/dev/null"},
        )
        param = {
            "SEC_TOKEN_DIRECTORY": str(tokens),
            "SEC_CLIENT_AUTHENTICATION_METHODS": "IDTOKENS",
            "TRUST_DOMAIN": pool["trust_domain"],
        }
        self._say({"address": pool["address"], "schedd": schedd, "param": param})

    def _say(self, line: dict) -> None:
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()

    def ask(self, **request) -> tuple[float, int]:
        """Seconds, and how many ads came, or the cluster that was made."""
        self._say(request)
        seconds, answer = json.loads(self.process.stdout.readline())
        return seconds, answer

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)


@contextmanager
def in_the_pool(folder: Path, which: str) -> Iterator[tuple]:
    """The test pool as this site's only scheduler.

    Args:
        folder: the site's.
        which: 'schedd' or 'breakable_schedd'.

    Yields:
        The scheduler row, a user, the way to the pool, and the bare bindings beside it.
    """
    from django.contrib.auth.models import User

    from jobs.condor.models import CondorScheduler
    from jobs.condor.reach import reach_of
    from project import pool

    here = pool.describe()
    if here is None:
        sys.exit("no HTCondor pool runs here · 'make services' brings one")
    print(f"{machine()}; HTCondor pool at {here['address']}")
    scheduler = CondorScheduler.objects.create(
        name="bench",
        address=here["address"],
        schedd_name=here[which],
        token=here["token"],
        trust_domain=here["trust_domain"],
        least_interval=0.0,
        full_interval=3600.0,
        is_default=True,
    )
    scheduler.refresh_from_db()
    reach = reach_of(scheduler)
    with tempfile.TemporaryDirectory(dir=folder) as tokens:
        bare = Bare(here, Path(tokens), here[which])
        try:
            yield scheduler, User.objects.create_user("bench"), reach, bare
        finally:
            bare.close()
            reach.close()
