"""The site's settings for the tests: a data folder of this run's own, and fast password hashing."""

import os
import tempfile

os.environ.setdefault("SECRET_KEY", "for the tests only")
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="jobdeck-tests-"))

from project.settings import *

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
