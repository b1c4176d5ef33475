/*
 * The dialogue: a line is typed, a text is generated, and so on.
 */
#pragma once
#include "commands.h"

/* Returns when "/poweroff" or Ctrl-D is entered, or the input ends. */
void interactive_run(struct dialogue *dialogue);
