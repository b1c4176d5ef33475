// sources: kernel_lib/error.c kernel_lib/storage/block.c kernel_lib/storage/disk_error.c
// sources: kernel_lib/storage/fat/fat_mount.c
// sources: kernel_lib/storage/fat/fat_table.c kernel_lib/storage/fat/fat_name.c
// sources: kernel_lib/storage/fat/fat_cache.c
// sources: kernel_lib/storage/fat/fat_directory.c kernel_lib/storage/fat/fat_read.c
// sources: kernel_lib/storage/fat/fat_space.c kernel_lib/storage/fat/fat_write.c
// sources: tests/host/ram_disk.c tests/host/fat_image.c
// sources: kernel_lib/io/format.c
/* Replacing files, with the power cut at every sector written, and what is repaired then. */
#include "chance.h"
#include "fat_writing.h"

static bool reads_as(struct fat *fs, const char *path, const void *bytes, size_t size) {
    struct error error;
    struct fat_file file;
    static uint8_t buffer[DATA_SIZE];
    if (!fat_open(fs, path, &file, &error))
        return false;
    bool equal = file.size == size && fat_read(fs, &file, 0, buffer, size, &error) &&
                 memcmp(buffer, bytes, size) == 0;
    fat_close(&file);
    return equal;
}

/* One replacement to test: of an existing file by both of its names, or of a new one. */
struct replacement {
    const char *path;
    unsigned in_directory;     /* 1: in DIR */
    const char *name;          /* as it stands on disk */
    size_t old_size, new_size; /* of NOTES.TXT, of the file written */
    unsigned gap;              /* free clusters between those of NOTES.TXT */
    bool is_new;
};

static const struct replacement replacements[] = {
    {"/notes.txt", 0, "NOTES   TXT", 3000, 9000, 0, false},
    {"/My Notes.TEXT", 0, "NOTES   TXT", 9000, 700, 1, false},
    {"/NOTES.TXT", 0, "NOTES   TXT", 5120, 5120, 3, false},
    {"/notes.txt", 0, "NOTES   TXT", 3000, 900, 299, false}, /* many sectors of the FAT */
    {"/notes.txt", 0, "NOTES   TXT", 5000, 0, 0, false},
    {"/notes.txt", 0, "NOTES   TXT", 0, 5000, 0, false},
    {"/new.txt", 0, "NEW     TXT", 3000, 9000, 2, true},
    {"/dir/file-c", 1, "FILE-C     ", 3000, 1025, 0, false},
    {"/dir/result.f32", 1, "RESULT  F32", 3000, 9000, 0, true}, /* the directory must grow */
    {"/dir/empty", 1, "EMPTY      ", 3000, 0, 0, true},
};
#define REPLACEMENTS (sizeof replacements / sizeof *replacements)

static void test_replacing(void) {
    for (size_t i = 0; i < REPLACEMENTS; i++) {
        const struct replacement *r = &replacements[i];
        struct fat_image image;
        struct ram_disk disk;
        struct fat fs;
        struct error error;
        unsigned directory = make_image(&image, r->old_size, r->gap);
        ram_disk_init(&disk, image.bytes, image.size);
        mount(&fs, &disk);
        /* Twice with other contents in between: the map of clusters stays right. */
        CHECK(fat_replace(&fs, r->path, new_data, r->new_size, &error));
        CHECK(fat_replace(&fs, r->path, old_data, 777, &error));
        CHECK(fat_replace(&fs, r->path, new_data, r->new_size, &error));
        CHECK(image_check(&image, false) == NULL);
        CHECK(image_holds(&image, r->in_directory ? directory : 0, r->name, new_data, r->new_size));
        CHECK(image_holds(&image, 0, "KEEP    BIN", new_data, DATA_SIZE));
        CHECK(reads_as(&fs, r->path, new_data, r->new_size));
        fat_unmount(&fs);
        image_free(&image);
    }
}

/* ---- The power is cut ---- */

static bool all_survive(void *context, unsigned long n) {
    (void)context, (void)n;
    return true;
}
static bool none_survive(void *context, unsigned long n) {
    (void)context, (void)n;
    return false;
}
static bool some_survive(void *context, unsigned long n) {
    uint32_t *state = context;
    *state = chance_next(state) + (uint32_t)n;
    return *state >> 31;
}

