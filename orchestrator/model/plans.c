#include "plans.h"
#include "massrevoke/embed.h"
#include "massrevoke/file.h"
#include "massrevoke/guard.h"
#include "massrevoke/nearest.h"
#include "massrevoke/rules.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define NAMES_MAX 1000

bool plans_file(const char *plans_dir, const char *path, struct arena *a, struct str *out, struct fault *f)
{
    const char *own = plans_dir == NULL ? NULL : file_join(a, plans_dir, path);
    if (own != NULL && access(own, F_OK) == 0) {
        if (file_read(own, GUARD_FILE_MAX, a, out, f))
            return true;
        f->kind = FAULT_CONFIG;
        return false;
    }
    const struct embed_file *file = embed_find(arena_format(a, "plans/%s", path));
    if (file == NULL)
        return fault_set(f, FAULT_CONFIG, "no data file '%s'%s%s", path, own == NULL ? "" : ", nor ",
                         own == NULL ? "" : own);
    *out = file->bytes;
    return true;
}

static bool is_data(const char *name)
{
    size_t n = strlen(name);
    return name[0] != '.' && n > 4 && strcmp(name + n - 4, ".cfg") == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t own_names(const char *plans_dir, const char *folder, struct arena *a, const char **names)
{
    size_t n = 0;
    DIR *d = plans_dir == NULL ? NULL : opendir(file_join(a, plans_dir, folder));
    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL && n < NAMES_MAX;)
        if (is_data(e->d_name))
            names[n++] = file_join(a, folder, e->d_name);
    if (d != NULL)
        closedir(d);
    return n;
}

const char **plans_list(const char *plans_dir, const char *folder, bool own_only, struct arena *a,
                        size_t *count)
{
    const char **names = arena_array(a, 2 * (size_t)NAMES_MAX, sizeof *names);
    size_t n = own_names(plans_dir, folder, a, names), own = n;
    const char *prefix = arena_format(a, "plans/%s/", folder);
    for (const struct embed_file *e = NULL; (e = embed_next(prefix, e)) != NULL && n < 2 * (size_t)NAMES_MAX;)
        if ((own == 0 || !own_only) && is_data(e->path))
            names[n++] = e->path + strlen("plans/");
    qsort(names, n, sizeof *names, by_name);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (*count == 0 || strcmp(names[*count - 1], names[i]) != 0)
            names[(*count)++] = names[i];
    return names;
}

static bool is_path(const char *name)
{
    size_t n = strlen(name);
    return strchr(name, '/') != NULL || (n > 4 && strcmp(name + n - 4, ".cfg") == 0);
}

/* "profiles/tls-5-day.cfg" -> "tls-5-day" */
static const char *plain_name(struct arena *a, const char *file)
{
    const char *stem = strrchr(file, '/') + 1;
    return arena_copy(a, stem, strlen(stem) - strlen(".cfg"));
}

static bool not_shipped(const char *const *files, size_t count, const char *kind, const char *name,
                        struct arena *a, struct fault *f)
{
    struct nearest near = {.wanted = name};
    AUTO_BUF known = {0};
    for (size_t i = 0; i < count; i++) {
        const char *stem = plain_name(a, files[i]);
        nearest_offer(&near, stem);
        buf_format(&known, "%s%s", i == 0 ? "" : ", ", stem);
    }
    fault_set(f, FAULT_CONFIG, "no %s '%.60s'%s%s (there are: %s)", kind, name,
              near.word ? ", did you mean " : "", near.word ? near.word : "",
              known.n == 0 ? "none" : known.p);
    return fault_hint(f, "name one of these, or a file by its path (with a '/' or ending in .cfg)");
}

bool plans_named(const char *plans_dir, const char *folder, const char *kind, const char *name,
                 struct arena *a, const char **file, struct str *bytes, struct fault *f)
{
    if (is_path(name)) {
        *file = name;
        if (file_read(name, GUARD_FILE_MAX, a, bytes, f))
            return true;
        f->kind = FAULT_CONFIG;
        return false;
    }
    size_t count;
    const char **files = plans_list(plans_dir, folder, false, a, &count);
    *file = arena_format(a, "%s/%s.cfg", folder, name);
    for (size_t i = 0; i < count; i++)
        if (strcmp(files[i], *file) == 0)
            return plans_file(plans_dir, *file, a, bytes, f);
    return not_shipped((const char *const *)files, count, kind, name, a, f);
}
