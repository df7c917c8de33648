"""Which tasks are read for a page: those of some blocks, as ranges of numbers.

The blocks are read first and their tasks by these ranges, not both by one join: of that PostgreSQL makes, from statistics of
when there were fewer tasks, a walk over all tasks for each block.
"""

from collections.abc import Iterable
from itertools import pairwise

from django.db.models import Q

from jobs.farm.blocks import SIZE

MOST_RANGES = 50
"""In one statement; where there would be more, blocks that lie between are read with the others."""


def in_blocks(blocks: Iterable[int]) -> Q:
    """The condition that a task is in one of these blocks, or, where they are many, in one that lies between."""
    found = Q(pk__in=[])
    for first, last in _ranges(sorted(blocks)):
        found |= Q(number__gte=first * SIZE, number__lt=(last + 1) * SIZE)
    return found


def _ranges(blocks: list[int]) -> list[tuple[int, int]]:
    """First and last blocks of runs of blocks, joined over the narrowest gaps until they are few enough."""
    if not blocks:
        return []
    gaps = [(after - before, before, after) for before, after in pairwise(blocks) if after - before > 1]
    gaps = sorted(sorted(gaps, reverse=True)[: MOST_RANGES - 1], key=lambda gap: gap[1])
    firsts = [blocks[0], *(after for _, _, after in gaps)]
    lasts = [*(before for _, before, _ in gaps), blocks[-1]]
    return list(zip(firsts, lasts, strict=True))
