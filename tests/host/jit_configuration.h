/* The settings jit.* as a test gives them. */
#pragma once
#include "check.h"
#include "kernel_lib/config/config.h"
#include "kernel_lib/jit/settings.h"
#include <string.h>

static void no_report(void *context, unsigned line, const char *message) {
    (void)context, (void)line, (void)message;
    CHECK(false);
}

/* Replaces the configuration by these lines; false: `error` says which value is wrong. */
static bool configure(const char *text, struct error *error) {
    config_clear();
    config_parse(text, strlen(text), no_report, NULL);
    return jit_configure(error);
}
