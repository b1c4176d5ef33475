#include "sources.h"
#include "config.h"
#include "fw_cfg.h"
#include "kernel_lib/runtime.h"

#define CONFIG_FW_CFG "opt/bareflow/config"

void config_report_line(void *context, unsigned line, const char *message) {
    console_printf("warning: %s, line %u is ignored: %s.\n", (const char *)context, line, message);
}

void config_read_fw_cfg(void) {
    size_t size;
    struct error error;
    char *text = fw_cfg_read(CONFIG_FW_CFG, MAX_CONFIG_SIZE, &size, &error);
    if (text)
        config_parse(text, size, config_report_line, CONFIG_FW_CFG);
    else if (error.text[0])
        console_printf("warning: %s is ignored: %s.\n", CONFIG_FW_CFG, error.text);
    free(text);
}
