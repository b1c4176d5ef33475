/*
 * The JIT's messages. The JIT works while the application prints, so its messages are kept until
 * the application calls jit_print_log() (jit_runtime.h), where a line begins.
 */
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A sentence for a person, without a line break. */
void jit_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* An event for programs, as console_event takes it. */
void jit_log_event(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The end of what is kept, and: discards what was added since, before any of it was printed. */
size_t jit_log_end(void);
void jit_log_discard(size_t end);

#ifdef __cplusplus
}
#endif
