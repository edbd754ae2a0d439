#!/bin/bash
# test_approval.sh: who may approve what, with which signature, and what makes an approval void. What is refused
# leaves nothing approved: each time, the number of approvals is read back.
. "$(dirname "$0")/lib.bash"
new_ca demo 40 4
cfg=$MASSREVOKE_CONFIG

# person NAME [KIND]: a key and a certificate of somebody, beside those that ca new made
person() {
    case ${2:-EC} in EC) set -- "$1" EC -pkeyopt ec_paramgen_curve:P-256 ;; esac
    openssl req -x509 -newkey "${2}" "${@:3}" -nodes -subj "/CN=$1" -days 30 -keyout "demo/approvers/$1.key" \
        -out "demo/approvers/$1.crt" 2>/dev/null
}
sign() { # sign NAME REQUEST-TEXT OUT FORM
    openssl cms -sign -binary -in "$2" -signer "demo/approvers/$1.crt" -inkey "demo/approvers/$1.key" \
        -outform "$4" -out "$3" 2>/dev/null
}
approvals() { m request list --json "$@" | sed -n 's/^ *"approvals": \([0-9]*\).*/\1/p' | tail -n 1; }
none() { [ "$(approvals -c "$1")" = 0 ]; verdict $? "nothing is approved ($2)"; }
as_key() { echo "--key demo/approvers/$1.key --cert demo/approvers/$1.crt"; }
campaign() { # campaign NAME FIRST COUNT: opened, filled and planned
    m open "$1" --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate >/dev/null
    serials demo "$2" "$3" | m_in import -c "$1" --serials hex - >/dev/null 2>&1
    m plan -c "$1" >/dev/null 2>&1
}
m_in() { "$program" "$@"; }

person carol
person mallory
person edward ED25519
campaign one 1 5

# ---- signatures that are refused
m request show -c one >one.txt
says one.txt 'share-of-base: unknown, the inventory is empty' "a request names the share, also of nothing"
# shellcheck disable=SC2046
ends 5 "a stranger's key" approve -c one $(as_key mallory)
# shellcheck disable=SC2046
ends 5 "an Ed25519 key" approve -c one $(as_key edward)
ends 3 "a key that does not belong to the certificate" approve -c one --key demo/approvers/bob.key --cert demo/approvers/alice.crt
ends 2 "a key without certificate" approve -c one --key demo/approvers/bob.key
ends 2 "neither key nor signature" approve -c one
says err 'openssl cms -sign' "the hint tells how to sign elsewhere"
none one "keys"
printf 'garbage' >garbage.p7s
ends 1 "garbage as signature" approve -c one --signature garbage.p7s
: >empty.p7s
ends 1 "an empty file as signature" approve -c one --signature empty.p7s
ends 1 "a signature file that is not there" approve -c one --signature nowhere.p7s
sign alice one.txt one.der DER
head -c 200 one.der >cut.der
ends 1 "a signature cut short" approve -c one --signature cut.der
openssl cms -sign -binary -nodetach -in one.txt -signer demo/approvers/alice.crt -inkey demo/approvers/alice.key \
    -outform DER -out attached.der 2>/dev/null
ends 1 "a signature that carries its own text" approve -c one --signature attached.der
sed 's/certificates: 5/certificates: 9/' one.txt >changed.txt
sign alice changed.txt changed.der DER
ends 5 "a signature over a changed text" approve -c one --signature changed.der
sed 's/^mode: live/mode: drill/' one.txt >drill.txt
sign alice drill.txt drill.der DER
ends 5 "a drill's signature" approve -c one --signature drill.der
sign mallory one.txt mallory.der DER
ends 5 "a stranger's signature" approve -c one --signature mallory.der
none one "signatures"
ends 4 "start without approval" start -c one --confirm one
ends 4 "run without approval" run -c one

# another campaign's
campaign two 6 5
m request show -c two >two.txt
sign alice two.txt two.der DER
ends 5 "another campaign's signature" approve -c one --signature two.der
none one "another campaign"

# the requester's own, by name and by login
m open mine --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate --as alice >/dev/null
serials demo 11 3 | m_in import -c mine --serials hex --as carol - >/dev/null 2>&1
m plan -c mine --as bob >/dev/null 2>&1
for who in alice bob; do
    # shellcheck disable=SC2046
    ends 5 "$who opened or planned it and may not approve" approve -c mine $(as_key $who)
done
none mine "requesters"
sed 's/{ name = "alice"; /{ name = "alice"; logins = ( "asmith" ); /; s/{ name = "bob"; /{ name = "bob"; logins = ( "root", "bjones" ); /' $cfg >demo/logins.cfg
m open logins --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate --as asmith >/dev/null
serials demo 14 3 | m_in import -c logins --serials hex --as asmith - >/dev/null 2>&1
m plan -c logins --as asmith >/dev/null 2>&1
# shellcheck disable=SC2046
ends 5 "alice under her login is the requester" approve --config demo/logins.cfg -c logins $(as_key alice)
# shellcheck disable=SC2046
ends 0 "bob is not" approve --config demo/logins.cfg -c logins $(as_key bob)

# ---- signatures that are accepted, and only once
sign alice one.txt one.pem PEM
ends 0 "a PEM signature made elsewhere" approve -c one --signature one.pem
[ "$(approvals -c one)" = 1 ]
verdict $? "and it counts"
ends 5 "the same person twice" approve -c one 1 --signature one.der
ends 0 "a DER signature made elsewhere" approve -c two --signature two.der
campaign smime 17 2
m request show -c smime >smime.txt
sign bob smime.txt smime.eml SMIME
ends 1 "an S/MIME message instead of DER or PEM" approve -c smime --signature smime.eml
none smime "S/MIME"

