"""The site that the browser sees: the tests' settings, an app's own page besides, and the address it really has."""

import os

from tests.settings import *

ROOT_URLCONF = "tests.browser.pages"
JOBS = {**JOBS, "URL": os.environ["JOBDECK_URL"]}
