/*
 * When the machine writes its successor by itself (docs/life.md). The application's side is in
 * jit_runtime.h: jit_settle_due() and jit_settle().
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Before the application begins. */
void jit_settle_start(void);

/* The application has ended with this code: does the step that is due, unless it was waiting for
 * its user, who does not want to wait now. */
void jit_settle_at_end(int code);

/* Before the machine stops: notes on the disk what this boot adds. A trimmed copy in which
 * compilations have failed for want of a function leaves the next boot to its parent. */
void jit_settle_at_exit(void);

#ifdef __cplusplus
}
#endif
