/*
 * Which argument values code is specialised for.
 */
#pragma once
#include "kernel_lib/jit/function.h"

/* Whether clones for the frequent values are worth making. */
bool values_can_specialise(const struct jit_function *function);
/* Drops values that are too rare for a clone of their own; before code is made. */
void values_select(struct jit_function *function);
/* The version is about to get clones for other values; unless that has happened too often: then an
 * argument is dropped, and new values have to be seen first. */
void values_renew(struct jit_function *function);
/* A version with or without clones for the frequent values has been installed. */
void values_compiled(struct jit_function *function);
/* Clones for these values cannot be made. */
void values_give_up(struct jit_function *function);
