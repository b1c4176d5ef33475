"""Writes the module of operations that test_levels.cpp runs beside level_functions.c."""
