/*
 * A disk as a row of 512-byte sectors. Each driver fills in one of these; the file system knows
 * nothing else of the disk. Where the disk's own sectors are larger, what is not a whole one is
 * read and, to write it, written back with the rest of its sector as it was.
 */
#pragma once
#include "kernel_lib/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_SECTOR_SIZE 512

/* Sectors in one call of a driver, where the hardware sets no lower limit: 4 MiB. Longer transfers
 * gain nothing, and a slow disk has to end one before its deadline. */
#define BLOCK_MOST_SECTORS 8192

struct block_device {
    const char *name;      /* for people */
    uint64_t sector_count; /* sectors 0 to sector_count - 1 exist */
    void *context;         /* the driver's own */
    /* Whether flush does what it says. Where it cannot, nothing written since power came on can be
     * known to be on the medium, and the disk may bring its sectors there in any order. */
    bool can_flush;
    bool has_failed; /* a transfer or flush failed; whoever wants to know sets it back first */
    bool is_gone;    /* set by the driver when nothing answers: no later access is tried */

    /* What the driver takes: transfers that begin and end with the disk's own sectors, each of
     * which is own_sectors of ours (0 counts as 1; more need a bounce buffer that holds one), up to
     * most_sectors, which is a multiple. */
    size_t own_sectors;
    size_t most_sectors;
    /* What the driver can take as a buffer: an address that is a multiple of alignment (0: any),
     * with nothing beyond reach (0: anywhere). Other data goes through the bounce buffer, which
     * need only be there if such limits are. */
    size_t alignment;
    uint64_t reach;
    void *bounce;
    size_t bounce_sectors;

    /* Transfers count sectors from lba on. Range and buffer have been checked. */
    bool (*transfer)(struct block_device *device, bool write, uint64_t lba, size_t count,
                     void *buffer, struct error *error);
    /* Returns once everything written before is on the medium; see can_flush. */
    bool (*flush)(struct block_device *device, struct error *error);
    /* Makes the disk ready again after a transfer that failed: true if it is worth another attempt.
     * NULL: never. */
    bool (*recover)(struct block_device *device, struct error *error);
};

/* Read or write count sectors from lba on, after checking that the disk has them. Buffers may have
 * any address and length. Zero sectors are no error. */
bool block_read(struct block_device *device, uint64_t lba, size_t count, void *buffer,
                struct error *error);
bool block_write(struct block_device *device, uint64_t lba, size_t count, const void *buffer,
                 struct error *error);
bool block_flush(struct block_device *device, struct error *error);
