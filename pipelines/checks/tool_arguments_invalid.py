"""Invalid tool arguments: a call that does not fit the tool's own declaration."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._json_validator import closed_validator
from pipelines.checks._turns import Findings

_SHOWN = 3
"""Faults named of one call."""


@check(title="Tool calls that do not fit the tool", unit="faults", group="structure", severity="error", flag_above=0)
def tool_arguments_invalid(batch: Batch) -> Measurements:
    """Number of faults in tool calls: a tool that is not declared, arguments that are no JSON object or do not fit the declared schema.

    The model would learn calls that the program behind it rejects. Mend the arguments, declare the tool, or drop the row.

    Arguments are held against the JSON Schema in the tool's declaration. Only that they are a JSON object is asked where the row declares
    no tools, or the schema itself is not valid. Of one call three faults are counted at most.
    """
    import pyarrow.compute as pc

    found = Findings(len(batch))
    turns = batch.turns.filter(pc.is_valid(batch.turns.column("tool_calls")))
    tools = batch.column("tools")
    for record, turn, calls in zip(*(turns.column(name).to_pylist() for name in ("record", "turn", "tool_calls")), strict=True):
        schemas = _schemas(tools[record].as_py())
        for call in json.loads(calls):
            for fault in _faults(call, schemas):
                found.add(record, Evidence(turn, note=fault))
    return found.measurements()


def _faults(call: Any, schemas: dict[str, Any] | None) -> Iterator[str]:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        yield "a call without the name of a tool"
        return
    name, arguments = function["name"], function.get("arguments")
    if schemas is not None and name not in schemas:
        declared = ", ".join(sorted(schemas)[:8]) or "none"
        yield f"“{name}” is not one of the tools of this row ({declared})"
        return
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments) if arguments.strip() else {}
        except ValueError as error:
            yield f"the arguments of “{name}” are no valid JSON: {error}"
            return
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        yield f"the arguments of “{name}” are not a JSON object"
        return
    validator = schemas.get(name) if schemas else None
    if validator is not None:
        for number, misfit in enumerate(validator.iter_errors(arguments)):
            if number == _SHOWN:
                return
            place = ".".join(map(str, misfit.instance_path))
            yield f"“{name}”{f', {place}' if place else ''}: {misfit.message}"


@functools.lru_cache(1024)
def _schemas(tools: str | None) -> dict[str, Any] | None:
    """By name of a declared tool: what its arguments are held against, None where it declares no usable schema. None: no tools declared."""
    import jsonschema_rs

    if tools is None:
        return None
    declared: dict[str, Any] = {}
    for tool in json.loads(tools):
        function = tool.get("function", tool) if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            continue
        schema = next((function[key] for key in ("parameters", "input_schema", "inputSchema") if isinstance(function.get(key), dict)), None)
        try:
            declared[function["name"]] = None if schema is None else closed_validator(schema)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
            declared[function["name"]] = None
    return declared or None
