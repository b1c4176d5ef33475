#include "kernel_lib/hosted/output.h"
#include "kernel_lib/runtime.h"

static bool has_begun;

void program_output(const char *bytes, size_t size) {
    if (!has_begun)
        console_text_begin();
    has_begun = true;
    console_text(bytes, size);
}

void program_error(const char *bytes, size_t size) {
    console_write(bytes, size);
}

void program_output_end(void) {
    if (has_begun)
        console_text_end();
    has_begun = false;
}
