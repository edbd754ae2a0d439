#include "bugzilla.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Bugzilla/Markdown.pm: U+FFFD goes, every "<" that opens no http(s) link becomes one. */
static void hide_angles(struct str in, struct buf *out)
{
    static const char mark[] = "\xef\xbf\xbd";
    for (size_t i = 0; i < in.n; i++) {
        if (in.n - i >= 3 && memcmp(in.p + i, mark, 3) == 0) {
            i += 2;
            continue;
        }
        const char *rest = in.p + i + 1;
        bool link = in.p[i] == '<' && (strncmp(rest, "http://", 7) == 0 || strncmp(rest, "https://", 8) == 0);
        buf_add(out, in.p[i] == '<' && !link ? mark : in.p + i, in.p[i] == '<' && !link ? 3 : 1);
    }
}

bool bugzilla_render(struct str markdown, struct buf *html)
{
    AUTO_BUF safe = {0}, raw = {0};
    int ends[2];
    hide_angles(markdown, &safe);
    FILE *input = tmpfile();
    if (input == NULL || pipe(ends) != 0)
        abort();
    fwrite(safe.p, 1, safe.n, input);
    rewind(input);
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(input), 0);
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execlp("cmark-gfm", "cmark-gfm", "--hardbreaks", "--validate-utf8", "-e", "autolink", "-e",
               "tagfilter", "-e", "table", "-e", "strikethrough", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    fclose(input);
    char part[4096];
    for (ssize_t n; (n = read(ends[0], part, sizeof part)) > 0;)
        buf_add(&raw, part, (size_t)n);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    for (size_t i = 0; i < raw.n; i++) {
        bool mark = raw.n - i >= 3 && memcmp(raw.p + i, "\xef\xbf\xbd", 3) == 0;
        buf_add(html, mark ? "&lt;" : raw.p + i, mark ? 4 : 1);
        i += mark ? 2 : 0;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

size_t bugzilla_count(const char *html, const char *needle)
{
    size_t n = 0;
    for (const char *at = html; (at = strstr(at, needle)) != NULL; at += strlen(needle))
        n++;
    return n;
}
