/*
 * FAT16 and FAT32 images for tests, made and checked independently of the code under
 * test: no code or header is shared with it.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fat_image {
    uint8_t *bytes;
    size_t size;
    unsigned bits; /* 16 or 32 */
    unsigned cluster_sectors, clusters, table_copies, table_sectors, root_entries;
    unsigned end;             /* what ends a chain: 0xFFFF or 0x0FFFFFFF */
    unsigned root_cluster;    /* FAT32; 0 in FAT16 */
    size_t table, root, data; /* byte offsets; root: FAT16 */
    size_t info;              /* FAT32: of FSInfo */
};

/* An empty file system of that many clusters, its boot sector at offset 0. The root directory of
 * FAT16 has 64 entries; that of FAT32 begins in cluster 2. The reserved bits of FAT32's FAT are
 * ones in every entry with an odd number. */
void image_format(struct fat_image *image, unsigned bits, unsigned clusters,
                  unsigned cluster_sectors);
void image_free(struct fat_image *image);

/*
 * Adds an entry to a directory (first cluster, 0: the root) and its clusters, which begin at the
 * first free one at or after from and leave gap free clusters between each two. name is the padded
 * 11-byte short name; long_name (ASCII) or NULL. attributes 0x10 makes a directory. Returns the
 * first cluster, 0 for an empty file.
 */
unsigned image_add(struct fat_image *image, unsigned directory, const char *name,
                   const char *long_name, uint8_t attributes, const void *bytes, size_t size,
                   unsigned from, unsigned gap);

/* FAT entry of a cluster in the first copy, without reserved bits; set changes all copies. */
unsigned image_get(const struct fat_image *image, unsigned cluster);
void image_set(struct fat_image *image, unsigned cluster, unsigned value);

/* The 32-byte entry with this padded short name in a directory, or NULL. */
uint8_t *image_entry(const struct fat_image *image, unsigned directory, const char *name);
/* The first cluster that an entry names. */
unsigned image_entry_cluster(const struct fat_image *image, const uint8_t *entry);
/* Whether the file has exactly these contents. */
bool image_holds(const struct fat_image *image, unsigned directory, const char *name,
                 const void *bytes, size_t size);

/*
 * Checks the whole file system: chains fit sizes, no cluster is in two of them, directories end,
 * the copies of the FAT are equal, FAT32's reserved bits are as they were, and FSInfo's count is
 * right or unknown. NULL when all is well, else what is wrong. With after_power_cut, lost clusters
 * and different copies are no error.
 */
const char *image_check(const struct fat_image *image, bool after_power_cut);
/* Clusters that the FAT has as free. */
unsigned image_free_clusters(const struct fat_image *image);
