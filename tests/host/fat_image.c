#include "fat_image.h"
#include "check.h"
#include <string.h>

#define SECTOR 512u
#define RESERVED_32 32u /* sectors; FAT16: 1 */
#define ROOT_32 2u
#define INFO_32 1u
#define UNKNOWN 0xFFFFFFFFu
#define ENTRY 32u

static void put16(uint8_t *p, unsigned value) {
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *p, unsigned value) {
    put16(p, value & 0xFFFF);
    put16(p + 2, value >> 16);
}

static unsigned take16(const uint8_t *p) {
    return p[0] | (unsigned)p[1] << 8;
}
static unsigned take32(const uint8_t *p) {
    return take16(p) | take16(p + 2) << 16;
}

static size_t cluster_size(const struct fat_image *image) {
    return (size_t)image->cluster_sectors * SECTOR;
}

static uint8_t *cluster_bytes(const struct fat_image *image, unsigned cluster) {
    return image->bytes + image->data + (cluster - 2) * cluster_size(image);
}

/* What every entry of FAT32's FAT has in its reserved bits. */
static unsigned reserved_bits(unsigned cluster) {
    return cluster % 2 ? 0xF0000000u : 0;
}

static void format_32(struct fat_image *image) {
    uint8_t *boot = image->bytes, *info = image->bytes + image->info;
    put16(boot + 22, 0);
    put32(boot + 36, image->table_sectors);
    put32(boot + 44, image->root_cluster);
    put16(boot + 48, INFO_32);
    put32(info, 0x41615252);
    put32(info + 484, 0x61417272);
    put32(info + 488, UNKNOWN);
    put32(info + 492, UNKNOWN);
    put16(info + 510, 0xAA55);
    for (unsigned copy = 0; copy < image->table_copies; copy++)
        for (unsigned cluster = 0; cluster < image->clusters + 2; cluster++)
            put32(image->bytes + image->table + (size_t)copy * image->table_sectors * SECTOR +
                      (size_t)cluster * 4,
                  reserved_bits(cluster));
    image_set(image, image->root_cluster, image->end);
}

/* The memory of an image that was freed, for the next one of its size: to get pages from the system
 * is most of what making an image costs. */
static uint8_t *spare;
static size_t spare_size;

static uint8_t *zeroed(size_t size) {
    uint8_t *bytes = spare_size == size ? spare : NULL;
    if (!bytes)
        return calloc(size, 1);
    spare = NULL;
    spare_size = 0;
    return memset(bytes, 0, size);
}

void image_format(struct fat_image *image, unsigned bits, unsigned clusters,
                  unsigned cluster_sectors) {
    unsigned table_sectors = ((clusters + 2) * (bits / 8) + SECTOR - 1) / SECTOR;
    unsigned reserved = bits == 32 ? RESERVED_32 : 1;
    *image = (struct fat_image){.bits = bits,
                                .cluster_sectors = cluster_sectors,
                                .clusters = clusters,
                                .table_copies = 2,
                                .table_sectors = table_sectors,
                                .root_entries = bits == 32 ? 0 : 64,
                                .end = bits == 32 ? 0x0FFFFFFF : 0xFFFF,
                                .root_cluster = bits == 32 ? ROOT_32 : 0,
                                .info = (size_t)INFO_32 * SECTOR};
    image->table = (size_t)reserved * SECTOR;
    image->root = image->table + 2 * (size_t)table_sectors * SECTOR;
    image->data = image->root + image->root_entries * ENTRY;
    image->size = image->data + clusters * cluster_size(image);
    image->bytes = zeroed(image->size);
    CHECK(image->bytes);

    uint8_t *boot = image->bytes;
    memcpy(boot, "\xEB\x3C\x90TESTTEST", 11);
    put16(boot + 11, SECTOR);
    boot[13] = (uint8_t)cluster_sectors;
    put16(boot + 14, reserved);
    boot[16] = (uint8_t)image->table_copies;
    put16(boot + 17, image->root_entries);
    boot[21] = 0xF8;
    put16(boot + 22, table_sectors);
    put32(boot + 32, (unsigned)(image->size / SECTOR));
    put16(boot + 510, 0xAA55);
    if (bits == 32)
        format_32(image);
    image_set(image, 0, image->end - 7);
    image_set(image, 1, image->end);
}

void image_free(struct fat_image *image) {
    free(spare);
    spare = image->bytes;
    spare_size = image->size;
    image->bytes = NULL;
}

unsigned image_get(const struct fat_image *image, unsigned cluster) {
    const uint8_t *table = image->bytes + image->table;
    return image->bits == 32 ? take32(table + (size_t)cluster * 4) & 0x0FFFFFFF
                             : take16(table + (size_t)cluster * 2);
}

