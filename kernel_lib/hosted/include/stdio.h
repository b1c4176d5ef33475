/* LLVM-libc's stdio.h, with what of C17 it has not (7.21). */
#include_next <stdio.h>

#pragma once

typedef long fpos_t;

#define FILENAME_MAX 260 /* longest path */
#define FOPEN_MAX 64
#define L_tmpnam 16
#define TMP_MAX 100000

#ifdef __cplusplus
extern "C" {
#endif
int fgetpos(FILE *__restrict stream, fpos_t *__restrict position);
int fsetpos(FILE *stream, const fpos_t *position);
void rewind(FILE *stream);
/* Of files of the disk only: for standard streams, and without a path, it fails with EINVAL. */
FILE *freopen(const char *__restrict path, const char *__restrict mode, FILE *__restrict stream);
/* A file in memory. */
FILE *tmpfile(void);
/* The name of a file in the disk's root that does not exist. */
char *tmpnam(char *name);
#ifdef __cplusplus
}
#endif
