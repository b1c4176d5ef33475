"""A guest in QEMU: its command line, process, serial line and keyboard."""
