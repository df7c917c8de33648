"""What a caller of REST may say about a new CommandJob."""

from rest_framework import serializers

from jobs.local.models import CommandJob
from jobs.serializers import LONGEST_TIMEOUT, JobSerializer, StrictText


class CommandJobSerializer(JobSerializer):
    """A command as a process on the site's machine; its files are uploaded before it runs."""

    model = CommandJob

    command = serializers.JSONField(
        help_text="Program and arguments as a list of texts; one text where `shell` is true."
    )
    shell = serializers.BooleanField(default=False, help_text="Have /bin/sh read the command.")
    environment = serializers.DictField(child=StrictText(allow_blank=True), required=False, default=dict)
    timeout = serializers.IntegerField(
        min_value=1, max_value=LONGEST_TIMEOUT, required=False, allow_null=True, default=None, help_text="Seconds."
    )
