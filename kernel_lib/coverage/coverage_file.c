#include "kernel_lib/coverage/coverage_file.h"
#include "kernel_lib/crc32.h"
#include <stdlib.h>
#include <string.h>

static const char signature[8] = {'B', 'F', 'C', 'O', 'V', 'E', 'R', '1'};

struct __attribute__((packed)) header {
    char signature[sizeof signature];
    char build_id[COVERAGE_BUILD_ID];
    uint32_t boots;
    uint32_t functions;
    uint32_t executed;
    uint32_t names_size;
};
_Static_assert(sizeof(struct header) == 56, "the layout that coverage_file.h describes");

/* Where the parts of a file begin. */
struct layout {
    size_t bits, order, names, crc, size;
};

static struct layout layout_of(const struct header *header) {
    struct layout at = {.bits = sizeof *header};
    at.order = at.bits + ((size_t)header->functions + 7) / 8;
    at.names = at.order + header->executed * sizeof(uint32_t);
    at.crc = at.names + header->names_size;
    at.size = at.crc + sizeof(uint32_t);
    return at;
}

static bool bit(const uint8_t *bits, uint32_t index) {
    return bits[index / 8] >> index % 8 & 1;
}

static uint32_t number_at(const uint8_t *at) {
    uint32_t number;
    memcpy(&number, at, sizeof number);
    return number;
}

static uint32_t names_size(const struct coverage_seen *seen) {
    size_t size = 0;
    const char *name;
    bool has_run;
    for (size_t i = 0; seen->application && (name = seen->application(i, &has_run)); i++)
        size += strlen(name) + 2;
    return (uint32_t)size;
}

/* Whether old is a whole file of the same build and the same functions; a boot that ended before
 * the application began knows no names. Otherwise *why says what is wrong. */
static bool check(const struct header *wanted, const uint8_t *old, size_t old_size,
                  struct error *why) {
    struct header header;
    if (old_size < sizeof header + sizeof(uint32_t))
        return error_set(why, "it is cut short");
    memcpy(&header, old, sizeof header);
    if (memcmp(header.signature, signature, sizeof signature) != 0)
        return error_set(why, "it is of another version");
    size_t crc = old_size - sizeof(uint32_t);
    if (number_at(old + crc) != crc32_update(0, old, crc))
        return error_set(why, "it is damaged");
    if (memcmp(header.build_id, wanted->build_id, sizeof header.build_id) != 0)
        return error_set(why, "it is of another build, %.32s", header.build_id);
    struct layout at = layout_of(&header);
    bool other_names =
        header.names_size != wanted->names_size && header.names_size > 0 && wanted->names_size > 0;
    if (at.size != old_size || header.functions != wanted->functions || other_names)
        return error_set(why, "it is of this build but has other functions");
    for (uint32_t i = 0; i < header.executed; i++) {
        uint32_t index = number_at(old + at.order + i * sizeof(uint32_t));
        if (index >= header.functions || !bit(old + at.bits, index))
            return error_set(why, "its order names a function that has not run");
    }
    return true;
}

/* The file under construction: header, bits and order grow as functions are added. */
struct building {
    struct header header;
    uint8_t *bits;
    uint8_t *order;
};

static void add(struct building *file, uint32_t index) {
    if (bit(file->bits, index))
        return;
    file->bits[index / 8] |= (uint8_t)(1 << index % 8);
    memcpy(file->order + file->header.executed++ * sizeof index, &index, sizeof index);
}

/* old: the names in the file that is merged, or NULL; they stay if this boot knows none. */
static void write_names(const struct coverage_seen *seen, const uint8_t *old, size_t size,
                        uint8_t *at) {
    const char *name;
    bool has_run;
    if (!seen->application && old)
        memcpy(at, old, size);
    for (size_t i = 0; seen->application && (name = seen->application(i, &has_run)); i++) {
        size_t length = strlen(name);
        at[0] = has_run || (old && old[0] == '+') ? '+' : '-';
        memcpy(at + 1, name, length);
        at[1 + length] = '\n';
        old = old ? old + length + 2 : NULL;
        at += length + 2;
    }
}

/* That of a first boot in which nothing has run. */
static struct header header_for(const struct coverage_seen *seen) {
    struct header header = {
        .boots = 1, .functions = seen->functions, .names_size = names_size(seen)};
    memcpy(header.signature, signature, sizeof signature);
    memcpy(header.build_id, seen->build_id, sizeof header.build_id);
    return header;
}

const uint8_t *coverage_file_bits(const struct coverage_seen *seen, const uint8_t *file,
                                  size_t size, struct error *why) {
    struct header wanted = header_for(seen);
    return check(&wanted, file, size, why) ? file + layout_of(&wanted).bits : NULL;
}

uint8_t *coverage_file_make(const struct coverage_seen *seen, const uint8_t *old, size_t old_size,
                            size_t *size, struct error *why) {
    struct building file = {.header = header_for(seen)};
    struct header most = file.header;
    most.executed = seen->functions;
    most.names_size += seen->application ? 0 : (uint32_t)old_size;
    uint8_t *made = calloc(1, layout_of(&most).size);
    if (!made)
        return NULL;
    struct layout at = layout_of(&most);
    file.bits = made + at.bits;
    file.order = made + at.order;

    why->text[0] = '\0';
    const uint8_t *old_names = NULL;
    if (old && check(&file.header, old, old_size, why)) {
        struct header header;
        memcpy(&header, old, sizeof header);
        at = layout_of(&header);
        file.header.boots = header.boots + 1;
        for (uint32_t i = 0; i < header.executed; i++)
            add(&file, number_at(old + at.order + i * sizeof(uint32_t)));
        old_names = header.names_size > 0 ? old + at.names : NULL;
        if (!seen->application)
            file.header.names_size = header.names_size;
    }
    for (uint32_t i = 0; i < seen->executed; i++)
        add(&file, seen->order[i]);

    at = layout_of(&file.header);
    memcpy(made, &file.header, sizeof file.header);
    write_names(seen, old_names, file.header.names_size, made + at.names);
    uint32_t crc = crc32_update(0, made, at.crc);
    memcpy(made + at.crc, &crc, sizeof crc);
    *size = at.size;
    return made;
}
