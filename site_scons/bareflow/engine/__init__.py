"""What the JIT engine needs of the build: bitcode that it can run, and the table of host symbols."""
