/* Does the exec door keep the contract with a program that answers, dies, hangs, babbles or lies? The program
 * is a shell script over a folder: one that speaks our protocol, one that takes, does and prints what
 * Boulder's admin does, one of certutil's manner (facts of backends 1.7, 1.9); single answers of those two
 * are replayed. */
#include "../lib/ca_list.h"
#include "../lib/stock.h"
#include "massrevoke/ca_exec.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[STOCK_PATH], ca_pem[STOCK_PATH + 32], program[STOCK_PATH + 32], command[STOCK_PATH + 32];
static struct ca_list list;
static struct settings_issuer issuer;

struct product {
    const char *profile, *script;
    const char *config; /* its -config; NULL: it speaks our protocol, tells a status, keeps the first date */
    unsigned reasons;
    bool unknown;
    uint8_t longest; /* serial, in octets */
    struct {
        const char *mood;
        enum ca_outcome outcome;
    } odds[CA_LIST_ODD_COUNT]; /* no mood: it has no such thing */
};

static const struct product *product;

/* A CA that speaks our protocol: one file a certificate, "good" or "DATE REASON"; `mood` is what is wrong
 * with it. */
static const char script[] =
    "#!/bin/sh\n"
    "cd \"$(dirname \"$0\")\" || exit 9\n"
    "t=$(printf '\\t')\n"
    "mood=$(cat mood)\n"
    "case $mood in\n"
    "    dead) kill -9 $$ ;;\n"
    "    away) echo 'no route to the CA' >&2; exit 1 ;;\n"
    "    slow) sleep 30 & wait ;;\n"
    "    garbage) head -c 300000 /dev/urandom; printf '\\nABC\\trevoked\\n\\t\\t\\t\\n'; exit 0 ;;\n"
    "esac\n"
    "while read -r s; do\n"
    "    case $mood in\n"
    "        busy) echo \"$s${t}wait\"; continue ;;\n"
    "        refused) echo \"$s${t}stop\"; continue ;;\n"
    "        dying) [ -e died ] && { sleep 0.2; kill -9 $$; } ;;\n"
    "    esac\n"
    "    if [ ! -e \"db/$s\" ]; then echo \"$s${t}unknown\"; continue; fi\n"
    "    read -r at reason <\"db/$s\"\n"
    "    if [ \"$at\" = good ] && [ \"$1\" = status ]; then echo \"$s${t}not_revoked\"; continue; fi\n"
    "    if [ \"$at\" != good ]; then [ $mood = mute ] || echo \"$s${t}revoked_before$t$at$t$reason\"; "
    "continue; fi\n"
    "    at=$(date +%s)\n"
    "    echo \"$at $2\" >\"db/$s\"\n"
    "    [ $mood = mute ] || echo \"$s${t}revoked$t$at$t$2\"\n"
    "    [ $mood = dying ] && : >died\n"
    "done\n"
    "[ $mood = mute ] && exit 1\n"
    "exit 0\n";

/* Boulder's admin, letsencrypt/boulder cmd/admin/cert.go: nothing without -dry-run=false, all serials before
 * the first, of 32 or 36 digits, an error for each that is revoked, but keyCompromise replaces a reason. */
