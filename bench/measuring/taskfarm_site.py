"""The site with bare views beside, which answer the clients of taskfarm always the same."""

from project.settings import *  # noqa: F403

ROOT_URLCONF = "measuring.taskfarm_urls"
