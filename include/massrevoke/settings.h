/* settings.h - the configuration file as one value (contract section 4).
 *
 * Read once through the guard around libconfig (config/guard.c), every problem reported at once with file and
 * line. After reading it is constant. Paths are absolute (relative ones are taken from the file's folder).
 * I/O only in settings_read. Does not: open what it names, hold secrets (only *_file paths), or know
 * campaigns. Called by: cli (wiring), which hands parts to doors and stages. */
#ifndef MASSREVOKE_SETTINGS_H
#define MASSREVOKE_SETTINGS_H

#include "massrevoke/arena.h"
#include "massrevoke/fault.h"
#include "massrevoke/time.h"

struct guard_problems;

/* One of several CRLs of an issuer: its URL as the certificates name it, and where it is placed. */
struct settings_shard {
    const char *url, *crl_file;
};

/* One issuing CA certificate and the CRL that decides when a certificate names no pointer (URL, may be NULL).
 */
struct settings_issuer {
    const char *certificate_file;
    const char *crl;
    const char *name; /* how the CA's interface names it; may be NULL */
    /* For CRLs that publish signs out of the CA's database: key, number and either a file or shards, or none
     * of them. The pass phrase is the CA's. */
    const char *key_file, *crl_number_file, *crl_file;
    const struct settings_shard *shards;
    size_t shard_count;
};

/* Where the interface is and how we show who we are, for every backend but ca_openssl. Files are read by the
 * door. */
struct settings_http {
    const char *profile, *plans_dir; /* a shipped name or an absolute path; where own profiles lie, or NULL */
    const char *url;                 /* "https://host:port/base", without '/' at the end */
    const char *token_file, *ca_file; /* may be NULL: no token, the system's trusted CAs */
    const char *client_certificate_file, *client_key_file; /* both or none; PEM */
    const char *authority_key; /* for {aki}: lower-case hex, "" for none; NULL: the issuer's key identifier */
    const char *record_conninfo; /* the CA's own database: `record_conninfo` of http, `conninfo` of sql */
    struct span timeout;         /* for one answer; default 30s, of exec 10m */
    int connections; /* http: so many carry all requests, by HTTP/2 over TLS; 0: one for each at a time */
    /* http, for profiles that sign a token for each request */
    const char *token_key_file, *token_issuer, *token_key_id;
    /* acme */
    const char *account_key_file, *account_url; /* may be NULL; without URL the key is looked up */
    const char *keys_dir;                       /* certificates' own keys, SERIAL.key; may be NULL */
    const char *certificates_dir;               /* where relative certificate_file of the inventory start */
    const char *const *reasons; /* names of those that the server takes; none: the door's own list */
    size_t reason_count;
};

/* One CA: a backend and the issuers it revokes for. */
struct settings_ca {
    const char *name;              /* default: "ca" for a lone group */
    const char *backend;           /* "ca_openssl", "http", "sql", "acme", "exec" */
    const char *directory;         /* ca_openssl: the folder of openssl.cnf and index.txt */
    const char *config_file;       /* ca_openssl: default DIRECTORY/openssl.cnf */
    const char *key_password_file; /* may be NULL */
    struct rate rate; /* revocations; the slowest of `rate` (default 2000/s), `windows` and `concurrency` at
                         `latency_ms` */
    struct span crl_validity;  /* of CRLs that publish signs; default 7d (BR 7.2: at most 10 d) */
    struct rate_limits limits; /* what requests are kept to, less the reserve; all 0: `rate` */
    int concurrency;           /* requests at a time, 0: not said */
    struct settings_http http;
    const char *const *command, *const *status_command; /* exec: program and first arguments */
    size_t command_count, status_command_count;
    const struct settings_issuer *issuers;
    size_t issuer_count;
};

/* One person who may approve. */
struct settings_approver {
    const char *name;
    const char *certificate_file;
    const char *const *logins; /* login names of the same person; may be empty */
    size_t login_count;
};

/* fetch.map: URLs that begin with `url` are read from files below `folder`. */
struct settings_map {
    const char *url, *folder;
};

/* fetch.vantage: a way to the CA's servers. Neither address nor proxy: this machine's own. */
struct settings_vantage {
    const char *name;
    const char
        *address; /* "192.0.2.7", "[2001:db8::7]:8080": of an edge, in place of what the name resolves to */
    const char *proxy; /* URL of a proxy */
};

/* One person who is called when something needs a person. */
struct settings_oncall {
    const char *name, *email;
};

/* Who is told what a campaign cannot mend itself, and how others see that we live. */
struct settings_alert {
    const char *const *command; /* program and arguments; count 0: none */
    size_t command_count;
    const struct settings_oncall *oncall; /* in the order of calling */
    size_t oncall_count;
    struct span after;                                /* until the next one is called; default 15m */
    const char *beat_file, *beat_url_file, *beat_url; /* the outgoing heartbeat; any may be NULL */
    struct span beat_every;                           /* default 1m */
};

struct settings {
    const char *file;                                /* where it came from; NULL: defaults only */
    bool demo;                                       /* demo CA: --as allowed, quorum 1 allowed */
    const char *plans_dir;                           /* overrides embedded plans/; may be NULL */
    const char *db_conninfo, *db_bindir, *db_run_as; /* may be NULL */
    const struct settings_ca *cas;
    size_t ca_count;
    int quorum;                  /* default 1 in demo, else 2 */
    struct span approval_expiry; /* default 24h */
    const struct settings_approver *approvers;
    size_t approver_count;
    const char *mail_from, *mail_reply_to;       /* default: massrevoke@localhost */
    const char *mail_spool_dir, *mail_relay_url; /* exactly one or none is set */
    const struct settings_map *map;
    size_t map_count;
    struct span fetch_timeout;               /* default 30s */
    const struct settings_vantage *vantages; /* at least one */
    size_t vantage_count;
    struct rate ocsp_rate;           /* questions to responders, all ways together; default 100/s */
    int ocsp_sample;                 /* published certificates asked again per round; default 100 */
    const char *fetch_disclosed;     /* a file with every CRL address that CCADB knows; may be NULL */
    const char *const *lint_command; /* program and arguments that look at a replacement's file */
    size_t lint_count;               /* 0: none */
    struct settings_alert alert;
};

/* Does an address name its port, "host:port" or "[v6]:port"? */
bool settings_address_has_port(const char *address);

/* Finds the file (explicit --config, MASSREVOKE_CONFIG, /etc/massrevoke/massrevoke.cfg) and reads it; `path`
 * NULL means: search; nothing found gives the defaults with file NULL. Everything lives in `a`. On wrong
 * content the fault is CONFIG and its text lists every problem, one a line, as "file:line: key: problem". */
MUST_USE bool settings_read(const char *path, struct arena *a, struct settings *out, struct fault *f);

/* The same for `config check`: wrong content is not a fault but goes, complete, into *problems (guard.h; its
 * arena is used), and *out then holds what was right. Faults: CONFIG when the file itself cannot be read. */
MUST_USE bool settings_check(const char *path, struct guard_problems *problems, struct settings *out,
                             struct fault *f);

#endif