static const char admin[] =
    "#!/bin/sh\n"
    "cd \"$(dirname \"$0\")\" || exit 9\n"
    "mood=$(cat mood) n=0\n"
    "say() { echo \"$1\" >&2; n=$((n + 1)); }\n"
    "case $mood in\n"
    "    dead) kill -9 $$ ;;\n"
    "    garbage) head -c 300000 /dev/urandom; say 'panic: runtime error'; exit 2 ;;\n"
    "    refused) say 'got unacceptable parallelism 0'; exit 1 ;;\n"
    "    mute) exec >/dev/null 2>&1 ;;\n"
    "esac\n"
    "[ \"$1 $2 $4\" = '-config admin.json revoke-cert' ] || exit 2\n"
    "[ \"$5 $7 $9\" = '-serials-file -reason -parallelism' ] || exit 2\n"
    "case $8 in\n"
    "    unspecified | keyCompromise | superseded | cessationOfOperation | privilegeWithdrawn) ;;\n"
    "    *) say \"got unacceptable revocation reason \\\"$8\\\"\"; exit 1 ;;\n"
    "esac\n"
    "serials=$(cat \"$6\")\n"
    "for s in $serials; do\n"
    "    case ${#s} in 32 | 36) ;; *) say \"cleaned serial \\\"$s\\\" is not valid\"; exit 1 ;; esac\n"
    "done\n"
    "[ \"$3\" = -dry-run=false ] || exit 0\n"
    "for s in $serials; do\n"
    "    row=db/$(echo \"$s\" | tr a-f A-F | sed 's/^\\(00\\)*//')\n"
    "    at= reason=\n"
    "    [ ! -e \"$row\" ] || read -r at reason <\"$row\"\n"
    "    case $mood:$at:$8:$reason in\n"
    "        away:*) say \"E114550 admin failed to revoke \\\"$s\\\": connection refused\" ;;\n"
    "        *::*:*) say \"E114550 admin failed to revoke \\\"$s\\\": certificate not found\" ;;\n"
    "        *:good:*) echo \"$(date +%s) $8\" >\"$row\" ;;\n"
    "        *:keyCompromise:[!k]*) echo \"$at $8\" >\"$row\" ;;\n"
    "        *) say \"W114550 admin not revoking \\\"$s\\\": already revoked\" ;;\n"
    "    esac\n"
    "done\n"
    "[ $mood = mute ] && kill -9 $$\n"
    "[ $n = 0 ] && exit 0\n"
    "echo \"encountered $n errors while revoking certs; see logs above for details\" >&2\n"
    "exit 1\n";

/* certutil: a list of serials as one word, reasons as numbers, a second revocation has its own date; what
 * fails ends the list. */
static const char windows[] =
    "#!/bin/sh\n"
    "cd \"$(dirname \"$0\")\" || exit 9\n"
    "mood=$(cat mood)\n"
    "fail() { echo \"CertUtil: -revoke command FAILED: $1\"; exit 1; }\n"
    "case $mood in\n"
    "    dead) kill -9 $$ ;;\n"
    "    away) fail '0x800706ba (WIN32: 1722 RPC_S_SERVER_UNAVAILABLE)' ;;\n"
    "    garbage) head -c 300000 /dev/urandom; exit 3 ;;\n"
    "    mute) exec >/dev/null 2>&1 ;;\n"
    "esac\n"
    "[ \"$1 $2 $3\" = '-config HOST\\CA -revoke' ] || fail '0x80070057 (WIN32: 87)'\n"
    "set -- \"$4\" \"$5\" unspecified keyCompromise cACompromise affiliationChanged superseded \\\n"
    "    cessationOfOperation\n"
    "serials=$1 code=$2 IFS=,\n"
    "shift $((code + 2))\n"
    "for s in $serials; do\n"
    "    case $((${#s} % 2)):$s in 1:* | 0:00* | *:*[!0-9A-F]*) fail '0x80070057 (WIN32: 87)' ;; esac\n"
    "    [ -e \"db/$s\" ] || fail '0x80070002 (WIN32: 2)'\n"
    "    echo \"$(date +%s) $1\" >\"db/$s\"\n"
    "    echo \"Revoking \\\"$s\\\" -- Reason: $1\"\n"
    "done\n"
    "[ $mood = mute ] && kill -9 $$\n"
    "echo 'CertUtil: -revoke command completed successfully.'\n";

#define EIGHT (1U << 0 | 1U << 1 | 1U << 2 | 1U << 3 | 1U << 4 | 1U << 5 | 1U << 9 | 1U << 10)

/* A program that hangs is ended alike for all, and takes a while: once. */
static const struct product products[] = {
    {.profile = "lines",
     .script = script,
     .reasons = EIGHT,
     .unknown = true,
     .longest = SERIAL_MAX,
     .odds = {[CA_LIST_BUSY] = {"busy", CA_WAIT},
              [CA_LIST_AWAY] = {"away", CA_ASK},
              [CA_LIST_SLOW] = {"slow", CA_ASK},
              [CA_LIST_GARBAGE] = {"garbage", CA_ASK},
              [CA_LIST_REFUSED] = {"refused", CA_WAIT}}},
    {.profile = "boulder",
     .script = admin,
     .config = "admin.json",
     .reasons = 1U << 0 | 1U << 1 | 1U << 4 | 1U << 5 | 1U << 9,
     .unknown = true,
     .longest = 18,
     .odds = {[CA_LIST_AWAY] = {"away", CA_ASK},
              [CA_LIST_GARBAGE] = {"garbage", CA_ASK},
              [CA_LIST_REFUSED] = {"refused", CA_WAIT}}},
    {.profile = "certutil",
     .script = windows,
     .config = "HOST\\CA",
     .reasons = 1U << 0 | 1U << 1 | 1U << 2 | 1U << 3 | 1U << 4 | 1U << 5,
     .longest = SERIAL_MAX,
     .odds = {[CA_LIST_AWAY] = {"away", CA_ASK}, [CA_LIST_GARBAGE] = {"garbage", CA_ASK}}},
};

