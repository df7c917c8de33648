"""The Celery app of the site; its settings are those of Django that begin with CELERY_."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

# The embedded broker: kombu's folder of messages, written so that no half message is ever read.
TRANSPORT_ALIASES["filesystem"] = "project.broker:Transport"

app = Celery("jobdeck")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
