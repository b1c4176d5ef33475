/* Files inside the kernel (site_scons/site_tools/embedded.py), each up to its _end. */
#pragma once

extern "C" {
extern const char app_bitcode[], app_bitcode_end[];   /* the application */
extern const char libc_bitcode[], libc_bitcode_end[]; /* what it uses of LLVM-libc */
/* native's kernel_lib and LLVM-libc, to link the application with (kernel_lib/jit/export) */
extern const char native_kernel_object[], native_kernel_object_end[];
/* the application, compiled (site_scons/site_tools/precompiled.py) */
extern const char application_object[], application_object_end[];
}
