import importlib.metadata
import json

from zoo_bench.core.environment import LIBRARIES, environment


def test_the_environment_names_machine_and_libraries_and_fits_into_json():
    found = environment()
    assert found.keys() == {"python", "platform", "processor", "cores", "memory_gb", *LIBRARIES}
    assert {name: found[name] for name in LIBRARIES} == {name: importlib.metadata.version(name) for name in LIBRARIES}
    assert json.loads(json.dumps(found)) == found
    assert found["cores"] >= 1
    assert found["memory_gb"] > 0
