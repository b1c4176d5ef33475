/*
 * The disk as programs have it that open files, and what is kept on it: settings, coverage,
 * kernels. kernel_lib/storage/files.c needs it: a program without files is linked without these.
 */
#pragma once
#include "boot/boot_info.h"

/* Opens the disk, and reads its settings. If there is none, whoever needs a file says so. */
void disk_start(const struct boot_info *boot);

/* Restarts the machine with another kernel if that is to be booted. */
void disk_choose_kernel(void);
