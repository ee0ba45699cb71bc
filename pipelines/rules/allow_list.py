"""Allow-list: details that are no leak, such as a firm's own hotline. The privacy checks of a project pass over them."""

from __future__ import annotations

import fnmatch
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipelines.checks import Batch, Check, Evidence, Measurements, all_checks
from pipelines.errors import WorkbenchError
from pipelines.records import content_hash
from pipelines.store.project import Project

_SETTING = "allowed"
MOST_ENTRIES = 10_000
_GAPS = re.compile(r"[\s().\-/\u00a0\u2011]+")


def allowed(project: Project) -> list[str]:
    """What may stand in the rows of a project, in the order it was given."""
    return [str(entry) for entry in project.setting(_SETTING, [])]


def save_allowed(project: Project, entries: Iterable[str]) -> list[str]:
    """Makes these the allow-list, without blank lines and repeats, and returns it. A `*` in an entry stands for any characters.

    The rows are measured anew by the next scan. Raises WorkbenchError for an entry that would allow everything.
    """
    kept = list(dict.fromkeys(entry.strip() for entry in entries if entry.strip()))
    for entry in kept:
        if not entry.strip("*?"):
            raise WorkbenchError(f'"{entry}" would allow everything. Write what the allowed details have in common, such as *@firm.com.')
    if len(kept) > MOST_ENTRIES:
        raise WorkbenchError(f"That are {len(kept):,} entries; {MOST_ENTRIES:,} are the most. Use a * for those that are alike.")
    project.set_setting(_SETTING, kept)
    _forget_replaced(project, kept)
    return kept


def privacy_checks() -> list[str]:
    """Names of the checks that the list is for."""
    return [name for name, check in all_checks().items() if check.group == "privacy"]


def passing_over(checks: dict[str, Check], entries: Sequence[str]) -> dict[str, Check]:
    """The checks, those about privacy without what is allowed. They keep their measurements under a key of their own."""
    if not entries:
        return checks
    pattern = _pattern(entries)
    return {name: _passing_over(check, pattern, _mark(entries)) if check.group == "privacy" else check for name, check in checks.items()}


def _mark(entries: Sequence[str]) -> str:
    return "allow-" + content_hash("\n".join(sorted(map(_plain, entries))))[:12]


def _passing_over(check: Check, pattern: re.Pattern[str], mark: str) -> Check:
    def measure(batch: Batch) -> Measurements:
        return _without_allowed(check.measure(batch), batch, pattern)

    return replace(check, measure=measure, folder=f"{check.key}-{mark}")


def _without_allowed(found: Measurements, batch: Batch, pattern: re.Pattern[str]) -> Measurements:
    if found.evidence is None or not any(found.evidence):
        return found
    contents = _contents(batch, [record for record, spans in enumerate(found.evidence) if spans])
    values, evidence = list(found.values), list(found.evidence)
    for record, spans in enumerate(found.evidence):
        kept = [span for span in spans if not pattern.fullmatch(_plain(_detail(span, contents.get(record, {}))))]
        if len(kept) < len(spans):
            values[record] = float(len(kept))
            evidence[record] = kept
    return Measurements(values, evidence)


def _contents(batch: Batch, records: Sequence[int]) -> dict[int, dict[int, str]]:
    """The texts of the turns of some records."""
    import pyarrow as pa
    import pyarrow.compute as pc

    turns = batch.turns.select(["record", "turn", "content"])
    wanted = turns.filter(pc.is_in(turns.column("record"), pa.array(records, turns.schema.field("record").type)))
    contents: dict[int, dict[int, str]] = {}
    for record, turn, content in zip(*(column.to_pylist() for column in wanted.columns), strict=True):
        contents.setdefault(record, {})[turn] = content
    return contents


def _detail(span: Evidence, contents: dict[int, str]) -> str:
    if span.detail or span.turn is None or span.start is None:
        return span.detail
    return contents.get(span.turn, "")[span.start : span.end]


def _plain(detail: str) -> str:
    """A detail without what people write differently: case, and the gaps within a number."""
    return _GAPS.sub("", detail).casefold()


def _pattern(entries: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(_plain(entry)) for entry in entries))


def _forget_replaced(project: Project, entries: Sequence[str]) -> None:
    """Deletes the measurements under other allow-lists: they can be made again."""
    for folder in project.measurements_folder.glob("*-allow-*"):
        if not (entries and folder.name.endswith(_mark(entries))):
            shutil.rmtree(folder, ignore_errors=True)
