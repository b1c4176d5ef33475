#include "config.h"
#include "kernel_lib/runtime.h"
#include "sources.h"

#define CONFIG_FILE "/boot/BAREFLOW.CFG"

void config_read_file(void) {
    struct error error;
    struct file *file = file_open(CONFIG_FILE, &error);
    if (!file)
        return;
    size_t size = (size_t)file_size(file);
    char *text = size <= MAX_CONFIG_SIZE ? malloc(size + 1) : NULL;
    if (!text)
        console_printf("warning: %s is ignored: its %zu bytes are too many.\n", CONFIG_FILE, size);
    else if (!file_read(file, 0, text, size, &error))
        console_printf("warning: %s is ignored: %s\n", CONFIG_FILE, error.text);
    else
        config_parse(text, size, config_report_line, CONFIG_FILE);
    free(text);
    file_close(file);
}
