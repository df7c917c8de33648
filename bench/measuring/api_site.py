"""The site with one view more: a bare one of DRF, which answers given bytes from memory."""

from project.settings import *  # noqa: F403

ROOT_URLCONF = "measuring.api_urls"
JOBS = {**JOBS, "API_RATES": {}}  # noqa: F405
