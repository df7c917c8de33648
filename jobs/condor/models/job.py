"""Jobs of one or many alike processes in a pool."""

from django.core.exceptions import ValidationError
from django.db import models

from jobs.condor.models.description import SubmitDescription
from jobs.condor.submission.allowlist import Refusal, check_attributes, check_form
from jobs.models import Job


class CondorJob(SubmitDescription, Job):
    """A job in an HTCondor pool (seed 001, 'Condor Job Type'): a submit description of one or many processes."""

    restricted = models.BooleanField(
        default=False, help_text="What it asks for came from a user and not from app code: the allow-list holds."
    )

    class Meta:
        app_label = "jobs_condor"
        verbose_name = "HTCondor job"
        verbose_name_plural = "HTCondor jobs"

    @property
    def cluster_id(self) -> int:
        """The number that the schedd gave to the current attempt; 0 before it is submitted."""
        return int(self.external_id or 0)

    def clean(self):
        """Check what no database can.

        Raises:
            ValidationError: by the attribute that is wrong.
        """
        super().clean()
        try:
            check_form(self)
            if self.restricted:
                check_attributes(self)
        except Refusal as refusal:
            raise ValidationError({refusal.field: str(refusal).removeprefix(f"{refusal.field}: ")}) from refusal
