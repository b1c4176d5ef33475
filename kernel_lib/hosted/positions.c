/* What C says of a stream's position beyond fseek and ftell (C17, 7.21.9). */
#include <stdio.h>

int fgetpos(FILE *restrict stream, fpos_t *restrict position) {
    *position = ftell(stream);
    return *position < 0 ? -1 : 0;
}

int fsetpos(FILE *stream, const fpos_t *position) {
    return fseek(stream, *position, SEEK_SET);
}

void rewind(FILE *stream) {
    fseek(stream, 0, SEEK_SET);
    clearerr(stream);
}
