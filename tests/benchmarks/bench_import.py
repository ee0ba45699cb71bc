"""Import: rows a second and peak memory, beside `datasets.load_dataset("json")` on the same file.

Run: python tests/benchmarks/bench_import.py [rows]
Each side runs in a process of its own; the time is that of the call, without imports.
"""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

WORDS = ["account", "invoice", "renew", "domain", "server", "mail", "backup", "restore", "login", "reset", "update", "change", "refund"]
SIDES = {
    "import_source": """
import sys, time, resource
from pipelines.sources.ingest import import_source
from pipelines.store.project import Project
project = Project.create(sys.argv[2] + "/project")
began, cpu = time.perf_counter(), time.process_time()
report = import_source(project, sys.argv[1])
seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
assert report.rows_read == report.records + report.duplicate_rows + report.rejected
print(report.rows_read, seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
""",
    "the same again": """
import sys, time, resource
from pipelines.sources.ingest import import_source
from pipelines.store.project import Project
project = Project.create(sys.argv[2] + "/project")
began, cpu = time.perf_counter(), time.process_time()
report = import_source(project, sys.argv[1])
seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
assert report.records == 0, report
print(report.rows_read, seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
""",
    "preview": """
import sys, time, resource
from pipelines.sources.ingest import preview
began, cpu = time.perf_counter(), time.process_time()
seen = preview(sys.argv[1])
seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
print(len(seen.rows), seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
""",
    "datasets.load_dataset": """
import sys, time, resource
import datasets
datasets.disable_progress_bars()
began, cpu = time.perf_counter(), time.process_time()
rows = datasets.load_dataset("json", data_files=sys.argv[1], split="train", cache_dir=sys.argv[2] + "/cache")
seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
print(len(rows), seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
""",
}


def write_rows(path: Path, rows: int) -> None:
    """OpenAI conversations of two turns, about 200 characters a line, one in fifty a duplicate."""
    random.seed(7)
    with path.open("w", encoding="utf-8") as file:
        line = ""
        for number in range(rows):
            if number % 50 != 49:
                question, answer = (" ".join(random.choices(WORDS, k=9)) for _ in range(2))
                messages = [{"role": "user", "content": f"{question} {number}?"}, {"role": "assistant", "content": f"{answer}."}]
                line = json.dumps({"messages": messages, "ticket": number}) + "\n"
            file.write(line)


def main() -> None:
    """Prints one line a side."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        write_rows(path, rows)
        print(f"{rows:,} rows, {path.stat().st_size / rows:.0f} bytes a row")
        for side, code in SIDES.items():
            done = subprocess.run([sys.executable, "-c", code, str(path), folder], capture_output=True, text=True, check=True)
            count, seconds, cpu, kilobytes = done.stdout.split()
            speed = f"{int(count) / float(seconds):>10,.0f} rows/s"
            print(f"{side:<22} {speed}  {float(seconds):6.2f} s  {float(cpu):6.2f} s of CPU  peak {int(kilobytes) / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
