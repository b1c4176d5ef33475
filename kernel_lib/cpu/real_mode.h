/*
 * BIOS calls: to real mode and back.
 *
 * They use low memory, which the boot loader no longer needs:
 *   0x5000-0x5FFF    the call's registers, small buffers, the BIOS's stack
 *   0x6000-0x6FFF    the code of a BIOS call (readable and executable)
 *   0x10000-0x1FFFF  data on its way from or to the disk
 * The loader's own code lies in neither of the first two pages. An emulator that translates code
 * would have to discard the old translations at each write to such a page.
 */
#pragma once
#include "kernel_lib/error.h"
#include <stdbool.h>
#include <stdint.h>

#define REAL_MODE_REGISTERS 0x5000 /* struct real_mode_registers, for real_mode.asm */
#define REAL_MODE_SAVED 0x5040     /* what real_mode.asm needs to come back */
#define REAL_MODE_STACK_TOP 0x6000 /* of the BIOS */
#define REAL_MODE_CODE 0x6000      /* where real_mode.asm runs */
#define REAL_MODE_BUFFER 0x5080    /* for parameters: REAL_MODE_BUFFER_SIZE bytes in segment 0 */
#define REAL_MODE_BUFFER_SIZE 128
#define REAL_MODE_TRANSFER 0x10000 /* for data: 64 KiB, in one segment and in reach of ISA DMA */
#define REAL_MODE_TRANSFER_SIZE 0x10000

/* Carry in flags: how the BIOS reports an error. */
#define REAL_MODE_CARRY 1

struct real_mode_registers {
    uint32_t eax, ebx, ecx, edx, esi, edi;
    uint16_t ds, es;
    uint16_t flags; /* on return only */
};

/* Copies the code of a BIOS call to its place. Once, before the first call. */
bool real_mode_start(struct error *error);

/* Calls the BIOS's INT 13h with these registers and gives back what it left in them. The BIOS's
 * interrupt handlers run meanwhile, ours do not. */
void real_mode_int13(struct real_mode_registers *registers);
