#include "kernel_lib/storage/disk.h"
#include "kernel_lib/config/sources.h"
#include "kernel_lib/coverage/coverage.h"
#include "kernel_lib/life/fitness.h"
#include "kernel_lib/life/settle_setting.h"
#include "kernel_lib/needs.h"
#include "kernel_lib/runtime.h"
#include "kernel_lib/storage/storage.h"

NEEDS(coverage_save); /* which power.c calls if it is there */

void disk_start(const struct boot_info *boot) {
    storage_start(boot);
    config_read_file();   /* settings of the disk */
    storage_configure();  /* which may choose another driver for the disk */
    coverage_configure(); /* breakpoints on functions, if a setting says so */
    life_configure();     /* when this kernel writes its successor */
}

void disk_choose_kernel(void) {
    snapshots_choose();     /* another kernel may be asked for, */
    snapshots_check_root(); /* or have been put on the disk */
    fitness_check_cpu();    /* only the application's code may use more than x86-64 has */
}
