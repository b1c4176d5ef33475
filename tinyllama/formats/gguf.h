/*
 * Reader of GGUF files, versions 2 and 3, little-endian: metadata by name, and where the tensors
 * are. The whole header is checked before anything of it is used; memory is taken in proportion to
 * what the file really has. The weights are not read here (gguf_model.h).
 */
#pragma once
#include "kernel_lib/runtime.h"
#include "tinyllama/kernels/weight_types.h"

#define GGUF_MAGIC 0x46554747u /* "GGUF" */
#define GGUF_MAX_NAME 127u     /* bytes of a key's or tensor's name that we keep */

enum gguf_type {
    GGUF_UINT8,
    GGUF_INT8,
    GGUF_UINT16,
    GGUF_INT16,
    GGUF_UINT32,
    GGUF_INT32,
    GGUF_FLOAT32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_UINT64,
    GGUF_INT64,
    GGUF_FLOAT64,
    GGUF_TYPES
};

/* An entry of the metadata. */
struct gguf_entry {
    char key[GGUF_MAX_NAME + 1];
    enum gguf_type type; /* of the value, or of an array's elements */
    bool array;
    uint64_t count;        /* of an array's elements; of a string's bytes */
    uint64_t offset;       /* in the file: a number, a string's bytes, an array's first element */
    uint64_t string_bytes; /* of an array of strings, all together */
    uint64_t bits;         /* a number as it is in the file */
};

struct gguf_tensor {
    char name[GGUF_MAX_NAME + 1];
    const struct weight_type *type;
    uint32_t columns, rows; /* of a vector: 1 row */
    uint64_t offset;        /* in the file */
    uint64_t bytes;
    uint32_t slot, layer; /* for whoever reads the tensors; 0 at first */
};

struct gguf {
    struct file *file;
    const char *path; /* for messages */
    struct error *error;
    struct gguf_entry *entries;
    size_t entry_count;
    struct gguf_tensor *tensors; /* in the order of their names */
    size_t tensor_count;
};

/* Whether file begins as a GGUF file. */
bool gguf_recognise(struct file *file);

/*
 * Reads the header of file, which path names in messages; file, path and error are used until
 * gguf_close. False and *error if it is damaged or has what we do not support; there is then
 * nothing to close.
 */
bool gguf_open(struct gguf *gguf, struct file *file, const char *path, struct error *error);
void gguf_close(struct gguf *gguf);

/* The tensor of this name; NULL if there is none. */
struct gguf_tensor *gguf_tensor(const struct gguf *gguf, const char *name);

/* Puts the tensors in the order in which they lie in the file; gguf_tensor then finds none. */
void gguf_order_by_place(struct gguf *gguf);

/* ---- Metadata: what is absent leaves *value as it is; false and *error for a wrong type or a
 * value out of range ---- */

/* The entry of this key; NULL if there is none. */
const struct gguf_entry *gguf_entry(const struct gguf *gguf, const char *key);

/* A whole number from min to max, of any type of integers. */
bool gguf_whole(const struct gguf *gguf, const char *key, uint32_t min, uint32_t max,
                uint32_t *value);
/* A finite number that is not negative. */
bool gguf_number(const struct gguf *gguf, const char *key, double *value);
bool gguf_bool(const struct gguf *gguf, const char *key, bool *value);
/* A string of less than size bytes, copied with a zero at its end. */
bool gguf_string(const struct gguf *gguf, const char *key, char *value, size_t size);
/* An array with elements of this type, or NULL: absent leaves NULL in *entry. */
bool gguf_array(const struct gguf *gguf, const char *key, enum gguf_type type,
                const struct gguf_entry **entry);

/* error_set with "PATH: " in front. */
bool gguf_error(const struct gguf *gguf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
