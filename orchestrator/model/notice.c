#include "massrevoke/notice.h"

#include <ctype.h>

static const char *const kinds[NOTICE_KIND_COUNT] = {"heads_up", "first", "moved"};

const char *notice_kind_name(enum notice_kind kind)
{
    return kinds[kind];
}

enum notice_kind notice_kind_from_name(struct str name)
{
    for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++)
        if (str_is(name, kinds[kind]))
            return (enum notice_kind)kind;
    return NOTICE_KIND_COUNT;
}

const char *notice_state_name(enum notice_state state)
{
    static const char *const names[NOTICE_STATE_COUNT] = {"new",      "sending", "again",   "told",
                                                          "doubtful", "refused", "rejected"};
    return names[state];
}

struct notice_standing notice_standing(const struct notice_try *tries, size_t count, int64_t contact,
                                       enum notice_kind kind, struct utc resumed)
{
    struct notice_standing s = {NOTICE_NEW, 0, UTC_NONE, UTC_NONE};
    int of[MAIL_OUTCOME_COUNT] = {0}, open = 0;
    for (size_t i = 0; i < count; i++) {
        const struct notice_try *t = &tries[i];
        if (t->contact != contact || t->kind != kind)
            continue;
        s.attempts++;
        s.first = utc_is_set(s.first) ? utc_min(s.first, t->at) : t->at;
        s.last = utc_max(s.last, t->at);
        bool forgiven = t->outcome == MAIL_REJECTED && utc_is_set(resumed) && t->at.s <= resumed.s;
        if (t->open)
            open++;
        else
            of[forgiven ? MAIL_LATER : t->outcome]++;
    }
    // What ended the matter once ends it for good, whatever a later try said.
    s.state = s.attempts == 0                           ? NOTICE_NEW
              : of[MAIL_ACCEPTED] > 0                   ? NOTICE_TOLD
              : of[MAIL_REFUSED] > 0                    ? NOTICE_REFUSED
              : of[MAIL_REJECTED] > 0                   ? NOTICE_REJECTED
              : open > 0                                ? NOTICE_SENDING
              : of[MAIL_UNKNOWN] > NOTICE_UNKNOWN_EXTRA ? NOTICE_DOUBTFUL
                                                        : NOTICE_AGAIN;
    return s;
}

/* RFC 5322 3.2.3: dot-atom, no empty atom. */
static bool dot_atom(struct str s)
{
    for (struct str rest = s; rest.p != NULL;) {
        struct str atom = str_cut(&rest, '.');
        if (atom.n == 0)
            return false;
        for (size_t i = 0; i < atom.n; i++) {
            unsigned char c = (unsigned char)atom.p[i];
            if (c >= 0x80 || c == '\0' || (!isalnum(c) && strchr("!#$%&'*+-/=?^_`{|}~", c) == NULL))
                return false;
        }
    }
    return true;
}

/* RFC 1123 2.1: labels of letters, digits and inner hyphens. */
static bool host_name(struct str s)
{
    for (struct str rest = s; rest.p != NULL;) {
        struct str label = str_cut(&rest, '.');
        if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return false;
        for (size_t i = 0; i < label.n; i++) {
            unsigned char c = (unsigned char)label.p[i];
            if (c >= 0x80 || (!isalnum(c) && c != '-'))
                return false;
        }
    }
    return true;
}

bool notice_address_ok(struct str address)
{
    const char *at = address.n == 0 || address.n > 254 ? NULL : memchr(address.p, '@', address.n);
    if (at == NULL)
        return false;
    struct str local = {address.p, (size_t)(at - address.p)};
    struct str domain = {at + 1, address.n - local.n - 1};
    return local.n > 0 && local.n <= 64 && domain.n > 0 && dot_atom(local) && host_name(domain);
}

const char *notice_message_id(struct arena *a, const char *campaign, int64_t notice, const char *from)
{
    char hex[DIGEST_TEXT];
    const char *key = arena_format(a, "%lld %s", (long long)notice, campaign);
    const char *at = strrchr(from, '@');
    return arena_format(a, "%.32s.%lld@%s", digest_hex(digest_of(key, strlen(key)), hex), (long long)notice,
                        at == NULL ? "localhost" : at + 1);
}
