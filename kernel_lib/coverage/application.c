#include "kernel_lib/coverage/application.h"

static coverage_application *current;

void coverage_set_application(coverage_application *application) {
    current = application;
}

coverage_application *coverage_get_application(void) {
    return current;
}
