/* What has been set, and what has been asked for. */
#include "config.h"
#include "kernel_lib/runtime.h"

/* A balanced tree by key (A. Andersson, "Balanced Search Trees Made Simple", 1993): n settings take
 * n log n steps, whatever their keys are. */
static struct setting *root;

/* Makes the child on that side the parent; returns it. */
static struct setting *rotate(struct setting *node, int side) {
    struct setting *child = node->child[side];
    node->child[side] = child->child[!side];
    child->child[!side] = node;
    return child;
}

static unsigned level_of(const struct setting *node) {
    return node ? node->level : 0;
}

/* Puts the setting where the other one with its key is, which is freed. */
static struct setting *replace(struct setting *old, struct setting *setting) {
    setting->child[0] = old->child[0];
    setting->child[1] = old->child[1];
    setting->level = old->level;
    setting->known |= old->known;
    free(old);
    return setting;
}

/* Inserts a setting, or replaces the one with its key; returns the tree's new root. */
static struct setting *insert(struct setting *node, struct setting *setting) {
    if (!node)
        return setting;
    int order = strcmp(setting->key, node->key);
    if (order == 0)
        return replace(node, setting);
    int side = order > 0;
    node->child[side] = insert(node->child[side], setting);
    if (level_of(node->child[0]) == node->level)
        node = rotate(node, 0);
    if (node->child[1] && level_of(node->child[1]->child[1]) == node->level) {
        node = rotate(node, 1);
        node->level++;
    }
    return node;
}

struct setting *config_find(const char *key) {
    struct setting *setting = root;
    for (int order; setting && (order = strcmp(key, setting->key)) != 0;)
        setting = setting->child[order > 0];
    return setting;
}

struct setting *config_new(const char *key, size_t key_size, size_t room) {
    struct setting *setting = malloc(sizeof *setting + key_size + 1 + room);
    if (!setting)
        return NULL;
    *setting = (struct setting){.level = 1};
    if (room > 0)
        setting->value = setting->key + key_size + 1;
    memcpy(setting->key, key, key_size);
    setting->key[key_size] = '\0';
    return setting;
}

void config_add(struct setting *setting) {
    root = insert(root, setting);
}

const char *config_get(const char *key) {
    struct setting *setting = config_find(key);
    if (!setting) {
        setting = config_new(key, strlen(key), 0);
        if (!setting)
            return NULL;
        config_add(setting);
    }
    setting->known = true;
    return setting->value;
}

static void visit(const struct setting *node, config_visitor *visitor, void *context) {
    if (!node)
        return;
    visit(node->child[0], visitor, context);
    visitor(context, node);
    visit(node->child[1], visitor, context);
}

void config_visit(config_visitor *visitor, void *context) {
    visit(root, visitor, context);
}

static void free_tree(struct setting *node) {
    if (!node)
        return;
    free_tree(node->child[0]);
    free_tree(node->child[1]);
    free(node);
}

void config_clear(void) {
    free_tree(root);
    root = NULL;
}
