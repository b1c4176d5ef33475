/* Calls of the functions of fake_engine.h, and settings, for the tests of what the JIT decides. */
#pragma once
#include "fake_engine.h"
#include "jit_configuration.h"

#define BEGIN (1000 * HZ) /* when the application starts */

static void call(struct jit_function *f, uint64_t cycles) {
    static const uint64_t none[JIT_ARGUMENTS];
    call_with(f, cycles, none);
}

static void call_often(struct jit_function *f, int times, uint64_t cycles) {
    for (int i = 0; i < times; i++)
        call(f, cycles);
}

/* The same as configure(), for an application that has started at BEGIN. */
static bool configure_at_begin(const char *text, struct error *error) {
    bool good = configure(text, error);
    jit_statistics()->begin = BEGIN;
    return good;
}
