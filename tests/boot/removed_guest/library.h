/*
 * A library of which the trim removes most functions: by coverage.txt, only kept and kept_too ran;
 * and of parts.s, what they do with a negative argument.
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

int kept(int x);           /* 2 * (x + 1) */
int direct(int x);         /* x * x */
int missed(int x);         /* x + 100 */
int wings_of_a_bird(void); /* 2, by a virtual method */
int by_pointer(int x);     /* x / 2 + 1, by a pointer */
int weight(int x);         /* 10 * x, of a table that is removed */
int height(int x);         /* 20 * x, of one that a list of misses names */
int parted(int x);         /* |x| + 1 */
int parted_inside(int x);  /* the same, by a way into the middle of what is removed */
int parted_too(int x);     /* the same, of which nothing is removed: a list of misses names it */

#ifdef __cplusplus
}
#endif
