/*
 * A disk in memory with a volatile write cache that can lose its power.
 */
#pragma once
#include "kernel_lib/storage/block.h"

struct ram_disk {
    struct block_device device;
    uint8_t *bytes;      /* what is on the medium and what is in the cache, as a reader sees it */
    uint8_t *medium;     /* what a power cut leaves of pending sectors; NULL: not simulated */
    uint8_t *is_pending; /* one byte a sector, 1: written since the last flush */
    long writes_left;    /* sectors until the power is cut; negative: never */
    bool is_off;
    unsigned long sectors_written, flushes, commands;
};

/* A disk over size bytes (a multiple of 512), which stay the caller's. */
void ram_disk_init(struct ram_disk *disk, uint8_t *bytes, size_t size);
/* All that has been written is on the medium. From now on: power is cut once this many sectors
 * have been written, before the next write or flush; from then on every transfer fails. */
void ram_disk_cut_after(struct ram_disk *disk, long sectors);
/* What is left after the cut: all that was flushed, and of the sectors written after it those that
 * survives(context, n) picks, n counting them. The disk's bytes become that, and it works again. */
void ram_disk_power_on(struct ram_disk *disk, bool (*survives)(void *context, unsigned long n),
                       void *context);
void ram_disk_free(struct ram_disk *disk);
