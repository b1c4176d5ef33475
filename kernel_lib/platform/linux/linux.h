/* The Linux platform: what its files need of each other. */
#pragma once

/* Makes the arguments key=value of the command line the configuration; needs the heap. Ends the
 * program with a message if one is none. "root" is no setting: it is the folder that paths of files
 * begin at; without it they are the system's. */
void linux_arguments(int count, char **arguments);

/* From now on a terminal at standard input gives every key as it is typed, Ctrl-C too, and echoes
 * nothing; until the other, which gives it back as it was. Without a terminal nothing happens. */
void linux_terminal_begin(void);
void linux_terminal_end(void);
