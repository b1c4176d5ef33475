/* What LLVM asks the operating system about: this one has a console, pages, and nothing else. */
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/runtime.h"
#include "llvm-libc/glibc_abi/errno_numbers.h"
#include <errno.h>

/* Of sysconf (bits/confname.h), stat(2) and getrlimit(2). */
#define SC_PAGE_SIZE 30
#define SC_PROCESSORS 83
#define SC_PROCESSORS_ONLINE 84
#define CHARACTER_DEVICE 0020666
#define UNLIMITED (~0ul)

struct status { /* struct stat for x86-64 */
    uint64_t device, inode, links;
    uint32_t mode;
    char rest[116];
};
_Static_assert(sizeof(struct status) == 144, "glibc's struct stat");

static char *no_environment[] = {NULL};
char **environ = no_environment;

char *getenv(const char *name);
unsigned long getauxval(unsigned long type);
long sysconf(int name);
int isatty(int descriptor);
long lseek(int descriptor, long offset, int whence);
int fstat(int descriptor, struct status *status);
int fstat64(int descriptor, struct status *status);
int getrlimit(int resource, unsigned long limits[2]);
int setrlimit(int resource, const unsigned long limits[2]);
int getpid(void);
void *dlopen(const char *name, int flags);
void *dlsym(void *library, const char *name);
int dlclose(void *library);
char *dlerror(void);

char *getenv(const char *name) {
    (void)name;
    return NULL;
}

unsigned long getauxval(unsigned long type) {
    (void)type;
    return 0;
}

long sysconf(int name) {
    if (name == SC_PAGE_SIZE)
        return (long)PAGE_SIZE;
    return name == SC_PROCESSORS || name == SC_PROCESSORS_ONLINE ? 1 : -1;
}

int isatty(int descriptor) {
    (void)descriptor;
    return 0;
}

long lseek(int descriptor, long offset, int whence) {
    (void)descriptor, (void)offset, (void)whence;
    errno = ESPIPE;
    return -1;
}

int fstat(int descriptor, struct status *status) {
    (void)descriptor;
    *status = (struct status){.links = 1, .mode = CHARACTER_DEVICE};
    return 0;
}

int fstat64(int descriptor, struct status *status) {
    return fstat(descriptor, status);
}

int getrlimit(int resource, unsigned long limits[2]) {
    (void)resource;
    limits[0] = limits[1] = UNLIMITED;
    return 0;
}

int setrlimit(int resource, const unsigned long limits[2]) {
    (void)resource, (void)limits;
    return 0;
}

int getpid(void) {
    return 1;
}

/* The program itself can be opened, but LLVM gets its symbols from the engine (host_symbols.h). */
void *dlopen(const char *name, int flags) {
    (void)flags;
    return name ? NULL : environ;
}

void *dlsym(void *library, const char *name) {
    (void)library, (void)name;
    return NULL;
}

int dlclose(void *library) {
    (void)library;
    return 0;
}

char *dlerror(void) {
    return "there are no libraries to load";
}
