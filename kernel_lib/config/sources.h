/*
 * Where the bare machine's configuration comes from. Each source has lines as in config.h; a line
 * that cannot be understood is reported on the console and left out.
 */
#pragma once

/* A config_report that warns; context is the name of the source. */
void config_report_line(void *context, unsigned line, const char *message);

#define MAX_CONFIG_SIZE (1u << 20) /* bytes of a source */

/* QEMU's fw_cfg opt/bareflow/config; nothing without it. Needs the heap. */
void config_read_fw_cfg(void);

/* /boot/BAREFLOW.CFG of the disk that was booted, for keys that fw_cfg has not set. Does nothing if
 * there is no such file. */
void config_read_file(void);
