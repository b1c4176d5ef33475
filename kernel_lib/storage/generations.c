/*
 * generations.h on a disk. A file in two generations is two files of the same form:
 *
 *   size bytes  the contents
 *               zeros to the end of the sector, then anything
 *   32 bytes    at the very end: struct footer
 *
 * It is longer than its contents need, and written in place: neither the FAT nor the directory
 * changes unless it must grow. A file without a footer was put there by hand (mtools): it counts as
 * older than any that has one.
 *
 * Which one is overwritten: where the device can flush, the older one, and the flush makes it the
 * newer one. Elsewhere nothing that was written since power came on is known to be on the medium.
 * So the generation that was the newest then is kept until power is switched off, and every write
 * goes to the other. A restart does not switch power off: `session` tells what was written since.
 *
 * site_scons/bareflow/disk/generations.py reads and makes the same.
 */
#include "kernel_lib/generations.h"
#include "files.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/platform/bare/power_session.h"
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/fat/fat.h"

#define MAGIC "BFGENER1"
#define ROOM_UNIT 0x4000u /* files are made a multiple of this long */

struct footer {
    uint8_t magic[8];
    uint64_t sequence; /* of the generation: the higher is the newer */
    uint64_t session;  /* power_session() when it was written */
    uint32_t size;     /* of the contents */
    uint32_t crc;      /* of the contents and the members before this one */
};
_Static_assert(sizeof(struct footer) == 32, "format");

/* What is known of one path. It is kept until the next boot. */
struct generation {
    struct generation *next;
    uint64_t sequence; /* the highest one in use */
    uint8_t target;    /* which file is written next */
    char paths[2][32];
};

static struct generation *known;

static uint32_t checksum(uint32_t crc_of_contents, const struct footer *footer) {
    return crc32_update(crc_of_contents, footer, offsetof(struct footer, crc));
}

/* Takes the footer from the end of a file: zeros but for the size when it has none. */
static bool read_footer(struct file *file, struct footer *footer, struct error *error) {
    uint64_t size = file_size(file);
    *footer = (struct footer){0};
    if (size >= sizeof *footer &&
        !file_read(file, size - sizeof *footer, footer, sizeof *footer, error))
        return false;
    if (memcmp(footer->magic, MAGIC, sizeof footer->magic) == 0)
        return footer->size <= size || error_set(error, "it is damaged or cut short");
    /* The guest's file without a footer is one that had just been made when the power was cut. */
    *footer = (struct footer){.size = files_by_guest(file) ? 0 : (uint32_t)size};
    return true;
}

/* Reads the contents of an open file, the caller's to free. NULL with *error when they cannot be
 * read or are damaged, with an empty one when there are none. */
static uint8_t *read_contents(struct file *file, size_t limit, struct footer *footer,
                              struct error *error) {
    if (!read_footer(file, footer, error) || footer->size == 0)
        return NULL;
    if (footer->size > limit) {
        error_set(error, "it has more than %zu bytes", limit);
        return NULL;
    }
    uint8_t *bytes = malloc(footer->size);
    if (!bytes) {
        error_set(error, "there is no memory to read it");
        return NULL;
    }
    if (file_read(file, 0, bytes, footer->size, error) &&
        (footer->sequence == 0 ||
         checksum(crc32_update(0, bytes, footer->size), footer) == footer->crc ||
         error_set(error, "it is damaged or cut short")))
        return bytes;
    free(bytes);
    return NULL;
}

/* Finds out which file is the newest, whose contents are returned as by read_contents. */
static uint8_t *examine(struct generation *generation, size_t limit, size_t *size,
                        struct error *error) {
    uint8_t *newest = NULL, which = 1;
    struct footer best = {0};
    error->text[0] = '\0';
    for (uint8_t i = 0; i < 2; i++) {
        struct footer footer;
        struct error why = {""};
        struct file *file = file_open(generation->paths[i], &why);
        if (!file)
            continue; /* as most files begin */
        why.text[0] = '\0';
        uint8_t *bytes = read_contents(file, limit, &footer, &why);
        file_close(file);
        if (footer.sequence > generation->sequence)
            generation->sequence = footer.sequence;
        if (why.text[0])
            *error = why;
        if (bytes && newest && footer.sequence <= best.sequence) {
            free(bytes);
        } else if (bytes) {
            free(newest);
            newest = bytes;
            best = footer;
            which = i;
        }
    }
    bool is_safe = files_can_flush() || best.session != power_session();
    generation->target = is_safe ? !which : which;
    *size = best.size;
    return newest;
}

