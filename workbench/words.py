"""Words: numbers, times and names as people say them, and text that is safe to show."""

from __future__ import annotations

import re
from datetime import UTC, datetime

STATE_WORDS = {
    "starting": "Starting",
    "running": "Running",
    "done": "Finished",
    "failed": "Failed",
    "cancelled": "Stopped",
    "lost": "Lost",
}
SEVERITY_WORDS = {"error": "Serious", "warning": "Worth a look", "info": "For your information"}
VERDICT_WORDS = {"keep": "Kept", "drop": "Dropped", "flag": "Flagged", None: "Undecided"}

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$&@/])")


def escaped(text: object) -> str:
    """The text as Markdown that shows it literally: no formatting, links, images, icons or formulas from untrusted text."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun: 1 row, 2,400 rows."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share(part: float, whole: float) -> str:
    """A percentage that is never 0 % or 100 % unless it is exactly that; an empty text without a whole."""
    if whole <= 0:
        return ""
    if part == 0 or part == whole:
        return f"{100 * part / whole:.0f} %"
    percent = 100 * part / whole
    if percent < 1:
        return "under 1 %"
    return "over 99 %" if percent > 99 else f"{percent:.0f} %"


def percent(fraction: float) -> str:
    """A share of 1 as a whole percentage."""
    return f"{100 * fraction:.0f} %"


def duration(seconds: float) -> str:
    """A length of time in one or two units: 8 s, 4 min, 2 h 10 min."""
    if seconds < 60:
        return f"{max(seconds, 0):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes and hours < 24 else f"{hours} h"


def when(at: str | float | None) -> str:
    """A moment as local date and time, from ISO 8601 or seconds since the epoch."""
    if at is None:
        return ""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else datetime.fromtimestamp(at, UTC)
    return f"{moment.astimezone():%d %b %Y, %H:%M}"


def shortened(text: str, characters: int = 160) -> str:
    """One line of at most so many characters; a cut is shown by an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"


def file_size(size: int) -> str:
    """Bytes in the largest fitting unit."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
