"""Self-Instruct format: an instruction with several instances, each with its own input and output; each is one row."""

from __future__ import annotations

from typing import Any

from pipelines.sources.formats.alpaca import ALPACA, INSTRUCTION_COLUMNS
from pipelines.sources.formats.format import Columns, Format, Row, Unfit, plain_name
from pipelines.sources.formats.openai import SYSTEM_COLUMNS
from pipelines.sources.rows import kind_of

_EXAMPLES = {"positive_examples", "negative_examples"}
"""Columns of a task of Super-NaturalInstructions that would be repeated in the meta of each of its thousands of rows."""


def _expand(row: Row, columns: Columns) -> list[dict[str, Any]]:
    column = columns["instances"]
    instances = row[column]
    if not isinstance(instances, list) or not instances:
        what = "an empty list" if instances == [] else kind_of(instances)
        raise Unfit(f'The column "{column}" is {what}, not a list of instances with an input and an output.')
    wrong = [one for one in instances if not isinstance(one, dict)]
    if wrong:
        raise Unfit(f'An instance in the column "{column}" is {kind_of(wrong[0])}, not an object with an input and an output.')
    instruction = row[columns["instruction"]]
    if isinstance(instruction, list) and all(isinstance(part, str) for part in instruction):
        instruction = "\n\n".join(instruction)
    left_out = {column, *(name for name in row if plain_name(name) in _EXAMPLES)}
    around = {name: value for name, value in row.items() if name not in left_out}
    return [around | {"instruction": instruction} | _with_one_output(one) for one in instances]


def _with_one_output(instance: dict[str, Any]) -> dict[str, Any]:
    """The instance with the first of several outputs that are all right, and the others beside it."""
    output = instance.get("output")
    if not isinstance(output, list) or not output or not all(isinstance(text, str) for text in output):
        return instance
    return {**instance, "output": output[0]} | ({"other_outputs": output[1:]} if len(output) > 1 else {})


SELF_INSTRUCT = Format(
    name="self_instruct",
    fields={"instruction": (*INSTRUCTION_COLUMNS, "definition"), "instances": ("instances",), "system": SYSTEM_COLUMNS},
    needs=(("instruction", "instances"),),
    convert=ALPACA.convert,
    expand=_expand,
    inner=ALPACA,
)
