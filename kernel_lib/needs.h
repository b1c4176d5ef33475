/*
 * Parts of the kernel that a program can do without. native is linked of those objects that the
 * program reaches by its references: `#pragma weak` makes start.c's calls no references, and an
 * object with NEEDS brings such a part with it.
 */
#pragma once

/* The object that has this line is linked together with the one that defines the function. */
#define NEEDS(function)                                                                            \
    __attribute__((used)) static __typeof__(function) *const needs_##function = function
