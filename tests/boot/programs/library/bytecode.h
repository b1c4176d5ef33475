#pragma once

/** Interprets its program for main's arguments; the exit status. */
int run_bytecode(int argc, char **argv);
