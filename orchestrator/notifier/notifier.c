/* Where the templates come from; what is done with them is compose.c. */
#include "massrevoke/notifier.h"
#include "massrevoke/rules.h"
#include "notices.h"

bool notifier_read_templates(const char *plans_dir, struct arena *a, struct notice_templates *out,
                             struct fault *f)
{
    for (int kind = 0; kind < NOTICE_KIND_COUNT; kind++)
        if (!plans_file(plans_dir, notice_files[kind].subject, a, &out->subject[kind], f) ||
            !plans_file(plans_dir, notice_files[kind].text, a, &out->text[kind], f))
            return false;
    return plans_file(plans_dir, NOTICE_TABLE_FILE, a, &out->table, f);
}
