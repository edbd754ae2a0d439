#!/bin/bash
# test_watch.sh: what a commander reads, in every state of a campaign: status on 24 lines of 80 columns, its JSON key by
# key, its exit codes; schedule, show, request, report and verify as text and as JSON.
. "$(dirname "$0")/lib.bash"
new_ca demo 30 4
key=(--key demo/approvers/bob.key --cert demo/approvers/bob.crt)

keys() { sed -n 's/^ *"\([a-z_0-9]*\)":.*/\1/p' "$1" | tr '\n' ' '; }
is() { # is KEY VALUE WHAT: in the JSON of the last command
    [ "$(field out "$1")" = "$2" ]
    verdict $? "$3: $1 is $2"
    [ "$(field out "$1")" = "$2" ] || echo "    $1 is $(field out "$1")"
}
# fits NAME: the screen of campaign NAME, through a pipe and on a terminal of 80 columns (a chroot without devpts has
# no terminal to give).
screens="screen terminal"
script -qec true /dev/null </dev/null >/dev/null 2>&1 || { echo "no pseudo-terminal here: pipe only"; screens=screen; }
fits() {
    local longest
    m status -c "$1" >screen
    [ "$screens" = screen ] ||
        script -qec "stty cols 80 rows 24; '$program' status -c '$1'" /dev/null </dev/null | tr -d '\r' >terminal
    for file in $screens; do
        longest=$(awk 'length > n {n = length} END {print n + 0}' $file)
        [ "$longest" -le 80 ] && [ "$(wc -l <$file)" -le 23 ] && [ "$(wc -l <$file)" -ge 7 ]
        verdict $? "$1 fits 80x24 ($file)"
        ! grep -q '\.\.$' $file
        verdict $? "and nothing is cut"
    done
}
totals='affected revoked pending_publication not_revoked held expired unknown '
begins='campaign mode state as_of deadline projected_finish slack_seconds verdict totals '
middle='in_doubt needs_person not_checkable excluded expired_before_receipt short_lived withdrawn revoked_outside_scope balance ok checked_at counted_twice not_counted '
pace='measured_rate_per_hour behind replacements replaced live_replaced live_unreplaced lint_failed failures reasons certificates to_do not_seen with_administrator shown needs_person alerts open unacknowledged delayed_report outside edges unreachable odd worst last_hour held_late held_yet_revoked dropped_yet_revoked '
# shaped WHAT COHORT-KEYS ENGINE-KEYS
shaped() {
    [ "$(keys out)" = "$begins$totals${middle}cohorts ${2}engines ${3:-}stops tasks open overdue next task title due ${pace}" ]
    verdict $? "$1: the keys of the contract and no other"
}
cohort="cohort state rule received deadline totals ${totals}held_late verdict "

# open
ends 0 "open" open watch --rule 4.9.1.1-12 --received "$(ago '2 hours')" --profile immediate --bug 1
ends 0 "status of an empty campaign" status --json --exit-code
shaped "empty" ""
is state open empty
is verdict on_track empty
fits watch
m report progress >out
says out 'none yet, no certificate is listed' "an empty campaign is not called complete"
{ serials demo 1 8; echo DEADBEEF01; } >list.txt
ends 0 "import; one serial nobody issued" import --serials hex list.txt
ends 0 "inventory" inventory demo/inventory.csv
ends 0 "contacts" contacts demo/contacts.csv
ends 0 "status" status --json
shaped "listed" "$cohort"
is affected 9 listed
is not_revoked 9 listed
fits watch
ends 0 "show of a serial outside the inventory" show --json deadbeef01
is in_inventory false marked
is state waiting "not numbered yet"
ends 1 "show of a serial that is in no list" show 0102

