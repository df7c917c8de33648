"""Many jobs, made in the database at once."""

PAGE = 50
STATUSES = ("COM", "COM", "COM", "COM", "ERR", "ABT", "PEN", "COM")


def make_jobs(user, number: int) -> None:
    """So many jobs, of which the newest page is at work; those before them are copies of the first one."""
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection
    from django.utils import timezone

    from jobs.local.models import CommandJob
    from jobs.models import Job

    kind = ContentType.objects.get_for_model(CommandJob)
    first = Job.objects.non_polymorphic().order_by("pk").first() or Job.objects.create(
        name="model run", user=user, polymorphic_ctype=kind, start_time=timezone.now()
    )
    fresh = {"uuid": "gen_random_uuid()", "name": "'model run ' || number", "status": "(%s::text[])[1 + number %% 8]"}
    columns = [field.column for field in Job._meta.local_concrete_fields if not field.primary_key]
    values = [fresh.get(column, f'"{column}"') for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    there = Job.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO jobs_job ({names}) SELECT {', '.join(values)} FROM jobs_job, generate_series(%s, %s) AS number "
            "WHERE id = %s",
            [list(STATUSES), there, number - PAGE - 1, first.pk],
        )
    Job.objects.bulk_create(
        Job(
            name=f"run {number}-{index}",
            user=user,
            polymorphic_ctype=kind,
            status_code="RUN",
            status_message=f"step {index} of 90",
            start_time=timezone.now(),
            progress=index,
        )
        for index in range(PAGE)
    )
    if Job.objects.count() != number:
        raise RuntimeError(f"there should be {number} jobs")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE jobs_job")
