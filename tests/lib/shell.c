#include "shell.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

const char *shell_folder(struct arena *a)
{
    const char *parent = getenv("TMPDIR");
    char *path = arena_format(a, "%s/massrevoke-test-XXXXXX", parent == NULL ? "/tmp" : parent);
    if (mkdtemp(path) == NULL) {
        perror(path);
        abort();
    }
    return path;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

void shell_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void child(const char *folder, int write_end, const char *const *argv)
{
    size_t n = 0;
    while (argv[n] != NULL)
        n++;
    char **copy = calloc(n + 1, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < n; i++)
        copy[i] = strdup(argv[i]);
    if (copy == NULL || chdir(folder) != 0 || dup2(write_end, 1) < 0 || dup2(write_end, 2) < 0)
        _exit(126);
    execvp(copy[0], copy);
    _exit(127);
}

int shell_run(const char *folder, struct buf *out, const char *const *argv)
{
    int ends[2], status = 0;
    if (pipe(ends) != 0)
        abort();
    pid_t pid = fork();
    if (pid < 0)
        abort();
    if (pid == 0)
        child(folder, ends[1], argv);
    close(ends[1]);
    char chunk[4096];
    buf_clear(out);
    buf_text(out, "");
    for (ssize_t n; (n = read(ends[0], chunk, sizeof chunk)) > 0;)
        buf_add(out, chunk, (size_t)n);
    close(ends[0]);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool shell_has(const char *program)
{
    AUTO_BUF out = {0};
    return SHELL("/", &out, "sh", "-c", "command -v \"$0\"", program) == 0;
}
