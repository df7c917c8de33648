"""Draws monthly precipitation as an SVG that stands alone: its own background, no script, nothing from elsewhere."""

import calendar
import math
from collections.abc import Sequence
from itertools import groupby
from typing import Protocol

WIDTH, HEIGHT = 960, 440
LEFT, RIGHT, TOP, BOTTOM = 64, 936, 120, 372  # the plotting area
PAPER, FRAME, GRID, AXIS = "#ffffff", "#d5dae0", "#e6e9ed", "#8a94a0"
INK, GREY, BAR, PEAK, MEAN = "#1d2731", "#55606c", "#4a8dbf", "#14568c", "#b4530a"
FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
NAMES = tuple(calendar.month_name)[1:]


class Month(Protocol):
    """What the plot needs to know of a month."""

    year: int
    month: int
    precipitation_mm: float


def precipitation_svg(months: Sequence[Month], place: str = "Seattle") -> str:
    """The plot of `months`, which follow one another without a gap; at least one."""
    amounts = [float(month.precipitation_mm) for month in months]
    step = tick_step(max(amounts))
    top_value = step * max(1, math.ceil(max(amounts) / step))
    band = min((RIGHT - LEFT) / len(months), 64)

    def x(index: float) -> float:
        return LEFT + index * band

    def y(amount: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * amount / top_value

    first, last = months[0].year, months[-1].year
    years = str(first) if first == last else f"{first}\N{EN DASH}{last}"
    means = calendar_means(months)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-labelledby="title description" font-family="{FONT}" font-size="12">',
        f'<title id="title">Monthly precipitation in {place}, {years}</title>',
        f'<desc id="description">{description(months)}</desc>',
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="8" fill="{PAPER}" stroke="{FRAME}"/>',
        text(LEFT - 40, 40, f"Monthly precipitation in {place}, {years}", INK, size=20, weight=600),
        text(LEFT - 40, 64, "Sum of the daily amounts", GREY, size=13),
        *legend(bool(means), years),
        text(LEFT - 8, TOP - 12, "mm", GREY, anchor="end"),
        *(grid_line(y(tick * step), tick * step) for tick in range(round(top_value / step) + 1)),
    ]
    peak = amounts.index(max(amounts))
    for index, (month, amount) in enumerate(zip(months, amounts, strict=True)):
        parts.append(bar(month, amount, x(index), y(amount), band, PEAK if index == peak else BAR))
    if means:
        levels = [y(means[month.month]) for month in months]
        line = " ".join(f"M{x(i):.2f} {level:.2f}H{x(i + 1):.2f}" for i, level in enumerate(levels))
        parts.append(f'<path d="{line}" stroke="{PAPER}" stroke-width="3.5"/>')
        parts.append(f'<path class="mean" d="{line}" stroke="{MEAN}" stroke-width="2"/>')
    parts.append(f'<path d="M{LEFT} {BOTTOM}H{x(len(months)):.2f}" stroke="{AXIS}"/>')
    parts.append(peak_label(months[peak], amounts[peak], x(peak + 0.5), y(amounts[peak])))
    parts.extend(month_labels(months, x, band))
    parts.extend(year_labels(months, x))
    return "\n".join(parts) + "\n</svg>\n"


def tick_step(largest: float) -> float:
    """The 1, 2 or 5 times a power of ten that cuts 0…largest into at most six parts."""
    raw = max(largest, 1) / 6
    power = 10 ** math.floor(math.log10(raw))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)


def calendar_means(months: Sequence[Month]) -> dict[int, float]:
    """The mean of all Januaries, all Februaries, …; empty where no calendar month occurs twice."""
    amounts: dict[int, list[float]] = {}
    for month in months:
        amounts.setdefault(month.month, []).append(float(month.precipitation_mm))
    if all(len(values) == 1 for values in amounts.values()):
        return {}
    return {number: math.fsum(values) / len(values) for number, values in amounts.items()}


