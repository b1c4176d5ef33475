/* Where a program's standard streams go: they differ between the platforms. */
#pragma once
#include <stddef.h>

/* Standard output. [bare] It is the framed text of the serial line (docs/serial-line.md), so that
 * `run` can tell it from messages: it is written as UTF-8 without control characters. */
void program_output(const char *bytes, size_t size);
/* Standard error. */
void program_error(const char *bytes, size_t size);
/* No more output comes. */
void program_output_end(void);