# ---- quorum of two among three
sed 's/quorum = 1;/quorum = 2;/; s#{ name = "bob"; .*#{ name = "bob"; certificate_file = "approvers/bob.crt"; }, { name = "carol"; certificate_file = "approvers/carol.crt"; }#' $cfg >demo/quorum.cfg
campaign quorum 20 3
export MASSREVOKE_CONFIG=$work/demo/quorum.cfg
# shellcheck disable=SC2046
ends 0 "the first of two approvals" approve -c quorum $(as_key alice)
ends 4 "start with one of two" start -c quorum --confirm quorum
# shellcheck disable=SC2046
ends 5 "the first person again" approve -c quorum $(as_key alice)
ends 4 "start is still refused" start -c quorum --confirm quorum
# shellcheck disable=SC2046
ends 0 "the second of two approvals" approve -c quorum $(as_key carol)
ends 5 "start, the wrong name" start -c quorum --confirm quorums
setsid -w "$program" start -c quorum >out 2>err </dev/null
[ $? = 2 ]
verdict $? "start without terminal and without --confirm (exit 2)"
ends 6 "run before start" run -c quorum
ends 0 "start" start -c quorum --confirm quorum
says out 'massrevoke run' "start names the command that is missing"
ends 6 "start twice" start -c quorum --confirm quorum
export MASSREVOKE_CONFIG=$cfg

# ---- what voids an approval before start
void() { # void NAME TEXT WORDS...: approved, then changed: no start
    local name=$1 text=$2
    shift 2
    # shellcheck disable=SC2046
    m approve -c "$name" $(as_key alice) >/dev/null
    "$@" >/dev/null 2>&1 </dev/null
    verdict $? "$text: done"
    ends 4 "$text voids the approval" start -c "$name" --confirm "$name"
}
for i in 1 2 3 4; do campaign "void$i" $((20 + i * 4)) 4; done
serials demo 39 1 >more.txt
void void1 "an addition" "$program" import -c void1 --serials hex more.txt
void void2 "another plan" "$program" plan -c void2
void void3 "a drop" "$program" drop -c void3 --reason replaced "$(serials demo 33 1)"
# a court hold is a brake: it narrows what will happen, and changes nothing of what was signed
# shellcheck disable=SC2046
m approve -c void4 $(as_key alice) >/dev/null
ends 0 "a court hold before start" hold -c void4 --court 'LG 1 O 1/26' "$(serials demo 37 1)"
ends 0 "start after a court hold" start -c void4 --confirm void4
ends 8 "run leaves only what is held" run -c void4
says out "$(serials demo 37 1)" "and names it"
grep -q "^V.*	$(serials demo 37 1)	" demo/index.txt
verdict $? "and it is not revoked"
m plan -c void1 >/dev/null 2>&1
ends 4 "a new plan alone is no approval" start -c void1 --confirm void1
# shellcheck disable=SC2046
ends 0 "with a new approval" approve -c void1 $(as_key alice)
ends 0 "it starts" start -c void1 --confirm void1

# ---- expiry binds until start
sed 's/quorum = 1;/quorum = 1; expiry = "3s";/' $cfg >demo/soon.cfg
export MASSREVOKE_CONFIG=$work/demo/soon.cfg
campaign soon 1 3
campaign late 4 3
m request show -c late >late.txt
sign alice late.txt late.der DER
# shellcheck disable=SC2046
m approve -c soon $(as_key alice) >/dev/null
ends 0 "start within the expiry" start -c soon --confirm soon
campaign after 7 3
# shellcheck disable=SC2046
m approve -c after $(as_key alice) >/dev/null
sleep 3.5
ends 5 "an expired request cannot be signed" approve -c late 1 --signature late.der
none late "expired"
ends 4 "an approval that expired does not start" start -c after --confirm after
ends 0 "a started campaign goes on after the expiry" run -c soon
export MASSREVOKE_CONFIG=$cfg

# ---- withdrawing
ends 5 "only an approver withdraws" approve -c two --withdraw --as carol
m open back --rule 4.9.1.1-12 --received "$(ago '1 hour')" >/dev/null
serials demo 1 4 | m_in import -c back --serials hex - >/dev/null 2>&1
m plan -c back >/dev/null 2>&1
# shellcheck disable=SC2046
m approve -c back $(as_key alice) >/dev/null
ends 0 "start of what is withdrawn later" start -c back --confirm back
ends 0 "an approver withdraws" approve -c back --withdraw --as alice
ends 4 "no start without a new approval" start -c back --confirm back
m plan -c back >/dev/null 2>&1
ends 4 "nor with a new plan" start -c back --confirm back
# shellcheck disable=SC2046
ends 0 "the new approval" approve -c back $(as_key bob)
ends 0 "and it goes on" start -c back --confirm back

# ---- who acts
sed 's/^demo = true;/demo = false;/' $cfg >demo/real.cfg
ends 3 "a quorum that two absences break is refused outside a demo" config check --config demo/real.cfg
printf 'version = 1;\n' >plain.cfg
ends 5 "--as without a demo CA" open other --config plain.cfg --rule 4.9.1.1-12 --received "$(ago '1 hour')" --as bob
SUDO_USER=dora "$program" open sudo --rule 4.9.1.1-12 --received "$(ago '1 hour')" >/dev/null
serials demo 1 1 | SUDO_USER=dora "$program" import -c sudo --serials hex - >/dev/null 2>&1
SUDO_USER=dora "$program" plan -c sudo >/dev/null 2>&1
m request show -c sudo >out
says out 'requested-by: dora' "sudo's user is the requester"
finish
