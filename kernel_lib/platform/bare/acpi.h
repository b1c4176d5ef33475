/* ACPI, as far as switching off needs it. */
#pragma once

/* Switches the machine off (sleep state S5). Returns when it has no usable ACPI tables or does not
 * obey. */
void acpi_power_off(void);
