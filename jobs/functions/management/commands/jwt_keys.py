"""`manage.py jwt_keys`: the pair of keys that signs the tokens of the API of flask-tasks."""

from django.core.management.base import BaseCommand

from jobs.conf import conf
from jobs.functions.flasktasks.keys import folder, make_keys


class Command(BaseCommand):
    help = "Make the RSA keys that sign tokens, in the data folder, unless they are there or in the settings."

    def add_arguments(self, parser):
        parser.add_argument("--renew", action="store_true", help="Make new ones; all tokens end with the old ones.")

    def handle(self, *args, renew: bool, **options):
        if conf.JWT_PRIVATE_PEM or conf.JWT_PUBLIC_PEM:
            self.stdout.write("the keys in the settings (JWT_PRIVATE_PEM, JWT_PUBLIC_PEM) are used; none were made")
        elif make_keys(renew=renew):
            self.stdout.write(f"made {folder() / 'private.pem'} (mode 600) and public.pem beside it")
        else:
            self.stdout.write(f"{folder() / 'private.pem'} is there already; --renew makes another")
