/* What code was compiled for. */
#pragma once

#define JIT_CPU_ID 32 /* digits */

/* What tells this CPU from others that might need, or be worth, other code: its model and its
 * features, with those that the kernel enables. 32 hexadecimal digits. */
const char *jit_cpu_id(void);
