import json
from pathlib import Path

import pytest

from zoo_bench.plan.record import RunRecord, Score
from zoo_bench.plan.spec import RunSpec
from zoo_bench.store.schema import schema

FILE = Path(__file__).parents[3] / "docs" / "schema" / "run-record.json"


def test_the_exported_schema_is_current():
    assert FILE.read_text() == schema(), "run `python -m zoo_bench.store.schema > docs/schema/run-record.json`"


@pytest.mark.parametrize(
    ("model", "path"), [(RunRecord, ()), (RunSpec, ("$defs", "RunSpec")), (Score, ("$defs", "Score"))]
)
def test_every_field_is_described(model, path):
    found = json.loads(schema())
    for key in path:
        found = found[key]
    assert set(found["properties"]) == set(model.model_fields)
    assert not [name for name, field in found["properties"].items() if len(field.get("description", "")) < 3]


def test_numbers_that_json_does_not_know_are_allowed_as_records_write_them():
    metric = json.loads(schema())["$defs"]["Score"]["properties"]["values"]["additionalProperties"]
    assert metric == {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}