/* Cuts the power after `sectors` written sectors; false when the replacement needs no more. */
static bool cut_once(const struct replacement *r, long sectors,
                     bool (*survives)(void *, unsigned long), unsigned random) {
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
    struct error error;
    unsigned directory = make_image(&image, r->old_size, r->gap);
    unsigned parent = r->in_directory ? directory : 0;
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    ram_disk_cut_after(&disk, sectors);
    bool done = fat_replace(&fs, r->path, new_data, r->new_size, &error);
    CHECK(done == !disk.is_off);
    fat_unmount(&fs);
    ram_disk_power_on(&disk, survives, &random);

    CHECK(image_check(&image, true) == NULL);
    bool is_new = image_holds(&image, parent, r->name, new_data, r->new_size);
    bool is_old = r->is_new              ? image_entry(&image, parent, r->name) == NULL
                  : r->in_directory == 0 ? image_holds(&image, 0, r->name, old_data, r->old_size)
                                         : image_holds(&image, parent, r->name, r->name, 11);
    CHECK(is_new || is_old);
    CHECK(is_new || !done);

    /* The next replacement puts everything in order: no lost clusters, equal copies of the FAT. */
    mount(&fs, &disk);
    CHECK(fat_replace(&fs, r->path, old_data, 1234, &error));
    fat_unmount(&fs);
    CHECK(image_check(&image, false) == NULL);
    CHECK(image_holds(&image, parent, r->name, old_data, 1234));
    CHECK(image_holds(&image, 0, "KEEP    BIN", new_data, DATA_SIZE));
    ram_disk_free(&disk);
    image_free(&image);
    return !done;
}

static void test_power_cuts(void) {
    for (size_t i = 0; i < REPLACEMENTS; i++) {
        long sectors = 0;
        while (cut_once(&replacements[i], sectors, all_survive, 0)) {
            cut_once(&replacements[i], sectors, none_survive, 0);
            for (unsigned random = 0; random < 4; random++)
                cut_once(&replacements[i], sectors, some_survive, random);
            sectors++;
        }
        CHECK(sectors >= 3); /* so there were cuts */
    }
}

/* What a power cut has damaged in the guest's own files is repaired: the file becomes empty, and
 * who shared clusters with it keeps them. Its clusters are free after the next mount. A chain that
 * goes on behind what the size needs is cut: the file was growing. */
static void test_repair(bool in_directory, unsigned kind) {
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
    struct error error = {""};
    image_format(&image, bits, CLUSTERS, 1);
    unsigned directory = image_add(&image, 0, "PROFILE    ", NULL, 0x10, NULL, 0, 2, 0);
    image_add(&image, in_directory ? directory : 0, "JIT     PRF", NULL, 0x20, new_data, 3000, 2,
              0);
    image_add(&image, 0, "USER    BIN", NULL, 0x20, old_data, 3000, 2, 0);
    uint8_t *entry = image_entry(&image, in_directory ? directory : 0, "JIT     PRF");
    unsigned first = image_entry_cluster(&image, entry);
    size_t left = 0;
    if (!in_directory)
        memcpy(entry + 22, (uint8_t[]){0xCB, 0xB2, 0x21, 0x00}, 4); /* 1980-01-01 22:22:22 */
    switch (kind) {
    case 0:
        image_set(&image, first + 2, 0); /* too short */
        break;
    case 1:
        image_set(&image, first + 2, image.end);
        break;
    case 2:
        left = 0x1B8;
        entry[29] = 1; /* too long */
        break;
    case 3:
        image_set(&image, first + 2, first); /* a loop */
        break;
    case 4:
        image_set(&image, first + 2, image_entry(&image, 0, "USER    BIN")[26] + 1u);
        break;
    case 5:
        entry[27] = 0xFF;
        break;
    }
    for (int boot = 0; boot < 2; boot++) {
        ram_disk_init(&disk, image.bytes, image.size);
        mount(&fs, &disk);
        CHECK(fat_replace(&fs, "/new.txt", new_data, 600, &error));
        fat_unmount(&fs);
        CHECK(image_check(&image, boot == 0) == NULL);
        CHECK(image_holds(&image, in_directory ? directory : 0, "JIT     PRF", new_data, left));
        CHECK(image_holds(&image, 0, "USER    BIN", old_data, 3000));
        CHECK(image_holds(&image, 0, "NEW     TXT", new_data, 600));
    }
    image_free(&image);
}

