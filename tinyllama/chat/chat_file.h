/*
 * Conversations in files: /profile/NAME.CHT has the system text, the turns, and what the KV cache
 * has of them. A power cut while one is written leaves the old file or the new one (file_replace).
 */
#pragma once
#include "chat.h"

#define CHAT_NAME_LENGTH 8 /* letters, digits, "-" and "_" */

/* Writes the conversation; without the KV cache if there is no room for that, which *with_cache
 * tells. False and *error if the name is none or the disk cannot be written. */
bool chat_save(const struct chat *chat, const char *name, bool *with_cache, struct error *error);

/* Reads a conversation in place of the present one. *with_cache: whether the KV cache has it now;
 * otherwise the next answer reads it again. False and *error, and nothing is changed, if there is
 * no such file, it is damaged, or it is another model's. */
bool chat_load(struct chat *chat, const char *name, bool *with_cache, struct error *error);
