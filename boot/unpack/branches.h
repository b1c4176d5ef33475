/*
 * Calls and jumps with the address that they lead to in place of the distance, so that all calls of
 * a function look the same and compress better. Every byte E8 or E9 is taken for the opcode of one,
 * with four bytes behind it. Whether it is makes no difference: each step can be undone, and is, in
 * the opposite order: the packer goes from the end to the beginning.
 *
 * The position is that behind the instruction, and positions and addresses count from the code's
 * beginning. Distances that lead into the code become addresses, from 0 up to size; those from
 * there up to size, which do not, take the place of what that leaves free, from -position up to 0.
 * (The LZX compression of cabinet files does the same, with a fixed size.)
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Makes distances of the addresses in the `size` bytes of code; eight bytes behind them must be
 * readable. */
void branches_restore(uint8_t *code, size_t size);
