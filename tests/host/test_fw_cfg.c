// sources: kernel_lib/error.c
// sources: kernel_lib/io/format.c
/* The test acts as QEMU's fw_cfg device: finding and reading files, and all that can be wrong. */
#include "check.h"
#include "fake_ports.h"
#include "kernel_lib/runtime.h"

static bool has_hypervisor_bit;

static struct cpuid fake_cpuid(uint32_t leaf, uint32_t subleaf) {
    CHECK(leaf == 1 && subleaf == 0);
    return (struct cpuid){.ecx = has_hypervisor_bit ? 1u << 31 : 0};
}
#define cpu_cpuid fake_cpuid

/* ---- The device ---- */

#define FILE_KEY 0x21u
static uint32_t subsystem = 0x11001AF4, pci_address;
static bool has_device = true, touched;
static const char *signature;
static uint32_t file_count, stored_size = 5; /* files named 0, 1, ... and at last opt/x */
static unsigned reads, failing_read;         /* the failing_read-th fails; 0: none */
static uint32_t address_high, offset, selected;

static void fake_outw(uint16_t port, uint16_t value) {
    CHECK(port == 0x510 && value == 0);
    touched = true;
    signature = has_device ? "QEMU" : "\xFF\xFF\xFF\xFF";
}

static uint8_t fake_inb(uint16_t port) {
    CHECK(port == 0x511);
    return (uint8_t)*signature++;
}

/* The bytes at an offset of the selected item. */
static void copy_item(uint8_t *to, uint32_t size) {
    if (selected == FILE_KEY) {
        CHECK(offset == 0 && size == stored_size);
        memset(to, 'x', size);
        return;
    }
    CHECK(selected == 0x19);
    if (offset == 0) {
        uint32_t count = __builtin_bswap32(file_count);
        CHECK(size == 4);
        memcpy(to, &count, 4);
        return;
    }
    uint32_t index = (offset - 4) / 64, big = __builtin_bswap32(stored_size);
    CHECK(size == 64 && (offset - 4) % 64 == 0 && index < file_count);
    memset(to, 0, 64);
    memcpy(to, &big, 4);
    to[5] = FILE_KEY;
    snprintf((char *)to + 8, 56, index + 1 == file_count ? "opt/x" : "%u", (unsigned)index);
}

static void fake_outl(uint16_t port, uint32_t value) {
    if (port == 0xCF8)
        pci_address = value;
    if (port == 0x514)
        address_high = __builtin_bswap32(value);
    if (port != 0x518)
        return;
    struct {
        uint32_t control, size;
        uint64_t address;
    } *access = (void *)((uintptr_t)address_high << 32 | __builtin_bswap32(value));
    uint32_t control = __builtin_bswap32(access->control), size = __builtin_bswap32(access->size);
    CHECK(control & 2);
    if (control & 8) {
        selected = control >> 16;
        offset = 0;
    }
    if (++reads == failing_read) {
        access->control = __builtin_bswap32(1);
        return;
    }
    copy_item((uint8_t *)(uintptr_t)__builtin_bswap64(access->address), size);
    offset += size;
    access->control = 0;
}

static uint32_t fake_inl(uint16_t port) {
    CHECK(port == 0xCFC && pci_address == 0x8000002C);
    return subsystem;
}

#include "kernel_lib/config/fw_cfg.c"

/* ---- Tests ---- */

/* Reads the file; *error is empty when there is nothing to report. */
static bool read_file(struct error *error) {
    size_t size = 0;
    reads = 0;
    touched = false;
    char *bytes = fw_cfg_read("opt/x", 100, &size, error);
    if (bytes)
        CHECK(size == stored_size && memchr(bytes, 'x', size) == bytes);
    free(bytes);
    return bytes != NULL;
}

static void expect_error(const char *message) {
    struct error error;
    CHECK(!read_file(&error) && strcmp(error.text, message) == 0);
}

int main(void) {
    struct error error;
    file_count = 7;
    CHECK(read_file(&error));
    for (failing_read = 1; failing_read <= 8; failing_read++)
        expect_error("QEMU does not give its list of files");
    expect_error("QEMU does not give it");
    failing_read = 0;
    stored_size = 100;
    CHECK(read_file(&error));
    stored_size = 101;
    expect_error("its 101 bytes are too many");
    file_count = 0;
    expect_error("");
    file_count = 0x4001;
    expect_error("QEMU does not give its list of files");

    /* The processor says that there is no hypervisor; what is no QEMU is left alone. */
    file_count = 1;
    stored_size = 5;
    subsystem = 0xFFFFFFFF;
    expect_error("");
    CHECK(!touched);
    has_hypervisor_bit = true;
    CHECK(read_file(&error));
    has_device = false;
    expect_error("");
    CHECK(touched && reads == 0);
    puts("fw_cfg: passed");
}
