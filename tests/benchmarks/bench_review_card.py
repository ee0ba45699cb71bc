"""How fast the review card is: from key press to the next row painted, and whether a steady stream of keys is all saved.

Run: python -m tests.benchmarks.bench_review_card [--rows 1000] [--keys 300] [--per-second 10]
On a shared machine the times are those of the machine's load.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import pyarrow as pa

from pipelines.curation.decisions import log
from pipelines.records import Message, Record
from pipelines.store.project import Project
from pipelines.store.tables import SOURCE_ROW_SCHEMA, records_to_table, write_parquet
from tests.workbench.browser import Server, chromium, open_card, type_keys, wait_until_saved

PART = 20_000
MEASURE = """
  globalThis.painted = [];
  globalThis.isMeasured = false;
  window.addEventListener("keydown", (event) => {
    if (!globalThis.isMeasured) return;
    const pressed = event.timeStamp;
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => painted.push(performance.now() - pressed); // runs after the frame was painted
      channel.port2.postMessage(null);
    });
  }, true);
"""
SCRIPT = """() => {
  globalThis.handled = [];
  globalThis.isMeasured = true;
  const act = review.act.bind(review);
  review.act = (action, key) => { const begun = performance.now(); act(action, key); handled.push(performance.now() - begun); };
}"""


def fill(project: Project, rows: int) -> None:
    """Rows of two paragraphs, as an import would leave them."""
    for first in range(0, rows, PART):
        answers = "Open the settings, choose the item and confirm it with your password. It takes about a minute. " * 6
        records = [
            Record((Message("user", f"How do I do thing number {i}?"), Message("assistant", f"{i}. {answers}")))
            for i in range(first, min(rows, first + PART))
        ]
        table = records_to_table(records, first)
        ids = table.column("id").to_pylist()
        source = {
            "record": ids,
            "source": ["x"] * len(ids),
            "file": ["rows.jsonl"] * len(ids),
            "row": range(first + 1, first + 1 + len(ids)),
            "meta": [None] * len(ids),
        }
        write_parquet(table, project.records_folder / f"0001-x-{first // PART:05d}.parquet")
        write_parquet(pa.table(source, schema=SOURCE_ROW_SCHEMA), project.source_rows_folder / f"0001-x-{first // PART:05d}.parquet")


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main(rows: int, keys: int, per_second: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        project = Project.create(home / "bench")
        fill(project, rows)
        server = Server(home)
        server.start()
        try:
            with chromium() as browser:
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.add_init_script(MEASURE)  # before the card's own listener, which lets no key through
                begun = time.perf_counter()
                open_card(page, server.url(project, "&order=import"))
                print(f"{rows:,} rows: the first row and its counts after {time.perf_counter() - begun:.1f} s")
                page.wait_for_function("() => review.session.deck.ahead >= 40 || review.session.deck.isEnd", timeout=60_000)
                page.evaluate(SCRIPT)
                type_keys(page, ("kdkf" * keys)[:keys], per_second)
                wait_until_saved(page)
                painted, handled = page.evaluate("() => [painted, handled]")
                saved = len(log(project))
        finally:
            server.kill()
    print(f"{keys} keys at {per_second:g} a second: {saved} decisions saved")
    for name, times in (("key press to next row painted", painted), ("of it, our code", handled)):
        print(
            f"{name}: median {statistics.median(times):.1f} ms, 95 % under {percentile(times, 0.95):.1f} ms, worst {max(times):.1f} ms (n = {len(times)})"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--per-second", type=float, default=10)
    given = parser.parse_args()
    main(given.rows, given.keys, given.per_second)
