"""The tables of `./bareflow profile=IMG bench`."""

from __future__ import annotations

from bareflow.bench.successor_cases import FIRST_TOKEN, GRAPH, GUEST, NATIVE, kernel_table, rate_table


def test_kernels() -> None:
    values = {"kernel file": 122_000.0, "64 tokens": 2_068_556.6, FIRST_TOKEN: 0.1234}
    head, native, guest = kernel_table({NATIVE: values, GUEST: {**values, FIRST_TOKEN: 0.2}}).splitlines()
    assert head.startswith("instructions a token") and "kernel file" in head
    assert native.split() == [NATIVE, "122000", "2068557", "0.123"]
    assert guest.split()[-1] == "0.200"


def test_rates() -> None:
    """The ratio is that of a turn: the machine was slower in the last one."""
    rates = {NATIVE: [100.0, 200.0, 50.0], GRAPH: [110.0, 180.0, 60.0]}
    _, native, graph = rate_table(rates).splitlines()
    assert native.split() == [NATIVE, "100.0", "1.000", "1.000", "1.000"]
    assert graph.split() == [GRAPH, "110.0", "1.100", "0.900", "1.200"]
