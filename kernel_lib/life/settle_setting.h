/*
 * The setting life.settle: after how many boots in a row that brought nothing new a kernel with a
 * JIT writes its successor (docs/life.md).
 */
#pragma once

/* Reads it; a value that is not possible is a warning. */
void life_configure(void);

/* The number of boots; 0: never. */
unsigned life_settle(void);
