// sources: kernel_lib/error.c kernel_lib/storage/mbr.c
// sources: kernel_lib/io/format.c
/* The partition table. */
#include "check.h"
#include "kernel_lib/storage/mbr.h"
#include <string.h>

#define DISK_SECTORS 100000

static uint8_t sector[512];

static void put32(uint8_t *p, uint32_t value) {
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

static void set(int index, uint8_t type, uint32_t first, uint32_t count) {
    uint8_t *entry = sector + 446 + 16 * index;
    memset(entry, 0, 16);
    entry[4] = type;
    put32(entry + 8, first);
    put32(entry + 12, count);
}

static void clear(void) {
    memset(sector, 0, sizeof sector);
    sector[510] = 0x55;
    sector[511] = 0xAA;
}

static void expect(uint32_t wanted_lba, uint32_t first, uint32_t count) {
    struct error error;
    struct mbr_partition partition;
    CHECK(mbr_find_fat(sector, DISK_SECTORS, wanted_lba, &partition, &error));
    CHECK(partition.first_sector == first && partition.sector_count == count);
}

static void expect_error(uint32_t wanted_lba, const char *message) {
    struct error error;
    struct mbr_partition partition;
    CHECK(!mbr_find_fat(sector, DISK_SECTORS, wanted_lba, &partition, &error));
    if (!strstr(error.text, message))
        fprintf(stderr, "\"%s\", wanted \"%s\"\n", error.text, message);
    CHECK(strstr(error.text, message));
}

int main(void) {
    static const uint8_t types[] = {0x04, 0x06, 0x0B, 0x0C, 0x0E};
    for (int i = 0; i < 5; i++) {
        clear();
        set(i % 4, types[i], 2048, 50000);
        expect(0, 2048, 50000);
        expect(2048, 2048, 50000);
        expect_error(2049, "has no FAT partition");
    }

    clear(); /* several: the one that was booted from; others' types do not count */
    set(0, 0x83, 64, 1000);
    set(1, 0x0E, 2048, 10000);
    set(3, 0x06, 20000, 80000); /* to the last sector */
    expect(0, 2048, 10000);
    expect(20000, 20000, 80000);

    sector[446 + 16 * 3] = 0x80; /* active */
    expect(0, 20000, 80000);
    expect(2048, 2048, 10000);
    sector[446 + 16 * 1] = 0x80; /* both */
    expect(0, 2048, 10000);
    sector[446 + 16 * 1] = sector[446 + 16 * 3] = 0;
    sector[446] = 0x80; /* only one of another type */
    expect(0, 2048, 10000);

    clear();
    expect_error(0, "has no FAT partition");
    set(0, 0x07, 2048, 50000); /* NTFS */
    expect_error(0, "has no FAT partition");

    clear();
    set(0, 0x0E, 20000, 80001);
    expect_error(0, "Partition 1 (80001 sectors from 20000) does not lie on the disk");
    set(0, 0x0E, 0xFFFFFFFF, 0xFFFFFFFF);
    expect_error(0, "does not lie on the disk");
    set(0, 0x0E, 0, 100);
    expect_error(0, "does not lie on the disk");
    set(0, 0x0E, 2048, 0);
    expect_error(0, "does not lie on the disk");

    clear();
    set(0, 0x0E, 2048, 50000);
    set(2, 0x83, 52047, 100);
    expect_error(0, "Partitions 1 and 3 overlap");
    set(2, 0x83, 52048, 100);
    expect(0, 2048, 50000);
    set(2, 0x83, 0xFFFFFF00, 0xFFFFFFFF); /* its end wraps around in 32 bits */
    expect(0, 2048, 50000);
    set(2, 0x83, 1000, 1049);
    expect_error(0, "Partitions 1 and 3 overlap");
    set(2, 0xEE, 1, 0xFFFFFFFF); /* a GPT's protective entry: a hybrid MBR */
    expect(0, 2048, 50000);
    set(2, 0xEF, 2048, 50000); /* the EFI system partition is a partition like any other */
    expect_error(0, "Partitions 1 and 3 overlap");

    sector[511] = 0;
    expect_error(0, "is no master boot record");
    puts("mbr: passed");
}
