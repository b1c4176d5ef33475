"""Worker processes of the trim and of its check."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

_PROCESSES = 2


def fork_workers() -> ProcessPoolExecutor:
    """Forked processes, which share what this one has in memory. They end by themselves when there is no more
    work. (multiprocessing.Pool ends them by a signal, and on a busy machine it has waited for one forever.)
    """
    return ProcessPoolExecutor(_PROCESSES, multiprocessing.get_context("fork"))
