"""The exit status of `./bareflow run`: that of bareflow.run.run, which SCons would replace by 2 and report in
a line of its own."""

passed_on = False
"""Whether start_scons.py, which passes it on, has started SCons."""
status = 0
