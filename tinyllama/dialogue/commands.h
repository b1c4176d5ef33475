/*
 * The commands of the dialogue: lines that begin with "/".
 */
#pragma once
#include "tinyllama/chat/chat.h"

/* The dialogue's state. */
struct dialogue {
    struct generator *generator;
    struct chat *chat; /* or NULL: lines are prompts */
    struct settings *settings;
    uint64_t begin, initialised; /* TSC when the program began and when everything was loaded */
    struct generation last;      /* the last text; tokens are 0 before the first one */
    bool regenerate;             /* the last answer of the chat is to be generated once more */
};

/* Runs the command in line, which is changed; its result, or what is wrong with it, goes to the
 * console. False when the dialogue is to end. */
bool command_run(struct dialogue *dialogue, char *line);
