#include "kernel_lib/jit/store/cpu_id.h"
#include "kernel_lib/crc32.h"
#include "kernel_lib/runtime.h"

const char *jit_cpu_id(void) {
    static char digits[JIT_CPU_ID + 1];
    if (digits[0])
        return digits;
    const struct cpu_features *cpu = cpu_features();
    struct cpuid basic = cpu_cpuid(0, 0), model = cpu_cpuid(1, 0), more = {0}, extended = {0};
    if (basic.eax >= 7)
        more = cpu_cpuid(7, 0);
    if (cpu_cpuid(0x80000000, 0).eax >= 0x80000001)
        extended = cpu_cpuid(0x80000001, 0);
    uint32_t names = crc32_update(0, cpu->vendor, sizeof cpu->vendor);
    names = crc32_update(names, cpu->brand, sizeof cpu->brand);
    /* Of leaf 1 not EBX: it tells the processors of one machine apart. */
    uint32_t features[] = {model.ecx,   model.edx,        more.ebx,     more.ecx,
                           more.edx,    extended.ecx,     extended.edx, cpu->avx2,
                           cpu->avx512, cpu->avx512_vnni, cpu->tcg};
    snprintf(digits, sizeof digits, "%08x%08x%08x%08x", (unsigned)model.eax, (unsigned)names,
             (unsigned)crc32_update(0, features, sizeof features),
             (unsigned)crc32_update(1, features, sizeof features));
    return digits;
}
