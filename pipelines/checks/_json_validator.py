"""JSON validator: holds values against a JSON Schema that somebody else wrote, and fetches nothing for it."""

from __future__ import annotations

import json
import re
from typing import Any

_OUTSIDE = re.compile(r'"\$(?:ref|dynamicRef|recursiveRef)":"(?!#)|"\$schema":"(?!https?://json-schema\.org/)')


def refers_outside(schema: Any) -> bool:
    """Whether it refers to another file or address, or to a dialect that is not one of json-schema.org."""
    return bool(_OUTSIDE.search(json.dumps(schema, separators=(",", ":"))))


def closed_validator(schema: Any) -> Any:
    """A validator of jsonschema-rs. Raises its ValidationError or ReferencingError, or ValueError, for a schema that cannot be used."""
    import jsonschema_rs

    if refers_outside(schema):
        raise ValueError("it refers to another schema")
    return jsonschema_rs.validator_for(schema, retriever=_refuse)


def _refuse(address: str) -> Any:
    raise ValueError(f"{address} is not fetched")
