"""JSON Schema of the run record: ``python -m zoo_bench.store.schema > docs/schema/run-record.json``."""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from zoo_bench.plan.record import SCHEMA_VERSION, RunRecord


class _Schema(GenerateJsonSchema):
    def float_schema(self, schema: Any) -> dict[str, Any]:
        """Admit the strings that records have in place of numbers that JSON cannot represent."""
        return {"anyOf": [super().float_schema(schema), {"enum": ["NaN", "Infinity", "-Infinity"]}]}


def schema() -> str:
    """Return the schema of ``runs/<task>/<model>/seed=*.json`` as text."""
    record_schema = RunRecord.model_json_schema(schema_generator=_Schema, mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"genzoo run record {SCHEMA_VERSION}"}
    return json.dumps({**record_schema, **head}, indent=2) + "\n"


if __name__ == "__main__":
    print(schema(), end="")
