// sources: kernel_lib/crc32.c
/* CRC-32 against its published check value and against zlib's for one more. */
#include "check.h"
#include "kernel_lib/crc32.h"

int main(void) {
    CHECK(crc32_update(0, "123456789", 9) == 0xCBF43926); /* the check value of CRC-32/ISO-HDLC */
    CHECK(crc32_update(crc32_update(0, "1234", 4), "56789", 5) == 0xCBF43926);
    CHECK(crc32_update(0, "", 0) == 0);
    CHECK(crc32_update(0, "\0", 1) == 0xD202EF8D); /* zlib.crc32(b"\0") */
    puts("crc32: passed");
}