def description(months: Sequence[Month]) -> str:
    wettest = max(months, key=lambda month: month.precipitation_mm)
    driest = min(months, key=lambda month: month.precipitation_mm)
    extremes = f"The wettest is {amount_of(wettest)}; the driest is {amount_of(driest)}."
    return f"A bar for each of {len(months)} months. {extremes}"


def amount_of(month: Month) -> str:
    return f"{NAMES[month.month - 1]} {month.year} with {float(month.precipitation_mm):.1f} mm"


def text(x: float, y: float, words: str, fill: str, size: int = 12, weight: int = 400, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" fill="{fill}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{words}</text>'
    )


def legend(with_means: bool, years: str) -> list[str]:
    parts = [
        f'<rect x="{LEFT - 40}" y="78" width="10" height="10" rx="1.5" fill="{BAR}"/>',
        text(LEFT - 24, 87, "month", GREY),
        f'<rect x="{LEFT + 32}" y="78" width="10" height="10" rx="1.5" fill="{PEAK}"/>',
        text(LEFT + 48, 87, "wettest month", GREY),
    ]
    if with_means:
        parts.append(f'<path d="M{LEFT + 148} 83h18" stroke="{MEAN}" stroke-width="2"/>')
        parts.append(text(LEFT + 172, 87, f"mean of this calendar month, {years}", GREY))
    return parts


def grid_line(level: float, amount: float) -> str:
    label = text(LEFT - 8, level + 4, f"{amount:g}", GREY, anchor="end")
    return f'<path d="M{LEFT} {level:.2f}H{RIGHT}" stroke="{GRID}"/>{label}'


def bar(month: Month, amount: float, left: float, top: float, band: float, fill: str) -> str:
    gap = band * 0.14
    return (
        f'<rect class="bar" x="{left + gap:.2f}" y="{top:.2f}" width="{band - 2 * gap:.2f}" '
        f'height="{BOTTOM - top:.2f}" fill="{fill}"><title>{amount_of(month)}</title></rect>'
    )


def peak_label(month: Month, amount: float, middle: float, top: float) -> str:
    anchor = "start" if middle < LEFT + 60 else "end" if middle > RIGHT - 60 else "middle"
    label = f"{NAMES[month.month - 1][:3]} {month.year}: {amount:.1f} mm"
    halo = f'<g stroke="{PAPER}" stroke-width="5" stroke-linejoin="round" paint-order="stroke">'
    return f"{halo}{text(middle, top - 7, label, PEAK, weight=600, anchor=anchor)}</g>"


def month_labels(months: Sequence[Month], x, band: float) -> list[str]:
    if band < 11:  # px: narrower, the letters would touch
        return []
    return [
        text(x(index + 0.5), BOTTOM + 16, NAMES[month.month - 1][0], GREY, size=10, anchor="middle")
        for index, month in enumerate(months)
    ]


def year_labels(months: Sequence[Month], x) -> list[str]:
    """Each year's name and sum under its months, and a rule between years; of many years only every second, fifth, …"""
    every = next(years for years in (1, 2, 5, 10, 20, 50, 100, 1000) if years * (x(12) - x(0)) >= 40)
    parts = []
    start = 0
    for year, group in groupby(months, key=lambda month: month.year):
        rows = list(group)
        left, right = x(start), x(start + len(rows))
        if start and year % every == 0:
            parts.append(f'<path d="M{left:.2f} {TOP}V{BOTTOM + 48}" stroke="{AXIS}" stroke-dasharray="2 3"/>')
        if right - left >= 34 or (every > 1 and year % every == 0):
            parts.append(text((left + right) / 2, BOTTOM + 36, str(year), INK, size=13, weight=600, anchor="middle"))
        if right - left >= 90:
            total = math.fsum(float(row.precipitation_mm) for row in rows)
            parts.append(text((left + right) / 2, BOTTOM + 53, f"{total:,.0f} mm", GREY, anchor="middle"))
        start += len(rows)
    return parts
