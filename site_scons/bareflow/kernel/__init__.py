"""Linked kernels: archives, link maps, symbol tables, and the kernel file."""