/* The directories that fat_list has been called for have these files, ";" behind each. */
static char listed[200];

static void list(void *context, const char *name, uint32_t size, bool by_guest) {
    (void)context;
    size_t length = strlen(listed);
    snprintf(listed + length, sizeof listed - length, "%s %u %d;", name, size, by_guest);
}

static void check_listing(struct fat *fs, const char *files) {
    struct error error;
    listed[0] = '\0';
    CHECK(fat_list(fs, "/OLD", list, NULL, &error) && strcmp(listed, files) == 0);
}

/* A directory and its files lie where FAT32 needs more than 16 bits for their clusters. Power is
 * cut after so many sectors. Returns whether it was. */
static bool delete_once(long sectors) {
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
    struct error error;
    unsigned far = bits == 32 ? 0x10100 : 100;
    image_format(&image, bits, bits == 32 ? 0x10200 : CLUSTERS, 1);
    unsigned directory = image_add(&image, 0, "OLD        ", NULL, 0x10, NULL, 0, far, 0);
    image_add(&image, directory, "0001    KRN", NULL, 0x20, old_data, 3000, far, 1);
    image_add(&image, directory, "0002    KRN", NULL, 0x20, new_data, 3000, far, 0);
    memcpy(image_entry(&image, directory, "0001    KRN") + 22, (uint8_t[]){0xCB, 0xB2, 0x21, 0}, 4);
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    uint64_t before, after;
    CHECK(fat_free_bytes(&fs, &before, &error));
    check_listing(&fs, "0001.KRN 3000 1;0002.KRN 3000 0;");
    CHECK(!fat_delete(&fs, "/OLD/0002.KRN", &error)); /* not the guest's */
    CHECK(strstr(error.text, "was not written by this machine"));
    CHECK(!fat_delete(&fs, "/OLD", &error) && !fat_delete(&fs, "/OLD/0003.KRN", &error));
    ram_disk_cut_after(&disk, sectors);
    bool done = fat_delete(&fs, "/OLD/0001.KRN", &error);
    if (done) {
        check_listing(&fs, "0002.KRN 3000 0;");
        CHECK(fat_free_bytes(&fs, &after, &error) && after == before + 6 * CLUSTER_SIZE);
    }
    fat_unmount(&fs);
    ram_disk_power_on(&disk, done ? all_survive : none_survive, NULL);
    CHECK(image_check(&image, !done) == NULL);
    CHECK(image_holds(&image, directory, "0002    KRN", new_data, 3000));
    CHECK(!image_entry(&image, directory, "0001    KRN") ||
          (!done && image_holds(&image, directory, "0001    KRN", old_data, 3000)));
    ram_disk_free(&disk);
    image_free(&image);
    return !done;
}

/* What cannot be done is said before anything has changed: the tree need not be walked again. */
static void test_refusals(void) {
    struct fat_image image;
    struct ram_disk disk;
    struct fat fs;
    struct error error;
    uint64_t bytes;
    make_image(&image, 3000, 0);
    ram_disk_init(&disk, image.bytes, image.size);
    mount(&fs, &disk);
    CHECK(fat_free_bytes(&fs, &bytes, &error));
    CHECK(!fat_delete(&fs, "/NOTES.TXT", &error) && !fat_delete(&fs, "/DIR", &error));
    CHECK(!fat_delete(&fs, "/MISSING.TXT", &error));
    CHECK(!fat_replace(&fs, "/DIR", new_data, 1, &error));
    CHECK(!fat_replace(&fs, "/a name of its own", new_data, 1, &error));
    CHECK(!fat_reserve(&fs, "/LARGE.BIN", 3u << 30, &error));
    unsigned long commands = disk.commands;
    CHECK(fat_free_bytes(&fs, &bytes, &error) && disk.commands == commands);
    fat_unmount(&fs);
    image_free(&image);
}

static void test_deleting(void) {
    long sectors = 0;
    while (delete_once(sectors))
        sectors++;
    CHECK(sectors >= 2);
}

int main(void) {
    make_data();
    for (bits = 16; bits <= 32; bits += 16) {
        test_replacing();
        test_power_cuts();
        test_deleting();
        test_refusals();
        for (unsigned kind = 0; kind < 6; kind++) {
            test_repair(true, kind);
            test_repair(false, kind);
        }
    }
    puts("fat_write: passed");
}
