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

/* Inserts a setting whose key is not in the tree; returns the tree's new root. */
static struct setting *insert(struct setting *node, struct setting *setting) {
    if (!node)
        return setting;
    int side = strcmp(setting->key, node->key) > 0;
    node->child[side] = insert(node->child[side], setting);
    if (level_of(node->child[0]) == node->level)
        node = rotate(node, 0);
    if (node->child[1] && level_of(node->child[1]->child[1]) == node->level) {
        node = rotate(node, 1);
        node->level++;
    }
    return node;
}

/* As strcmp, for a key of size bytes, none of them zero. */
static int compare(const char *key, size_t size, const char *other) {
    int order = strncmp(key, other, size);
    return order == 0 && other[size] != '\0' ? -1 : order;
}

struct setting *config_setting(const char *key, size_t size) {
    struct setting *setting = root;
    for (int order; setting && (order = compare(key, size, setting->key)) != 0;)
        setting = setting->child[order > 0];
    if (setting)
        return setting;
    setting = malloc(sizeof *setting + size + 1);
    if (!setting)
        return NULL;
    *setting = (struct setting){.level = 1};
    memcpy(setting->key, key, size);
    setting->key[size] = '\0';
    root = insert(root, setting);
    return setting;
}

const char *config_get(const char *key) {
    struct setting *setting = config_setting(key, strlen(key));
    if (!setting)
        return NULL;
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
    free(node->value);
    free(node);
}

void config_clear(void) {
    free_tree(root);
    root = NULL;
}
