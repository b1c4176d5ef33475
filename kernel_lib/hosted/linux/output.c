#include "kernel_lib/hosted/output.h"
#include "kernel_lib/platform/linux/linux.h"

void program_output(const char *bytes, size_t size) {
    linux_write(STANDARD_OUTPUT, bytes, size);
}

void program_error(const char *bytes, size_t size) {
    linux_write(STANDARD_ERROR, bytes, size);
}

void program_output_end(void) {}
