/* evidence: is the record whole, its head, and the record as a folder. */
#include "massrevoke/store_log.h"
#include "session.h"

#include <inttypes.h>
#include <stdio.h>

static void print_head(const struct invocation *in, const struct log_head *head, const char *folder)
{
    char hex[DIGEST_TEXT];
    if (!in->json) {
        printf("%" PRId64 ":%s\n", head->size, digest_hex(head->root, hex));
        return;
    }
    json_t *object = json_object();
    json_set_int(object, "size", head->size);
    json_set_text(object, "root", digest_hex(head->root, hex));
    if (folder != NULL)
        json_set_text(object, "folder", folder);
    session_print(object);
}

bool cmd_evidence_checkpoint(struct invocation *in, int *exit_code, struct fault *f)
{
    (void)exit_code;
    AUTO_SESSION s = {0};
    struct log_head head;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) || !store_log_head(s.store, s.campaign.id, &head, f))
        return false;
    print_head(in, &head, NULL);
    return true;
}

bool cmd_evidence_export(struct invocation *in, int *exit_code, struct fault *f)
{
    (void)exit_code;
    AUTO_SESSION s = {0};
    struct log_head head;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !store_log_export(s.store, s.campaign.id, in->args[0], &head, f))
        return false;
    print_head(in, &head, in->args[0]);
    if (!in->json)
        printf("%s/VERIFY.md tells how to check it without this program\n", in->args[0]);
    return true;
}

bool cmd_evidence_verify(struct invocation *in, int *exit_code, struct fault *f)
{
    AUTO_SESSION s = {0};
    struct log_head claimed;
    struct log_verdict v;
    bool given = option_given(in, OPTION_HEAD);
    if (given && !store_log_head_parse(in->values[OPTION_HEAD], &claimed, f))
        return false;
    if (!session_open(in, SESSION_CAMPAIGN, &s, f) ||
        !store_log_verify(s.store, s.campaign.id, given ? &claimed : NULL, &v, f))
        return false;
    if (!v.ok)
        *exit_code = fault_exit_code(FAULT_EVIDENCE);
    if (in->json) {
        char hex[DIGEST_TEXT];
        json_t *object = json_object();
        json_set_bool(object, "ok", v.ok);
        json_set_text(object, "differs", v.ok ? NULL : v.what);
        json_set_int(object, "size", v.head.size);
        json_set_text(object, "root", digest_hex(v.head.root, hex));
        session_print(object);
        return true;
    }
    puts(v.ok ? "the record is whole" : v.what);
    print_head(in, &v.head, NULL);
    return true;
}
