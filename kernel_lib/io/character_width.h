/* How many columns of a terminal a character takes. */
#pragma once
#include <stdint.h>

/* 2 for wide characters (East Asian Width W and F, among them most emoji), 0 for those that join
 * the one before (combining marks, joiners), else 1: what terminals do, by Unicode 14. */
unsigned character_width(uint32_t character);
