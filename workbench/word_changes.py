"""Word changes: which words of a text went and which came, found in bounded time however long and repetitive the text is."""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Iterator, Sequence

Words = Sequence[str]
Change = tuple[str, int, int, int, int]
"""Kind ("equal", "replace", "delete" or "insert"), start and end in the old words, start and end in the new ones: as in difflib."""

EXACT = 40_000
"""Pairs of words that are compared one by one. difflib alone takes minutes for a page of text, in which every second word is a space."""
_RUNS = (24, 8, 3, 1)
"""Words in a row. A stretch with more pairs is cut where both sides hold the same run exactly once, the longest runs first
(patience diff, Cohen 2003, with runs for lines)."""
_WINDOW = 200


def word_changes(old: Words, new: Words) -> list[Change]:
    """How `new` comes of `old`, in order and without gaps: of short texts as difflib finds it, of long ones at times in larger pieces."""
    changes: list[Change] = []
    i = k = equal_from = 0  # all before i and k is told, but for the equal words from equal_from
    for a, b, size in (*_matches(old, new, (0, len(old)), (0, len(new)), _RUNS), (len(old), len(new), 0)):
        if (a, b) != (i, k):
            if equal_from < i:
                changes.append(("equal", equal_from, i, equal_from - i + k, k))
            changes.append(("replace" if a > i and b > k else "delete" if a > i else "insert", i, a, k, b))
            equal_from = a
        i, k = a + size, b + size
    if equal_from < i:
        changes.append(("equal", equal_from, i, equal_from - i + k, k))
    return changes


def _matches(old: Words, new: Words, olds: tuple[int, int], news: tuple[int, int], runs: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Equal stretches of old[i:j] and new[k:end], in order: start in the old words, start in the new ones, length."""
    (i, j), (k, end) = olds, news
    if i == j or k == end:
        return
    if (j - i) * (end - k) <= EXACT:
        matcher = difflib.SequenceMatcher(None, old[i:j], new[k:end], autojunk=False)
        yield from ((i + a, k + b, size) for a, b, size in matcher.get_matching_blocks() if size)
        return
    head = _equal_length(old, new, (i, j), (k, end))
    if head:
        yield i, k, head
    i, k = i + head, k + head
    tail = 0
    while tail < min(j - i, end - k) and old[j - 1 - tail] == new[end - 1 - tail]:
        tail += 1
    j, end = j - tail, end - tail
    for place, run in enumerate(runs):
        anchors = _anchors(old, new, (i, j), (k, end), run)
        for a, b in anchors:
            if a < i or b < k:  # inside the stretch before
                continue
            yield from _matches(old, new, (i, a), (k, b), runs[place + 1 :])
            size = _equal_length(old, new, (a, j), (b, end))
            yield a, b, size
            i, k = a + size, b + size
        if anchors:
            yield from _matches(old, new, (i, j), (k, end), runs[place + 1 :])
            break
    else:
        yield from _window_matches(old, new, (i, j), (k, end))
    if tail:
        yield j, end, tail


def _window_matches(old: Words, new: Words, olds: tuple[int, int], news: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    """As `_matches`, of stretches that nothing cuts: compared piece by piece from the front, each piece from where the last match ended."""
    (i, j), (k, end) = olds, news
    while i < j and k < end:
        pieces = old[i : min(i + _WINDOW, j)], new[k : min(k + _WINDOW, end)]
        blocks = [block for block in difflib.SequenceMatcher(None, *pieces, autojunk=False).get_matching_blocks() if block.size]
        yield from ((i + a, k + b, size) for a, b, size in blocks)
        a, b, size = blocks[-1] if blocks else (0, 0, 0)
        if max(a, b) + size < _WINDOW // 2:  # nearly nothing in common: half of the piece, so that the work stays bounded
            a, b, size = _WINDOW // 2, _WINDOW // 2, 0
        i, k = i + a + size, k + b + size


def _equal_length(old: Words, new: Words, olds: tuple[int, int], news: tuple[int, int]) -> int:
    (i, j), (k, end) = olds, news
    size = 0
    while i + size < j and k + size < end and old[i + size] == new[k + size]:
        size += 1
    return size


def _anchors(old: Words, new: Words, olds: tuple[int, int], news: tuple[int, int], run: int) -> list[tuple[int, int]]:
    """Where runs stand that both sides hold once: the most of them that come in the same order on both."""
    here, there = _once(old, olds, run), _once(new, news, run)
    pairs = [(at, there[words]) for words, at in here.items() if words in there]
    ends: list[int] = []  # the smallest place in `new` at which a chain of each length can end
    last: list[int] = []  # which pair that is
    before: list[int | None] = []
    for number, (_, at) in enumerate(pairs):
        length = bisect_left(ends, at)
        before.append(last[length - 1] if length else None)
        ends[length : length + 1], last[length : length + 1] = [at], [number]
    chain = []
    number_or_none = last[-1] if last else None
    while number_or_none is not None:
        chain.append(pairs[number_or_none])
        number_or_none = before[number_or_none]
    return chain[::-1]


def _once(words: Words, within: tuple[int, int], run: int) -> dict[tuple[str, ...], int]:
    start, end = within
    place: dict[tuple[str, ...], int] = {}
    for at in range(start, end - run + 1):
        found = tuple(words[at : at + run])
        place[found] = -1 if found in place else at
    return {found: at for found, at in place.items() if at >= 0}
