"""The site's settings for the tests: each parallel test process has a data folder and a database of its own.

A test's children (workers, monitors, `run_hook`) start with the same settings; `JOBDECK_TEST_DATABASE`, set once the test
database is there, makes them use it.
"""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("SECRET_KEY", "for the tests only")
if "JOBDECK_TESTS_FOLDER" not in os.environ:
    os.environ["JOBDECK_TESTS_FOLDER"] = tempfile.mkdtemp(prefix="jobdeck-tests-")
_folder = Path(os.environ["JOBDECK_TESTS_FOLDER"]) / os.environ.get("PYTEST_XDIST_WORKER", "main")
_folder.mkdir(exist_ok=True)
os.environ["DATA_DIR"] = str(_folder)

from project.settings import *  # noqa: E402

INSTALLED_APPS = [*INSTALLED_APPS, "tests.exampleapp"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
JOBS = {**JOBS, "URL": "http://127.0.0.1:8000", "LOCAL_SLOTS": 4, "LOCAL_GRACE": 1.0}

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # In a file, because threads and children of a test have to see it.
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / "test.sqlite3")}
else:
    # Two runs at once on one server must not share a database.
    DATABASES["default"]["TEST"] = {
        "NAME": "test_" + Path(os.environ["JOBDECK_TESTS_FOLDER"]).name.replace("-", "_").lower()
    }
if "JOBDECK_TEST_DATABASE" in os.environ:
    DATABASES["default"]["NAME"] = os.environ["JOBDECK_TEST_DATABASE"]
