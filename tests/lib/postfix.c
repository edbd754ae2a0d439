#include "postfix.h"

#include "massrevoke/arena.h"
#include "massrevoke/file.h"

#include <netinet/in.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static const char master_cf[] =
    "127.0.0.1:%d inet n - n - 10 smtpd\n"
    "cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n"
    "bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n"
    "verify unix - - n - 1 verify\nflush unix n - n 1000? 0 flush\nproxymap unix - - n - - proxymap\n"
    "error unix - - n - - error\nretry unix - - n - - error\ndiscard unix - - n - - discard\n"
    "virtual unix - n n - 10 virtual\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n"
    "postlog unix-dgram n - n - 1 postlogd\n";

static const char main_cf[] =
    "compatibility_level = 3.6\nqueue_directory = $config_directory/queue\ndata_directory = "
    "$config_directory/data\n"
    "maillog_file = $config_directory/log\nmaillog_file_prefixes = $config_directory\nmyhostname = "
    "relay.ca.test\n"
    "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmydestination =\nalias_maps =\n"
    "local_recipient_maps =\nmynetworks = 127.0.0.0/8\nsmtpd_relay_restrictions = permit_mynetworks, reject\n"
    "smtpd_recipient_restrictions = check_recipient_access inline:{ "
    "{ refused@cust.test = 550 5.1.1 no such person }, { later@cust.test = 450 4.2.0 try again } }, "
    "permit_mynetworks, reject\n"
    "virtual_mailbox_domains = cust.test\nvirtual_mailbox_base = $config_directory/mail\n"
    "virtual_mailbox_maps = static:inbox/\nvirtual_uid_maps = static:%u\nvirtual_gid_maps = static:%u\n"
    "disable_dns_lookups = yes\n";

static bool run(const char *const *argv)
{
    pid_t pid;
    int status;
    AUTO_ARENA a = {0};
    char *copies[8] = {0};
    for (size_t i = 0; argv[i] != NULL; i++)
        copies[i] = arena_text(&a, argv[i]);
    return posix_spawnp(&pid, copies[0], NULL, NULL, copies, environ) == 0 &&
           waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof any;
    bool ok = bind(fd, (struct sockaddr *)&any, n) == 0 && getsockname(fd, (struct sockaddr *)&any, &n) == 0;
    close(fd);
    return ok ? ntohs(any.sin_port) : 0;
}

static bool connects(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    bool ok = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
    close(fd);
    return ok;
}

static bool write_configuration(const struct postfix *p, const struct passwd *user)
{
    AUTO_ARENA a = {0};
    struct fault f = {0};
    static const char *const folders[] = {"queue", "data", "mail"};
    for (size_t i = 0; i < 3; i++) {
        const char *path = arena_format(&a, "%s/%s", p->folder, folders[i]);
        if (mkdir(path, 0755) != 0 || (i > 0 && chown(path, user->pw_uid, user->pw_gid) != 0))
            return false;
    }
    const char *master = arena_format(&a, master_cf, p->port);
    const char *settings = arena_format(&a, main_cf, (unsigned)user->pw_uid, (unsigned)user->pw_gid);
    return file_write(arena_format(&a, "%s/master.cf", p->folder), str_of(master), 0644, &f) &&
           file_write(arena_format(&a, "%s/main.cf", p->folder), str_of(settings), 0644, &f);
}

bool postfix_start(struct postfix *p, const char **why)
{
    const struct passwd *user = getpwnam("postfix");
    *why = geteuid() != 0 ? "postfix can only be started by root" : "postfix is not installed";
    if (geteuid() != 0 || user == NULL || access("/usr/sbin/postfix", X_OK) != 0)
        return false;
    *why = "the test's own postfix did not start";
    snprintf(p->folder, sizeof p->folder, "/tmp/massrevoke-postfix-XXXXXX");
    p->port = free_port();
    snprintf(p->url, sizeof p->url, "smtp://127.0.0.1:%d", p->port);
    if (mkdtemp(p->folder) == NULL || chmod(p->folder, 0755) != 0 || !write_configuration(p, user) ||
        !run((const char *[]){"/usr/sbin/postfix", "-c", p->folder, "start", NULL}))
        return false;
    for (int i = 0; i < 100 && !connects(p->port); i++)
        usleep(50000);
    return connects(p->port);
}

void postfix_stop(struct postfix *p)
{
    (void)!run((const char *[]){"/usr/sbin/postfix", "-c", p->folder, "stop", NULL});
    (void)!run((const char *[]){"rm", "-rf", p->folder, NULL});
}
