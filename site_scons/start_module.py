"""Runs the module that the first argument names, as `python -m` does, with this folder as the first in which
modules are looked for.

An entry of PYTHONPATH, the usual way to that, cannot have a colon in it.
"""

import runpy
import sys

del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
