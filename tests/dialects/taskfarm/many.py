"""`python many.py BASE UUID CLIENTS`: so many processes with the published client work on a run; what they did, as JSON."""

import json
import multiprocessing
import sys

from requests.adapters import HTTPAdapter
from taskfarm_worker import TaskFarmWorker

NAME, PASSWORD = "taskfarm", "hello"


def work(base: str, uuid: str, ready, answers) -> None:
    """Work as its documentation has it; whatever goes wrong is told."""
    tasks, statuses, trouble = [], [], ""
    try:
        worker = TaskFarmWorker(NAME, PASSWORD, uuid, url_base=base)
        # Without the client's retries: each answer counts.
        worker.session.mount(base, HTTPAdapter(max_retries=0))
        worker.session.hooks["response"].append(lambda answer, **_: statuses.append(answer.status_code))
        ready.wait(120)
        for task in worker.tasks:
            tasks.append(task)
            worker.update(50)
            worker.update(100)
            worker.done()
    except Exception as error:  # noqa: BLE001 it is what the test wants to know
        trouble = repr(error)
    answers.put({"tasks": tasks, "statuses": sorted(set(statuses)), "trouble": trouble})


def main(base: str, uuid: str, clients: int) -> None:
    context = multiprocessing.get_context("fork")
    ready, answers = context.Barrier(clients), context.Queue()
    processes = [context.Process(target=work, args=(base, uuid, ready, answers)) for _ in range(clients)]
    for process in processes:
        process.start()
    print(json.dumps([answers.get(timeout=300) for _ in processes]))
    for process in processes:
        process.join()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
