/*
 * LLVM-libc's streams for files of the disk. A file that is open is in memory, once for all of its
 * streams: what one of them has written and flushed, the others read. When a stream that has
 * written is closed, or the program ends, it replaces the one on the disk (file_replace), so that a
 * power cut leaves either the old or the new one.
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
#include <strings.h>

using namespace LIBC_NAMESPACE;

namespace {

constexpr size_t BUFFER_BYTES = 1024;

using Mode = File::ModeFlags;
constexpr Mode READ = Mode(File::OpenMode::READ), WRITE = Mode(File::OpenMode::WRITE),
               APPEND = Mode(File::OpenMode::APPEND);

/* All of a file that is open, in memory. */
struct Content {
    static Content *first; /* of those with names */

    /* That of a file which another stream has opened, or a new one, which is empty, once more in
     * use; NULL without memory. Without a path it is never on a disk, and of one stream. */
    static Content *of(const char *path);
    void release();

    int load();
    bool make_room(size_t needed);
    int save();

    char *path;
    char *bytes;
    size_t size, room;
    unsigned streams; /* that use it */
    bool is_there;    /* on the disk, or since a stream has made it */
    Content *next;
};

Content *Content::first;

/* An open file. */
struct DiskFile : File {
    DiskFile(Content *file, uint8_t *buffer, Mode mode)
        : File(write, read, seek, close, buffer, BUFFER_BYTES, _IOFBF, true, mode), content(file),
          appends(mode & APPEND), next(first), link(&first) {
        if (first)
            first->link = &next;
        first = this;
    }
    ~DiskFile() {
        *link = next;
        if (next)
            next->link = link;
        content->release();
    }

    static DiskFile *first;    /* of those that are open */
    static DiskFile *reopened; /* when it is closed, its memory is kept */

    static ErrorOr<File *> open(const char *path, const char *mode, DiskFile *memory);

    static FileIOResult write(File *file, const void *bytes, size_t size);
    static FileIOResult read(File *file, void *buffer, size_t size);
    static ErrorOr<off_t> seek(File *file, off_t offset, int whence);
    static int close(File *file);

    int begin(Mode mode);

    Content *content;
    size_t position = 0;
    bool appends, has_changed = false; /* has_changed: the content, by this stream */
    DiskFile *next, **link;            /* open files; and what leads to this one */
};

DiskFile *DiskFile::first, *DiskFile::reopened;

/* As the disk has it: folders begin at the root, and letters are of any case. */
bool is_same_path(const char *a, const char *b) {
    return strcasecmp(a + strspn(a, "/"), b + strspn(b, "/")) == 0;
}

Content *Content::of(const char *path) {
    Content *found = path ? first : nullptr;
    while (found && !is_same_path(found->path, path))
        found = found->next;
    if (!found) {
        found = static_cast<Content *>(calloc(1, sizeof(Content)));
        if (!found || (path && !(found->path = strdup(path)))) {
            free(found);
            return nullptr;
        }
        if (path) {
            found->next = first;
            first = found;
        }
    }
    found->streams++;
    return found;
}

void Content::release() {
    if (--streams > 0)
        return;
    for (Content **link = &first; path && *link; link = &(*link)->next)
        if (*link == this) {
            *link = next;
            break;
        }
    free(bytes);
    free(path);
    free(this);
}

bool Content::make_room(size_t needed) {
    if (needed <= room)
        return true;
    size_t more = needed + needed / 2;
    auto *moved = static_cast<char *>(realloc(bytes, more));
    if (!moved)
        return false;
    bytes = moved;
    room = more;
    return true;
}

/* Takes the file on the disk, unless a stream has it already; 0, or an error number. */
int Content::load() {
    struct error error;
    if (is_there)
        return 0;
    struct file *file = path ? file_open(path, &error) : nullptr;
    if (!file)
        return path && file_exists(path) ? EIO : ENOENT;
    uint64_t stored = file_size(file);
    int failed = !make_room(stored) ? ENOMEM : !file_read(file, 0, bytes, stored, &error) ? EIO : 0;
    file_close(file);
    is_there = !failed;
    size = failed ? 0 : stored;
    return failed;
}

FileIOResult DiskFile::write(File *file, const void *bytes, size_t count) {
    auto *self = static_cast<DiskFile *>(file);
    Content *content = self->content;
    if (self->appends)
        self->position = content->size;
    if (!content->make_room(self->position + count))
        return {0, ENOMEM};
    if (self->position > content->size) /* a gap reads as zeros */
        memset(content->bytes + content->size, 0, self->position - content->size);
    memcpy(content->bytes + self->position, bytes, count);
    self->position += count;
    if (self->position > content->size)
        content->size = self->position;
    self->has_changed = true;
    return count;
}

FileIOResult DiskFile::read(File *file, void *buffer, size_t count) {
    auto *self = static_cast<DiskFile *>(file);
    if (self->position >= self->content->size)
        return 0;
    size_t left = self->content->size - self->position;
    size_t taken = count < left ? count : left;
    memcpy(buffer, self->content->bytes + self->position, taken);
    self->position += taken;
    return taken;
}

ErrorOr<off_t> DiskFile::seek(File *file, off_t offset, int whence) {
    auto *self = static_cast<DiskFile *>(file);
    off_t from = whence == SEEK_SET   ? 0
                 : whence == SEEK_CUR ? static_cast<off_t>(self->position)
                                      : static_cast<off_t>(self->content->size);
    if (from + offset < 0)
        return Error(EINVAL);
    self->position = static_cast<size_t>(from + offset);
    return static_cast<off_t>(self->position);
}

/* Puts it on the disk; 0, or an error number. */
int Content::save() {
    struct error error;
    if (!path || file_replace(path, bytes, size, &error))
        return 0;
    console_printf("error: %s\n", error.text);
    return EIO;
}

int DiskFile::close(File *file) {
    auto *self = static_cast<DiskFile *>(file);
    int failed = self->has_changed ? self->content->save() : 0;
    self->~DiskFile();
    if (self != reopened)
        free(self);
    return failed;
}

/* Takes, makes or empties the file; 0, or an error number. */
int DiskFile::begin(Mode mode) {
    int failed = mode & WRITE ? ENOENT : content->load();
    if (failed != ENOENT || (mode & READ))
        return failed;
    content->size = 0;
    content->is_there = has_changed = true;
    return 0;
}

/* memory is malloc's; a failure frees it. */
ErrorOr<File *> DiskFile::open(const char *path, const char *mode, DiskFile *memory) {
    Mode flags = File::mode_flags(mode);
    auto *buffer = static_cast<uint8_t *>(malloc(BUFFER_BYTES));
    Content *content = memory && buffer && flags != 0 ? Content::of(path) : nullptr;
    if (!content) {
        free(memory);
        free(buffer);
        return Error(flags == 0 ? EINVAL : ENOMEM);
    }
    auto *file = new (memory) DiskFile(content, buffer, flags);
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
