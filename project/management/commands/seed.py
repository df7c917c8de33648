"""`manage.py seed`: what a first start needs; run by `make run` at every start."""

import os

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from django.db import transaction

from jobs.conf import conf
from jobs.functions.flasktasks.keys import make_keys
from project.accounts import NAME, make_demo_account, withdraw_known_password
from project.examples import create_example_jobs
from project.server.environment import is_private

KEEP = f"it is shown once; 'manage.py changepassword {NAME}' sets another"


class Command(BaseCommand):
    help = (
        "Make the account 'demo' and a few example jobs, where the site has no account at all yet. Where others than "
        "this machine can reach the site, the account's known password is replaced."
    )

    def add_arguments(self, parser):
        parser.add_argument("--without-examples", action="store_true", help="Make the account only.")

    def handle(self, *args, without_examples: bool, **options):
        if not conf.JWT_PRIVATE_PEM:
            make_keys()
        private = is_private(os.environ | {"JOBDECK_URL": settings.JOBDECK_URL}, settings.ALLOWED_HOSTS)
        # All or nothing: a start that was broken off is a first start again.
        with transaction.atomic():
            if get_user_model().objects.exists():
                password = "" if private else withdraw_known_password()
                if password:
                    self.stdout.write(
                        f"The account '{NAME}' had a password that everybody knows, and this site can be reached from "
                        f"elsewhere now. Its new password is {password} ({KEEP})."
                    )
                return
            user, password = make_demo_account(private=private)
            made = 0 if without_examples else create_example_jobs(user)
        self.stdout.write(f"made {made} example jobs" if made else "made no example jobs")
        if private:
            self.stdout.write(f"log in as '{NAME}' with the password '{password}'")
        else:
            self.stdout.write(f"log in as '{NAME}' with the password {password} ({KEEP})")
