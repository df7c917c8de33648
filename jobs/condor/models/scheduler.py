"""Pools, and how this site reaches them."""

import shutil
from pathlib import Path

from django.db import models, transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from jobs.conf import conf
from jobs.models import Scheduler
from jobs.models.fields import SecretField


class CondorScheduler(Scheduler):
    """A pool: where it is, and how to log in; through the HTCondor bindings with a token, or by SSH."""

    ENGINE = "condor"

    address = models.CharField(
        max_length=1024,
        blank=True,
        help_text="The pool's collector, for example cm.example.org:9618; or one schedd's address in angle brackets, "
        "as condor_status -schedd -af MyAddress prints it.",
    )
    schedd_name = models.CharField(
        max_length=255, blank=True, help_text="Which schedd takes the jobs; may be empty where the pool has only one."
    )
    token = SecretField(help_text="An IDTOKEN, as condor_token_create prints it. Kept encrypted, never shown again.")
    trust_domain = models.CharField(
        max_length=255, blank=True, help_text="The pool's TRUST_DOMAIN; empty for the one that the token names."
    )
    filesystem_domain = models.CharField(
        max_length=255,
        blank=True,
        help_text="The pool's FILESYSTEM_DOMAIN, for jobs that work in a shared folder themselves; empty for the name of "
        "the schedd's machine, which is HTCondor's default.",
    )
    shared_folders = models.JSONField(
        default=list,
        blank=True,
        help_text="Folders of this host that the pool mounts at the same path. Jobs of app code whose workspace lies in one "
        "of them work there; the files of all others travel.",
    )
    ssh_host = models.CharField(
        "SSH host",
        max_length=255,
        blank=True,
        help_text="The machine of the schedd, where HTCondor's commands are given by SSH; instead of address and token.",
    )
    ssh_port = models.PositiveIntegerField("SSH port", default=22)
    ssh_username = models.CharField("account", max_length=100, blank=True, help_text="All jobs of this site run as it.")
    ssh_key = SecretField(help_text="The account's private key. Kept encrypted, never shown again.")
    ssh_passphrase = SecretField(help_text="Of the key, if it has one.")
    ssh_password = SecretField(help_text="The account's password, where there is no key.")
    ssh_host_key = models.TextField(
        "host key",
        blank=True,
        help_text="'type base64' of the key by which the host is known again; empty: none accepted.",
    )
    ssh_folder = models.CharField(
        "folder there",
        max_length=500,
        default=".jobdeck",
        help_text="For the files of jobs, each in a folder of its own; from the account's home, or a whole path.",
    )
    dagman = models.CharField(
        max_length=500, default="/usr/bin/condor_dagman", help_text="Where the machine of the schedd has DAGMan."
    )
    is_default = models.BooleanField(default=False, help_text="Takes the jobs that name no scheduler.")
    full_interval = models.FloatField(
        default=60.0,
        help_text="Least number of seconds between two looks at the whole queue; between them it is only asked for what "
        "has changed. HTCondor's manual asks for at most one a minute.",
    )

    class Meta:
        app_label = "jobs_condor"
        verbose_name = "HTCondor pool"
        verbose_name_plural = "HTCondor pools"
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="jobs_condor_one_default"
            )
        ]

    def save(self, *args, **kwargs):
        """Save it; as a row of the core it says that this engine talks to it."""
        self.type = self.ENGINE
        super().save(*args, **kwargs)

    @property
    def by_ssh(self) -> bool:
        """Whether the way to it is SSH."""
        return bool(self.ssh_host)

    @property
    def place(self) -> str:
        port = f":{self.ssh_port}" if self.ssh_port != 22 else ""
        return f"{self.ssh_username}@{self.ssh_host}{port}" if self.by_ssh else self.address

    @property
    def offered_host_key(self) -> str:
        """The host key that the last test met and that is not the accepted one, 'type base64'; empty if there is none."""
        offers = [check.get("offer", "") for check in (self.last_test or {}).get("checks", ())]
        offered = next(filter(None, offers), "") if self.by_ssh else ""
        return offered if offered != self.ssh_host_key.strip() else ""

    @property
    def token_folder(self) -> Path:
        """Where the token lies for HTCondor to read, on the hosts that talk to the pool."""
        return conf.data_dir / "condor" / "tokens" / str(self.pk)


@receiver(post_delete, sender=CondorScheduler)
def forget_token(instance: CondorScheduler, **kwargs) -> None:
    """The token of a pool that is gone lies nowhere any more."""
    folder = instance.token_folder
    transaction.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))
