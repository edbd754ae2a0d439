#!/bin/sh
# test_help.sh [PROGRAM]: do help, manual and exit codes say the same as the tables? One line a check.
set -u
program=${1:-$MASSREVOKE}
root=$(cd "$(dirname "$0")/../.." && pwd)
manual=$root/orchestrator/cli/man/massrevoke.1.scd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset MASSREVOKE_CONFIG MASSREVOKE_CAMPAIGN
failed=0

verdict() { # verdict STATUS TEXT
    if [ "$1" = 0 ]; then echo "ok     $2"; else echo "not ok $2"; failed=1; fi
}

holds() { # holds FILE FIXED-TEXT TEXT
    grep -qF -- "$2" "$1"
    verdict $? "$3"
}

ends() { # ends CODE WORDS...: the exit code, and that standard output stays empty when the words are wrong
    want=$1
    shift
    "$program" "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ $got = "$want" ] && { [ "$want" != 2 ] || { [ ! -s "$work/out" ] && grep -q '^massrevoke: ' "$work/err"; }; }
    verdict $? "'$*' ends $want (got $got)"
}

narrow() { # narrow FILE TEXT
    awk 'length($0) > 80 { exit 1 }' "$1"
    verdict $? "$2 fits 80 columns"
}

"$program" help >"$work/tree"
narrow "$work/tree" "help"
sed -n 's/^ *\.name = "\(.*\)",$/\1/p' "$root/orchestrator/cli/command.c" "$root"/orchestrator/cli/*.def >"$work/commands"
[ -s "$work/commands" ]
verdict $? "the command table has rows"

while read -r name; do
    holds "$work/tree" "  $name " "'$name' is in the tree"
    grep -qE -- "^\*$name\*" "$manual"
    verdict $? "'$name' has its place in the manual"
    # shellcheck disable=SC2086
    "$program" $name --help >"$work/help" 2>&1
    verdict $? "'$name --help' ends 0"
    # shellcheck disable=SC2086
    "$program" help $name >"$work/topic" 2>&1 && cmp -s "$work/help" "$work/topic"
    verdict $? "'help $name' is the same"
    narrow "$work/help" "the help of '$name'"
    sed -n 's/^  .*--\([a-z-]*\).*/\1/p' "$work/help" | sort -u >"$work/options"
    while read -r option; do
        [ "$option" = "" ] || holds "$manual" "*--$option*" "'$name': --$option is in the manual"
    done <"$work/options"
done <"$work/commands"

"$program" help exit-codes >"$work/codes"
"$program" help states >"$work/states"
"$program" help environment >"$work/environment"
for topic in codes states environment; do narrow "$work/$topic" "topic $topic"; done
sed -n 's/^FAULT([A-Z]*, \([0-9]*\), .*/\1/p' "$root/orchestrator/base/fault.def" >"$work/numbers"
printf '0\n20\n21\n' >>"$work/numbers"
while read -r code; do
    grep -qE "^ +$code  " "$work/codes"
    verdict $? "exit code $code is in the topic"
    holds "$manual" "*$code*" "exit code $code is in the manual"
done <"$work/numbers"
sed -n 's/^STATE([A-Z_]*, "\([a-z_]*\)".*/\1/p' "$root/orchestrator/model/certificate.def" >"$work/names"
while read -r state; do
    grep -qE "^  $state +[a-zA-Z]" "$work/states"
    verdict $? "state $state is in the topic"
done <"$work/names"
sed -n 's/.*{.name = "\([a-z_]*\)".*/\1/p' "$root"/orchestrator/config/settings.c "$root"/orchestrator/config/*_keys.c |
    sort -u >"$work/keys"
while read -r key; do
    grep -qE "^\\*$key\\*|\\*$key\\* =|, \\*$key\\*|^## (.*, )?$key" "$root/orchestrator/cli/man/massrevoke.cfg.5.scd"
    verdict $? "key $key is in massrevoke.cfg(5)"
done <"$work/keys"

ends 0 version
ends 0 version --json
ends 0 --json version
ends 0 --help
ends 2
ends 2 nonsense
ends 2 versoin
ends 2 version --jso
ends 2 version --nonsense
ends 2 version --rule 4.9.1.1-12
ends 2 version more
ends 2 --config
ends 2 --config --json version
ends 2 help nonsense
ends 3 config check --config "$work/missing.cfg"

printf 'version = 1;\nflga = true;\nany = 3000000000;\nmail = { form = "x"; };\n' >"$work/bad.cfg"
ends 3 config check --config "$work/bad.cfg"
for line in 'bad.cfg:2: flga: unknown key' 'bad.cfg:3: the number 3000000000' \
    'bad.cfg:4: mail.form: unknown key, did you mean from'; do
    holds "$work/out" "$line" "config check tells '$line'"
done
ends 3 config check --json --config "$work/bad.cfg"
holds "$work/out" '"ok": false' "config check --json prints its object with exit code 3"

printf 'version = 1;\n' >"$work/good.cfg"
ends 0 config check --config "$work/good.cfg"
MASSREVOKE_CONFIG=$work/bad.cfg ends 3 config check

# what the configuration leads to is checked as well: overriding profiles, secrets that others can read
mkdir -p "$work/plans/profiles"
printf 'version = 1;\n' >"$work/plans/profiles/tls-5-day.cfg"
printf 'pass\n' >"$work/secret"
chmod 644 "$work/secret"
printf 'issuer\n' >"$work/ca.pem"
printf 'version = 1; demo = true; plans_dir = "plans"; ca = { backend = "ca_openssl"; directory = ".";
  key_password_file = "secret"; issuers = ( { certificate_file = "ca.pem"; } ); };\n' >"$work/leads.cfg"
ends 3 config check --config "$work/leads.cfg"
holds "$work/out" "profiles/tls-5-day.cfg:1: name: required" "a broken overriding profile is told"
holds "$work/out" "others can read this secret" "a readable secret is told"
rm "$work/plans/profiles/tls-5-day.cfg"
chmod 600 "$work/secret"
ends 0 config check --config "$work/leads.cfg"

# who may approve: an Ed25519 key cannot sign, an EC key can
if command -v openssl >/dev/null; then
    for kind in ED25519 EC; do
        openssl req -x509 -newkey $kind $([ $kind = EC ] && echo -pkeyopt ec_paramgen_curve:P-256) -nodes \
            -subj "/CN=$kind" -days 30 -keyout "$work/$kind.key" -out "$work/$kind.crt" 2>/dev/null
        printf 'version = 1; demo = true;\napprovals = { approvers = ( { name = "%s"; certificate_file = "%s.crt"; } ); };\n' \
            $kind $kind >"$work/$kind.cfg"
    done
    ends 3 config check --config "$work/ED25519.cfg"
    holds "$work/out" "ED25519 cannot sign approvals" "an Ed25519 approver is refused by name"
    ends 0 config check --config "$work/EC.cfg"
    cp "$work/EC.key" "$work/ED25519.crt"
    ends 3 config check --config "$work/ED25519.cfg"
    holds "$work/out" "not a certificate" "a private key is no certificate"
fi

"$program" help >/dev/full 2>"$work/err"
verdict $(($? != 1)) "a full disk behind standard output is a failure"
exit $failed
