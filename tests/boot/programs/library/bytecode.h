#ifndef BYTECODE_H
#define BYTECODE_H

/** Interprets its program for main's arguments; the exit status. */
int run_bytecode(int argc, char **argv);

#endif
