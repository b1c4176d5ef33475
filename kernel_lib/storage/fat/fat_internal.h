/*
 * What the fat_*.c files share: the on-disk structures and the layers below
 * the public functions. Numbers on disk are little-endian, as is every machine
 * that this runs on.
 */
#pragma once
#include "fat.h"

/* ---- On disk (fatgen103) ---- */

/* The boot sector's BIOS parameter block. */
struct __attribute__((packed)) fat_boot_sector {
    uint8_t jump[3];
    uint8_t oem_name[8];
    uint16_t bytes_per_sector;
    uint8_t sectors_per_cluster;
    uint16_t reserved_sectors;
    uint8_t table_copies;
    uint16_t root_entries;
    uint16_t total_sectors_16;
    uint8_t media;
    uint16_t table_sectors;
    uint16_t sectors_per_track;
    uint16_t heads;
    uint32_t hidden_sectors;
    uint32_t total_sectors_32;
    /* FAT32 only; FAT16 has something else here. */
    uint32_t table_sectors_32;
    uint16_t flags;
    uint16_t version;
    uint32_t root_cluster;
    uint16_t info_sector;
    uint8_t rest[460];
    uint8_t signature[2]; /* 0x55, 0xAA */
};
_Static_assert(sizeof(struct fat_boot_sector) == BLOCK_SECTOR_SIZE, "boot sector");

/* In flags: whether one FAT alone is in use, and which. */
#define FAT_NOT_MIRRORED 0x80
#define FAT_ACTIVE_TABLE 0x0F

/* FAT32's FSInfo. */
struct __attribute__((packed)) fat_info_sector {
    uint32_t lead_signature;
    uint8_t reserved[480];
    uint32_t signature;
    uint32_t free_clusters; /* FAT_UNKNOWN: to be counted in the FAT */
    uint32_t next_free;     /* where to begin to look for one */
    uint8_t rest[16];
};
_Static_assert(sizeof(struct fat_info_sector) == BLOCK_SECTOR_SIZE, "FSInfo");
#define FAT_INFO_LEAD_SIGNATURE 0x41615252
#define FAT_INFO_SIGNATURE 0x61417272
#define FAT_UNKNOWN 0xFFFFFFFF

/* Entries of the FAT. The highest four bits of FAT32's are reserved: neither read nor changed. */
#define FAT_CLUSTER_FREE 0
#define FAT16_END 0xFFFF /* fat.end_mark */
#define FAT32_END 0x0FFFFFFF
static inline bool fat_is_last(const struct fat *fs, uint32_t value) {
    return value >= fs->end_mark - 7;
}
static inline bool fat_is_bad(const struct fat *fs, uint32_t value) {
    return value == fs->end_mark - 8;
}

struct __attribute__((packed)) fat_entry {
    uint8_t name[11];
    uint8_t attributes;
    uint8_t case_flags;
    uint8_t created_tenths;
    uint16_t created_time;
    uint16_t created_date;
    uint16_t accessed_date;
    uint16_t cluster_high; /* FAT32 */
    uint16_t written_time;
    uint16_t written_date;
    uint16_t cluster;
    uint32_t size;
};
_Static_assert(sizeof(struct fat_entry) == 32, "directory entry");

static inline uint32_t fat_entry_cluster(const struct fat *fs, const struct fat_entry *entry) {
    return entry->cluster | (fs->root_cluster ? (uint32_t)entry->cluster_high << 16 : 0);
}
static inline void fat_entry_set_cluster(const struct fat *fs, struct fat_entry *entry,
                                         uint32_t cluster) {
    entry->cluster = (uint16_t)cluster;
    if (fs->root_cluster)
        entry->cluster_high = (uint16_t)(cluster >> 16);
}

/* First byte of the name. */
#define FAT_NAME_END 0x00
#define FAT_NAME_DELETED 0xE5

#define FAT_READ_ONLY 0x01
#define FAT_VOLUME_LABEL 0x08
#define FAT_DIRECTORY 0x10
#define FAT_ARCHIVE 0x20
#define FAT_LONG_NAME 0x0F

/* The date of writing, because the machine's clock is not read: 1 January 1980, the first valid
 * one, at 22:22:22. It marks the files that the guest wrote (fatgen103, "date and time
 * formats"). */
#define FAT_GUEST_DATE 0x0021
#define FAT_GUEST_TIME 0xB2CB
static inline bool fat_is_by_guest(const struct fat_entry *entry) {
    return entry->written_date == FAT_GUEST_DATE && entry->written_time == FAT_GUEST_TIME;
}

static inline void fat_entry_mark(struct fat_entry *entry) {
    entry->written_date = FAT_GUEST_DATE;
    entry->written_time = FAT_GUEST_TIME;
}

/* A piece of a long name: attributes are FAT_LONG_NAME. The pieces stand before the short entry,
 * the last one first. */
struct __attribute__((packed)) fat_long_entry {
    uint8_t order;       /* 1, 2, ...; 0x40 is added in the last piece */
    uint8_t units_1[10]; /* UTF-16, 5 units */
    uint8_t attributes;
    uint8_t type;
    uint8_t checksum;    /* of the short name */
    uint8_t units_2[12]; /* 6 units */
    uint16_t cluster;
    uint8_t units_3[4]; /* 2 units */
};
_Static_assert(sizeof(struct fat_long_entry) == 32, "long name entry");

/* ---- fat_cache.c: sectors of directories, files and copies of the FAT ---- */

/* The cached sector, read together with up to FAT_CACHE_SECTORS - 1 of those that follow, of
 * which available (1 or more, this one included) may be read. NULL with *error when it cannot be
 * read. */
