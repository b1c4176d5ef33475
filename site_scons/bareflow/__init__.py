"""The plain Python behind the build: importable, and tested, without SCons."""
