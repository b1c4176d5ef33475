"""Starts SCons for ./bareflow. Ctrl-C while it is being loaded ends it at once, without a traceback."""

import _signal as signal  # type: ignore[import-not-found] # the module `signal` is slow to load
import sys

import run_status

by_python = signal.getsignal(signal.SIGINT) is signal.default_int_handler
if by_python:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from SCons.Script.Main import main

if by_python:
    signal.signal(signal.SIGINT, signal.default_int_handler)
run_status.passed_on = True
try:
    main()
except SystemExit as end:
    sys.exit(end.code or run_status.status)
