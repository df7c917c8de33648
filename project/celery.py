"""The Celery app of the site; its settings are those of Django that begin with CELERY_."""

import os
import warnings

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

# The embedded broker: kombu's folder of messages, written so that no half message is ever read.
TRANSPORT_ALIASES["filesystem"] = "project.broker:Transport"

# Celery says so because of pickle, which accept_content leaves out.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")

app = Celery("jobdeck")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