/* One that speaks our protocol beside, which gets serials as the product writes them. */
static const char *const status_beside[] = {"/bin/sh", "-c",
                                            "tr a-f A-F | sed 's/^\\(00\\)*//' | \"$0\" status", program};

static struct utc real_now(void *s)
{
    (void)s;
    return (struct utc){time(NULL)};
}

static struct utc list_now(void)
{
    return real_now(NULL);
}

static bool open_with(const char *profile, const char *const *words, size_t n, const char *const *status,
                      size_t m, struct ca_door **out, struct fault *f)
{
    struct settings_ca s = {.name = "t",
                            .backend = "exec",
                            .rate = {2000, 1},
                            .http = {.profile = profile, .timeout = {2}},
                            .command = words,
                            .command_count = n,
                            .status_command = status,
                            .status_command_count = m,
                            .issuers = &issuer,
                            .issuer_count = 1};
    return ca_exec_open(&s, CA_LIST_ISSUER, (struct clock){.now = real_now}, out, f);
}

static bool list_open(struct ca_door **out, struct fault *f)
{
    const char *const words[] = {command, "-config", product->config};
    return product->config == NULL ? open_with(product->profile, words, 1, NULL, 0, out, f)
                                   : open_with(product->profile, words, 3, status_beside, 4, out, f);
}

static void mood(const char *text)
{
    stock_write(folder, "mood", str_of(text));
}

static void write_row(const struct serial *s, const char *text)
{
    char name[60] = "db/";
    serial_hex(s, name + 3);
    stock_write(folder, name, str_of(text));
}

static void list_reset(void)
{
    char died[STOCK_PATH + 32];
    snprintf(died, sizeof died, "%s/died", folder);
    (void)unlink(died);
    mood("well");
    for (size_t i = 0; i < list.count; i++)
        write_row(&list.serials[i], "good\n");
}

static struct ca_list_row list_row(const struct serial *s)
{
    char path[STOCK_PATH + 64], hex[SERIAL_HEX_TEXT], text[100] = "", name[60];
    long long at;
    snprintf(path, sizeof path, "%s/db/%s", folder, serial_hex(s, hex));
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return (struct ca_list_row){false, 0, -1};
    bool got = fgets(text, sizeof text, file) != NULL && sscanf(text, "%lld %50s", &at, name) == 2;
    fclose(file);
    return got ? (struct ca_list_row){true, at, reason_from_name(str_of(name))}
               : (struct ca_list_row){false, 0, -1};
}

static int64_t list_revoke(const struct serial *s, int64_t at, enum reason reason)
{
    char text[100];
    snprintf(text, sizeof text, "%lld %s\n", (long long)at, reason_name((int)reason));
    write_row(s, text);
    return at;
}

static void list_lose(bool on)
{
    mood(on ? "mute" : "well");
}

static void list_kill(void)
{
    mood("dead");
}

static void list_start(void)
{
    mood("well");
}

static enum ca_outcome list_odd(enum ca_list_odd odd)
{
    if (product->odds[odd].mood == NULL)
        return CA_OUTCOME_COUNT;
    mood(product->odds[odd].mood);
    return product->odds[odd].outcome;
}

/* An executable script below the folder; its path. */
static void write_script(const char *name, const char *text, char path[static STOCK_PATH + 32])
{
    stock_write(folder, name, str_of(text));
    snprintf(path, STOCK_PATH + 32, "%s/%s", folder, name);
    assert_int_equal(chmod(path, 0700), 0);
}

