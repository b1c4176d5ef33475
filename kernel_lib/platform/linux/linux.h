/* The Linux platform: what its files need of each other. */
#pragma once
#include <stddef.h>

#define STANDARD_OUTPUT 1
#define STANDARD_ERROR 2

/* Writes all of it; ends the program, without saving anything, when nobody is listening. */
void linux_write(int descriptor, const char *bytes, size_t size);

/* The folder in which paths of files begin; NULL: the system's root. */
extern const char *linux_root;

/* Makes the configuration of the command line's arguments, which are key=value. Needs the heap.
 * Ends the program with a message if an argument has another form. "root" is no setting: it names
 * the folder in which paths of files begin; without it they begin in the system's root. */
void linux_arguments(int count, char **arguments);

/* The first sets a terminal at standard input to give every key as it is typed, Ctrl-C too, and to
 * echo nothing. The second sets it back. Without a terminal they do nothing. */
void linux_terminal_begin(void);
void linux_terminal_end(void);
