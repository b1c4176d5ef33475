/*
 * Calls and jumps with the address that they lead to in place of the distance, so that all calls of
 * a function look the same and compress better. Every byte E8 or E9 is taken for the opcode of one,
 * with four bytes behind it. A byte that is no opcode does no harm: each step can be undone. The
 * packer goes from the end to the beginning; the unpacker undoes the steps in the opposite order.
 *
 * The position is that behind the instruction. Positions and addresses count from the code's
 * beginning. A distance that leads into the code becomes an address, from 0 up to size. A distance
 * from there up to size leads behind the code. It takes a number that no address uses, from
 * -position up to 0. (The LZX compression of cabinet files does the same, with a fixed size.)
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Makes distances of the addresses in the `size` bytes of code; eight bytes behind them must be
 * readable. */
void branches_restore(uint8_t *code, size_t size);
