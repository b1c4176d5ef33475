/* Files of runtime.h that lie in memory, for the readers' tests. */
#pragma once
#include "kernel_lib/runtime.h"

/* A file of these bytes, which stay the caller's. Reading beyond its end aborts the test: readers
 * have to know the size. Give it to file_close. */
struct file *memory_file(const void *bytes, size_t size);

/* How many memory files are open. */
size_t memory_files_open(void);
