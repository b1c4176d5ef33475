/*
 * LLVM-libc's streams for files of the disk. A file that is written is in memory until it is
 * closed, or the program ends: then it replaces the one on the disk (file_replace), so that a power
 * cut leaves either the old or the new one.
 */
#include "hdr/stdio_macros.h"
#include "hdr/types/FILE.h"
#include "kernel_lib/hosted/console_stream.h"
#include "src/__support/File/file.h"
extern "C" {
#include "kernel_lib/hosted/disk_files.h"
#include "kernel_lib/runtime.h"
}
#include <errno.h>

using namespace LIBC_NAMESPACE;

namespace {

constexpr size_t BUFFER_BYTES = 1024;

using Mode = File::ModeFlags;
constexpr Mode READ = Mode(File::OpenMode::READ), WRITE = Mode(File::OpenMode::WRITE),
               APPEND = Mode(File::OpenMode::APPEND);

/* All of a file in memory. */
struct DiskFile : File {
    /* Without a name it is never on a disk. */
    DiskFile(char *name, uint8_t *buffer, Mode mode)
        : File(write, read, seek, close, buffer, BUFFER_BYTES, _IOFBF, true, mode), path(name),
          appends(mode & APPEND), next(first), link(&first) {
        if (first)
            first->link = &next;
        first = this;
    }
    ~DiskFile() {
        *link = next;
        if (next)
            next->link = link;
        free(content);
        free(path);
    }

    static DiskFile *first;    /* of those that are open */
    static DiskFile *reopened; /* when it is closed, its memory is kept */

    static ErrorOr<File *> open(const char *path, const char *mode, DiskFile *memory);

    static FileIOResult write(File *file, const void *bytes, size_t size);
    static FileIOResult read(File *file, void *buffer, size_t size);
    static ErrorOr<off_t> seek(File *file, off_t offset, int whence);
    static int close(File *file);

    int begin(Mode mode);
    int save();
    bool load();
    bool make_room(size_t needed);