# planned
ends 0 "a plan that is only tried" plan --dry-run --json
[ "$(keys out)" = "feasible certificates slots hour start certificates subscribers notice_by ari_start ari_end finish slack_seconds outage_tolerance_seconds limiting_resource late expires_first should_24h held needs_per_second_clock needs_per_second_window work_seconds shards url entries bytes over_limit given_up digest " ]
verdict $? "plan --json: the keys of the contract"
ends 0 "nothing is scheduled by it" schedule --json
[ "$(tr -d ' \n' <out)" = '{"campaign":"watch","slots":[]}' ]
verdict $? "no slots"
ends 0 "plan" plan
ends 0 "status" status --json --exit-code
is state planned planned
fits watch
ends 0 "schedule" schedule --json
[ "$(keys out)" = "campaign slots hour start certificates subscribers cohort " ]
verdict $? "its keys"
is certificates 9 "the only slot"
ends 0 "schedule as CSV" schedule --format csv
says out 'hour,start,certificates,subscribers' "the header of the contract"
ends 0 "request list" request list --json
is void null "the request waits"
ends 0 "request show" request show --json
says out 'massrevoke approval request' "holds the text to sign"

# approved; the text an approver reads and what the screen shows agree
ends 0 "approve" approve "${key[@]}"
ends 0 "status" status --json --exit-code
is state approved approved
fits watch

# running, nobody at work; then paused; then done as far as it goes
ends 0 "start" start --confirm watch
ends 20 "due and no engine" status --json --exit-code
is state running started
is verdict at_risk started
ends 0 "status without --exit-code" status
says out 'none is running: massrevoke run' "the screen names the command"
fits watch
ends 0 "pause" pause --reason "phones melt"
ends 0 "status" status --json
is state paused paused
m status >out
says out 'PAUSED      phones melt' "the reason is on the screen"
fits watch
ends 0 "resume" resume --confirm watch
held=$(serials demo 2 1)
ends 0 "hold" hold --court demo/ca.pem "$held"
ends 0 "drop" drop "$(serials demo 3 1)" --confirm watch --reason "belongs to another case"
ends 8 "run leaves what needs a person" run
says out 'DEADBEEF01' "the unknown serial is in the list"
says out "$held" "and the held one"
ends 0 "status" status --json
is unknown 1 left
is held 1 left
is withdrawn 1 left
is affected 8 left
is revoked 6 left
is ok true left
ends 0 "status" status
says out '! 1 certificates are unknown to the CA' "an unknown serial alerts"
lacks out 'none is running' "no engine is asked for where none could do anything"
fits watch
ends 0 "show" show --json DEADBEEF01
is state unknown "no CA issued it"
ends 0 "report" report progress
says out '1 held and 1 unknown to the CA' "the public text counts it as not yet revoked"
ends 0 "report --json" report progress --json
is not_yet_revoked 2 "public"
ends 2 "a report without a JSON form" report full --json
ends 2 "two formats" report progress --json --format md
ends 0 "verify of the campaign" verify --json

# finished, then contradicted: the CA revokes what was taken out
ends 0 "open" open taken --rule 4.9.1.1-12 --received "$(ago '2 hours')" --profile immediate
serials demo 11 3 | "$program" import -c taken --serials hex - >out 2>err
taken=$(serials demo 12 1)
m inventory -c taken demo/inventory.csv >out
m plan -c taken >out 2>err
m approve -c taken "${key[@]}" >out
m start -c taken --confirm taken >out
ends 0 "drop" drop -c taken "$taken" --confirm taken --reason "not ours"
ends 0 "run" run -c taken
ends 0 "status" status -c taken --json --exit-code
is state finished "all settled"
is verdict done "all settled"
fits taken
(cd demo && openssl ca -config openssl.cnf -revoke "newcerts/$taken.pem" && openssl ca -config openssl.cnf -gencrl -out ../x.pem) >out 2>&1
openssl crl -in x.pem -outform DER -out demo/pub/ca.crl
m verify -c taken >out 2>err
ends 10 "status when a dropped certificate is revoked" status -c taken --json
is revoked_outside_scope 1 "outside"
ends 10 "with --exit-code as well" status -c taken --exit-code
says out 'withdrawn, yet revoked' "the screen alerts"
fits taken