/* What is known of the path; NULL without memory or with a path that is too long. */
static struct generation *find(const char *path, bool *is_new, struct error *error) {
    struct generation *generation = known;
    while (generation && strcmp(generation->paths[0], path) != 0)
        generation = generation->next;
    *is_new = !generation;
    if (generation)
        return generation;
    size_t length = strlen(path);
    generation = calloc(1, sizeof *generation);
    if (!generation || length >= sizeof generation->paths[0]) {
        free(generation);
        error_set(error, "there is no memory for it");
        return NULL;
    }
    for (int i = 0; i < 2; i++)
        memcpy(generation->paths[i], path, length);
    generation->paths[1][length - 1] = '~';
    generation->next = known;
    known = generation;
    return generation;
}

void generations_forget(void) {
    while (known) {
        struct generation *next = known->next;
        free(known);
        known = next;
    }
}

uint8_t *generation_read(const char *path, size_t limit, size_t *size, struct error *error) {
    bool is_new;
    struct generation *generation = find(path, &is_new, error);
    if (!generation)
        return NULL;
    uint8_t target = generation->target;
    uint8_t *bytes = examine(generation, limit, size, error);
    if (!is_new) /* which file is to be kept was decided before the first write */
        generation->target = target;
    return bytes;
}

/* Opens the file for overwriting; makes it, or makes it longer, unless it has this much room. */
static bool open_with_room(struct fat *fs, const char *path, uint32_t needed, struct fat_file *file,
                           struct error *error) {
    if (fat_open(fs, path, file, error)) {
        if (file->size >= needed && file->size % BLOCK_SECTOR_SIZE == 0)
            return true;
        fat_close(file);
    }
    if (fs->device->has_failed)
        return false;
    uint32_t room = (needed + needed / 2 + ROOM_UNIT - 1) / ROOM_UNIT * ROOM_UNIT;
    return (fat_reserve(fs, path, room, error) || fat_reserve(fs, path, needed, error)) &&
           fat_open(fs, path, file, error);
}

static bool write_file(struct fat *fs, const struct generation *generation, const void *bytes,
                       size_t size, struct error *error) {
    uint8_t last[BLOCK_SECTOR_SIZE] = {0};
    struct footer footer = {
        .sequence = generation->sequence + 1, .session = power_session(), .size = (uint32_t)size};
    struct fat_file file;
    memcpy(footer.magic, MAGIC, sizeof footer.magic);
    footer.crc = checksum(crc32_update(0, bytes, size), &footer);
    memcpy(last + sizeof last - sizeof footer, &footer, sizeof footer);
    uint32_t needed =
        (uint32_t)(size + 2 * BLOCK_SECTOR_SIZE - 1) / BLOCK_SECTOR_SIZE * BLOCK_SECTOR_SIZE;
    if (!fat_prepare(fs, error) ||
        !open_with_room(fs, generation->paths[generation->target], needed, &file, error))
        return false;
    bool done = fat_overwrite(fs, &file, 0, bytes, size, error) &&
                fat_overwrite(fs, &file, file.size - BLOCK_SECTOR_SIZE, last, sizeof last, error) &&
                block_flush(fs->device, error);
    fat_close(&file);
    return done;
}

bool generation_write(const char *path, const void *bytes, size_t size, struct error *error) {
    bool is_new;
    struct fat *fs = files_begin_writing(error);
    struct generation *generation = fs ? find(path, &is_new, error) : NULL;
    if (!generation)
        return false;
    if (is_new) {
        size_t ignored;
        struct error unreadable = {""};
        free(examine(generation, SIZE_MAX, &ignored, &unreadable));
    }
    if (!files_end_writing(write_file(fs, generation, bytes, size, error)))
        return false;
    generation->sequence++;
    if (files_can_flush())
        generation->target = !generation->target;
    return true;
}
