/*
 * SQLite's files (https://sqlite.org/vfs.html) on those of the disk that are changed in place.
 *
 * That is safe because of what kernel_lib/runtime.h promises of them. A power cut leaves each
 * sector of 512 bytes old or new and no others changed: what SQLite calls a powersafe overwrite.
 * xSync is a flush, so the rollback journal is on the medium before the database is changed. A file
 * that grows has its new size only when what it grew by is there.
 *
 * SQLITE_IOCAP_SAFE_APPEND is not claimed. In exclusive locking mode a journal is not deleted after
 * a transaction; its head is zeroed, and the next transaction writes over it instead of appending.
 */
#include "kernel_lib/runtime.h"
#include "sqlite3.h"
#include <time.h>

#define MOST_PATH 260
#define SECTOR_BYTES 512
#define UNIX_EPOCH_MS 210866760000000 /* in milliseconds of the Julian day */

struct vfs_file {
    sqlite3_file base;
    struct file *file;
};

static struct file *file_of(sqlite3_file *base) {
    return ((struct vfs_file *)base)->file;
}

/* What went wrong is told in full once, because SQLite's own message has no room for it. */
static int failed(int code, const struct error *error) {
    sqlite3_log(code, "%s", error->text);
    return code;
}

static int vfs_close(sqlite3_file *base) {
    struct error error;
    bool done = file_flush(file_of(base), &error);
    file_close(file_of(base));
    return done ? SQLITE_OK : failed(SQLITE_IOERR_CLOSE, &error);
}

static int vfs_read(sqlite3_file *base, void *bytes, int count, sqlite3_int64 offset) {
    struct error error;
    uint64_t size = file_size(file_of(base)), begin = (uint64_t)offset, wanted = (uint64_t)count;
    uint64_t left = begin < size ? size - begin : 0;
    uint64_t part = left < wanted ? left : wanted;
    if (!file_read(file_of(base), part ? begin : 0, bytes, (size_t)part, &error))
        return failed(SQLITE_IOERR_READ, &error);
    memset((char *)bytes + part, 0, (size_t)(wanted - part));
    return part == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *base, const void *bytes, int count, sqlite3_int64 offset) {
    struct error error;
    if (file_write(file_of(base), (uint64_t)offset, bytes, (size_t)count, &error))
        return SQLITE_OK;
    return failed(strstr(error.text, "full") ? SQLITE_FULL : SQLITE_IOERR_WRITE, &error);
}

static int vfs_truncate(sqlite3_file *base, sqlite3_int64 size) {
    struct error error;
    if ((uint64_t)size >= file_size(file_of(base)) ||
        file_truncate(file_of(base), (uint64_t)size, &error))
        return SQLITE_OK;
    return failed(SQLITE_IOERR_TRUNCATE, &error);
}

static int vfs_sync(sqlite3_file *base, int flags) {
    struct error error;
    (void)flags;
    return file_flush(file_of(base), &error) ? SQLITE_OK : failed(SQLITE_IOERR_FSYNC, &error);
}

static int vfs_file_size(sqlite3_file *base, sqlite3_int64 *size) {
    *size = (sqlite3_int64)file_size(file_of(base));
    return SQLITE_OK;
}

/* Nobody else has the file. */
static int vfs_lock(sqlite3_file *base, int lock) {
    (void)base, (void)lock;
    return SQLITE_OK;
}

static int vfs_is_reserved(sqlite3_file *base, int *reserved) {
    (void)base;
    *reserved = 0;
    return SQLITE_OK;
}

static int vfs_control(sqlite3_file *base, int operation, void *argument) {
    (void)base, (void)operation, (void)argument;
    return SQLITE_NOTFOUND;
}

static int vfs_sector_size(sqlite3_file *base) {
    (void)base;
    return SECTOR_BYTES;
}

static int vfs_characteristics(sqlite3_file *base) {
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_file_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_lock,
    .xCheckReservedLock = vfs_is_reserved,
    .xFileControl = vfs_control,
    .xSectorSize = vfs_sector_size,
    .xDeviceCharacteristics = vfs_characteristics,
};

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags,
                    int *flags_out) {
    struct error error;
    struct vfs_file *made = (struct vfs_file *)base;
    (void)vfs;
    base->pMethods = NULL;
    if (!path || flags & SQLITE_OPEN_DELETEONCLOSE)
        return SQLITE_CANTOPEN; /* a temporary file: those are in memory (app.toml) */
    bool writable = flags & SQLITE_OPEN_READWRITE;
    if (!writable || (!(flags & SQLITE_OPEN_CREATE) && !file_exists(path)))
        made->file = file_open(path, &error);
    else
        made->file = file_open_writable(path, &error);
    if (!made->file)
        return failed(SQLITE_CANTOPEN, &error);
    base->pMethods = &methods;
    if (flags_out)
        *flags_out = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync) {
    struct error error;
    (void)vfs, (void)sync;
    if (!file_exists(path))
        return SQLITE_IOERR_DELETE_NOENT;
    return file_delete(path, &error) ? SQLITE_OK : failed(SQLITE_IOERR_DELETE, &error);
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *result) {
    (void)vfs, (void)flags;
    *result = file_exists(path);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int room, char *out) {
    (void)vfs;
    sqlite3_snprintf(room, out, "%s%s", path[0] == '/' ? "" : "/", path);
    return SQLITE_OK;
}

/* Of time: it makes journals differ from each other, and is no secret. */
static int vfs_randomness(sqlite3_vfs *vfs, int count, char *bytes) {
    uint64_t state = cpu_rdtsc() ^ (uint64_t)time(NULL) << 32;
    (void)vfs;
    for (int i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (char)(state >> 56);
    }
    return count;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    uint64_t end = cpu_rdtsc() + cpu_cycles_per_second() / 1000000 * (uint64_t)microseconds;
    (void)vfs;
    while (cpu_rdtsc() < end)
        ;
    return microseconds;
}

static int vfs_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *now) {
    static sqlite3_int64 begin;
    (void)vfs;
    sqlite3_int64 since = (sqlite3_int64)clock() / (CLOCKS_PER_SEC / 1000);
    if (begin == 0)
        begin = UNIX_EPOCH_MS + (sqlite3_int64)time(NULL) * 1000 - since;
    *now = begin + since;
    return SQLITE_OK;
}

static int vfs_time(sqlite3_vfs *vfs, double *days) {
    sqlite3_int64 now;
    vfs_time_ms(vfs, &now);
    *days = (double)now / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int room, char *out) {
    (void)vfs, (void)room, (void)out;
    return 0;
}

int sqlite3_os_init(void) {
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(struct vfs_file),
        .mxPathname = MOST_PATH,
        .zName = "disk",
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_time_ms,
    };
    return sqlite3_vfs_register(&vfs, 1);
}

int sqlite3_os_end(void) {
    return SQLITE_OK;
}