    char *path;
    char *content = nullptr;
    size_t size = 0, room = 0, position = 0;
    bool appends, is_changed = false;
    DiskFile *next, **link; /* open files; and what leads to this one */
};

DiskFile *DiskFile::first, *DiskFile::reopened;

bool DiskFile::make_room(size_t needed) {
    if (needed <= room)
        return true;
    size_t more = needed + needed / 2;
    auto *moved = static_cast<char *>(realloc(content, more));
    if (!moved)
        return false;
    content = moved;
    room = more;
    return true;
}

/* Takes the content of the file on the disk. */
bool DiskFile::load() {
    struct error error;
    struct file *file = file_open(path, &error);
    if (!file)
        return false;
    uint64_t bytes = file_size(file);
    bool good = make_room(bytes) && file_read(file, 0, content, bytes, &error);
    file_close(file);
    size = good ? bytes : 0;
    return good;
}

FileIOResult DiskFile::write(File *file, const void *bytes, size_t count) {
    auto *self = static_cast<DiskFile *>(file);
    if (self->appends)
        self->position = self->size;
    if (!self->make_room(self->position + count))
        return {0, ENOMEM};
    if (self->position > self->size) /* a gap reads as zeros */
        memset(self->content + self->size, 0, self->position - self->size);
    memcpy(self->content + self->position, bytes, count);
    self->position += count;
    if (self->position > self->size)
        self->size = self->position;
    self->is_changed = true;
    return count;
}

FileIOResult DiskFile::read(File *file, void *buffer, size_t count) {
    auto *self = static_cast<DiskFile *>(file);
    if (self->position >= self->size)
        return 0;
    size_t left = self->size - self->position;
    size_t taken = count < left ? count : left;
    memcpy(buffer, self->content + self->position, taken);
    self->position += taken;
    return taken;
}

ErrorOr<off_t> DiskFile::seek(File *file, off_t offset, int whence) {
    auto *self = static_cast<DiskFile *>(file);
    off_t from = whence == SEEK_SET   ? 0
                 : whence == SEEK_CUR ? static_cast<off_t>(self->position)
                                      : static_cast<off_t>(self->size);
    if (from + offset < 0)
        return Error(EINVAL);
    self->position = static_cast<size_t>(from + offset);
    return static_cast<off_t>(self->position);
}

/* Puts what was written on the disk; 0, or an error number. */
int DiskFile::save() {
    struct error error;
    if (!path || !is_changed || file_replace(path, content, size, &error))
        return 0;
    console_printf("error: %s\n", error.text);
    return EIO;
}

int DiskFile::close(File *file) {
    auto *self = static_cast<DiskFile *>(file);
    int failed = self->save();
    self->~DiskFile();
    if (self != reopened)
        free(self);
    return failed;
}

/* Takes, makes or empties the file on the disk; 0, or an error number. */
int DiskFile::begin(Mode mode) {
    bool is_there = path && !(mode & WRITE) && load();
    is_changed = !(mode & READ) && !is_there;
    return (mode & READ) && !is_there ? ENOENT : 0;
}

/* memory is malloc's; a failure frees it. */
ErrorOr<File *> DiskFile::open(const char *path, const char *mode, DiskFile *memory) {
    Mode flags = File::mode_flags(mode);
    auto *buffer = static_cast<uint8_t *>(malloc(BUFFER_BYTES));
    char *name = path ? strdup(path) : nullptr;
    if (!memory || !buffer || (path && !name) || flags == 0) {
        free(memory);
        free(buffer);
        free(name);
        return Error(flags == 0 ? EINVAL : ENOMEM);
    }
    auto *file = new (memory) DiskFile(name, buffer, flags);
    if (int failed = file->begin(flags)) {
        file->File::close();
        return Error(failed);
    }
    return file;
}

DiskFile *new_memory() {
    return static_cast<DiskFile *>(malloc(sizeof(DiskFile)));
}

/* For C: NULL and errno if there is none. */
FILE *stream_of(ErrorOr<File *> file) {
    if (file)
        return reinterpret_cast<FILE *>(file.value());
    errno = file.error();
    return nullptr;
}

} // namespace

namespace LIBC_NAMESPACE_DECL {

ErrorOr<File *> openfile(const char *path, const char *mode) {
    return DiskFile::open(path, mode, new_memory());
}

} // namespace LIBC_NAMESPACE_DECL

/* A standard stream stays the same object: from now on it passes on what is written, or asks for
 * what is read. */
static FILE *redirect(File *stream, File *&redirected, const char *path, const char *mode) {
    stream->flush();
    if (File *before = redirected) {
        redirected = nullptr;
        before->close();
    }
    stream->clearerr();
    FILE *file = stream_of(DiskFile::open(path, mode, new_memory()));
    if (!file)
        return nullptr;
    redirected = reinterpret_cast<File *>(file);
    return reinterpret_cast<FILE *>(stream);
}

extern "C" {
FILE *tmpfile(void) {
    return stream_of(DiskFile::open(nullptr, "w+", new_memory()));
}

FILE *freopen(const char *__restrict path, const char *__restrict mode, FILE *__restrict stream) {
    auto *file = reinterpret_cast<File *>(stream);
    if (!path) {
        errno = EINVAL;
        return nullptr;
    }
    if (file == LIBC_NAMESPACE::stdin)
        return redirect(file, redirected_input, path, mode);
    if (file == LIBC_NAMESPACE::stdout)
        return redirect(file, redirected_output, path, mode);
    if (file == LIBC_NAMESPACE::stderr)
        return redirect(file, redirected_error, path, mode);
    DiskFile::reopened = static_cast<DiskFile *>(file);
    file->close();
    DiskFile *memory = DiskFile::reopened;
    DiskFile::reopened = nullptr;
    return stream_of(DiskFile::open(path, mode, memory));
}

void program_close_files(void) {
    while (DiskFile::first)
        DiskFile::first->File::close();
}
}