static int run_product(const struct product *p)
{
    product = p;
    list = (struct ca_list){.name = p->profile,
                            .count = 12,
                            .reasons = p->reasons,
                            .keeps_first_date = p->config == NULL,
                            .tells_status = true,
                            .tells_unknown = p->unknown,
                            .needs_quiet = true,
                            .reset = list_reset,
                            .open = list_open,
                            .row = list_row,
                            .now = list_now,
                            .revoke = list_revoke,
                            .lose_answers = list_lose,
                            .kill = list_kill,
                            .start = list_start,
                            .odd = list_odd};
    ca_list_serials(list.serials, list.count);
    list.serials[1].n = (uint8_t)(p->longest - 1);
    list.serials[2].n = p->longest;
    write_script("command", p->script, command);
    return ca_list_run(&list);
}

/* --- what only a process has --- */

static struct ca_answer answers[CA_LIST_COUNT];
static size_t count;

static void collect(void *context, const struct ca_answer *all, size_t n)
{
    (void)context;
    for (size_t i = 0; i < n; i++) {
        assert_true(count < CA_LIST_COUNT);
        answers[count++] = all[i];
    }
}

static enum ca_outcome outcome_of(uint32_t number)
{
    for (size_t i = 0; i < count; i++)
        if (answers[i].number == number)
            return answers[i].outcome;
    return CA_OUTCOME_COUNT;
}

static bool settle(struct ca_door *door, struct fault *f)
{
    bool busy = true, ok = true;
    while (ok && busy) {
        ca_wait(door, 10000);
        ok = door->ops->step(door, &busy, f);
    }
    return ok;
}

/* Revokes the first n of the list as `reason` by a script with this body; what the last step said. */
static bool run_profile(const char *profile, const char *body, size_t n, enum reason reason, struct fault *f)
{
    AUTO_BUF text = {0};
    char path[STOCK_PATH + 32];
    struct ca_item items[CA_LIST_COUNT];
    struct ca_door *door;
    buf_format(&text, "#!/bin/sh\ncd \"$(dirname \"$0\")\" || exit 9\n%s", body);
    write_script("replay", text.p, path);
    const char *words[] = {path, "-config", "HOST\\CA; $(touch oops)"};
    for (size_t i = 0; i < n; i++)
        items[i] = (struct ca_item){
            .number = (uint32_t)i, .issuer = CA_LIST_ISSUER, .serial = list.serials[i], .reason = reason};
    *f = (struct fault){0};
    if (!open_with(profile, words, 3, NULL, 0, &door, f))
        fail_msg("%s", f->text);
    door->answer = collect;
    count = 0;
    bool ok = door->ops->revoke(door, items, n, f) && settle(door, f);
    ca_close(door);
    assert_int_equal(count, n);
    return ok;
}

