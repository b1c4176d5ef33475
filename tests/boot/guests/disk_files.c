/*
 * Reads and writes files on the disk that was booted. The disk must hold
 * /profile/the input file.bin. Prints the way to the disk, then
 *
 *   "read ok"     the input file is the same in one piece, in pieces, and at an odd address
 *   "far ok"      with enough memory: and in a buffer above 4 GiB
 *   "written ok"  /profile/COPY.BIN has been made with its contents, replaced, and reads as them
 *
 * and the way again, and ends with code 0; prints "error: ..." and ends with code 1 when it cannot.
 */
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/storage.h"
#include <inttypes.h>

#define INPUT "/profile/the input file.bin"
#define COPY "/profile/COPY.BIN"
#define PIECE 1000 /* no multiple of a sector */

/* More than a PC has below 4 GiB: an allocation of this size lies above. */
#define FAR_SIZE (15ull << 28)
#define FAR_ADDRESS (1ull << 32)

static int fail(const struct error *error) {
    console_printf("error: %s\n", error->text);
    return 1;
}

static bool different(struct error *error) {
    return error_set(error, "The same file read in another way is different.");
}

/* Reads the file in pieces and compares them with the whole. */
static bool read_in_pieces(struct file *file, const uint8_t *whole, struct error *error) {
    uint8_t piece[PIECE];
    for (uint64_t at = 0; at < file_size(file); at += PIECE) {
        size_t size = file_size(file) - at < PIECE ? (size_t)(file_size(file) - at) : PIECE;
        if (!file_read(file, at, piece, size, error))
            return false;
        if (memcmp(piece, whole + at, size) != 0)
            return different(error);
    }
    return true;
}

/* Reads the file into memory that DMA with 32-bit addresses cannot reach, if there is any. */
static bool read_far(struct file *file, const uint8_t *whole, struct error *error) {
    if (sizeof(void *) == 4)
        return true;
    uint8_t *far = malloc(FAR_SIZE);
    if (!far)
        return true;
    if ((uint64_t)(uintptr_t)far < FAR_ADDRESS)
        return error_set(error, "The far buffer is below 4 GiB.");
    if (!file_read(file, 0, far, (size_t)file_size(file), error))
        return false;
    if (memcmp(far, whole, (size_t)file_size(file)) != 0)
        return different(error);
    console_puts("far ok\n");
    free(far);
    return true;
}

/* Reads the file in all ways into buffers of its size; *bytes is allocated. */
static bool read_input(uint8_t **bytes, size_t *size, struct error *error) {
    struct file *file = file_open(INPUT, error);
    if (!file)
        return false;
    *size = (size_t)file_size(file);
    *bytes = malloc(*size + 1);
    uint8_t *other = malloc(*size + 1);
    if (!*bytes || !other)
        return error_set(error, "No memory.");
    uint64_t start = cpu_rdtsc();
    if (!file_read(file, 0, *bytes, *size, error))
        return false;
    uint64_t cycles = cpu_rdtsc() - start;
    console_printf("%zu bytes in %" PRIu64 " us\n", *size,
                   cycles * 1000000 / cpu_cycles_per_second());
    if (!file_read(file, 0, other + 1, *size, error))
        return false;
    if (memcmp(*bytes, other + 1, *size) != 0)
        return different(error);
    bool done = read_in_pieces(file, *bytes, error) && read_far(file, *bytes, error);
    free(other);
    file_close(file);
    return done;
}

static bool write_copy(const uint8_t *bytes, size_t size, struct error *error) {
    static const char first[] = "not the last word";
    if (!file_replace(COPY, first, sizeof first, error) || !file_replace(COPY, bytes, size, error))
        return false;
    struct file *file = file_open(COPY, error);
    if (!file)
        return false;
    if (file_size(file) != size)
        return error_set(error, "The copy has another size.");
    bool done = read_in_pieces(file, bytes, error);
    file_close(file);
    return done;
}

int app_main(void) {
    struct error error;
    uint8_t *bytes;
    size_t size;
    console_printf("disk: %s\n", storage_disk_name());
    if (!read_input(&bytes, &size, &error))
        return fail(&error);
    console_puts("read ok\n");
    if (!write_copy(bytes, size, &error))
        return fail(&error);
    console_puts("written ok\n");
    console_printf("disk at the end: %s\n", storage_disk_name());
    return 0;
}
