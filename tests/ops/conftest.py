"""Tests on a device (PYTENSOR_TEST_DEVICE) are skipped where an op has no kernel for it yet."""

import pytest

from tests.ops import registry


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        return (yield)
    except Exception as error:
        if isinstance(error, registry.NoKernel) or registry.lacks_kernel(error):
            pytest.skip(f"no kernel for {registry.DEVICE}: {error}")
        raise
