#include "sources.h"
#include "config.h"
#include "fw_cfg.h"
#include "kernel_lib/runtime.h"

#define CONFIG_FW_CFG "opt/bareflow/config"
#define CONFIG_FILE "/boot/BAREFLOW.CFG"

static void report(void *context, unsigned line, const char *message) {
    console_printf("warning: %s, line %u is ignored: %s.\n", (const char *)context, line, message);
}

void config_read_fw_cfg(void) {
    size_t size;
    struct error error;
    char *text = fw_cfg_read(CONFIG_FW_CFG, MAX_CONFIG_SIZE, &size, &error);
    if (text)
        config_parse(text, size, report, CONFIG_FW_CFG);
    else if (error.text[0])
        console_printf("warning: %s is ignored: %s.\n", CONFIG_FW_CFG, error.text);
    free(text);
}

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
        config_parse(text, size, report, CONFIG_FILE);
    free(text);
    file_close(file);
}
