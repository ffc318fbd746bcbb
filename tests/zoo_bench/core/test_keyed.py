from zoo_bench.core.keyed import read_json, read_keyed, write_keyed


def test_content_is_found_under_its_key_and_under_no_other(tmp_path):
    path = tmp_path / "folder" / "it.json"
    write_keyed(path, {"choices": ("fp32", "bf16"), "machine": {"cores": 2}}, {"chosen": "fp32"})
    assert read_keyed(path, {"choices": ["fp32", "bf16"], "machine": {"cores": 2}}) == {"chosen": "fp32"}
    assert read_keyed(path, {"choices": ["fp32"], "machine": {"cores": 2}}) is None


def test_what_is_absent_damaged_or_something_else_is_nothing(tmp_path):
    path = tmp_path / "it.json"
    assert read_keyed(path, {}) is None
    for content in ("", "[1]", '{"a": ', '{"a": 1, "a": 1}', '{"a": NaN}', '{"a": ' + "[" * 100_000):
        path.write_text(content)
        assert read_json(path) == {}
        assert read_keyed(path, {"a": 1}) is None
    path.write_text('{"chosen": "fp32"}')  # without a key it holds for nothing
    assert read_keyed(path, {}) is None
