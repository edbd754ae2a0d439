/* What is ours: database, disk, the people who approve and are told, the ways of alerts. */
#include "alert_probe.h"
#include "check.h"
#include "massrevoke/cert.h"
#include "massrevoke/cluster.h"
#include "massrevoke/store_ask.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/statvfs.h>

#define CLOCK_WARN 5  /* seconds */
#define CLOCK_FAIL 60 /* a thisUpdate in the future is refused by whoever reads it */
#define DISK_WARN INT64_C(2000000000)
#define DISK_FAIL INT64_C(200000000) /* the private cluster refuses to start below it */
#define SOON (30 * INT64_C(86400))

static struct utc now_of(const struct check *c)
{
    return c->session->clock.now(c->session->clock.self);
}

void check_database(struct check *c)
{
    struct fault f = {0};
    struct server_facts s;
    const char *subject = c->session->settings.db_conninfo == NULL ? "private cluster" : "db.conninfo";
    if (c->session->store == NULL)
        return; /* told already */
    if (!store_server_facts(c->session->store, &c->session->arena, &s, &f)) {
        check_fault(c, "database", subject, &f, "massrevoke db status");
        return;
    }
    check_add(c, CHECK_OK, FAULT_NONE, "database", subject,
              SAY(c, "PostgreSQL %s, schema is current", s.version), "");
    if (s.standby)
        check_add(c, CHECK_FAIL, FAULT_CONFIG, "database", subject, "a standby: nothing can be written",
                  "point db.conninfo to the primary server");
    check_add(c, s.durable ? CHECK_OK : CHECK_WARN, FAULT_NONE, "database", "durability",
              s.durable ? "a commit outlives a crash" : "a commit may be lost in a crash",
              "set fsync, full_page_writes and synchronous_commit to on");
    int64_t off = s.clock.s - now_of(c).s;
    enum check_state state = off >= -CLOCK_WARN && off <= CLOCK_WARN ? CHECK_OK : CHECK_WARN;
    check_add(c, state, FAULT_NONE, "clock", "of the database's host", SAY(c, "%" PRId64 " s from ours", off),
              "let both hosts follow the same time server");
}

static void look_at_disk(struct check *c, const char *what, const char *path)
{
    struct statvfs v;
    if (path == NULL)
        return;
    if (statvfs(path, &v) != 0) {
        check_add(c, CHECK_FAIL, FAULT_CONFIG, "disk", what, SAY(c, "%s: %s", path, strerror(errno)),
                  "make the folder");
        return;
    }
    int64_t bytes = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
    check_add(c,
              bytes < DISK_FAIL   ? CHECK_FAIL
              : bytes < DISK_WARN ? CHECK_WARN
                                  : CHECK_OK,
              FAULT_PARTLY, "disk", what, SAY(c, "%" PRId64 " MB free at %s", bytes / 1000000, path),
              "make room: at least 2 GB");
}

void check_disk(struct check *c)
{
    const struct settings *s = &c->session->settings;
    struct fault f = {0};
    struct cluster_status cluster;
    if (s->db_conninfo == NULL && cluster_status(&c->session->arena, &cluster, &f))
        look_at_disk(c, "database", cluster.exists ? cluster.folder : NULL);
    for (size_t i = 0; i < s->ca_count; i++)
        look_at_disk(c, SAY(c, "CA %s", s->cas[i].name), s->cas[i].directory);
    look_at_disk(c, "mail spool", s->mail_spool_dir);
}

/* One person's certificate: does it hold, and for how long? */
static bool look_at_approver(struct check *c, const struct settings_approver *p)
{
    struct fault f = {0};
    struct cert cert;
    char until[UTC_TEXT];
    struct utc now = now_of(c);
    if (!cert_load(p->certificate_file, &c->session->arena, &cert, &f)) {
        f.kind = FAULT_CONFIG;
        check_fault(c, "approvers", p->name, &f, "massrevoke config check");
        return false;
    }
    utc_format(cert.not_after, until);
    if (now.s > cert.not_after.s || now.s < cert.not_before.s) {
        check_add(c, CHECK_FAIL, FAULT_CONFIG, "approvers", p->name,
                  now.s > cert.not_after.s ? SAY(c, "the certificate ended at %s", until)
                                           : "the certificate is not valid yet",
                  "give this person a new certificate");
        return false;
    }
    bool soon = cert.not_after.s - now.s < SOON;
    check_add(c, soon ? CHECK_WARN : CHECK_OK, FAULT_NONE, "approvers", p->name,
              SAY(c, "valid until %s", until), "give this person a new certificate in time");
    return true;
}

void check_approvers(struct check *c)
{
    const struct settings *s = &c->session->settings;
    int valid = 0;
    for (size_t i = 0; i < s->approver_count; i++)
        valid += look_at_approver(c, &s->approvers[i]);
    const char *seen =
        SAY(c, "%d of %zu can sign, %d must, besides the requester", valid, s->approver_count, s->quorum);
    bool enough = valid - 2 >= s->quorum, never = valid - 1 < s->quorum;
    check_add(c,
              enough              ? CHECK_OK
              : s->demo && !never ? CHECK_WARN
                                  : CHECK_FAIL,
              FAULT_CONFIG, "approvers", "quorum", seen,
              SAY(c, "name at least %d approvers: the requester and one more may be away", s->quorum + 2));
}

void check_contacts(struct check *c)
{
    struct fault f = {0};
    struct reach *list;
    size_t n, nobody = 0, alone = 0, orphans = 0;
    if (!c->campaign)
        return;
    if (!store_reach(c->session->store, c->session->campaign.id, &c->session->arena, &list, &n, &f)) {
        check_fault(c, "contacts", "subscribers", &f, "massrevoke db status");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        bool known = list[i].subscriber[0] != '\0';
        orphans += !known;
        nobody += known && !list[i].primary && !list[i].backup && !list[i].partner;
        alone += list[i].primary && !list[i].backup;
    }
    check_add(c, nobody + orphans > 0 ? CHECK_WARN : CHECK_OK, FAULT_NONE, "contacts", "subscribers",
              SAY(c, "%zu of %zu can be told", n - nobody - orphans, n), "massrevoke contacts --missing any");
    check_add(c, alone > 0 ? CHECK_WARN : CHECK_OK, FAULT_NONE, "contacts", "backups",
              SAY(c, "%zu have a primary contact and no backup", alone),
              "massrevoke contacts --missing backup");
}

void check_alerts(struct check *c)
{
    struct fault f = {0};
    struct alert_probe *rows;
    size_t n;
    if (!alert_probe(&c->session->settings, c->session->clock,
                     c->session->who == NULL ? "check" : c->session->who, &c->session->arena, &rows, &n,
                     &f)) {
        check_fault(c, "alerts", "configuration", &f, "massrevoke config check");
        return;
    }
    if (n == 0)
        check_add(c, CHECK_WARN, FAULT_NONE, "alerts", "configuration",
                  "nobody is called when something needs a person",
                  "set alert.command, alert.oncall and alert.heartbeat; see massrevoke.cfg(5)");
    for (size_t i = 0; i < n; i++)
        check_add(c, rows[i].ok ? CHECK_OK : CHECK_FAIL, FAULT_PARTLY, "alerts",
                  SAY(c, "%s %s", rows[i].path, rows[i].to), rows[i].text, "massrevoke alert test");
}
