"""An app of somebody who uses Jobdeck, as its documentation tells them to write one."""

from django.apps import AppConfig

from jobs.apps import JobsAppMixin


class ExampleApp(JobsAppMixin, AppConfig):
    name = "tests.exampleapp"
    label = "exampleapp"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from jobs.types import JobType, register
        from tests.exampleapp.models import EchoJob, FakeJob

        register(JobType(name="ECHO", label="Echo", model=EchoJob, hooks=True))
        self.fake_model = FakeJob
