"""The life of an image as a curve: one disk, booted again and again (the target `evolve`)."""
