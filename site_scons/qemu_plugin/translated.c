/*
 * A plugin for QEMU: which bytes of a range of the guest's code were translated.
 *
 *     -plugin file=translated.so,start=ADDRESS,size=BYTES,out=FILE
 *
 * QEMU translates code in blocks as execution reaches them, up to a branch; so what was never
 * translated never ran. At QEMU's end FILE gets a bit for each byte, the lowest bit first. There is
 * no cost while translated code runs.
 *
 * qemu-plugin.h is no part of a distribution's QEMU. This is what is used of version 1 of the
 * interface, from QEMU's documentation, "QEMU TCG Plugins".
 */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define BITS 8

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
typedef uint64_t qemu_plugin_id_t;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*callback)(qemu_plugin_id_t id,
                                                            struct qemu_plugin_tb *block));
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
                                    void (*callback)(qemu_plugin_id_t id, void *data), void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *instruction);

EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int count,
                               char **arguments);

static uint64_t start, size;
static uint8_t *bits;
static const char *out;

/* QEMU calls this for one block at a time. */
static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    (void)id;
    size_t count = qemu_plugin_tb_n_insns(block);
    for (size_t i = 0; i < count; i++) {
        /* Each by its own address: a block may go over from one page to the next. */
        const struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
        uint64_t at = qemu_plugin_insn_vaddr(instruction) - start;
        uint64_t end = at + qemu_plugin_insn_size(instruction);
        for (; at < end && at < size; at++)
            bits[at / BITS] |= (uint8_t)(1 << at % BITS);
    }
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *data) {
    (void)id, (void)data;
    FILE *file = fopen(out, "wb");
    if (!file || fwrite(bits, 1, (size + BITS - 1) / BITS, file) != (size + BITS - 1) / BITS ||
        fclose(file) != 0)
        perror(out); /* whoever wants to read it notices as well */
}

/* The value of an argument KEY=VALUE; NULL if it is another one. */
static const char *value_of(const char *argument, const char *key) {
    size_t length = strlen(key);
    return strncmp(argument, key, length) == 0 && argument[length] == '=' ? argument + length + 1
                                                                          : NULL;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int count,
                        char **arguments) {
    (void)info;
    for (int i = 0; i < count; i++) {
        const char *value;
        if ((value = value_of(arguments[i], "start")))
            start = strtoull(value, NULL, 0);
        else if ((value = value_of(arguments[i], "size")))
            size = strtoull(value, NULL, 0);
        else if ((value = value_of(arguments[i], "out")))
            out = strdup(value); /* the arguments are QEMU's */
    }
    bits = calloc(size / BITS + 1, 1);
    if (!bits || !size || !out) {
        fputs("translated: start=, size= and out= must be given\n", stderr);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
    return 0;
}
