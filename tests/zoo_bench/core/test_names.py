"""Names of tasks and models as names of files."""

import re

import pytest

from zoo_bench.core.names import file_name


@pytest.mark.parametrize(
    "name", ["digits", "wgan-gp", "beta_vae.2", "hf@faces-32-0123456789ab+efficientnet-lite0", "cons", "nulls", "com10"]
)
def test_ordinary_names_stand_for_themselves(name):
    assert file_name(name) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cifar10?judge=inception", "cifar10%3Fjudge=inception"),
        ("folder:C:\\a/b", "folder%3AC%3A%5Ca%2Fb"),
        ('a<b>c|d"e*f', "a%3Cb%3Ec%7Cd%22e%2Af"),
        ("..", ".%2E"),
        ("dots..", "dots.%2E"),
        ("con", "%63on"),
        ("NUL", "%4EUL"),
        ("lpt1.old", "%6Cpt1.old"),
        ("100%", "100%25"),
    ],
)
def test_what_no_file_may_be_called_on_some_system_is_written_as_in_urls(name, expected):
    assert file_name(name) == expected


def test_two_names_never_become_one():
    names = ["con", "%63on", "a?", "a%3F", "a.", "a%2E", "a"]
    assert len({file_name(name) for name in names}) == len(names)
    assert not any(re.search(r'[<>:"/\\|?*]', file_name(name)) for name in names)