uint8_t *fat_cached_sector(struct fat *fs, uint64_t sector, uint64_t available,
                           struct error *error);

/* ---- fat_table.c: the FAT ---- */

/* The entry of cluster (2 to cluster_limit - 1). */
bool fat_table_get(struct fat *fs, uint32_t cluster, uint32_t *value, struct error *error);
/* Changes an entry; it reaches the disk with the next fat_table_sync at the latest. */
bool fat_table_set(struct fat *fs, uint32_t cluster, uint32_t value, struct error *error);
/* Writes the changed part to every copy of the FAT. */
bool fat_table_sync(struct fat *fs, struct error *error);
/* Marks the sectors in the window for writing if another copy of the FAT differs from the first. */
bool fat_table_compare_copies(struct fat *fs, struct error *error);
/* The cluster after this one in its chain, 0 after the last; an error when the entry is no valid
 * link. */
bool fat_table_next(struct fat *fs, uint32_t cluster, uint32_t *next, struct error *error);

/* The device's sector where a cluster begins. */
static inline uint64_t fat_cluster_sector(const struct fat *fs, uint32_t cluster) {
    return fs->data_sector + (uint64_t)(cluster - 2) * fs->cluster_sectors;
}
static inline bool fat_is_cluster(const struct fat *fs, uint32_t cluster) {
    return cluster >= 2 && cluster < fs->cluster_limit;
}
/* Clusters that size bytes take. */
static inline uint32_t fat_clusters_for(const struct fat *fs, uint32_t size) {
    return (uint32_t)(((uint64_t)size + fs->cluster_size - 1) / fs->cluster_size);
}

/* ---- fat_write.c ---- */

/* Frees the clusters of a chain, and flushes. Without flush the chain stays in the FAT, owned by
 * nobody: after a power cut the old entry may be back. */
bool fat_free_chain(struct fat *fs, uint32_t cluster, struct error *error);

/* ---- fat_read.c ---- */

/* Appends a cluster to the file's list of extents. */
bool fat_file_append(struct fat_file *file, uint32_t cluster, struct error *error);

/* ---- fat_directory.c: directories ---- */

/* A place in a directory. */
struct fat_cursor {
    uint32_t cluster;       /* the one being read; 0 in FAT16's root */
    uint32_t clusters_left; /* that may follow before the directory is too long to be one */
    uint32_t sector_index;  /* of the next entry, within the cluster or the root */
    uint32_t offset;        /* of the next entry in its sector, bytes */
    uint64_t entry_sector;  /* where the entry given last lies */
    uint32_t entry_offset;
};

enum fat_step {
    FAT_STEP_ENTRY,    /* an entry, perhaps deleted */
    FAT_STEP_END_MARK, /* the entry that ends the directory: it and all after it are unused */
    FAT_STEP_END,      /* the directory's space is used up */
    FAT_STEP_FAILED,
};

/* Puts the cursor before the first entry of the directory that begins at cluster (0: the root). */
void fat_cursor_start(const struct fat *fs, struct fat_cursor *cursor, uint32_t cluster);
enum fat_step fat_cursor_next(struct fat *fs, struct fat_cursor *cursor, struct fat_entry *entry,
                              struct error *error);
/* Puts an entry into a directory's sector: one write of one sector, and a flush. */
bool fat_entry_write(struct fat *fs, uint64_t sector, uint32_t offset,
                     const struct fat_entry *entry, struct error *error);

/* What a path names. */
struct fat_lookup {
    bool found;
    struct fat_entry entry; /* if found: a copy of the entry */
    uint64_t sector;        /* and where it lies */
    uint32_t offset;
    uint32_t directory;     /* first cluster of the directory it is or would be in; 0: the root */
    bool name_is_short;     /* the path's last part is a valid 8.3 name: */
    uint8_t short_name[11]; /* this one */
};

/* Looks the path up. A missing file is no error: found is false. A missing directory on the way is
 * one. */
bool fat_find(struct fat *fs, const char *path, struct fat_lookup *lookup, struct error *error);

/* ---- fat_space.c: which clusters are taken ---- */

/* Discards fs->used and unwritten changes, after a failure. */
void fat_space_discard(struct fat *fs);
bool fat_space_is_used(const struct fat *fs, uint32_t cluster);
void fat_space_mark(struct fat *fs, uint32_t cluster, bool used);
/* Where to begin to take count free clusters: a run that holds them all if there is one, else the
 * first free cluster. There must be that many. */
uint32_t fat_space_choose(const struct fat *fs, uint32_t count);
/* The first free cluster at or after this one, in ascending order; there must be one. */
uint32_t fat_space_next_free(const struct fat *fs, uint32_t cluster);

/* ---- fat_name.c: names ---- */

#define FAT_NAME_UNITS 255

/* One part of a path, in the forms that directory entries are compared with. */
struct fat_name {
    uint16_t units[FAT_NAME_UNITS]; /* UTF-16, ASCII letters in upper case */
    uint32_t length;
    bool is_short;          /* it is a valid 8.3 name: */
    uint8_t short_name[11]; /* this one */
};

/* Makes the forms of the size bytes at text; false when they are no UTF-8 or too long. */
bool fat_name_from_text(struct fat_name *name, const char *text, size_t size);

/* The state of comparing a name with the entries of a directory, one after the other; starts as
 * zeros. */
struct fat_match {
    uint8_t order;    /* of the piece seen last; 0: none */
    uint8_t checksum; /* that the pieces gave */
    bool equal;       /* the pieces so far are equal to the name */
};
/* Takes the next entry; true when it is the short entry of a file with this name. */
bool fat_name_matches(const struct fat_name *name, struct fat_match *match,
                      const struct fat_entry *entry);
