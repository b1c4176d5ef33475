/* A writer of small GGUF files in memory, for the readers' tests. */
#pragma once
#include "check.h"
#include "tinyllama/formats/gguf.h"
#include <stdint.h>
#include <string.h>

struct gguf_image {
    unsigned char bytes[1 << 17];
    size_t size;
};

static inline void put(struct gguf_image *image, const void *bytes, size_t size) {
    CHECK(image->size + size <= sizeof image->bytes);
    memcpy(image->bytes + image->size, bytes, size);
    image->size += size;
}
static inline void put32(struct gguf_image *image, uint32_t value) {
    put(image, &value, sizeof value);
}
static inline void put64(struct gguf_image *image, uint64_t value) {
    put(image, &value, sizeof value);
}
static inline void put_string(struct gguf_image *image, const char *text) {
    put64(image, strlen(text));
    put(image, text, strlen(text));
}
static inline void put_key(struct gguf_image *image, const char *key, enum gguf_type type) {
    put_string(image, key);
    put32(image, type);
}
static inline void put_whole(struct gguf_image *image, const char *key, uint32_t value) {
    put_key(image, key, GGUF_UINT32);
    put32(image, value);
}
static inline void put_number(struct gguf_image *image, const char *key, float value) {
    put_key(image, key, GGUF_FLOAT32);
    put(image, &value, sizeof value);
}
static inline void put_text(struct gguf_image *image, const char *key, const char *value) {
    put_key(image, key, GGUF_STRING);
    put_string(image, value);
}
/* The beginning of an array; its elements follow. */
static inline void put_array(struct gguf_image *image, const char *key, enum gguf_type type,
                             uint64_t count) {
    put_key(image, key, GGUF_ARRAY);
    put32(image, type);
    put64(image, count);
}
static inline void put_header(struct gguf_image *image, uint32_t version, uint64_t tensors,
                              uint64_t entries) {
    image->size = 0;
    put32(image, GGUF_MAGIC);
    put32(image, version);
    put64(image, tensors);
    put64(image, entries);
}
/* rows 0: a vector. The offset is that from the data's beginning. */
static inline void put_tensor(struct gguf_image *image, const char *name, uint64_t columns,
                              uint64_t rows, uint32_t type, uint64_t offset) {
    put_string(image, name);
    put32(image, rows ? 2 : 1);
    put64(image, columns);
    if (rows)
        put64(image, rows);
    put32(image, type);
    put64(image, offset);
}
static inline void put_padding(struct gguf_image *image, size_t alignment) {
    while (image->size % alignment)
        put(image, "", 1);
}
