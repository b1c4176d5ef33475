/*
 * ACPI power-off (ACPI 6.5): RSDP (5.2.5) -> RSDT or XSDT -> FADT (5.2.9) ->
 * DSDT, where \_S5 says what to write to PM1 control (4.8.3.2.1). There is no
 * AML interpreter: \_S5 is a constant package in every known DSDT, so its bytes
 * are searched for.
 */
#include "kernel_lib/platform/bare/acpi.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/io/ports.h"
#include "kernel_lib/runtime.h"

#define BIOS_AREA 0xE0000
#define BIOS_AREA_END 0x100000
#define EBDA_SEGMENT_POINTER 0x40E /* BIOS data area: segment of the extended BIOS data area */
#define EBDA_SEARCHED 1024
#define MAX_TABLE_SIZE (16u << 20) /* none known comes near */

#define SLEEP_ENABLE (1u << 13)
#define SLEEP_TYPE_SHIFT 10
#define SCI_ENABLE 1u
#define POLLS 100000 /* a port read takes about 1 us: 0.1 s */

#define AML_NAME 0x08
#define AML_PACKAGE 0x12
#define AML_BYTE 0x0A

struct __attribute__((packed)) root_pointer {
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
};

struct __attribute__((packed)) table {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision, creator, creator_revision;
};

struct __attribute__((packed)) fadt {
    struct table header;
    uint32_t firmware_control, dsdt;
    uint8_t reserved0, profile;
    uint16_t sci_interrupt;
    uint32_t smi_command_port;
    uint8_t acpi_enable, acpi_disable, s4_bios, pstate_control;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control;
};

/* Maps [address, address + size) for reading: ACPI tables lie outside the RAM that is mapped. */
static bool map(uint64_t address, uint64_t size) {
    struct error error;
    uint64_t start = address & ~(PAGE_SIZE - 1);
    uint64_t end = (address + size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    return memory_protect(start, end - start, MEMORY_READ, &error);
}

/* The table at this address, mapped; NULL when there can be none. */
static const struct table *table_at(uint64_t address) {
    if (address == 0 || address >> 47 != 0 || !map(address, sizeof(struct table)))
        return NULL;
    const struct table *table = (const struct table *)address;
    if (table->length < sizeof *table || table->length > MAX_TABLE_SIZE ||
        !map(address, table->length))
        return NULL;
    return table;
}

static const struct root_pointer *search_root(uintptr_t start, uintptr_t end) {
    for (uintptr_t address = start; address + 20 <= end; address += 16) {
        const uint8_t *bytes = (const uint8_t *)address;
        if (memcmp(bytes, "RSD PTR ", 8) != 0)
            continue;
        uint8_t sum = 0;
        for (unsigned i = 0; i < 20; i++)
            sum += bytes[i];
        if (sum == 0)
            return (const struct root_pointer *)address;
    }
    return NULL;
}

static const struct root_pointer *find_root(void) {
    const struct root_pointer *root = search_root(BIOS_AREA, BIOS_AREA_END);
    if (root)
        return root;
    if (!map(EBDA_SEGMENT_POINTER,
             sizeof(uint16_t))) /* page 0 is unmapped, to catch null pointers */
        return NULL;
    uintptr_t ebda = (uintptr_t)*(const volatile uint16_t *)EBDA_SEGMENT_POINTER << 4;
    return ebda >= PAGE_SIZE && map(ebda, EBDA_SEARCHED) ? search_root(ebda, ebda + EBDA_SEARCHED)
                                                         : NULL;
}

static const struct table *find_table(const struct root_pointer *root, const char *signature) {
    bool wide = root->revision >= 2 && root->xsdt != 0;
    const struct table *list = table_at(wide ? root->xsdt : root->rsdt);
    size_t entry_size = wide ? 8 : 4;
    if (!list)
        return NULL;
    size_t count = (list->length - sizeof *list) / entry_size;
    const uint8_t *entry = (const uint8_t *)(list + 1);
    for (size_t i = 0; i < count; i++, entry += entry_size) {
        uint64_t address = 0;
        memcpy(&address, entry, entry_size);
        const struct table *table = table_at(address);
        if (table && memcmp(table->signature, signature, 4) == 0)
            return table;
    }
    return NULL;
}

/* Reads an integer of a package: ByteConst, or ZeroOp/OneOp, which are the number itself. */
static uint8_t aml_integer(const uint8_t **code) {
    if (**code == AML_BYTE)
        ++*code;
    return *(*code)++;
}

/* Finds Name (_S5_, Package () {a, b, ...}); a and b are SLP_TYP for PM1a and PM1b. */
static bool find_sleep_types(const struct table *dsdt, uint8_t types[2]) {
    const uint8_t *end = (const uint8_t *)dsdt + dsdt->length;
    for (const uint8_t *code = (const uint8_t *)(dsdt + 1); code + 16 < end; code++) {
        if (memcmp(code, "_S5_", 4) != 0 || code[4] != AML_PACKAGE ||
            (code[-1] != AML_NAME && !(code[-2] == AML_NAME && code[-1] == '\\')))
            continue;
        const uint8_t *element = code + 5;
        element += (*element >> 6) + 1; /* PkgLength: the top bits count its further bytes */
        element++;                      /* NumElements */
        types[0] = aml_integer(&element);
        types[1] = aml_integer(&element);
        return true;
    }
    return false;
}

/* Until ACPI is switched on, the PM1 control registers may not answer. */
static void enable(const struct fadt *fadt) {
    uint16_t control = (uint16_t)fadt->pm1a_control;
    if (fadt->smi_command_port == 0 || fadt->acpi_enable == 0 || (inw(control) & SCI_ENABLE))
        return;
    outb((uint16_t)fadt->smi_command_port, fadt->acpi_enable);
    for (unsigned i = 0; i < POLLS && !(inw(control) & SCI_ENABLE); i++)
        ;
}

void acpi_power_off(void) {
    const struct root_pointer *root = find_root();
    const struct fadt *fadt = root ? (const struct fadt *)find_table(root, "FACP") : NULL;
    if (!fadt || fadt->header.length < sizeof *fadt || fadt->pm1a_control == 0)
        return;
    const struct table *dsdt = table_at(fadt->dsdt);
    uint8_t types[2];
    if (!dsdt || !find_sleep_types(dsdt, types))
        return;
    enable(fadt);
    outw((uint16_t)fadt->pm1a_control,
         (uint16_t)((types[0] & 7u) << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
    if (fadt->pm1b_control != 0)
        outw((uint16_t)fadt->pm1b_control,
             (uint16_t)((types[1] & 7u) << SLEEP_TYPE_SHIFT | SLEEP_ENABLE));
    for (unsigned i = 0; i < POLLS; i++)
        inw((uint16_t)fadt->pm1a_control); /* the machine needs a moment to go */
}
