/*
 * The dialogue: a line typed, a story told, again.
 */
#pragma once
#include "commands.h"

/* Returns when "/poweroff" or Ctrl-D is entered, or the input ends. */
void interactive_run(struct dialogue *dialogue);
