"""`python -m tests.faults`: kill a whole site's processes at every point of a job's life, and at random.

Prints rounds, and what was lost, doubled, stuck or wrongly processed; exits 0 only if the last four are 0.
"""

import argparse
import json
import signal
import sys
import time

from tests.faults.stack import BROKERS, Stack


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="postgres")
    parser.add_argument("--broker", choices=list(BROKERS), default="rabbitmq")
    parser.add_argument("--points", default="all", help="all, none, or the share k/n of them")
    parser.add_argument("--farm", default="none", help="the same, of the points of farm runs")
    parser.add_argument("--pool", default="none", help="the same, of the points of jobs in an HTCondor pool")
    parser.add_argument(
        "--workflows", default="none", help="the same, around the submissions of a workflow and its rescue"
    )
    parser.add_argument("--random", type=float, default=0, metavar="SECONDS", help="then kill at random for so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the site's folder and logs")
    options = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    stack = Stack(options.database, options.broker)
    import django

    django.setup()
    from tests.condor.pool import find_pool
    from tests.faults.farm import FARM
    from tests.faults.functions import FUNCTIONS
    from tests.faults.in_the_pool import InPool
    from tests.faults.rounds import Rounds, farm_points, pool_points, site_points, workflow_points
    from tests.faults.scenarios import SCENARIOS, submission_broke_off
    from tests.faults.workflows import killings

    title = f"{options.database} + {options.broker}"
    began = time.monotonic()
    in_pool = None
    try:
        stack.start()
        rounds = Rounds(stack)
        if killed := rounds.every_point(site_points(), options.points, [*SCENARIOS, *FUNCTIONS]):
            print(rounds.tally.line(f"{title}, {killed} points"), flush=True)
        scenarios = [scenario for scenario in SCENARIOS if scenario is not submission_broke_off] + FUNCTIONS
        if killed := rounds.every_point(farm_points(), options.farm, FARM):
            print(rounds.tally.line(f"{title}, {killed} points of farm runs"), flush=True)
            scenarios += FARM
        if options.pool != "none" or options.workflows != "none":
            pool = find_pool()
            if isinstance(pool, str):
                sys.exit(pool)
            in_pool = InPool(pool, rounds.user)
            scenarios += [scenario for scenario in in_pool.scenarios() if scenario != in_pool.broke_off]
            killed = rounds.every_point(pool_points(), options.pool, in_pool.scenarios())
            print(rounds.tally.line(f"{title}, {killed} points of jobs in the pool"), flush=True)
            if points := workflow_points(options.workflows):
                rounds.each(killings(in_pool, points), points)
                print(rounds.tally.line(f"{title}, twice {len(points)} points of workflows and rescues"), flush=True)
        if options.random:
            rounds.at_random(options.random, options.seed, scenarios)
            print(rounds.tally.line(f"{title}, and {options.random:g} s at random (seed {options.seed})"), flush=True)
        rounds.nothing_open()
    finally:
        if in_pool is not None:
            in_pool.close()
        stack.stop(keep_folder=options.keep)
    for problem in rounds.tally.problems:
        print(problem, file=sys.stderr)
    print(
        json.dumps(
            {
                "rounds": rounds.tally.rounds,
                "killed": rounds.tally.killed.total(),
                "seconds": round(time.monotonic() - began),
                **{kind: rounds.tally.counts[kind] for kind in ("lost", "doubled", "stuck", "wrong")},
            }
        )
    )
    return 1 if rounds.tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