void image_set(struct fat_image *image, unsigned cluster, unsigned value) {
    for (unsigned copy = 0; copy < image->table_copies; copy++) {
        uint8_t *table = image->bytes + image->table + (size_t)copy * image->table_sectors * SECTOR;
        if (image->bits == 32)
            put32(table + (size_t)cluster * 4, value | reserved_bits(cluster));
        else
            put16(table + (size_t)cluster * 2, value);
    }
}

unsigned image_entry_cluster(const struct fat_image *image, const uint8_t *entry) {
    return take16(entry + 26) | (image->bits == 32 ? take16(entry + 20) << 16 : 0);
}
static void set_entry_cluster(const struct fat_image *image, uint8_t *entry, unsigned cluster) {
    put16(entry + 26, cluster & 0xFFFF);
    if (image->bits == 32)
        put16(entry + 20, cluster >> 16);
}

static bool is_cluster(const struct fat_image *image, unsigned cluster) {
    return cluster >= 2 && cluster < image->clusters + 2;
}

/* The index-th entry of a directory, or NULL after the last that there is room for. */
static uint8_t *entry_at(const struct fat_image *image, unsigned directory, unsigned index) {
    if (directory == 0)
        directory = image->root_cluster;
    if (directory == 0)
        return index < image->root_entries ? image->bytes + image->root + index * ENTRY : NULL;
    unsigned each = (unsigned)(cluster_size(image) / ENTRY);
    for (; index >= each; index -= each) {
        directory = image_get(image, directory);
        if (!is_cluster(image, directory))
            return NULL;
    }
    return cluster_bytes(image, directory) + index * ENTRY;
}

static unsigned next_free(const struct fat_image *image, unsigned cluster) {
    while (image_get(image, cluster) != 0)
        cluster++;
    CHECK(is_cluster(image, cluster));
    return cluster;
}

/* Lays bytes into clusters and links them. */
static unsigned add_chain(struct fat_image *image, const uint8_t *bytes, size_t size, unsigned from,
                          unsigned gap) {
    unsigned first = 0, last = 0;
    for (size_t done = 0; done < size; done += cluster_size(image)) {
        unsigned cluster = next_free(image, last ? last + 1 + gap : from);
        size_t part = size - done < cluster_size(image) ? size - done : cluster_size(image);
        memcpy(cluster_bytes(image, cluster), bytes + done, part);
        image_set(image, cluster, image->end);
        if (last)
            image_set(image, last, cluster);
        else
            first = cluster;
        last = cluster;
    }
    return first;
}

