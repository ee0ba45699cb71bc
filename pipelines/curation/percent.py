"""Percent: shares as people read them."""


def percent(part: float, whole: float) -> str:
    """A percentage for people, with a decimal near the ends; 0 % or 100 % only when it is exactly that."""
    if not whole or part in (0, whole):
        return "100 %" if whole and part == whole else "0 %"
    value = 100 * part / whole
    if value < 0.1 or value > 99.9:
        return "under 0.1 %" if value < 0.1 else "over 99.9 %"
    return f"{value:.1f} %" if value < 9.95 or value > 90 else f"{value:.0f} %"