static const char *read_file(const char *name)
{
    static char text[8192];
    char path[STOCK_PATH + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    size_t n = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    if (file != NULL)
        fclose(file);
    text[n] = '\0';
    return text;
}

/* letsencrypt/boulder cmd/admin/cert.go, revokeSerials: what it logs, and that one error makes the run end 1.
 */
static void boulder(void **state)
{
    (void)state;
    struct fault f;
    assert_true(
        run_profile("boulder", "printf '%s\\n' \"$*\" >args; cat >in; exit 0", 4, REASON_SUPERSEDED, &f));
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(outcome_of(i), CA_REVOKED_NOW);
    assert_string_equal(read_file("args"), "-config HOST\\CA; $(touch oops) -dry-run=false revoke-cert "
                                           "-serials-file /dev/stdin -reason superseded -parallelism 10\n");
    char first[SERIAL_SPELLING_TEXT], *in = strdup(read_file("in"));
    assert_memory_equal(in, serial_spell(&list.serials[0], SERIAL_PADDED, first), strlen(first));
    assert_int_equal(strcspn(in, "\n"), 36);
    assert_int_equal(strlen(in), 4 * 37 + 4); /* one of them has 20 octets */
    free(in);
    assert_string_equal(read_file("oops"), "");
    /* the second was revoked before, the third never issued, the fourth failed for another reason */
    assert_true(run_profile(
        "boulder",
        "n=0; while read -r s; do n=$((n + 1)); case $n in\n"
        "2) echo \"E114550 admin not revoking \\\"$s\\\": already revoked\" >&2 ;;\n"
        "3) echo \"E114550 admin failed to revoke \\\"$s\\\": rpc error: certificate not found\" >&2 ;;\n"
        "4) echo \"E114550 admin failed to revoke \\\"$s\\\": rpc error: deadline exceeded\" >&2 ;;\n"
        "esac; done; echo 'encountered 3 errors while revoking certs; see logs above for details' >&2; exit "
        "1",
        5, REASON_KEY_COMPROMISE, &f));
    static const enum ca_outcome want[] = {CA_ASK, CA_REVOKED_BEFORE, CA_UNKNOWN, CA_ASK, CA_ASK};
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(outcome_of(i), want[i]);
    /* before the first serial: nothing was sent */
    assert_false(run_profile("boulder", "echo 'got unacceptable revocation reason \"x\"' >&2; exit 1", 3,
                             REASON_SUPERSEDED, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_int_equal(outcome_of(2), CA_WAIT);
    /* a reason it has no word for */
    assert_true(run_profile("boulder", "exit 0", 1, REASON_AFFILIATION_CHANGED, &f));
    assert_int_equal(outcome_of(0), CA_PERSON);
}

static void certutil(void **state)
{
    (void)state;
    struct fault f;
    char hex[SERIAL_HEX_TEXT];
    assert_true(
        run_profile("certutil", "printf '%s\\n' \"$@\" >args; cat >in; exit 0", 3, REASON_SUPERSEDED, &f));
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(outcome_of(i), CA_REVOKED_NOW);
    const char *args = read_file("args");
    assert_non_null(strstr(args, "-revoke\n9A"));
    assert_non_null(strstr(args, "\n4\n"));
    assert_non_null(strstr(args, serial_hex(&list.serials[1], hex)));
    assert_string_equal(read_file("in"), "");
    /* of a list that failed nobody knows which were revoked */
    assert_false(run_profile("certutil", "echo 'CertUtil: -revoke command FAILED: 0x80070057'; exit 87", 3,
                             REASON_SUPERSEDED, &f));
    assert_int_equal(f.kind, FAULT_UNAVAILABLE);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(outcome_of(i), CA_ASK);
}

/* Neither tells a status; a program beside it may. A second request may change what the first one wrote
 * (Boulder: the reason, to keyCompromise), so that is asked before the first request, too. */
static void a_status_command_beside(void **state)
{
    (void)state;
    static const char *const profiles[] = {"certutil", "boulder"};
    const char *words[] = {"/bin/false"};
    struct ca_item one = {.number = 3, .issuer = CA_LIST_ISSUER, .reason = REASON_KEY_COMPROMISE};
    one.serial = list.serials[2];
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        struct ca_door *door;
        struct fault f = {0};
        list_reset();
        assert_true(open_with(profiles[i], words, 1, status_beside, 4, &door, &f));
        assert_true(door->facts.tells_status);
        assert_false(door->facts.keeps_first_date);
        door->answer = collect;
        count = 0;
        assert_true(door->ops->status(door, &one, 1, &f) && settle(door, &f));
        assert_int_equal(outcome_of(3), CA_NOT_REVOKED);
        write_row(&one.serial, "1700000000 superseded\n");
        count = 0;
        assert_true(door->ops->status(door, &one, 1, &f) && settle(door, &f));
        assert_int_equal(outcome_of(3), CA_REVOKED_BEFORE);
        assert_int_equal(answers[0].reason, REASON_SUPERSEDED);
        ca_close(door);
    }
}

static void a_program_that_is_not_there(void **state)
{
    (void)state;
    struct ca_door *door;
    struct fault f = {0};
    const char *words[] = {"/nonexistent/admin"};
    struct ca_item one = {.number = 3, .issuer = CA_LIST_ISSUER, .serial = list.serials[3], .reason = 4};
    assert_true(open_with("lines", words, 1, NULL, 0, &door, &f));
    door->answer = collect;
    count = 0;
    assert_true(door->ops->revoke(door, &one, 1, &f));
    assert_false(settle(door, &f));
    assert_int_equal(f.kind, FAULT_CONFIG);
    assert_non_null(strstr(f.text, "/nonexistent/admin"));
    assert_int_equal(outcome_of(3), CA_WAIT);
    ca_close(door);
}

/* What it starts in the background ends with it, and a line without an end says nothing. */
static void nothing_is_left_running(void **state)
{
    (void)state;
    struct fault f;
    (void)run_profile("lines", "sleep 60 & echo $! >child; read -r s; printf '%s\\trevoked' \"$s\"; exit 0",
                      1, REASON_SUPERSEDED, &f);
    assert_int_equal(outcome_of(0), CA_ASK);
    pid_t child = (pid_t)strtol(read_file("child"), NULL, 10);
    assert_true(child > 1);
    for (int i = 0; i < 100 && kill(child, 0) == 0; i++)
        poll(NULL, 0, 20);
    assert_int_not_equal(kill(child, 0), 0);
}

/* Two lines about one serial that differ, a foreign serial, a date that is none, one that lies before. */
static void lines_that_contradict(void **state)
{
    (void)state;
    struct fault f;
    assert_true(run_profile("lines",
                            "n=0; while read -r s; do n=$((n + 1)); case $n in\n"
                            "1) printf '%s\\trevoked\\n%s\\tunknown\\n' $s $s ;;\n"
                            "2) printf 'FF%s\\trevoked\\n' $s ;;\n"
                            "3) printf '%s\\trevoked\\tyesterday\\n' $s ;;\n"
                            "4) printf '%s\\trevoked\\t2026-01-01T00:00:00Z\\t4\\n' $s ;;\n"
                            "5) printf '%s\\trevoked\\t-\\t-\\r\\n' $s ;;\n"
                            "6) printf '%s\\tnot_revoked\\n' $s ;; esac; done; exit 0",
                            5, REASON_SUPERSEDED, &f));
    static const enum ca_outcome want[] = {CA_ASK, CA_ASK, CA_ASK, CA_REVOKED_BEFORE, CA_REVOKED_NOW};
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(outcome_of(i), want[i]);
}

/* What a call has been given no brake takes back: ten seconds' worth at most, where a rate is known. */
static void a_call_is_ten_seconds_of_the_rate(void **state)
{
    (void)state;
    static const struct {
        const char *profile;
        struct rate rate;
        size_t most;
    } rows[] = {{"lines", {1, 1}, 10},      {"lines", {320, 3600}, 1}, {"lines", {1000, 300}, 33},
                {"lines", {2000, 1}, 1000}, {"lines", {0, 1}, 1000},   {"boulder", {50, 1}, 500},
                {"certutil", {50, 1}, 100}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA a = {0};
        struct ca_facts facts;
        struct fault f = {0};
        struct settings_ca s = {.rate = rows[i].rate, .http = {.profile = rows[i].profile}};
        assert_true(ca_exec_describe(&s, &a, &facts, &f));
        assert_int_equal(facts.window, rows[i].most);
        assert_true(facts.calls);
    }
}

static void probed_before_a_campaign(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        bool there;
    } rows[] = {{"/bin/sh", true}, {"sh", true}, {"/etc/passwd", false}, {"no-such-program", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ca_door *door;
        struct ca_probe p;
        struct fault f = {0};
        const char *const words[] = {rows[i].command, NULL};
        assert_true(open_with("lines", words, 1, NULL, 0, &door, &f));
        assert_int_equal(door->probe(door, &p, &f), rows[i].there);
        assert_int_equal(f.kind, rows[i].there ? FAULT_NONE : FAULT_CONFIG);
        ca_close(door);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boulder),
        cmocka_unit_test(certutil),
        cmocka_unit_test(a_status_command_beside),
        cmocka_unit_test(a_program_that_is_not_there),
        cmocka_unit_test(a_call_is_ten_seconds_of_the_rate),
        cmocka_unit_test(probed_before_a_campaign),
        cmocka_unit_test(nothing_is_left_running),
        cmocka_unit_test(lines_that_contradict),
    };
    char db[STOCK_PATH + 32];
    stock_folder(folder);
    if (!stock_ca(folder, 1, 0))
        return 1;
    snprintf(db, sizeof db, "%s/db", folder);
    snprintf(ca_pem, sizeof ca_pem, "%s/ca.pem", folder);
    issuer = (struct settings_issuer){.certificate_file = ca_pem};
    write_script("program", script, program);
    if (mkdir(db, 0700) != 0)
        return 1;
    int failed = 0;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        failed += run_product(&products[i]);
    ca_list_serials(list.serials, list.count); /* the long ones again */
    failed += cmocka_run_group_tests_name("ca_exec", tests, NULL, NULL);
    stock_remove(folder);
    return failed;
}
