/*
 * The commands of the dialogue: lines that begin with "/".
 */
#pragma once
#include "tinyllama/generate.h"

/* The dialogue's state. */
struct dialogue {
    struct teller *teller;
    struct settings *settings;
    uint64_t begin, initialised; /* TSC when the program began and when everything was loaded */
    struct story last;           /* the story told last; tokens are 0 before the first */
};

/* Runs the command in line, which is changed, and says on the console what came of it or what would
 * be right. False when the dialogue is to end. */
bool command_run(struct dialogue *dialogue, char *line);
