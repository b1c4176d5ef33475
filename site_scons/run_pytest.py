"""Runs pytest with these arguments. That standard output is full is a sentence, as of the other programs."""

import sys

import pytest
from bareflow import program

if __name__ == "__main__":
    sys.exit(program.call("pytest", lambda arguments: int(pytest.main(list(arguments))), sys.argv[1:]))
