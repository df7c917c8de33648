"""The HTCondor pool of this machine, where there is one: `scripts/pool` makes it, the demo and the tests use it."""

import json
import subprocess

from django.conf import settings

SCRIPT = settings.BASE_DIR / "scripts" / "pool"


def describe() -> dict[str, str] | None:
    """How to reach the pool: address, schedd, trust_domain, shared_folder, token; None where none runs."""
    if not SCRIPT.is_file():
        return None
    answer = subprocess.run([str(SCRIPT), "describe"], capture_output=True, text=True, check=False)
    return json.loads(answer.stdout) if answer.returncode == 0 else None


def set_up(pool: dict[str, str]):
    """A scheduler row for the pool, the default one."""
    from jobs.condor.models import CondorScheduler

    scheduler, _ = CondorScheduler.objects.update_or_create(
        name="Pool on this machine",
        defaults={
            "address": pool["address"],
            "schedd_name": pool["schedd"],
            "token": pool["token"],
            "trust_domain": pool["trust_domain"],
            "least_interval": 1.0,
            "is_default": True,
        },
    )
    return scheduler
