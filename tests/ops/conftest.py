"""Tests on a device (PYTENSOR_TEST_DEVICE) are skipped where an op has no kernel for it.

The summary then counts the reasons: what no op lacks a kernel for, what the host computes for the
device, and what is skipped because a device makes no difference to it.
"""

from collections import Counter

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


def pytest_terminal_summary(terminalreporter):
    if registry.DEVICE == "cpu":
        return
    ops = [e for e in registry.main_entries() if not e["inplace"]]
    by_way = {
        w: [registry.label_of(e) for e in ops if e["device"] == w] for w in ("host", "refused")
    }
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
    )
    terminalreporter.section(f"on {registry.DEVICE}")
    terminalreporter.line(f"{len(ops)} ops, by way of the host: {', '.join(by_way['host'])}")
    terminalreporter.line(f"refused: {', '.join(by_way['refused']) or 'none'}")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count} skipped: {reason}")
