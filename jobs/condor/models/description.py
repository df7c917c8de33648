"""What CondorJob and the job nodes of workflows have in common: the words of a submit description."""

from django.db import models


class SubmitDescription(models.Model):
    """A program for a pool, in the words of condorpy (seed 001, 'Condor Job Type').

    `attributes` are the commands of a submit description, by name ('executable', 'arguments', 'request_memory', …); they
    come over those of the condorpy template.
    """

    condorpy_template_name = models.CharField(
        max_length=100, blank=True, default="vanilla_transfer_files", help_text="base, vanilla_base, …; see condorpy."
    )
    attributes = models.JSONField(default=dict, blank=True, help_text="Commands of the submit description by name.")
    remote_input_files = models.JSONField(
        default=list, blank=True, help_text="Files of this host that the job finds where it starts."
    )
    num_jobs = models.PositiveIntegerField(default=1, help_text="Processes to queue; $(Process) counts them from 0.")

    class Meta:
        abstract = True

    def set_attribute(self, name: str, value) -> None:
        """Set a command of the submit description; None takes it away. Save or execute the job to keep it."""
        if value is None:
            self.attributes.pop(name, None)
        else:
            self.attributes[name] = value

    def get_attribute(self, name: str):
        """A command of the submit description as it was set, else as the template has it, else None."""
        from jobs.condor.submission.templates import template_attributes

        return {**template_attributes(self.condorpy_template_name), **self.attributes}.get(name)
