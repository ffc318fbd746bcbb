"""The plugin contract, check by check."""

import zoo.testing


@zoo.testing.parametrize_with_checks(["ddpm"])
def test_conforms(check: zoo.testing.Check) -> None:
    """Run one check."""
    check()
