/* Settings that nobody has asked for. */
#include "kernel_lib/config/config.h"
#include "kernel_lib/runtime.h"

#define MOST_REPORTS 10

struct report {
    const char *prefix;
    size_t unknown;
};

static bool has_prefix(const struct setting *setting, const char *prefix) {
    return strncmp(setting->key, prefix, strlen(prefix)) == 0;
}

static void print_known(void *context, const struct setting *setting) {
    const struct report *report = context;
    if (setting->known && has_prefix(setting, report->prefix))
        console_printf(" %s", setting->key);
}

static void report_unknown(void *context, const struct setting *setting) {
    struct report *report = context;
    if (setting->known || !has_prefix(setting, report->prefix) || ++report->unknown > MOST_REPORTS)
        return;
    console_printf("warning: unknown setting \"%s\"; there are", setting->key);
    config_visit(print_known, report);
    console_puts("\n");
}

size_t config_report_unknown(const char *prefix) {
    struct report report = {prefix, 0};
    config_visit(report_unknown, &report);
    if (report.unknown > MOST_REPORTS)
        console_printf("warning: and %zu more unknown settings\n", report.unknown - MOST_REPORTS);
    return report.unknown;
}
