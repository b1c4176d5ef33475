/*
 * A disk as a row of 512-byte sectors. Each driver fills in one of these; the
 * file system knows nothing else of the disk.
 */
#pragma once
#include "kernel_lib/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCK_SECTOR_SIZE 512

struct block_device {
    const char *name;      /* for people */
    uint64_t sector_count; /* sectors 0 to sector_count - 1 exist */
    void *context;         /* the driver's own */
    /* Whether flush does what it says. Where it cannot, nothing written since power came on can be
     * known to be on the medium, and the disk may bring its sectors there in any order. */
    bool can_flush;
    bool has_failed; /* a transfer or flush failed; whoever wants to know sets it back first */
    /* Transfer count (at least 1) sectors from lba on. The range has been checked and the buffer
     * may have any address and length; the driver splits the transfer as its hardware needs. */
    bool (*read)(struct block_device *device, uint64_t lba, size_t count, void *buffer,
                 struct error *error);
    bool (*write)(struct block_device *device, uint64_t lba, size_t count, const void *buffer,
                  struct error *error);
    /* Returns once everything written before is on the medium; see can_flush. */
    bool (*flush)(struct block_device *device, struct error *error);
};

/* Read or write count sectors from lba on, after checking that the disk has them. Zero sectors are
 * no error. */
bool block_read(struct block_device *device, uint64_t lba, size_t count, void *buffer,
                struct error *error);
bool block_write(struct block_device *device, uint64_t lba, size_t count, const void *buffer,
                 struct error *error);
bool block_flush(struct block_device *device, struct error *error);