/* The piece-th entry (0: the first 13 characters) of a long name. */
static void fill_long_entry(uint8_t *entry, const char *long_name, unsigned piece, bool last,
                            const char *short_name) {
    static const uint8_t places[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    uint8_t sum = 0;
    for (int i = 0; i < 11; i++)
        sum = (uint8_t)(((sum & 1) ? 0x80 : 0) + (sum >> 1) + (uint8_t)short_name[i]);
    size_t length = strlen(long_name);
    memset(entry, 0, ENTRY);
    entry[0] = (uint8_t)((piece + 1) | (last ? 0x40 : 0));
    entry[11] = 0x0F;
    entry[13] = sum;
    for (unsigned i = 0; i < 13; i++) {
        size_t at = piece * 13 + i;
        put16(entry + places[i], at < length ? (uint8_t)long_name[at] : at == length ? 0 : 0xFFFF);
    }
}

unsigned image_add(struct fat_image *image, unsigned directory, const char *name,
                   const char *long_name, uint8_t attributes, const void *bytes, size_t size,
                   unsigned from, unsigned gap) {
    unsigned index = 0;
    while (entry_at(image, directory, index) && entry_at(image, directory, index)[0] != 0)
        index++;
    unsigned pieces = long_name ? (unsigned)(strlen(long_name) + 12) / 13 : 0;
    for (unsigned piece = pieces; piece-- > 0; index++) {
        CHECK(entry_at(image, directory, index));
        fill_long_entry(entry_at(image, directory, index), long_name, piece, piece + 1 == pieces,
                        name);
    }
    uint8_t *entry = entry_at(image, directory, index);
    CHECK(entry);
    memset(entry, 0, ENTRY);
    memcpy(entry, name, 11);
    entry[11] = attributes;
    unsigned first;
    if (attributes & 0x10) {
        first = next_free(image, from);
        image_set(image, first, image->end);
        memset(cluster_bytes(image, first), 0, cluster_size(image));
        uint8_t *dots = cluster_bytes(image, first);
        memcpy(dots, ".          ", 11);
        memcpy(dots + ENTRY, "..         ", 11);
        dots[11] = dots[ENTRY + 11] = 0x10;
        set_entry_cluster(image, dots, first);
        set_entry_cluster(image, dots + ENTRY, directory);
    } else {
        first = add_chain(image, bytes, size, from, gap);
        put32(entry + 28, (unsigned)size);
    }
    set_entry_cluster(image, entry, first);
    return first;
}

uint8_t *image_entry(const struct fat_image *image, unsigned directory, const char *name) {
    uint8_t *entry;
    for (unsigned i = 0; (entry = entry_at(image, directory, i)) && entry[0] != 0; i++)
        if (entry[11] != 0x0F && memcmp(entry, name, 11) == 0)
            return entry;
    return NULL;
}

bool image_holds(const struct fat_image *image, unsigned directory, const char *name,
                 const void *bytes, size_t size) {
    const uint8_t *entry = image_entry(image, directory, name);
    if (!entry || take32(entry + 28) != size)
        return false;
    unsigned cluster = image_entry_cluster(image, entry);
    for (size_t done = 0; done < size; done += cluster_size(image)) {
        size_t part = size - done < cluster_size(image) ? size - done : cluster_size(image);
        if (!is_cluster(image, cluster) ||
            memcmp(cluster_bytes(image, cluster), (const uint8_t *)bytes + done, part) != 0)
            return false;
        cluster = image_get(image, cluster);
    }
    return size == 0 ? cluster == 0 : cluster >= image->end - 7;
}

/* Marks a chain in seen; its length, or -1 when it is not sound. */
static long follow(const struct fat_image *image, unsigned cluster, uint8_t *seen) {
    long count = 0;
    if (cluster == 0)
        return 0;
    do {
        if (!is_cluster(image, cluster) || seen[cluster])
            return -1;
        seen[cluster] = 1;
        count++;
        cluster = image_get(image, cluster);
    } while (cluster < image->end - 7);
    return count;
}

/* "." or "..", the padded name being all that tells them from names that begin with a dot. */
static bool is_dots(const uint8_t *entry) {
    size_t dots = entry[1] == '.' ? 2 : 1;
    bool blank = true;
    for (size_t i = dots; i < 11; i++)
        blank = blank && entry[i] == ' ';
    return entry[0] == '.' && blank && entry[11] & 0x10;
}

static const char *check_directory(const struct fat_image *image, unsigned directory,
                                   uint8_t *seen) {
    const uint8_t *entry;
    bool ended = false;
    for (unsigned i = 0; (entry = entry_at(image, directory, i)); i++) {
        if (entry[0] == 0)
            ended = true;
        if (ended && entry[0] != 0)
            return "an entry behind the end of its directory";
        if (ended || entry[0] == 0xE5 || entry[11] == 0x0F || is_dots(entry))
            continue;
        long count = follow(image, image_entry_cluster(image, entry), seen);
        size_t size = take32(entry + 28);
        if (count < 0)
            return "a chain that leaves the FAT or meets another";
        if (entry[11] & 0x10) {
            if (count == 0)
                return "a directory without clusters";
            const char *wrong = check_directory(image, image_entry_cluster(image, entry), seen);
            if (wrong)
                return wrong;
        } else if ((size_t)count != (size + cluster_size(image) - 1) / cluster_size(image)) {
            return "a chain that does not fit the file's size";
        }
    }
    return NULL;
}

const char *image_check(const struct fat_image *image, bool after_power_cut) {
    uint8_t *seen = calloc(image->clusters + 2, 1);
    CHECK(seen);
    const char *wrong = check_directory(image, 0, seen);
    if (!wrong && follow(image, image->root_cluster, seen) < 0)
        wrong = "a root directory that meets another chain";
    for (unsigned cluster = 2; !wrong && !after_power_cut && cluster < image->clusters + 2;
         cluster++) {
        unsigned value = image_get(image, cluster);
        if (!seen[cluster] && value != 0 && value != image->end - 8)
            wrong = "a lost cluster";
    }
    for (unsigned cluster = 0; !wrong && image->bits == 32 && cluster < image->clusters + 2;
         cluster++)
        if ((take32(image->bytes + image->table + (size_t)cluster * 4) & 0xF0000000u) !=
            reserved_bits(cluster))
            wrong = "reserved bits of the FAT that have changed";
    if (!wrong && image->bits == 32 && take32(image->bytes + image->info + 488) != UNKNOWN &&
        take32(image->bytes + image->info + 488) != image_free_clusters(image))
        wrong = "a wrong count of free clusters";
    free(seen);
    const uint8_t *table = image->bytes + image->table;
    size_t table_size = (size_t)image->table_sectors * SECTOR;
    if (!wrong && !after_power_cut && memcmp(table, table + table_size, table_size) != 0)
        wrong = "copies of the FAT that differ";
    return wrong;
}

unsigned image_free_clusters(const struct fat_image *image) {
    unsigned count = 0;
    for (unsigned cluster = 2; cluster < image->clusters + 2; cluster++)
        count += image_get(image, cluster) == 0;
    return count;
}
