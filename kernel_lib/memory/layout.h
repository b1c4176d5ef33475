/* The kernel's own extent in memory: symbols of kernel_lib/cpu/linker.ld, all on page
 * boundaries. Only their addresses mean something. */
#pragma once

extern const char __kernel_start[], __kernel_end[];
extern const char __text_start[], __text_end[];     /* read, execute */
extern const char __rodata_start[], __rodata_end[]; /* read */
extern const char __data_start[], __data_end[];     /* read, write */
extern const char __bss_start[], __bss_end[];       /* read, write */
extern const char __stack_guard[];                  /* one unmapped page */
extern const char __stack_bottom[], __stack_top[];
