/* Chat templates by family, and from the image builder's file. */
#include "template.h"
#include "kernel_lib/crc32.h"

#define HEAD "BareFlow chat template 2\n"
#define MAX_FILE_BYTES (64u * 1024)

/* What stands in a family's programs, and the texts that they put around a conversation's. The
 * first family of which all marks are there counts. */
static const struct family {
    const char *marks[2];
    struct chat_template texts;
} families[] = {
    {{"<|start_header_id|>", "<|eot_id|>"},
     {"llama3", "<|start_header_id|>user<|end_header_id|>\n\n",
      "<|start_header_id|>system<|end_header_id|>\n\n",
      "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
      "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
      "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
      "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n", false, false, "", NULL}},
    {{"<start_of_turn>", "<end_of_turn>"},
     {"gemma", "<start_of_turn>user\n", "<start_of_turn>user\n", "\n\n",
      "<end_of_turn>\n<start_of_turn>model\n", "<end_of_turn>\n<start_of_turn>model\n",
      "<end_of_turn>\n<start_of_turn>user\n", false, false, "", NULL}},
    {{"<|im_start|>", "<|im_end|>"},
     {"chatml", "<|im_start|>user\n", "<|im_start|>system\n", "<|im_end|>\n<|im_start|>user\n",
      "<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>\n<|im_start|>assistant\n",
      "<|im_end|>\n<|im_start|>user\n", false, false, "", NULL}},
    {{"[INST]", "<<SYS>>"},
     {"llama2", "[INST] ", "[INST] <<SYS>>\n", "\n<</SYS>>\n\n", " [/INST]", " [/INST] ",
      " </s><s>[INST] ", false, false, "", NULL}},
    {{"<|user|>", "<|end|>"},
     {"phi3", "<|user|>\n", "<|system|>\n", "<|end|>\n<|user|>\n", "<|end|>\n<|assistant|>\n",
      "<|end|>\n<|assistant|>\n", "<|end|>\n<|user|>\n", false, false, "", NULL}},
    {{"<|user|>", "+ eos_token"},
     {"zephyr", "<|user|>\n", "<|system|>\n", "</s>\n<|user|>\n", "</s>\n<|assistant|>\n",
      "</s>\n<|assistant|>\n", "</s>\n<|user|>\n", false, false, "", NULL}},
};
#define FAMILIES (sizeof families / sizeof *families)

/* error_set with the families' names behind it. */
static bool no_family(struct error *error, const char *what) {
    error_set(error, "%s; there are", what);
    for (size_t i = 0; i < FAMILIES; i++) {
        strcat(error->text, " ");
        strcat(error->text, families[i].texts.name);
    }
    return false;
}

bool chat_template_named(struct chat_template *result, const char *name, struct error *error) {
    for (size_t i = 0; i < FAMILIES; i++)
        if (strcmp(families[i].texts.name, name) == 0) {
            *result = families[i].texts;
            return true;
        }
    return no_family(error, "template: there is no such family of chat templates");
}

static bool recognise(struct chat_template *result, const char *program, struct error *error) {
    for (size_t i = 0; i < FAMILIES; i++)
        if (strstr(program, families[i].marks[0]) && strstr(program, families[i].marks[1])) {
            *result = families[i].texts;
            return true;
        }
    return no_family(error, "the model's chat template is of no known family");
}

/* The text of the next netstring ("5:hello,", D. J. Bernstein, 1997) at *at, which then is behind
 * it; its comma becomes the text's end. NULL if there is none. */
static char *take_text(char **at, const char *end) {
    char *text;
    unsigned long size = strtoul(*at, &text, 10);
    if (**at < '0' || **at > '9' || *text != ':' || size >= (size_t)(end - text) - 1)
        return NULL;
    text++;
    *at = text + size;
    if (**at != ',' || memchr(text, '\0', size))
        return NULL;
    *(*at)++ = '\0';
    return text;
}

bool chat_template_parse(struct chat_template *result, char *bytes, size_t size, uint32_t crc,
                         bool *fits, struct error *error) {
    enum {
        CRC,
        REASON,
        BEGIN,
        SYSTEM_BEGIN,
        SYSTEM_END,
        ANSWER,
        PAST,
        TURN,
        SYSTEM_LAST,
        THOUGHTS,
        SPACE,
        TEXTS,
    };
    char *at = bytes + strlen(HEAD), *texts[TEXTS];
    bool good = size > strlen(HEAD) && memcmp(bytes, HEAD, strlen(HEAD)) == 0;
    for (int i = 0; good && i < TEXTS; i++)
        good = (texts[i] = take_text(&at, bytes + size)) != NULL;
    if (!good || at != bytes + size)
        return error_set(error, "%s is damaged", CHAT_TEMPLATE_PATH);
    *fits = strtoul(texts[CRC], NULL, 16) == crc;
    if (*fits && *texts[REASON])
        return error_set(error, "the model's chat template cannot be used: %s", texts[REASON]);
    *result = (struct chat_template){
        .begin = texts[BEGIN],
        .system_begin = *texts[SYSTEM_END] ? texts[SYSTEM_BEGIN] : NULL,
        .system_end = texts[SYSTEM_END],
        .answer = texts[ANSWER],
        .past_answer = texts[PAST],
        .turn = texts[TURN],
        .system_last = *texts[SYSTEM_LAST] != '\0',
        .drops_thoughts = *texts[THOUGHTS] != '\0',
        .thoughts_space = texts[SPACE],
    };
    return true;
}

/* Reads the builder's file, if there is one that fits. */
static bool read_file(struct chat_template *result, struct file *file, uint32_t crc, bool *fits,
                      struct error *error) {
    uint64_t size = file_size(file);
    if (size > MAX_FILE_BYTES)
        return error_set(error, "%s is damaged", CHAT_TEMPLATE_PATH);
    char *bytes = malloc((size_t)size + 1);
    if (!bytes)
        return error_set(error, "no memory for the chat template");
    bytes[size] = '\0';
    bool good = file_read(file, 0, bytes, (size_t)size, error) &&
                (size == 0 || chat_template_parse(result, bytes, (size_t)size, crc, fits, error));
    if (good && *fits)
        result->memory = bytes;
    else
        free(bytes);
    return good;
}

bool chat_template_find(struct chat_template *result, const char *program, struct error *error) {
    struct error absent;
    bool fits = false;
    struct file *file = file_open(CHAT_TEMPLATE_PATH, &absent);
    if (file) {
        uint32_t crc = crc32_update(0, program, strlen(program));
        bool good = read_file(result, file, crc, &fits, error);
        file_close(file);
        if (!good)
            return false;
    }
    return fits || recognise(result, program, error);
}

void chat_template_free(struct chat_template *chat_template) {
    free(chat_template->memory);
    *chat_template = (struct chat_template){0};
}
