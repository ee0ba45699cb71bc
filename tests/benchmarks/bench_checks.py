"""Speed of each check that looks at records one by one, on one core.

Run: python -m tests.benchmarks.bench_checks [--rows 20000] [--set alpaca_en]
Prints the mean length of the rows, rows per second of each check and of all together, in CPU seconds, over batches of the size that a
scan uses. What the checks share of a batch (its turns, those of the assistant) has a line of its own. The rows are those of ../shared/datasets, repeated; generated ones where that folder is absent.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from itertools import cycle, islice

import pyarrow as pa

from pipelines.checks import Batch, all_checks
from pipelines.checks._turns import content_bytes, flow, turns_of
from pipelines.measurement import BATCH_ROWS
from pipelines.records import Message, Record
from pipelines.store.tables import records_to_table
from tests.benchmarks.mixed_rows import SHARED, generated_records

SETS = {
    "alpaca_en": ("alpaca_en_demo.json", "output"),
    "alpaca_zh": ("alpaca_zh_demo.json", "output"),
    "codegen": ("gpteacher_codegen.json", "response"),
    "roleplay": ("gpteacher_roleplay.json", "response"),
}


def shared_records(name: str) -> Iterator[Record]:
    file, column = SETS[name]
    for row in json.loads((SHARED / file).read_text(encoding="utf-8")):
        prompt = "\n\n".join(part for part in (row["instruction"], row["input"]) if part)
        yield Record((Message("user", prompt), Message("assistant", row[column])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--set", choices=[*SETS, "all", "generated"], default="all" if SHARED.is_dir() else "generated")
    options = parser.parse_args()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    names = list(SETS) if options.set == "all" else [options.set]
    some = list(generated_records(2_000)) if options.set == "generated" else [r for name in names for r in shared_records(name)]
    random.Random(0).shuffle(some)
    records = list(islice(cycle(some), options.rows))
    table = records_to_table(records)
    length = sum(len(m.content) for r in records for m in r.messages) / len(records)
    print(f"{options.set}: {len(records):,} rows of {length:,.0f} characters, batches of {BATCH_ROWS:,}")
    batches = [Batch(pa.Table.from_batches([batch])) for batch in table.to_batches(max_chunksize=BATCH_ROWS)]
    share(Batch(table.slice(0, 50)))
    spent = {"shared by the checks": cpu_seconds(share, batches)}
    for name, check in all_checks().items():
        if check.scope == "batch":
            check.measure(Batch(table.slice(0, 50)))  # imports, models and patterns are loaded once a process
            spent[name] = cpu_seconds(check.measure, batches)
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"{name:<24}{len(records) / seconds:>12,.0f} rows/s {1e6 * seconds / len(records):>8.1f} µs/row")
    print(f"{'all together':<24}{len(records) / sum(spent.values()):>12,.0f} rows/s")


def share(batch: Batch) -> None:
    """What several checks look at."""
    turns_of(batch, ["assistant"])
    content_bytes(batch)
    flow(batch)


def cpu_seconds(work, batches: list[Batch]) -> float:
    began = time.process_time()
    for batch in batches:
        work(batch)
    return max(time.process_time() - began, 1e-6)


if __name__ == "__main__":
    main()
