"""Fuzzing of the import: damaged files of every kind come in, and none of them stops the rest, hangs or loses a row.

Run: python -m tests.fuzz.imports [--inputs 1000000] [--seed 0] [--jobs 2] [--only NUMBER]

An input is one file with one to six rows, written in a format and a kind of file that the importer knows, most of them with changed
values, changed bytes or a cut. Files are imported a folder at a time, as users bring them. After each import:

- it has not crashed: the only error it may raise is a sentence (WorkbenchError), and not even that, since each folder holds a good file;
- it took less than 10 s a file;
- rows read = new records + merged rows + rejected rows, counted anew in what was stored;
- each rejected row has a reason that is a sentence, and its text;
- each row's marker, a word of its own, stands in a record or in the quarantine: nothing was lost.

An input that fails is written out by its number, and `--only NUMBER` makes it again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from pipelines.errors import WorkbenchError
from pipelines.sources.ingest import import_source
from pipelines.sources.quarantine import read_quarantine
from pipelines.sources.rows import MAX_RAW_CHARACTERS
from pipelines.store import query
from pipelines.store.project import Project
from tests.fuzz.files import Input, make_input, marks_in

IN_A_FOLDER = 200
SECONDS_A_FILE = 10
_MERGED = "SELECT file FROM source_rows WHERE record IN (SELECT record FROM source_rows GROUP BY record HAVING count(*) > 1)"
_GOOD = '{"question": "The good row", "answer": "comes in, whatever lies beside it."}\n'


@dataclass
class Outcome:
    """What one folder of inputs came to."""

    inputs: int = 0
    rows: int = 0
    records: int = 0
    merged: int = 0
    rejected: int = 0
    markers: int = 0
    slowest: float = 0.0
    failures: dict[int, str] = field(default_factory=dict)
    """By number of the input, what went wrong."""

    def add(self, other: Outcome) -> None:
        for name in ("inputs", "rows", "records", "merged", "rejected", "markers"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.slowest = max(self.slowest, other.slowest)
        self.failures |= other.failures


class TooSlow(Exception):
    """An import went on for longer than it may."""


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlow(f"still running after {seconds:.0f} s in\n" + "".join(traceback.format_stack(frame)[-6:]))

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def import_inputs(inputs: list[Input]) -> Outcome:
    """Imports the files as one folder, beside a good one. Raises AssertionError, or whatever the import raised, when something is wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "files"
        folder.mkdir()
        for one in inputs:
            (folder / one.name).write_bytes(one.data)
        (folder / "good.jsonl").write_text(_GOOD)
        project = Project.create(Path(name) / "project")
        begun = time.monotonic()
        with _at_most(SECONDS_A_FILE * max(len(inputs) // 20, 1)):
            report = import_source(project, folder)
        outcome = Outcome(
            len(inputs), report.rows_read, report.records, report.duplicate_rows, report.rejected, slowest=time.monotonic() - begun
        )
        assert report.rows_read == report.records + report.duplicate_rows + report.rejected, f"the report does not add up: {report}"
        rejections = list(read_quarantine(Path(report.quarantine)))
        with query.connect(project) as connection:
            kept = connection.execute("SELECT to_json(r)::VARCHAR FROM records AS r").fetchall()
            # Of equal rows the first is kept: what stands only beside the conversation of another goes, its place stays.
            merged = {_number(file) for (file,) in connection.execute(_MERGED).fetchall()}
            counted = connection.execute("SELECT count(*), count(DISTINCT record) FROM source_rows").fetchone()
    assert len(rejections) == report.rejected, f"{report.rejected} rejected, {len(rejections)} in quarantine"
    assert counted == (report.records + report.duplicate_rows, report.records), f"{counted} rows and records stored: {report}"
    assert len(kept) == report.records, f"{report.records} records, {len(kept)} stored"
    for one in rejections:
        assert one.reason.rstrip('"”)').endswith((".", "?")), f"{one.file} row {one.row}: no sentence: {one.reason!r}"
    texts = [text for (text,) in kept] + [text for one in rejections for text in (one.raw, one.reason)] + report.notes
    said = "\n".join(texts)
    # Behind a lost byte of UTF-16 all characters are others, made of the same bytes in the same order.
    found = marks_in(said.encode("utf-8", "replace")) | marks_in(said.encode("utf-16-be", "surrogatepass"))
    told = {_number(one.file) for one in rejections if not one.row or not one.raw or len(one.raw) >= MAX_RAW_CHARACTERS} | {
        _number(note) for note in report.notes if "not read" in note
    }
    partly = {_number(one.file) for one in rejections} | {_number(note) for note in report.notes}
    for one in inputs:
        number = _number(one.name)
        lost = set() if number in merged or number in (told if one.is_whole else told | partly) else one.marks - found
        assert not lost, f"{one.name}: lost {sorted(lost)}"
        outcome.markers += len(one.marks)
    return outcome


def _number(name: str) -> str:
    """The input that a name of a file, or a note about it, speaks of."""
    return name.split(".")[0].split("/")[0]


def _folder(numbers: range, seed: int) -> Outcome:
    """One folder; where it fails, each of its files alone, to learn which."""
    inputs = [make_input(number, seed) for number in numbers]
    try:
        outcome = import_inputs(inputs)
        if outcome.slowest < SECONDS_A_FILE:
            return outcome
        trouble = ""
    except Exception:  # whatever it is, it is what we look for
        trouble = traceback.format_exc()
    outcome = Outcome()
    for number, one in zip(numbers, inputs, strict=True):
        try:
            alone = import_inputs([one])
            assert alone.slowest < SECONDS_A_FILE, f"took {alone.slowest:.0f} s"
            outcome.add(alone)
        except Exception:
            outcome.failures[number] = traceback.format_exc()
    if trouble and not outcome.failures:
        outcome.failures[numbers[0]] = f"only together, {numbers[0]} to {numbers[-1]}: {trouble}"
    return outcome


def _one_folder(task: tuple[range, int]) -> Outcome:
    return _folder(*task)


def fuzz(inputs: int, seed: int, jobs: int = 1, *, is_loud: bool = False) -> Outcome:
    """Imports so many inputs and returns what came of them."""
    tasks = [(range(start, min(start + IN_A_FOLDER, inputs)), seed) for start in range(0, inputs, IN_A_FOLDER)]
    total, begun, told = Outcome(), time.monotonic(), 0.0
    if jobs == 1:
        outcomes: Iterator[Outcome] = map(_one_folder, tasks)
        pool = None
    else:
        pool = multiprocessing.get_context("spawn").Pool(jobs)
        outcomes = pool.imap_unordered(_one_folder, tasks)
    for outcome in outcomes:
        total.add(outcome)
        if is_loud and (time.monotonic() - told > 30 or outcome.failures):
            told = time.monotonic()
            print(
                f"{total.inputs:>9,} inputs, {total.rows:,} rows, {len(total.failures)} failures, {total.inputs / (told - begun):,.0f}/s",
                flush=True,
            )
            for number, trouble in outcome.failures.items():
                print(f"--- input {number}\n{trouble}", flush=True)
    if pool is not None:
        pool.close()
        pool.join()
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="make and import this input alone")
    options = parser.parse_args()
    if options.only is not None:
        one = make_input(options.only, options.seed)
        print(one.name, one.data[:3_000], sep="\n")
        try:
            print(import_inputs([one]))
        except WorkbenchError as error:
            print(error)
            return 1
        return 0
    total = fuzz(options.inputs, options.seed, options.jobs, is_loud=True)
    print(
        f"{total.inputs:,} inputs: {total.rows:,} rows read = {total.records:,} records + {total.merged:,} merged + {total.rejected:,} in quarantine; "
        f"{total.markers:,} markers looked for, slowest folder {total.slowest:.1f} s; {len(total.failures)} failures"
    )
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
