#include "fat_image.h"
#include "check.h"
#include <string.h>

#define SECTOR 512u
#define RESERVED 1u
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

void image_format(struct fat_image *image, unsigned clusters, unsigned cluster_sectors) {
    unsigned table_sectors = ((clusters + 2) * 2 + SECTOR - 1) / SECTOR;
    *image = (struct fat_image){.cluster_sectors = cluster_sectors,
                                .clusters = clusters,
                                .table_copies = 2,
                                .table_sectors = table_sectors,
                                .root_entries = 64};
    image->table = RESERVED * SECTOR;
    image->root = image->table + 2 * (size_t)table_sectors * SECTOR;
    image->data = image->root + image->root_entries * ENTRY;
    image->size = image->data + clusters * cluster_size(image);
    image->bytes = calloc(image->size, 1);
    CHECK(image->bytes);

    uint8_t *boot = image->bytes;
    memcpy(boot, "\xEB\x3C\x90TESTTEST", 11);
    put16(boot + 11, SECTOR);
    boot[13] = (uint8_t)cluster_sectors;
    put16(boot + 14, RESERVED);
    boot[16] = (uint8_t)image->table_copies;
    put16(boot + 17, image->root_entries);
    boot[21] = 0xF8;
    put16(boot + 22, table_sectors);
    put32(boot + 32, (unsigned)(image->size / SECTOR));
    put16(boot + 510, 0xAA55);
    image_set(image, 0, 0xFFF8);
    image_set(image, 1, 0xFFFF);
}

void image_free(struct fat_image *image) {
    free(image->bytes);
    image->bytes = NULL;
}

unsigned image_get(const struct fat_image *image, unsigned cluster) {
    return take16(image->bytes + image->table + (size_t)cluster * 2);
}

void image_set(struct fat_image *image, unsigned cluster, unsigned value) {
    for (unsigned copy = 0; copy < image->table_copies; copy++)
        put16(image->bytes + image->table + (size_t)copy * image->table_sectors * SECTOR +
                  (size_t)cluster * 2,
              value);
}

static bool is_cluster(const struct fat_image *image, unsigned cluster) {
    return cluster >= 2 && cluster < image->clusters + 2;
}

/* The index-th entry of a directory, or NULL after the last that there is room for. */
static uint8_t *entry_at(const struct fat_image *image, unsigned directory, unsigned index) {
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
        image_set(image, cluster, 0xFFFF);
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
        image_set(image, first, 0xFFFF);
        memset(cluster_bytes(image, first), 0, cluster_size(image));
        uint8_t *dots = cluster_bytes(image, first);
        memcpy(dots, ".          ", 11);
        memcpy(dots + ENTRY, "..         ", 11);
        dots[11] = dots[ENTRY + 11] = 0x10;
        put16(dots + 26, first);
        put16(dots + ENTRY + 26, directory);
    } else {
        first = add_chain(image, bytes, size, from, gap);
        put32(entry + 28, (unsigned)size);
    }
    put16(entry + 26, first);
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
    unsigned cluster = take16(entry + 26);
    for (size_t done = 0; done < size; done += cluster_size(image)) {
        size_t part = size - done < cluster_size(image) ? size - done : cluster_size(image);
        if (!is_cluster(image, cluster) ||
            memcmp(cluster_bytes(image, cluster), (const uint8_t *)bytes + done, part) != 0)
            return false;
        cluster = image_get(image, cluster);
    }
    return size == 0 ? cluster == 0 : cluster >= 0xFFF8;
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
    } while (cluster < 0xFFF8);
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
        long count = follow(image, take16(entry + 26), seen);
        size_t size = take32(entry + 28);
        if (count < 0)
            return "a chain that leaves the FAT or meets another";
        if (entry[11] & 0x10) {
            if (count == 0)
                return "a directory without clusters";
            const char *wrong = check_directory(image, take16(entry + 26), seen);
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
    for (unsigned cluster = 2; !wrong && !after_power_cut && cluster < image->clusters + 2;
         cluster++) {
        unsigned value = image_get(image, cluster);
        if (!seen[cluster] && value != 0 && value != 0xFFF7)
            wrong = "a lost cluster";
    }
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
