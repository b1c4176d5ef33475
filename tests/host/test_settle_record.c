// sources: kernel_lib/jit/settle/settle_record.c kernel_lib/error.c kernel_lib/io/format.c
/* The record that is kept between the boots of a machine that settles: read, written, refused. */
#include "check.h"
#include "kernel_lib/jit/settle/settle_record.h"
#include <string.h>

int main(void) {
    static const char text[] =
        "build=b\ncpu=c\nmodel=dim=1\ncovered=1\ncompiled=20\ntrims=3\nexports=0\nrehearsed=1\n";
    struct settle_record read;
    char formatted[SETTLE_TEXT];
    CHECK(settle_record_parse(&read, text, sizeof text - 1));
    CHECK(strcmp(read.model, "dim=1") == 0 && read.compiled == 20 && read.trims == 3);
    CHECK(settle_record_format(&read, formatted) == sizeof text - 1);
    CHECK(memcmp(formatted, text, sizeof text - 1) == 0);
    for (size_t size = 0; size < sizeof text - 1; size++)
        CHECK(!settle_record_parse(&read, text, size));
    CHECK(!settle_record_parse(&read, text, sizeof text)); /* with the zero */
    for (size_t i = 0; i < sizeof text - 1; i++) { /* whatever a byte is: it is read or refused */
        char bad[sizeof text];
        memcpy(bad, text, sizeof text);
        bad[i] ^= 0x15;
        settle_record_parse(&read, bad, sizeof text - 1);
    }
    static char long_id[SETTLE_TEXT];
    memset(long_id, 'x', sizeof long_id);
    memcpy(long_id, "build=", 6);
    long_id[100] = '\n';
    CHECK(!settle_record_parse(&read, long_id, 101));
    puts("settle record: passed");
    return 0;
}
