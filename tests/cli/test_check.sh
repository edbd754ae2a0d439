#!/bin/bash
# test_check.sh: does the preflight see what is missing, say what to do, and end with the code of the worst of it?
# shellcheck disable=SC2034
. "$(dirname "$0")/lib.bash"
new_ca demo 30 4
state() { # state AREA SUBJECT: of one row of the last JSON
    awk -v a="\"area\": \"$1\"," -v s="\"subject\": \"$2" 'index($0, a) { here = 1 } here && index($0, "\"subject\"") { here = index($0, s) > 0 }
        here && /"state"/ { gsub(/[", ]/, ""); sub(/^state:/, ""); print; exit }' out
}
is() { # is AREA SUBJECT STATE WHAT
    [ "$(state "$1" "$2")" = "$3" ]
    verdict $? "$4: $1, $2 is $3"
    [ "$(state "$1" "$2")" = "$3" ] || grep -B1 -A4 "\"area\": \"$1\"" out | sed 's/^/    /'
}

ends 0 "a fresh demo has no failure" check
says out "no campaign is open" "and says that there is no campaign"
says out "do: set alert.command" "each warning says what to do"
ends 0 "open" open c --rule 4.9.1.1-12 --received "$(ago '2 hours')" --profile tls-5-day
{ m inventory demo/inventory.csv && m contacts demo/contacts.csv && serials demo 1 20 >list.txt && m import --serials hex list.txt; } >out
verdict $? "a campaign"
ends 0 "check of a campaign" check --json
[ "$(field out campaign)" = c ] && [ "$(field out failures)" = 0 ]
verdict $? "names it"
is database "private cluster" ok "reached"
is backend "CA" ok "the CA"
is backend "CA demo, asked about" ok "asked about a certificate"
is reasons "CA" ok "superseded"
is crl "http" ok "its CRL"
is disclosure CCADB warn "nothing to compare with"
is approvers alice ok "a person"
is approvers quorum warn "a demo's quorum of one of two"
is disk "database" ok "room"
is alerts configuration warn "nobody is called"

# disclosure: exact, whatever surrounds the address
url=$(grep -o 'http://[^," ]*' demo/inventory.csv | head -n 1)
mkdir ccadb
printf '"Owner","[""%s""]"\r\n' "$(echo "$url" | sed 's|/|\\/|g')" >ccadb/list.csv
sed -i 's|^fetch = {|fetch = { disclosed = "../ccadb/list.csv";|' demo/massrevoke.cfg
ends 0 "an address in CCADB's list" check --json
is disclosure CCADB ok "disclosed"
printf '%s.old\n%s/\nx%s\n' "$url" "$url" "$url" >ccadb/list.csv
ends 8 "another address, to the letter" check --json
is disclosure "$url" fail "not disclosed"
rm ccadb/list.csv
ends 3 "no list where one is configured" check
sed -i 's|disclosed = "../ccadb/list.csv";||' demo/massrevoke.cfg

# what fails
echo 'alert = { command = [ "/bin/false" ]; };' >>demo/massrevoke.cfg
ends 8 "a pager that fails" check --json
is alerts "command /bin/false" fail "seen"
sed -i '/^alert = /d' demo/massrevoke.cfg
mv demo/pub/ca.crl demo/pub/away
ends 7 "a CRL that is not served" check --json
is crl "http" fail "seen"
mv demo/pub/away demo/pub/ca.crl
cp demo/pub/ca.crl good.crl
printf 'x' | dd of=demo/pub/ca.crl bs=1 seek=$(($(stat -c %s good.crl) - 5)) conv=notrunc 2>/dev/null
ends 8 "a CRL with a bad signature" check
says out "FAIL  crl" "seen"
cp good.crl demo/pub/ca.crl
mv demo/private/ca.key away.key
ends 3 "a CA whose key is gone" check --json
is backend "CA" fail "seen"
mv away.key demo/private/ca.key
sed -e 's|backend = "ca_openssl";|backend = "exec"; profile = "lines"; command = [ "/bin/false" ];|' \
    -e 's|directory = "\.";||' demo/massrevoke.cfg >demo/program.cfg
m --config demo/program.cfg check --json >out
is backend "CA" warn "reached, and no more than that"
says out "that we may revoke there it does not show" "and says so"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=bob -days 1 -keyout /dev/null -out demo/approvers/bob.crt 2>/dev/null
ends 0 "an approver's last day" check --json
is approvers bob warn "seen"
{ cat demo/massrevoke.cfg && echo "db = { conninfo = \"host=$work/nowhere\"; };"; } >demo/away.cfg
ends 7 "a database that is away" --config demo/away.cfg check --json
is database db.conninfo fail "seen"
is alerts configuration warn "the rest is looked at all the same"
ends 1 "a campaign that is not" -c nothing check
finish
