"""`Idempotency-Key`: however often a request to make a job arrives, one job is made (IETF draft 'The Idempotency-Key HTTP
Header Field')."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from rest_framework import exceptions

from jobs import clock
from jobs.access.errors import Conflict
from jobs.models import IdempotencyKey, Job

KEPT = timedelta(days=2)
"""A key is known for so long; then it is new again."""
LONGEST = 200


def once(user, key: str, body: dict, make: Callable[[], Job]) -> tuple[Job, bool]:
    """The job that the request with this key makes or has made, and whether it was made before.

    Args:
        user: whose key it is; empty for none, then it is made.
        body: of the request: the same key with another body is refused.
        make: makes the job. What it does and the key are written in one transaction.

    Raises:
        Conflict: the key came with another body, or its job was deleted.
        ValidationError: it is no key.
    """
    if not key:
        return make(), False
    if len(key) > LONGEST or not key.isprintable():
        raise exceptions.ValidationError({"Idempotency-Key": [f"must be 1 to {LONGEST} printable signs"]})
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    IdempotencyKey.objects.filter(user=user, created__lt=clock.now() - KEPT).delete()
    try:
        with transaction.atomic():
            # Whoever comes second waits here until the first has come to its end, and then finds the key taken.
            row = IdempotencyKey.objects.create(user=user, key=key, digest=digest, created=clock.now())
            job = make()
            row.job_id = job.pk
            row.save(update_fields=["job"])
            return job, False
    except IntegrityError:
        known = IdempotencyKey.objects.filter(user=user, key=key).first()
        if known is None:
            raise
    if known.digest != digest:
        raise Conflict(f"Idempotency-Key {key!r} came with another body before; use another key for another job.")
    job = Job.objects.shown().filter(pk=known.job_id).first()
    if job is None:
        raise Conflict(f"The job that Idempotency-Key {key!r} made was deleted; use another key for a new one.")
    return job, True