# an approval that was not used in time
sed 's/quorum = 1;/quorum = 1; expiry = "2s";/' demo/massrevoke.cfg >demo/short.cfg
m open old --rule 4.9.1.1-12 --received "$(ago '2 hours')" --profile immediate >out 2>err
serials demo 15 2 | "$program" import -c old --serials hex - >out 2>err
m plan -c old --config demo/short.cfg >out 2>err
ends 0 "approve" approve -c old "${key[@]}"
sleep 2.1
ends 0 "status" status -c old --json
is state planned "expired"
ends 0 "request list" request list -c old
says out '  expired' "the list says so"
ends 4 "start" start -c old --confirm old
ends 4 "run" run -c old

# too late from the first day: nothing stops, and it stays said
ends 0 "open" open late --rule 4.9.1.1-12 --received "$(ago '6 days')" --profile immediate
serials demo 21 5 | "$program" import -c late --serials hex - >out 2>err
m inventory -c late demo/inventory.csv >out
ends 9 "plan" plan -c late --json
is feasible false late
is shortfall_certificates 5 late
says out '"remedy": "none: the deadline passed at ' "the remedy says why there is none"
ends 0 "approve" approve -c late "${key[@]}"
ends 0 "start" start -c late --confirm late
ends 0 "status" status -c late
says out '! MISSED' "the screen says it"
ends 21 "status --exit-code" status -c late --json --exit-code
is verdict missed late
fits late
ends 0 "pause without a reason" pause -c late
fits late
m resume -c late --confirm late >out
ends 0 "run" run -c late
ends 21 "missed stays missed" status -c late --json --exit-code
is state finished late
ends 0 "full report" report full -c late
[ "$(sed -n '/^### Timeline/,/^###* Rel/s/^- \([-0-9]* [0-9:]*\).*/\1/p' out | sort -c 2>&1)" = "" ]
verdict $? "its timeline is in the order of time"

# verify of files: no database, no configuration
export MASSREVOKE_STATE=/proc/nowhere
unset MASSREVOKE_CONFIG
crl=demo/pub/ca.crl
openssl crl -inform DER -in $crl -out crl.pem
serial=$(serials demo 1 1)
openssl ocsp -issuer demo/ca.pem -serial "0x$serial" -no_nonce -reqout req.der >/dev/null 2>&1
openssl ocsp -index demo/index.txt -CA demo/ca.pem -rsigner demo/ca.pem -rkey demo/private/ca.key -ndays 1 \
    -reqin req.der -respout answer.der >/dev/null 2>&1
{ echo '-----BEGIN OCSP RESPONSE-----'; base64 answer.der; echo '-----END OCSP RESPONSE-----'; } >answer.pem
echo nonsense >garbage
for file in $crl crl.pem; do
    ends 0 "verify --crl $file" verify --crl $file --issuer demo/ca.pem --json
    [ "$(keys out)" = "object findings " ]
    verdict $? "no finding"
    ends 0 "without an issuer" verify --crl $file --json
    [ "$(keys out)" = "object findings id severity section seen expected " ]
    verdict $? "one finding, its keys those of the contract"
    is severity info "the signature is unchecked"
done
for file in answer.der answer.pem; do
    ends 0 "verify --ocsp $file" verify --ocsp $file --serial "$serial" --issuer demo/ca.pem --json
    ends 0 "without an issuer" verify --ocsp $file --serial "$serial" --json
    is severity info "the signature is unchecked"
    ends 10 "another serial" verify --ocsp $file --serial 0102 --issuer demo/ca.pem --json
done
for kind in "--crl garbage" "--ocsp garbage --serial 01" "--crl demo/ca.pem"; do
    # shellcheck disable=SC2086
    ends 10 "verify $kind" verify $kind --json
    [ "$(grep -c '"severity": "error"' out)" = 1 ] && [ "$(grep -c '"severity"' out)" = 1 ]
    verdict $? "one error"
done
ends 10 "at a time when it is stale" verify --crl $crl --issuer demo/ca.pem --at 2040-01-01T00:00:00Z --json
is id expired "stale"
ends 2 "a time without Z" verify --crl $crl --at 2040-01-01T00:00:00
ends 10 "another issuer" verify --crl $crl --issuer demo/approvers/bob.crt
finish
