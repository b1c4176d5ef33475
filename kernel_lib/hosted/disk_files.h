/* The files that a program has opened. */
#pragma once

/* Closes them: what was written to them is put on the disk. */
void program_close_files(void);
