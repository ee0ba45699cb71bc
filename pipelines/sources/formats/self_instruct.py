"""Self-Instruct format: an instruction with several instances, each with its own input and output; each is one row."""

from __future__ import annotations

from typing import Any

from pipelines.sources.formats.alpaca import ALPACA, INSTRUCTION_COLUMNS
from pipelines.sources.formats.format import Columns, Format, Row, Unfit
from pipelines.sources.formats.openai import SYSTEM_COLUMNS
from pipelines.sources.rows import kind_of


def _expand(row: Row, columns: Columns) -> list[dict[str, Any]]:
    column = columns["instances"]
    instances = row[column]
    if not isinstance(instances, list) or not instances:
        what = "an empty list" if instances == [] else kind_of(instances)
        raise Unfit(f'The column "{column}" is {what}, not a list of instances with an input and an output.')
    wrong = next((one for one in instances if not isinstance(one, dict)), None)
    if wrong is not None:
        raise Unfit(f'An instance in the column "{column}" is {kind_of(wrong)}, not an object with an input and an output.')
    around = {name: value for name, value in row.items() if name != column}
    return [around | {"instruction": row[columns["instruction"]]} | one for one in instances]


SELF_INSTRUCT = Format(
    name="self_instruct",
    fields={"instruction": INSTRUCTION_COLUMNS, "instances": ("instances",), "system": SYSTEM_COLUMNS},
    needs=(("instruction", "instances"),),
    convert=ALPACA.convert,
    expand=_expand,
    inner=ALPACA,
)
