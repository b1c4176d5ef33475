#include "kernel_image.h"
#include "boot/unpack/unpack.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/runtime.h"

static bool has_build_id(const struct kernel_header *header, const char *build_id) {
    char digits[3];
    for (size_t i = 0; i < sizeof header->build_id; i++) {
        snprintf(digits, sizeof digits, "%02x", header->build_id[i]);
        if (memcmp(digits, build_id + 2 * i, 2) != 0)
            return false;
    }
    return true;
}

/* Whether a file of this size can begin with this header. */
static bool is_plausible(const struct kernel_header *header, uint64_t size) {
    return header->signature == KERNEL_SIGNATURE && header->version == KERNEL_HEADER_VERSION &&
           !(header->flags & KERNEL_STREAMS) && header->file_size == size &&
           header->image_size > sizeof *header &&
           header->memory_size >= header->image_size + KERNEL_UNPACK_MARGIN &&
           header->memory_size >= size + 2 * KERNEL_UNPACK_MARGIN;
}

static bool crc_is_right(uint8_t *file, size_t size) {
    struct kernel_header *header = (struct kernel_header *)file;
    uint32_t crc = header->crc32;
    header->crc32 = 0;
    bool right = crc32_update(0, file, size) == crc;
    header->crc32 = crc;
    return right;
}

/* The image in `memory`, of the file at its end. */
static bool unpack_file(uint8_t *memory, const struct kernel_header *header, struct error *error) {
    uint8_t *end = memory + header->memory_size - KERNEL_UNPACK_MARGIN;
    struct zstd *zstd = malloc(sizeof *zstd);
    if (!zstd)
        return error_set(error, "There is no memory to unpack the kernel.");
    bool unpacked = unpack(zstd, memory, header->image_size, end - header->file_size, end);
    free(zstd);
    return unpacked || error_set(error, "The kernel file cannot be unpacked.");
}

static bool read_image(uint8_t *memory, struct file *file, const struct kernel_header *header,
                       struct error *error) {
    size_t size = header->file_size;
    bool is_packed = header->flags & KERNEL_ZSTD;
    uint8_t *at = is_packed ? memory + header->memory_size - KERNEL_UNPACK_MARGIN - size : memory;
    if (!file_read(file, 0, at, size, error))
        return false;
    if (!crc_is_right(at, size))
        return error_set(error, "The kernel file is damaged: its CRC-32 is wrong.");
    return !is_packed || unpack_file(memory, header, error);
}

static uint8_t *read_file(struct file *file, const char *build_id, struct error *error) {
    struct kernel_header header;
    if (file_size(file) < sizeof header) {
        error_set(error, "The kernel file is damaged: it is too short.");
        return NULL;
    }
    if (!file_read(file, 0, &header, sizeof header, error))
        return NULL;
    if (!is_plausible(&header, file_size(file)) || !has_build_id(&header, build_id)) {
        error_set(error, "The disk's kernel file is not that of the kernel that runs.");
        return NULL;
    }
    uint8_t *memory = malloc(header.memory_size);
    if (!memory) {
        error_set(error, "There is no memory for the kernel: it takes %lu KiB.",
                  (unsigned long)(header.memory_size >> 10));
        return NULL;
    }
    if (read_image(memory, file, &header, error))
        return memory;
    free(memory);
    return NULL;
}

uint8_t *kernel_image_read(const char *path, const char *build_id, struct error *error) {
    struct file *file = file_open(path, error);
    if (!file)
        return NULL;
    uint8_t *image = read_file(file, build_id, error);
    file_close(file);
    return image;
}
