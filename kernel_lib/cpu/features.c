/*
 * CPUID and the register state it allows (Intel SDM vol. 1, 13.2-13.5 and
 * vol. 2, CPUID).
 */
#include "kernel_lib/cpu/features.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/runtime.h"

#define BIT(n) (1u << (n))

#define LEAF1_ECX_XSAVE BIT(26)
#define LEAF1_ECX_OSXSAVE BIT(27)
#define LEAF1_ECX_AVX BIT(28)
#define LEAF1_ECX_F16C BIT(29)
#define LEAF1_ECX_HYPERVISOR BIT(31)
#define LEAF7_EBX_AVX2 BIT(5)
#define LEAF7_EBX_AVX512 (BIT(16) | BIT(17) | BIT(30) | BIT(31)) /* F, DQ, BW, VL */
#define LEAF7_ECX_AVX512_VNNI BIT(11)
#define EXTENDED1_EDX_NO_EXECUTE BIT(20)
#define EXTENDED1_EDX_GIGABYTE_PAGES BIT(26)

#define LEAF_STATE 0x0D
#define LEAF_HYPERVISOR 0x40000000
#define LEAF_EXTENDED 0x80000000
#define LEAF_BRAND 0x80000002 /* and the next two */

#define XCR0_X87_SSE 0x03u
#define XCR0_AVX (CPU_STATE_AVX & ~XCR0_X87_SSE)
#define XCR0_AVX512 (CPU_STATE_AVX512 & ~CPU_STATE_AVX)

__attribute__((target("general-regs-only"))) void cpu_state_enable(void) {
    uint64_t cr0 = cpu_read_cr0() & ~(CR0_EMULATION | CR0_TASK_SWITCHED);
    cpu_write_cr0(cr0 | CR0_MONITOR_COPROCESSOR | CR0_NUMERIC_ERROR);
    uint64_t cr4 = cpu_read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT;
    if (!(cpu_cpuid(1, 0).ecx & LEAF1_ECX_XSAVE)) {
        cpu_write_cr4(cr4);
        return;
    }
    cpu_write_cr4(cr4 | CR4_OSXSAVE);
    uint32_t offered = cpu_cpuid(LEAF_STATE, 0).eax;
    uint32_t state = XCR0_X87_SSE | (offered & XCR0_AVX);
    if ((offered & XCR0_AVX) && (offered & XCR0_AVX512) == XCR0_AVX512)
        state |= XCR0_AVX512;
    __asm__ volatile("xsetbv" : : "a"(state), "c"(0), "d"(0));
}

bool cpu_state_enabled(uint32_t state) {
    if (!(cpu_cpuid(1, 0).ecx & LEAF1_ECX_OSXSAVE))
        return false;
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & state) == state;
}

static uint32_t extended_edx(void) {
    return cpu_cpuid(LEAF_EXTENDED, 0).eax > LEAF_EXTENDED ? cpu_cpuid(LEAF_EXTENDED + 1, 0).edx
                                                           : 0;
}

bool cpu_has_gigabyte_pages(void) {
    return extended_edx() & EXTENDED1_EDX_GIGABYTE_PAGES;
}

bool cpu_has_no_execute(void) {
    return extended_edx() & EXTENDED1_EDX_NO_EXECUTE;
}

static void read_brand(char brand[49]) {
    if (cpu_cpuid(LEAF_EXTENDED, 0).eax < LEAF_BRAND + 2)
        return;
    for (uint32_t i = 0; i < 3; i++) {
        struct cpuid part = cpu_cpuid(LEAF_BRAND + i, 0);
        memcpy(brand + 16 * i, &part, sizeof part);
    }
}

static void read_features(struct cpu_features *features) {
    struct cpuid base = cpu_cpuid(0, 0);
    memcpy(features->vendor, &base.ebx, 4);
    memcpy(features->vendor + 4, &base.edx, 4);
    memcpy(features->vendor + 8, &base.ecx, 4);
    read_brand(features->brand);

    uint32_t leaf1_ecx = cpu_cpuid(1, 0).ecx;
    if (base.eax >= 7 && (leaf1_ecx & LEAF1_ECX_AVX)) {
        struct cpuid leaf7 = cpu_cpuid(7, 0);
        features->avx2 = (leaf7.ebx & LEAF7_EBX_AVX2) && (leaf1_ecx & LEAF1_ECX_F16C) &&
                         cpu_state_enabled(CPU_STATE_AVX);
        features->avx512 = features->avx2 && (leaf7.ebx & LEAF7_EBX_AVX512) == LEAF7_EBX_AVX512 &&
                           cpu_state_enabled(CPU_STATE_AVX512);
        features->avx512_vnni = features->avx512 && (leaf7.ecx & LEAF7_ECX_AVX512_VNNI);
    }
    if (leaf1_ecx & LEAF1_ECX_HYPERVISOR) {
        struct cpuid hypervisor = cpu_cpuid(LEAF_HYPERVISOR, 0);
        features->tcg = memcmp(&hypervisor.ebx, "TCGTCGTCGTCG", 12) == 0;
    }
}

const struct cpu_features *cpu_features(void) {
    static struct cpu_features features;
    if (!features.vendor[0])
        read_features(&features);
    return &features;
}
