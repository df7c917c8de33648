from uuid import uuid4
import time
from django.contrib.auth.models import User
import pytest
from tests.contract.life.drivers import empty_database
from tests.contract.life.site import Site
from jobs.models import Heartbeat, Scheduler

@pytest.mark.once
@pytest.mark.needs("processes")
def test_flush(place, tmp_path):
    model, engine, driver = place
    for n in range(12):
        world = model(User.objects.create_user(f"ann {uuid4()}"), tmp_path, engine)
        site = Site(world, driver)
        job = world.succeeding()
        job.execute()
        t = time.monotonic()
        site.until_status(job, "Complete")
        print("complete after", time.monotonic() - t)
        empty_database()
    t = time.monotonic()
    driver.until(lambda: Heartbeat.objects.count() == 2, "heartbeats")
    print("beats after", time.monotonic() - t)
    time.sleep(2)
    print(Scheduler.objects.values("name"), driver.said()[-3000:])
