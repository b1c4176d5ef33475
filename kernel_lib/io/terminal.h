/* The screen: what kernel_lib itself needs beyond runtime.h. */
#pragma once

/* Starts output at the beginning of row first_row (from 0), and on the last row if there are not
 * that many. The screen keeps what BIOS and loader wrote; terminal_init() clears it and starts at
 * the top. */
void terminal_start(unsigned first_row);

/* Shows text on the last row, in inverse video, cut to the row's length. The first time this takes
 * the row away from what terminal_write() writes on. */
void terminal_status(const char *text);
