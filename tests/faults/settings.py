"""The site under fault: the site's own settings with the example app, and leases that run out soon."""

from project.settings import *

INSTALLED_APPS = [*INSTALLED_APPS, "tests.exampleapp"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
