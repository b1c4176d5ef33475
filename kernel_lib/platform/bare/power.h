/* The end of the machine: what kernel_lib itself needs beyond runtime.h. */
#pragma once

/* Ends QEMU with status 2 * code + 1 where it offers isa-debug-exit; otherwise the CPU stands
 * still, so that the screen can be read. */
_Noreturn void machine_stop(int code);

/* Restarts the machine as platform_reboot does, but saves nothing: for a program that has found
 * itself broken. */
_Noreturn void machine_restart(void);
