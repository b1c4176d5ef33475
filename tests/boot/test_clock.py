"""The TSC's frequency, which the kernel measures against the PIT, agrees with the real-time clock."""

from __future__ import annotations

import pytest
from fixture_types import Boot, GuestImage


def test_frequency_agrees_with_the_real_time_clock(boot: Boot, guest_image: GuestImage) -> None:
    # All clocks count instructions, of 64 ns each: how busy this machine is makes no difference.
    guest = boot(guest_image("clock"), extra=("-icount", "shift=6,sleep=off", "-rtc", "clock=vm"))
    by_pit = int(guest.expect(r"^PIT (\d+) Hz\n")[1])
    by_rtc = int(guest.expect(r"^RTC (\d+) Hz\n")[1])
    assert guest.wait_exit() == 0
    assert by_pit == pytest.approx(by_rtc, rel=0.001)
