// sources: tinyllama/chat/template.c kernel_lib/error.c kernel_lib/crc32.c tests/host/memory_file.c
// sources: kernel_lib/io/format.c
/* Chat templates: families, and the image builder's file. */
#include "check.h"
#include "kernel_lib/crc32.h"
#include "memory_file.h"
#include "tinyllama/chat/template.h"

static struct chat_template texts;
static struct error error;

/* The builder's file on the disk, or none. */
static const char *on_disk;

struct file *file_open(const char *path, struct error *reason) {
    CHECK(strcmp(path, CHAT_TEMPLATE_PATH) == 0);
    error_set(reason, "there is no such file");
    return on_disk ? memory_file(on_disk, strlen(on_disk)) : NULL;
}

static void test_families(void) {
    static const char *const programs[][2] = {
        {"zephyr", "{{ '<|user|>\n' + message['content'] + eos_token }}{{ '<|assistant|>' }}"},
        {"phi3", "{{ '<|user|>\n' + message['content'] + '<|end|>\n' }}{{ eos_token }}"},
        {"chatml", "{{'<|im_start|>' + message['role']}}...<|im_end|>"},
        {"llama2", "{{ '[INST] <<SYS>>' }}"},
        {"llama3", "<|start_header_id|>{{role}}<|end_header_id|><|eot_id|>"},
        {"gemma", "<start_of_turn>{{ role }}<end_of_turn>"},
    };
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        CHECK(chat_template_find(&texts, programs[i][1], &error));
        CHECK(strcmp(texts.name, programs[i][0]) == 0 && !texts.memory);
        CHECK(chat_template_named(&texts, programs[i][0], &error));
        CHECK(strcmp(texts.name, programs[i][0]) == 0);
    }
    CHECK(!chat_template_find(&texts, "{{ messages }}", &error));
    CHECK(!chat_template_find(&texts, "<|user|>\n{{ text }}<|assistant|>", &error)); /* GLM 4 */
    CHECK(strcmp(error.text,
                 "the model's chat template is of no known family; there are llama3 gemma "
                 "chatml llama2 phi3 zephyr") == 0);
    CHECK(!chat_template_named(&texts, "Zephyr", &error));
}

#define HEAD "BareFlow chat template 2\n"
#define TEXTS "1:b,2:sb,2:se,1:a,1:p,2:tu,0:,0:,0:,"

static bool parsed(const char *file, bool *fits) {
    size_t size = strlen(file);
    char *copy = malloc(size + 1); /* of its size: a byte behind it is an error */
    memcpy(copy, file, size + 1);
    bool good = chat_template_parse(&texts, copy, size, 0x1234abcd, fits, &error);
    if (good)
        CHECK(strlen(texts.begin) < size && strlen(texts.turn) < size);
    free(copy);
    return good;
}

static void test_file(void) {
    bool fits;
    CHECK(parsed(HEAD "8:1234abcd,0:," TEXTS, &fits) && fits);
    CHECK(parsed(HEAD "8:1234abce,0:," TEXTS, &fits) && !fits);
    CHECK(!parsed(HEAD "8:1234abcd,8:no Jinja," TEXTS, &fits));
    CHECK(strcmp(error.text, "the model's chat template cannot be used: no Jinja") == 0);
    char bytes[] = HEAD "8:1234abcd,0:,3:a\nb,0:,0:,1:a,1:p,4:t:,3,4:last,8:thoughts,1:\n,";
    CHECK(chat_template_parse(&texts, bytes, sizeof bytes - 1, 0x1234abcd, &fits, &error) && fits);
    CHECK(strcmp(texts.begin, "a\nb") == 0 && !texts.system_begin && texts.drops_thoughts);
    CHECK(texts.system_last && strcmp(texts.thoughts_space, "\n") == 0);
    CHECK(strcmp(texts.turn, "t:,3") == 0 && strcmp(texts.past_answer, "p") == 0);
}

/* The file counts if it was made from the program that the model has. */
static void test_disk(void) {
    const char *program = "<|im_start|><|im_end|>";
    static char file[200];
    snprintf(file, sizeof file, HEAD "8:%08x,0:," TEXTS,
             (unsigned)crc32_update(0, program, strlen(program)));
    on_disk = file;
    CHECK(chat_template_find(&texts, program, &error));
    CHECK(!texts.name && strcmp(texts.begin, "b") == 0);
    chat_template_free(&texts);
    CHECK(chat_template_find(&texts, "<|im_start|> <|im_end|>", &error));
    CHECK(strcmp(texts.name, "chatml") == 0);
    on_disk = "";
    CHECK(chat_template_find(&texts, program, &error) && strcmp(texts.name, "chatml") == 0);
    on_disk = "x";
    CHECK(!chat_template_find(&texts, program, &error));
    on_disk = NULL;
    CHECK(memory_files_open() == 0);
}

/* Everything that is cut off, or has another byte in its form, is refused. */
static void test_damage(void) {
    static const char file[] = HEAD "8:1234abcd,0:," TEXTS;
    bool fits;
    for (size_t size = 0; size < sizeof file - 1; size++) {
        char cut[sizeof file];
        memcpy(cut, file, size);
        cut[size] = '\0';
        CHECK(!parsed(cut, &fits));
        CHECK(strcmp(error.text, "/model/CHAT.TPL is damaged") == 0);
    }
    CHECK(!parsed(HEAD "8:1234abcd,0:," TEXTS "0:,", &fits));
    CHECK(!parsed(HEAD "8:1234abcd,0:,99999999999999999999:b,2:sb", &fits));
    CHECK(!parsed(HEAD "8:1234abcd,-1:,", &fits));
    CHECK(!parsed("BareFlow chat template 1\n8:1234abcd,0:," TEXTS, &fits));
}

int main(void) {
    test_families();
    test_file();
    test_disk();
    test_damage();
    puts("chat_template: passed");
    return 0;
}
