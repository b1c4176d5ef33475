/*
 * Reader of llama2.c's model files ("checkpoints"): version 0 (no magic number, float32), 1
 * (float32) and 2 (int8, Q8_0). Little-endian.
 */
#pragma once
#include "kernel_lib/runtime.h"
#include "tinyllama/model.h"

/*
 * Reads the model in file, which path names in messages. The header and the file's size are checked
 * before memory is allocated. False and *error if the file is no such model, cannot be read or does
 * not fit into memory; there is then nothing to free.
 */
bool checkpoint_read(struct model *model, struct file *file, const char *path, struct error *error);
