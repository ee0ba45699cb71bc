"""Puts measurements and features into a project as a scan would."""

import json
from collections.abc import Mapping

import pyarrow as pa

from pipelines.checks import all_checks
from pipelines.store.project import Project
from pipelines.store.tables import MEASUREMENT_SCHEMA, write_parquet


def measure(project: Project, check: str, values: Mapping[str, float | None], evidence: Mapping[str, list[dict]] | None = None) -> None:
    """Writes one value per record id, and what to look at."""
    found = evidence or {}
    table = {
        "id": list(values),
        "value": list(values.values()),
        "evidence": [json.dumps(found[id]) if id in found else None for id in values],
    }
    write_parquet(pa.table(table, schema=MEASUREMENT_SCHEMA), project.measurements_folder / all_checks()[check].key / "test.parquet")


def place(project: Project, cluster_by_id: Mapping[str, int], names: Mapping[int, str]) -> None:
    """Writes a map with these clusters."""
    count = len(cluster_by_id)
    table = pa.table(
        {
            "id": list(cluster_by_id),
            "cluster": pa.array(cluster_by_id.values(), pa.int32()),
            "x": pa.array([0.0] * count, pa.float32()),
            "y": pa.array([0.0] * count, pa.float32()),
        }
    )
    write_parquet(table, project.features_folder / "map.parquet")
    sizes = [{"cluster": c, "name": name, "size": list(cluster_by_id.values()).count(c)} for c, name in names.items()]
    (project.features_folder / "clusters.json").write_text(json.dumps(sizes), encoding="utf-8")
