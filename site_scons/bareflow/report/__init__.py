"""Sizes of kernels, as JSON and as a page."""
