"""Jobs in the test pool, by SSH."""

from contextlib import contextmanager

import pytest

from jobs.condor.models import CondorScheduler
from jobs.condor.reach import reach_of
from tests.contract.worlds.condor import CondorWorld

NOBODY_LISTENS = 1


class CondorSshWorld(CondorWorld):
    """The same jobs, by HTCondor's commands over SSH."""

    name = "condor-ssh"
    only_on = "on_sqlite"
    drivers = ()
    """What processes do with jobs is the same whichever way goes to the pool."""

    def login(self, pool):
        if not pool.ssh_host:
            pytest.skip("nobody can log in at the pool of JOBDECK_POOL_ADDRESS (JOBDECK_POOL_SSH_HOST)")
        return pool.ssh

    def traces(self, job):
        """Also its folders on the other side, which may be none."""
        return [*super().traces(job), *self._folders(job)]

    def _folders(self, job) -> list[str]:
        # Asked for as it asks itself: the account's home is not of this machine.
        connection = reach_of(self.scheduler).connection
        names, _, _ = connection.run("ls -A .jobdeck 2>/dev/null", 10)
        return [name for name in names.split() if name in self.tags(job)]

    @contextmanager
    def away(self):
        rows = CondorScheduler.objects.filter(pk=self.scheduler.pk)
        rows.update(ssh_port=NOBODY_LISTENS)
        try:
            yield
        finally:
            rows.update(ssh_port=self.pool.ssh_port)
