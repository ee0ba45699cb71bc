"""Speed of each check that looks at records one by one, on one core.

Run: python tests/benchmarks/bench_checks.py [--rows 20000] [--set alpaca_en]
Prints the mean length of the rows, rows per second of each check and of all together, in CPU seconds, over batches of the size that a
scan uses. The rows are those of ../shared/datasets, repeated; generated ones where that folder is absent.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pyarrow as pa

from pipelines.checks import Batch, all_checks
from pipelines.records import Message, Record
from pipelines.store.tables import records_to_table

SHARED = Path(__file__).resolve().parents[3] / "shared" / "datasets"
BATCH_ROWS = 2_000
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


def generated_records(count: int) -> Iterator[Record]:
    """Sentences of random words, some with what the checks look for."""
    choose = random.Random(0)
    words = ["".join(choose.choices("abcdefghijklmnopqrstuvwxyz", k=choose.randint(2, 9))) for _ in range(5_000)]
    finds = [
        "I'm sorry, but I can't help with that.",
        "ann@firm.org",
        "call (415) 555-0182",
        "[Your Name]",
        "FranÃ§oise",
        "<br>",
        '{"a": 1}',
    ]
    for i in range(count):
        sentences = [" ".join(choose.choices(words, k=choose.randint(6, 18))).capitalize() + "." for _ in range(choose.randint(2, 9))]
        if i % 20 == 0:
            sentences.insert(choose.randrange(len(sentences)), choose.choice(finds))
        yield Record((Message("user", sentences[0]), Message("assistant", " ".join(sentences))))


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
    batches = [pa.Table.from_batches([batch]) for batch in table.to_batches(max_chunksize=BATCH_ROWS)]
    spent = {name: cpu_seconds(check.measure, batches) for name, check in all_checks().items() if check.scope == "batch"}
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"{name:<24}{len(records) / seconds:>12,.0f} rows/s {1e6 * seconds / len(records):>8.1f} µs/row")
    print(f"{'all ' + str(len(spent)) + ' together':<24}{len(records) / sum(spent.values()):>12,.0f} rows/s")


def cpu_seconds(measure, batches: list[pa.Table]) -> float:
    measure(Batch(batches[0].slice(0, 50)))  # imports, models and patterns are loaded once a process
    began = time.process_time()
    for batch in batches:
        measure(Batch(batch))
    return max(time.process_time() - began, 1e-6)


if __name__ == "__main__":
    main()
