"""Which functions of a kernel have run, and which parts of them."""
