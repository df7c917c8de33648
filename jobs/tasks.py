"""The Celery tasks: wake-ups. What is to be done stands in the database; a message lost is sent again by the sweep.

They go to the queue `JOBS["QUEUE"]`, see `jobs.monitor.sweep`.
"""

from celery import shared_task


@shared_task(name="jobs.carry_out", ignore_result=True)
def carry_out(intent_ids: list[int]) -> None:
    """Carry out these intents."""
    from jobs.worker.carry_out import carry_out as carry_out_one

    for intent_id in intent_ids:
        carry_out_one(intent_id)


@shared_task(name="jobs.carry_out_bulk", ignore_result=True)
def carry_out_bulk(bulk_id: int) -> None:
    """Carry out this bulk action, or a part of it."""
    from jobs.worker.bulk import carry_out_bulk as carry_out_part

    carry_out_part(bulk_id)


@shared_task(name="jobs.process_results", ignore_result=True)
def process_results(job_id: int) -> None:
    """Process the results of this job."""
    from jobs.worker.results import process

    process(job_id)


@shared_task(name="jobs.look_by_hook", ignore_result=True)
def look_by_hook(job_id: int) -> None:
    """Ask a plain type's `_update_status` hook how this job is."""
    from jobs.hooks import look

    look(job_id)


@shared_task(name="jobs.fetch_outputs", ignore_result=True)
def fetch_outputs(job_id: int) -> None:
    """Bring in the outputs of this job, which has ended at its engine."""
    from jobs.worker.fetching import fetch

    fetch(job_id)


@shared_task(name="jobs.tidy_up", ignore_result=True)
def tidy_up(scheduler_id: int) -> None:
    """Have this scheduler's engine forget the attempts that are over."""
    from jobs.worker.fetching import tidy_up as tidy_up_scheduler

    tidy_up_scheduler(scheduler_id)


@shared_task(name="jobs.test_scheduler", ignore_result=True)
def test_scheduler(scheduler_id: int) -> None:
    """Look what works at this scheduler."""
    from jobs.scheduler_test import run_test

    run_test(scheduler_id)
