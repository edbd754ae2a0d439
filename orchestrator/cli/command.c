#include "command.h"

/* One row a command. A command that is not finished has no row. */
const struct command commands[] = {
    {
        .name = "open",
        .group = "prepare",
        .usage = "NAME --rule ITEM --received TIME [--profile NAME|FILE] [--bug N]",
        .summary = "open a campaign: the clause and when the report arrived",
        .text = "The clock runs from receipt by the CA, never from import or confirmation.\n\n  massrevoke "
                "open 2026-11-rdn --rule 4.9.1.1-12 --received 2026-11-22T06:23Z\n",
        .options = TAKES(RULE) | TAKES(RECEIVED) | TAKES(PROFILE) | TAKES(BUG) | TAKES(AS),
        .min_args = 1,
        .max_args = 1,
        .run = cmd_open,
    },
    {
        .name = "import",
        .group = "prepare",
        .usage = "FILE|FOLDER|- | --conninfo C --query SQL [--format F] [--issuer CERT]",
        .summary = "add the affected list; every rejected line is named",
        .text = "Detected, or named with --format: serials (one a line), csv (a header names the\n"
                "columns), ccadb (its 11 columns), index (of openssl ca), links (of crt.sh, by\n"
                "SHA-256), pem, der; folders of these; any SELECT of a PostgreSQL. Ends 8 when\n"
                "some lines were rejected, 1 when none was accepted.\n\n"
                "  massrevoke import affected.csv --heuristic 'profile X since 2026-03-01'\n"
                "  massrevoke import - --issuer ca.pem < serials.txt\n"
                "  massrevoke import --conninfo 'host=db dbname=ca' \\\n"
                "    --query \"SELECT serial, issuer FROM certs WHERE profile = 'x'\"\n",
        .options = TAKES(CONFIRM) | TAKES(FORMAT) | TAKES(SERIALS) | TAKES(ISSUER) | TAKES(RECEIVED) |
                   TAKES(SOURCE) | TAKES(RULE) | TAKES(CONNINFO) | TAKES(QUERY) | TAKES(HEURISTIC) |
                   TAKES(NO_EXPAND) | TAKES(AS) | TAKES(JSON),
        .max_args = 1,
        .run = cmd_import,
    },
    {
        .name = "reconcile",
        .group = "prepare",
        .usage = "FILE|- | --conninfo C --query SQL [--apply] | --since N",
        .summary = "compare a re-run of the list with the campaign",
        .text = "Names what is in the list alone and in the campaign alone, and writes nothing.\n"
                "With --apply the former is imported and the latter dropped; what the CA has\n"
                "revoked already stays, and is named. Ends 0 when both are equal, 8 when they\n"
                "differ and it was not, or not wholly, applied. --since N tells what came and\n"
                "went after version N of the list, with every version.\n\n"
                "  massrevoke reconcile again.csv\n  massrevoke reconcile --since 2\n",
        .options = TAKES(CONFIRM) | TAKES(FORMAT) | TAKES(SERIALS) | TAKES(ISSUER) | TAKES(RECEIVED) |
                   TAKES(SOURCE) | TAKES(CONNINFO) | TAKES(QUERY) | TAKES(HEURISTIC) | TAKES(APPLY) |
                   TAKES(SINCE) | TAKES(AS) | TAKES(JSON),
        .max_args = 1,
        .run = cmd_reconcile,
    },
    {
        .name = "inventory",
        .group = "prepare",
        .usage = "FILE [--issuer CERT]",
        .summary = "read what the CA knows of its certificates",
        .text = "CSV with a header (massrevoke.cfg(5)); rows are upserted.\n",
        .options = TAKES(ISSUER) | TAKES(AS) | TAKES(JSON),
        .min_args = 1,
        .max_args = 1,
        .run = cmd_inventory,
    },
    {
        .name = "contacts",
        .group = "prepare",
        .usage = "[FILE] [--missing primary|backup|any]",
        .summary = "read whom to tell, with their backups",
        .text = "CSV with a header; a bad address stops nothing, but is listed. Tells how many\n"
                "affected subscribers have whom; without FILE nothing is read.\n\n"
                "  massrevoke contacts contacts.csv\n  massrevoke contacts --missing backup\n",
        .options = TAKES(MISSING) | TAKES(AS) | TAKES(JSON),
        .max_args = 1,
        .run = cmd_contacts,
    },
    {
        .name = "replacements",
        .group = "prepare",
        .usage = "FILE|- [--issuer CERT] | --conninfo CONNECTION --query SQL",
        .summary = "mark certificates that are replaced already",
        .text = "CSV with a header: issuer,serial,replacement_serial,replacement_sha256,\n"
                "replacement_file,at; only serial is required. A running engine moves them to\n"
                "the next free slot, without a new approval, and reads the source again every\n"
                "few minutes. Ends 8 when some lines were rejected, 1 when none could be used.\n\n"
                "  massrevoke replacements replaced.csv\n"
                "  massrevoke replacements --conninfo service=ca --query 'SELECT ...'\n",
        .options = TAKES(ISSUER) | TAKES(CONNINFO) | TAKES(QUERY) | TAKES(AS) | TAKES(JSON),
        .max_args = 1,
        .run = cmd_replacements,
    },
    {
        .name = "drop",
        .group = "prepare",
        .usage = "SERIALS... --reason TEXT [--issuer CERT]",
        .summary = "take certificates out of the campaign; needs no approval",
        .text = "Works within a second. What the CA has already revoked cannot be dropped and is\nlisted "
                "(exit 8).\n",
        .options = TAKES(CONFIRM) | TAKES(REASON) | TAKES(ISSUER) | TAKES(AS) | TAKES(JSON),
        .min_args = 1,
        .max_args = -1,
        .run = cmd_drop,
    },
    {
        .name = "anchor",
        .group = "prepare",
        .usage = "ANCHOR TIME --source TEXT [--cohort N] [--confirm NAME]",
        .summary = "record when something happened; received moves the clock",
        .text =
            "ANCHOR is received, acknowledged, confirmed, scope, stopped or fixed. Only\nreceived moves a "
            "deadline: to earlier at once, to later by approval. The time is\nkept as you type it.\n\n"
            "  massrevoke anchor received 2026-11-22T06:23Z --source \"CPR mailbox\"\n",
        .options = TAKES(SOURCE) | TAKES(COHORT) | TAKES(CONFIRM) | TAKES(AS) | TAKES(JSON),
        .min_args = 2,
        .max_args = 2,
        .run = cmd_anchor,
    },
    {
        .name = "rule",
        .group = "prepare",
        .usage = "ITEM[,ITEM...] [--cohort N] [--confirm NAME]",
        .summary = "put another clause on it; of two the shorter clock",
        .text = "A shorter clock applies at once, a longer one by approval. The reason follows\nthe clause: "
                "before start the plan falls; after it another reason is refused.\n\n"
                "  massrevoke rule 4.9.1.1-5,4.9.1.1-12\n",
        .options = TAKES(COHORT) | TAKES(CONFIRM) | TAKES(AS) | TAKES(JSON),
        .min_args = 1,
        .max_args = 1,
        .run = cmd_rule,
    },
    {
        .name = "plan",
        .group = "prepare",
        .usage = "[--cohort N] [--at TIME] [--dry-run] [--compromised-at TIME] ...",
        .summary = "work the schedule back from the published deadline",
        .text = "Writes the plan and its request for approval; with --dry-run nothing.\n"
                "Ends 9 when the deadline cannot be met: the plan is written all the same.\n"
                "--compromised-at is signed, and sent as the revocation date where the backend\n"
                "takes one (BR 7.2.2: with keyCompromise).\n\n"
                "  massrevoke plan --outage 6h             what if the CA is down for six hours?\n"
                "  massrevoke plan --diff                  what did the last plan change?\n"
                "  massrevoke plan --dry-run --format ics  for the calendar, with the tasks\n"
                "  massrevoke plan --incident lets-encrypt-2020 --rate 121/s\n",
        .options = TAKES(CONFIRM) | TAKES(COHORT) | TAKES(AT) | TAKES(DRY_RUN) | TAKES(FORMAT) | TAKES(AS) |
                   TAKES(OUTAGE) | TAKES(DIFF) | TAKES(INCIDENT) | TAKES(RATE) | TAKES(OVERRIDE) |
                   TAKES(COMPROMISED_AT) | TAKES(JSON),
        .run = cmd_plan,
    },
    {
        .name = "check",
        .group = "prepare",
        .usage = "",
        .summary = "preflight: is everything there that it will need?",
        .text = "Looks at everything a campaign will need, and sends a test through every way of\n"
                "alerts; with a campaign also at its reasons, pointers and contacts. Each row is\n"
                "ok, warn or FAIL with what to do. Ends 0 without a failure; 3 when some of it is\n"
                "a configuration's, else 7 when something cannot be reached, else 8.\n",
        .options = TAKES(JSON),
        .run = cmd_check,
    },
    {
        .name = "reason",
        .group = "act",
        .usage = "SERIALS... --to REASON --reason TEXT [--compromised-at TIME] ...",
        .summary = "give what is revoked another reason; needs an approval",
        .text = "An upgrade to keyCompromise, or a wrong batch put right: a request that binds\n"
                "when it is approved. A running engine then changes the entries, whose dates stay\n"
                "(or are --compromised-at), and looks for them in what is published. Where a\n"
                "backend can't keep the date it is refused (5): --by-administrator exports the\n"
                "serials for the CA's administrator, and looks for them afterwards.\n\n"
                "  massrevoke reason 0A1B 0A1C --to keyCompromise --reason \"keys on a paste site\"\n",
        .options = TAKES(CONFIRM) | TAKES(TO) | TAKES(REASON) | TAKES(COMPROMISED_AT) |
                   TAKES(BY_ADMINISTRATOR) | TAKES(ISSUER) | TAKES(AS) | TAKES(JSON),
        .min_args = 1,
        .max_args = -1,
        .run = cmd_reason,
    },
    {
        .name = "reason list",
        .group = "act",
        .usage = "",
        .summary = "changes of reasons, and how far each is",
        .text = "Ends 8 when one of them needs a person.\n",
        .options = TAKES(JSON),
        .run = cmd_reason_list,
    },
    {
        .name = "reason export",
        .group = "act",
        .usage = "CHANGE",
        .summary = "serials of a change, for the CA's administrator",
        .text = "CSV: issuer, serial, reason and its code, the date the entry must bear (empty:\n"
                "the one it has), and what it bore before. Ends 4 before it is approved.\n\n"
                "  massrevoke reason export 1 > for-the-administrator.csv\n",
        .min_args = 1,
        .max_args = 1,
        .run = cmd_reason_export,
    },
    {
        .name = "request list",
        .group = "act",
        .usage = "",
        .summary = "requests for approval, and what became of them",
        .text = "",
        .options = TAKES(JSON),
        .run = cmd_request_list,
    },
    {
        .name = "request show",
        .group = "act",
        .usage = "[REQUEST]",
        .summary = "print exactly the bytes that are signed",
        .text = "  massrevoke request show 1 > request.txt\n  openssl cms -sign -binary -in request.txt "
                "-signer me.crt -inkey me.key \\\n    -outform DER -out request.p7s\n  massrevoke approve 1 "
                "--signature request.p7s\n",
        .options = TAKES(JSON),
        .max_args = 1,
        .run = cmd_request_show,
    },
    {
        .name = "approve",
        .group = "act",
        .usage = "[REQUEST] --key FILE --cert FILE | --signature FILE | --withdraw",
        .summary = "sign a request, as somebody who did not ask for it",
        .text = "With --withdraw an approver takes the approval of a started cohort back:\n"
                "it stops like a pause.\n",
        .options = TAKES(CONFIRM) | TAKES(KEY) | TAKES(CERT) | TAKES(SIGNATURE) | TAKES(WITHDRAW) |
                   TAKES(COHORT) | TAKES(AS),
        .max_args = 1,
        .run = cmd_approve,
    },
    {
        .name = "notify",
        .group = "act",
        .usage = "[--kind heads_up|first|moved] [--dry-run]",
        .summary = "tell subscribers now",
        .text = "A heads-up needs no plan and names no hour; the others are sent by run too.\n"
                "--dry-run renders every message and sends none.\n",
        .options = TAKES(KIND) | TAKES(DRY_RUN) | TAKES(AS) | TAKES(JSON),
        .run = cmd_notify,
    },
    {
        .name = "ack",
        .group = "act",
        .usage = "SUBSCRIBER [--reason TEXT]",
        .summary = "record that a subscriber answered",
        .text = "It stops the way to the backup contacts; it moves no hour.\n",
        .options = TAKES(REASON) | TAKES(AS),
        .min_args = 1,
        .max_args = 1,
        .run = cmd_ack,
    },
    {
        .name = "start",
        .group = "act",
        .usage = "[--cohort N] [--confirm NAME]",
        .summary = "begin what was approved; asks for the campaign name",
        .text = "",
        .options = TAKES(COHORT) | TAKES(CONFIRM) | TAKES(AS),
        .run = cmd_start,
    },
    {
        .name = "pause",
        .group = "act",
        .usage = "[revoke|notify|all] [--reason TEXT]",
        .summary = "stop before the next certificate; asks nothing",
        .text = "Says what an hour costs, and by when to resume so that every deadline holds\n"
                "and no notice comes too late.\n",
        .options = TAKES(CONFIRM) | TAKES(REASON) | TAKES(AS),
        .max_args = 1,
        .run = cmd_pause,
    },
    {
        .name = "resume",
        .group = "act",
        .usage = "[--override REASON] [--confirm NAME]",
        .summary = "go on; asks for the campaign name",
        .text = "An issuer whose canary was contradicted goes on only with --override REASON\n"
                "(exit 5 without): its canaries are not waited for again.\n",
        .options = TAKES(CONFIRM) | TAKES(OVERRIDE) | TAKES(AS),
        .run = cmd_resume,
    },
    {
        .name = "retry",
        .group = "act",
        .usage = "SERIALS... [--reason TEXT] [--issuer CERT]",
        .summary = "try certificates again that were unknown or need a person",
        .text = "They wait for their next turn, and go as any other. Asks for the campaign name.\n"
                "What is in another state stays there, and makes the command end 8.\n",
        .options = TAKES(CONFIRM) | TAKES(REASON) | TAKES(ISSUER) | TAKES(AS) | TAKES(JSON),
        .min_args = 1,
        .max_args = -1,
        .run = cmd_retry,
    },
    {
        .name = "hold",
        .group = "act",
        .usage = "--court DOCUMENT SERIALS... | --delay --decision D --until TIME SERIALS...",
        .summary = "hold exactly these certificates",
        .text = "A court order binds at once and ends only by a signed release. A delay needs an\n"
                "approval, counts as delay everywhere, and ends by itself. What an order does not\n"
                "bind, because the CA has been asked or has revoked it, is listed (exit 8).\n",
        .options = TAKES(CONFIRM) | TAKES(COURT) | TAKES(DELAY) | TAKES(DECISION) | TAKES(UNTIL) |
                   TAKES(ISSUER) | TAKES(AS) | TAKES(JSON),
        .min_args = 1,
        .max_args = -1,
        .run = cmd_hold,
    },
    {
        .name = "release",
        .group = "act",
        .usage = "SERIALS... [--issuer CERT]",
        .summary = "end a hold for exactly these certificates",
        .text = "A delay ends at once, a court order after the approval of a request that names\n"
                "them; what else the order holds stays held. What no hold names is listed (8).\n",
        .options = TAKES(CONFIRM) | TAKES(ISSUER) | TAKES(AS) | TAKES(JSON),
        .min_args = 1,
        .max_args = -1,
        .run = cmd_release,
    },
    {
        .name = "run",
        .group = "act",
        .usage = "[--once] [--only execute|verify|notify|publish] [--override REASON]",
        .summary = "do the work, until everything is settled",
        .text = "Prints what is due next. Ctrl-C finishes the batch and ends 130; run goes on\n"
                "later. Ends 8 with a list when only a person can go on. Engines of a CA that can\n"
                "overwrite a date work on one host: elsewhere 6, --override when it is gone.\n",
        .options = TAKES(ONCE) | TAKES(ONLY) | TAKES(OVERRIDE),
        .run = cmd_run,
    },
    {
        .name = "status",
        .group = "watch",
        .usage = "[--watch] [--exit-code]",
        .summary = "where the campaign stands, on one screen",
        .text = "Ends 10 when the ledger does not balance or a withdrawn certificate is revoked;\nwith "
                "--exit-code also 20 (at risk or behind) and 21 (missed).\n",
        .options = TAKES(WATCH) | TAKES(EXIT_CODE) | TAKES(JSON),
        .run = cmd_status,
    },
    {
        .name = "schedule",
        .group = "watch",
        .usage = "[--format text|csv]",
        .summary = "the hours that are planned now",
        .text = "",
        .options = TAKES(FORMAT) | TAKES(JSON),
        .run = cmd_schedule,
    },
    {
        .name = "show",
        .group = "watch",
        .usage = "SERIAL",
        .summary = "everything about a certificate: state, hour, history",
        .text = "Every issuer that has the serial is shown.\n",
        .options = TAKES(JSON),
        .min_args = 1,
        .max_args = 1,
        .run = cmd_show,
    },
    {
        .name = "task list",
        .group = "watch",
        .usage = "",
        .summary = "what people have to do, by when; overdue ones first",
        .text = "Tasks follow from the dated clocks in plans/clocks, the anchors and the plan.\n"
                "What the program sees itself is done without anybody's word.\n",
        .options = TAKES(JSON),
        .run = cmd_task_list,
    },
    {
        .name = "task assign",
        .group = "watch",
        .usage = "TASK PERSON",
        .summary = "give a task to a person",
        .text = "",
        .options = TAKES(AS),
        .min_args = 2,
        .max_args = 2,
        .run = cmd_task_assign,
    },
    {
        .name = "task done",
        .group = "watch",
        .usage = "TASK [--reason NOTE]",
        .summary = "record that a task is done",
        .text = "What closes by itself takes a note why it is done all the same.\n\n"
                "  massrevoke task done findings-reporter --reason \"mail of 14:20Z\"\n",
        .options = TAKES(REASON) | TAKES(AS),
        .min_args = 1,
        .max_args = 1,
        .run = cmd_task_done,
    },
    {
        .name = "find",
        .group = "watch",
        .usage = "HOST|NAME|SHA256|SERIAL",
        .summary = "every certificate that this means, and its siblings",
        .text = "A host (wildcards that cover it, too), part of a subscriber's or subject's name,\n"
                "the SHA-256 of a certificate or key, a serial in hex or decimal: in inventory\n"
                "and campaign, affected or not, with state and planned hour. Siblings have the\n"
                "same key, names or serial. It never acts: acting commands take serials.\n",
        .options = TAKES(JSON),
        .min_args = 1,
        .max_args = 1,
        .run = cmd_find,
    },
    {
        .name = "verify",
        .group = "watch",
        .usage = "[--crl FILE | --ocsp FILE --serial S] [--issuer CERT] [--at TIME] [--format csv]",
        .summary = "judge a CRL or OCSP response, or all pointers now",
        .text = "With a file no database is used. Without one: every pointer at every vantage\n"
                "point, side by side; how long publication took, by hours; and what nothing can\n"
                "prove. --format csv is a line a certificate. Ends 10 when there is an error\n"
                "among the findings of a file, or when something published has vanished.\n\n"
                "  massrevoke verify --crl ca.crl --issuer ca.pem\n",
        .options = TAKES(CRL) | TAKES(OCSP) | TAKES(SERIAL) | TAKES(ISSUER) | TAKES(AT) | TAKES(FORMAT) |
                   TAKES(JSON),
        .run = cmd_verify,
    },
    {
        .name = "report",
        .group = "tell",
        .usage = "preliminary|full|progress|delayed|affected [--format F]",
        .summary = "text for the incident report, from one moment",
        .text = "Refused (5) while the ledger does not balance. affected is CSV, and a list of\n"
                "links from 10,000 certificates. delayed is for the bug of a missed deadline, as\n"
                "soon as a miss is expected (before: exit 6).\n\n"
                "  massrevoke report progress\n  massrevoke report affected > affected.csv\n",
        .options = TAKES(FORMAT) | TAKES(JSON),
        .min_args = 1,
        .max_args = 1,
        .run = cmd_report,
    },
    {
        .name = "export",
        .group = "tell",
        .usage = "--blocklist FILE|-",
        .summary = "write what other systems must know",
        .text = "--blocklist: the SHA-256 of every key that is revoked for keyCompromise, one a\n"
                "line in lower-case hex, so that issuance can refuse it.\n",
        .options = TAKES(BLOCKLIST),
        .run = cmd_export,
    },
    {
        .name = "evidence verify",
        .group = "prove",
        .usage = "[--head SIZE:ROOT]",
        .summary = "is the record whole? names the first thing that differs",
        .text = "Checks every event, every fact row, pages, certificate rows, fetched objects,\n"
                "and that the log grew from the head given. Ends 10 when something differs.\n",
        .options = TAKES(HEAD) | TAKES(JSON),
        .run = cmd_evidence_verify,
    },
    {
        .name = "evidence checkpoint",
        .group = "prove",
        .usage = "",
        .summary = "print the head of the log: SIZE:ROOT",
        .text = "",
        .options = TAKES(JSON),
        .run = cmd_evidence_checkpoint,
    },
    {
        .name = "evidence export",
        .group = "prove",
        .usage = "DIR",
        .summary = "write the record into a new folder that anyone can check",
        .text = "Its VERIFY.md says how, with stock tools only.\n",
        .options = TAKES(JSON),
        .min_args = 1,
        .max_args = 1,
        .run = cmd_evidence_export,
    },
    {
        .name = "drill",
        .group = "practise",
        .usage = "FILE --out DIR [--seed N]",
        .summary = "run a scenario under a simulated clock, and score it",
        .text = "The whole campaign with the live code, on a CA made for it below DIR. Ends 8\n"
                "when an expectation is not met, and names it. DIR gets progress.md, full.md,\n"
                "affected.csv, schedule.csv, timeline.csv, after-action.md, status.json and\n"
                "evidence/. It uses the private database only, never db.conninfo.\n\n"
                "  massrevoke drill plans/drills/cfca-2098.cfg --out exercise\n",
        .options = TAKES(OUT) | TAKES(SEED),
        .min_args = 1,
        .max_args = 1,
        .run = cmd_drill,
    },
    {
        .name = "alert list",
        .group = "also",
        .usage = "",
        .summary = "what needs a person now, and who was called for it",
        .text = "Alerts that are open, and those that ended within a day.\n",
        .options = TAKES(JSON),
        .run = cmd_alert_list,
    },
    {
        .name = "alert ack",
        .group = "also",
        .usage = "[ALERT]",
        .summary = "take an alert, or all: nobody else is called",
        .text = "An alert ends by itself when its cause is gone; taking it only stops the calls.\n\n"
                "  massrevoke alert ack 3\n",
        .options = TAKES(AS) | TAKES(JSON),
        .max_args = 1,
        .run = cmd_alert_ack,
    },
    {
        .name = "alert test",
        .group = "also",
        .usage = "",
        .summary = "send a test every way alerts go; what came back?",
        .text = "Runs alert.command, mails every name of alert.oncall, beats once. Needs no\n"
                "database. Ends 8 when a way failed, 3 when none is configured.\n",
        .options = TAKES(JSON),
        .run = cmd_alert_test,
    },
#include "db_commands.def"
    {
        .name = "ca new",
        .group = "also",
        .usage = "DIR --count N --subscribers M [--seed S] [--ocsp URL]",
        .summary = "make a demo CA to practise on",
        .text = "  massrevoke ca new demo --count 3000 --subscribers 200\n",
        .options = TAKES(CERTIFICATES) | TAKES(SUBSCRIBERS) | TAKES(SEED) | TAKES(OCSP),
        .min_args = 1,
        .max_args = 1,
        .run = cmd_ca_new,
    },
    {
        .name = "config check",
        .group = "also",
        .usage = "",
        .summary = "check configuration, rules, profiles and approvers",
        .text = "Prints every problem with file and line, all at once, and changes nothing.\n"
                "Ends 3 when there is any. Also checked: that the files it names exist, that\n"
                "secrets are not readable by others, and that approvers' keys can sign.\n"
                "\n"
                "  massrevoke config check\n"
                "  massrevoke --config demo/massrevoke.cfg config check --json\n",
        .options = TAKES(JSON),
        .run = cmd_config_check,
    },
    {
        .name = "help",
        .group = "also",
        .usage = "[COMMAND|TOPIC]",
        .summary = "help on a command, or on exit-codes, states, environment",
        .text = "  massrevoke help\n"
                "  massrevoke help config check\n"
                "  massrevoke help exit-codes\n",
        .max_args = 2,
        .run = cmd_help,
    },
    {
        .name = "version",
        .group = "also",
        .usage = "",
        .summary = "the versions of the program and of OpenSSL",
        .text = "",
        .options = TAKES(JSON),
        .run = cmd_version,
    },
    {0},
};
