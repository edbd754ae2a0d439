/* A real PostgreSQL for tests, and folders that go away. */
#include "cluster.h"

#include "massrevoke/cluster.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static struct {
    char *folders[64];
    size_t n;
    pid_t owner; /* a forked child must not clean up */
    char *state; /* of the cluster to stop at the end; NULL: none */
} own;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static void clean_up(void)
{
    struct fault f;
    if (getpid() != own.owner)
        return;
    if (own.state != NULL) {
        setenv("MASSREVOKE_STATE", own.state, 1);
        if (!cluster_stop(&(bool){false}, &f))
            fprintf(stderr, "stopping the test cluster: %s\n", f.text);
    }
    free(own.state);
    for (size_t i = 0; i < own.n; i++) {
        nftw(own.folders[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
        free(own.folders[i]);
    }
}

char *test_folder(void)
{
    char name[] = "/dev/shm/massrevoke-test-XXXXXX", other[] = "/tmp/massrevoke-test-XXXXXX";
    struct statvfs v;
    bool roomy = access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &v) == 0 &&
                 v.f_bavail * v.f_frsize > 2000000000UL; /* a container may have 64 MB */
    char *made = mkdtemp(roomy ? name : other);
    if (made == NULL || chmod(made, geteuid() == 0 ? 0711 : 0700) != 0 || own.n == 64) {
        perror("test folder");
        exit(2);
    }
    if (own.owner != getpid()) {
        own.owner = getpid();
        own.n = 0;
        atexit(clean_up);
    }
    own.folders[own.n++] = strdup(made);
    return strdup(made);
}

const char *test_conninfo(void)
{
    static char conninfo[512];
    if (conninfo[0] != '\0')
        return conninfo;
    char *shared = getenv("MASSREVOKE_TEST_STATE"), *before = getenv("MASSREVOKE_STATE");
    char *kept = before == NULL ? NULL : strdup(before);
    if (shared == NULL)
        own.state = test_folder();
    setenv("MASSREVOKE_STATE", shared == NULL ? own.state : shared, 1);
    AUTO_ARENA a = {0};
    struct fault f;
    const char *text;
    if (!cluster_start(&(struct settings){0}, &a, &text, &f)) {
        fprintf(stderr, "test cluster: %s\n", f.text);
        exit(2);
    }
    snprintf(conninfo, sizeof conninfo, "%s", text);
    if (kept == NULL)
        unsetenv("MASSREVOKE_STATE");
    else
        setenv("MASSREVOKE_STATE", kept, 1);
    free(kept);
    return conninfo;
}
