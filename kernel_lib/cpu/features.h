/* CPU features: what kernel_lib itself needs beyond runtime.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Bits of XCR0, the register state that is switched on (Intel SDM vol. 1, 13.3): all that
 * instructions with vectors of 256 and of 512 bits need. */
#define CPU_STATE_AVX 0x07u
#define CPU_STATE_AVX512 0xE7u /* also opmask, upper halves of ZMM0-15, ZMM16-31: all or none */

/* Switches on every register state the CPU offers: SSE, and with XSAVE also AVX and AVX-512. Must
 * run before anything that may use a vector register, so it uses none itself. */
void cpu_state_enable(void);

/* CPUID 80000001h: 1 GiB pages, and pages that forbid execution. */
bool cpu_has_gigabyte_pages(void);
bool cpu_has_no_execute(void);

/* Whether XCR0 has all of these bits, be it by cpu_state_enable or, for a Linux program, by
 * Linux. */
bool cpu_state_enabled(uint32_t state);
