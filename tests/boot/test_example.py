"""The example in docs/writing-a-program.md: what it prints, and that the page shows the file that is run."""

from __future__ import annotations

from fixture_types import Boot, GuestImage
from project_files import ROOT

CALLS = 1000
SUM = sum(i * i for end in range(CALLS) for i in range(end))


def test_example_runs(boot: Boot, guest_image: GuestImage) -> None:
    guest = boot(guest_image("example"))
    guest.expect(f"^{SUM} and {SUM}, the same sum.\n")
    calls, average, least, most = map(
        int, guest.expect(r"^(\d+) calls, (\d+) cycles each, between (\d+) and (\d+)\.\n").groups()
    )
    assert calls == 2 * CALLS
    assert 0 < least <= average <= most
    guest.expect("^0 functions compiled; sum_of_squares runs on level aot.\n")
    guest.expect("^A key ends the program.\n")
    guest.expect_screen("^Press a key.$")
    screen = guest.screen()
    assert "Squares are summed up." in screen and "A key ends the program." not in screen
    guest.type_text("x")
    assert guest.wait_exit() == 0
    assert "Press a key" not in guest.serial


def test_page_shows_the_file() -> None:
    page = (ROOT / "docs" / "writing-a-program.md").read_text()
    source = (ROOT / "tests" / "boot" / "guests" / "example.c").read_text()
    assert f"```c\n{source}```\n" in page
