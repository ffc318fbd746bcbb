"""What ``import zoo`` and ``import zoo_bench`` offer is what ``dir`` and completion show."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["zoo", "zoo_bench"])
def test_names_that_are_imported_on_first_use_are_shown_too(package):
    script = f"import sys, {package} as p; assert set(p.__all__) <= set(dir(p)); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
