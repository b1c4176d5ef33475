// sources: kernel_lib/error.c
// sources: kernel_lib/io/format.c
/* Configuration space that the test answers for: bridges, capabilities, base addresses. */
#include "check.h"
#include "fake_ports.h"
#include <string.h>

static uint32_t fake_inl(uint16_t port);
static void fake_outl(uint16_t port, uint32_t value);
static void fake_outw(uint16_t port, uint16_t value);

#include "kernel_lib/pci/pci.c"

/* ---- The devices ---- */

#define MOST 16

static struct {
    pci_function function;
    uint32_t registers[64];
} devices[MOST];
static unsigned device_count;
static uint32_t selected;

static uint32_t *add(uint8_t bus, uint8_t slot, uint8_t function) {
    CHECK(device_count < MOST);
    memset(&devices[device_count], 0, sizeof devices[0]);
    devices[device_count].function = pci_function_at(bus, slot, function);
    devices[device_count].registers[0] = 0x12345678;
    return devices[device_count++].registers;
}

static uint32_t *selected_register(void) {
    for (unsigned i = 0; i < device_count; i++)
        if (devices[i].function == (selected & 0xFFFFFF00))
            return &devices[i].registers[(selected & 0xFF) / 4];
    return NULL;
}

static void fake_outl(uint16_t port, uint32_t value) {
    CHECK(port == 0xCF8 && value % 4 == 0);
    selected = value;
}

static uint32_t fake_inl(uint16_t port) {
    CHECK(port == 0xCFC);
    return selected_register() ? *selected_register() : 0xFFFFFFFF;
}

static void fake_outw(uint16_t port, uint16_t value) {
    CHECK(port == 0xCFC && selected_register());
    *selected_register() = (*selected_register() & 0xFFFF0000) | value;
}

/* ---- Mapping ---- */

static uint64_t mapped, mapped_size;
static bool has_memory = true;

bool memory_map_device(uint64_t address, uint64_t size, struct error *error) {
    mapped = address;
    mapped_size = size;
    return has_memory || error_set(error, "none");
}

/* ---- Tests ---- */

static pci_function visited[MOST];
static unsigned visits;

static void note(pci_function function, void *context) {
    CHECK(context == visited && visits < MOST);
    visited[visits++] = function;
}

static void test_bridges(void) {
    add(0, 0, 0);
    add(0, 3, 0)[3] = 1u << 23; /* several functions */
    add(0, 3, 5);
    add(0, 4, 0);
    add(0, 4, 1); /* of a device that says that it has one: not there */
    uint32_t *bridge = add(0, 31, 0);
    bridge[3] = 1u << 16;
    bridge[6] = 0x050200; /* leads to bus 2 */
    uint32_t *back = add(2, 0, 0);
    back[3] = 1u << 16;
    back[6] = 0x050002; /* back to bus 0 */
    add(2, 1, 0);
    add(3, 1, 0); /* behind no bridge */
    static const uint32_t expected[] = {0x80000000, 0x80001800, 0x80001D00, 0x80002000,
                                        0x8000F800, 0x80020000, 0x80020800};
    pci_for_each(note, visited);
    CHECK(visits == sizeof expected / sizeof *expected);
    CHECK(memcmp(visited, expected, sizeof expected) == 0);
}

static void test_capabilities(void) {
    uint32_t *device = add(0, 10, 0);
    pci_function function = pci_function_at(0, 10, 0);
    device[0x34 / 4] = 0x40;
    device[0x40 / 4] = 0x5009;
    device[0x50 / 4] = 0x6105; /* lowest bits of a pointer do not count */
    device[0x60 / 4] = 0x0009;
    CHECK(pci_capability(function, 9, 0) == 0); /* the status says that there are none */
    device[1] = 1u << 20;
    CHECK(pci_capability(function, 9, 0) == 0x40);
    CHECK(pci_capability(function, 9, 0x40) == 0x60);
    CHECK(pci_capability(function, 9, 0x60) == 0);
    CHECK(pci_capability(function, 5, 0) == 0x50);
    device[0x60 / 4] = 0x4009; /* a loop */
    CHECK(pci_capability(function, 7, 0) == 0);
}

static void test_command(void) {
    uint32_t *device = add(0, 11, 0);
    device[1] = 0xABCD0001;
    pci_enable(pci_function_at(0, 11, 0), PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
    CHECK(device[1] == 0xABCD0007);
}

static void test_memory(void) {
    uint32_t *device = add(0, 12, 0);
    pci_function function = pci_function_at(0, 12, 0);
    device[4] = 0xFEBF0008; /* 32 bits, prefetchable */
    CHECK((uintptr_t)pci_map(function, 0, 0x1000, 0x20) == 0xFEBF1000);
    CHECK(mapped == 0xFEBF1000 && mapped_size == 0x20);
    device[4] = 0xFEBF0004; /* 64 bits, above 4 GiB */
    device[5] = 0x12;
    CHECK((uintptr_t)pci_map(function, 0, 0, 0x20) == 0x12FEBF0000);
    device[5] = 0x8000; /* above what can be mapped */
    CHECK(!pci_map(function, 0, 0, 0x20));
    device[5] = 0x7FFF;
    CHECK(!pci_map(function, 0, 0, 0x2000000));
    device[5] = 0;
    CHECK(!pci_map(function, 0, UINT64_MAX, 1));
    CHECK(!pci_map(function, 1, 0, 1)); /* no memory */
    device[6] = 0xC001;                 /* ports */
    CHECK(!pci_map(function, 2, 0, 1));
    has_memory = false;
    CHECK(!pci_map(function, 0, 0, 0x20));
}

int main(void) {
    test_bridges();
    test_capabilities();
    test_command();
    test_memory();
}
