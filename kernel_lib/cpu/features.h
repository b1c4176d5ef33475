/* CPU features: what kernel_lib itself needs beyond runtime.h. */
#pragma once
#include <stdbool.h>

/* Switches on every register state the CPU offers: SSE, and with XSAVE also AVX and AVX-512. Must
 * run before anything that may use a vector register, so it uses none itself. */
void cpu_state_enable(void);

/* CPUID 80000001h: 1 GiB pages, and pages that forbid execution. */
bool cpu_has_gigabyte_pages(void);
bool cpu_has_no_execute(void);
