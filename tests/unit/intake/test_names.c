/* Do the spellings of one distinguished name meet, and different names not? */
#include "massrevoke/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const one[] = {"/C=US/O=Example, Inc/OU=http://ca.example/x/CN=Issuing CA 1",
                                  "ca/ca1.pem"};
static const char *const two[] = {"CN=Issuing CA 2,O=B\xc3\xa4r+L=Ulm,C=DE"};
static const char *const twin[] = {"C=DE,O=B\\C3\\A4r+L=Ulm,CN=Issuing CA 2"};
static const char *const odd[] = {"not a name", "CN=,O=x"};
static const struct intake_issuer issuers[] = {{one, 2}, {two, 1}, {odd, 2}, {twin, 1}};

static int find(size_t known, const char *text, int preferred)
{
    AUTO_ARENA a = {0};
    struct intake_issuers *made = intake_issuers_make(issuers, known, &a);
    int found = intake_issuer_find(made, str_of(text), preferred);
    assert_int_equal(intake_issuer_find(made, str_of(text), preferred), found); /* from memory */
    return found;
}

static void every_spelling_meets(void **unused)
{
    (void)unused;
    static const char *const first[] = {
        "/C=US/O=Example, Inc/OU=http://ca.example/x/CN=Issuing CA 1",
        "C=US, O=\"Example, Inc\", OU=http://ca.example/x, CN=Issuing CA 1",
        "C = US, O = \"Example, Inc\", OU = http://ca.example/x, CN = Issuing CA 1",
        "CN=Issuing CA 1,OU=http://ca.example/x,O=Example\\, Inc,C=US",
        "cn=Issuing CA 1;ou=http://ca.example/x;o=Example\\2c Inc;c=US",
        "2.5.4.3=Issuing CA 1,OID.2.5.4.11=http://ca.example/x,O=Example\\, Inc,C=US",
        "  CN=Issuing\\ CA 1  ,OU=http://ca.example/x , O=Example\\, Inc, C=US  ",
        "ca/ca1.pem",
    };
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        assert_int_equal(find(3, first[i], -1), 0);
    assert_int_equal(find(3, "/C=DE/O=B\\xC3\\xA4r+L=Ulm/CN=Issuing CA 2", -1), INTAKE_ISSUER_NONE);
    assert_int_equal(find(3, "C=DE, O=B\\C3\\A4r + L=Ulm, CN=Issuing CA 2", -1), 1);
    assert_int_equal(find(3, "not a name", -1), 2);
    assert_int_equal(find(3, "O=x,CN=", -1), 2);
}

static void other_names_do_not(void **unused)
{
    (void)unused;
    static const char *const others[] = {
        "",
        "CN=Issuing CA 1",
        "/C=US/O=Example, Inc/CN=Issuing CA 1",
        "ca1.pem",
        "=",
        "CN",
        ",",
        "/",
        "\\",
        "CN=\\",
        "CN=\"Issuing CA 1",
        "C=US, O=\"Example, Inc\", OU=http://ca.example/x, CN=issuing ca 1",
        "C=US, CN=Issuing CA 1, OU=http://ca.example/x, O=\"Example, Inc\"",
        "C=US, O=\"Example, Inc\", OU=http://ca.example/x, CN=Issuing CA 1\\ ",
        "C=US, O=\"Example, Inc\", OU=http://ca.example/x, CN=Issuing CA 1,",
        "C=US, O=\"Example, Inc\", OU=http://ca.example/x, CN=Issuing\\01CA 1",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(find(3, others[i], 0), INTAKE_ISSUER_NONE);
}

static void two_issuers_of_one_name_need_a_choice(void **unused)
{
    (void)unused;
    assert_int_equal(find(4, twin[0], -1), INTAKE_ISSUER_MANY);
    assert_int_equal(find(4, twin[0], 0), INTAKE_ISSUER_MANY);
    assert_int_equal(find(4, twin[0], 1), 1);
    assert_int_equal(find(4, two[0], 3), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_meets),
        cmocka_unit_test(other_names_do_not),
        cmocka_unit_test(two_issuers_of_one_name_need_a_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
