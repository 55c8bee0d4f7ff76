"""A model beside busy programs: how its threads wait, and what the bench says of it."""

import os
import subprocess
import sys

import pytest

from anystory.bench.busy import Busy


@pytest.mark.parametrize(("said", "told"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_sleep_while_they_wait_unless_somebody_says_otherwise(said, told):
    """As OpenMP tells of itself when torch loads it."""
    program = "from anystory.backends.load import hush\nhush()\nimport torch\ntorch.ones(9)"
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"} | {"OMP_DISPLAY_ENV": "TRUE"}
    environment |= {"OMP_WAIT_POLICY": said} if said else {}
    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert f"OMP_WAIT_POLICY = '{told}'" in run.stderr


def test_the_bench_holds_to_three_times_as_long_as_alone():
    assert Busy(0.5, 1.5).passed and not Busy(0.5, 1.6).passed
    assert str(Busy(0.5, 1.0)).startswith("a frame of mini alone 0.50 s, beside 2 busy processes 1.00 s: 2.0 times")
