#!/bin/bash
# test_intake.sh: every form a list may come in, re-runs of a list, who can be told, and who is where.
. "$(dirname "$0")/lib.bash"
new_ca demo 60 6
m open intake --rule 4.9.1.1-12 --received "$(ago '1 hour')" >/dev/null
m inventory demo/inventory.csv >/dev/null
cell() { csv_cells "$1" | sed -n "$2p"; } # cell ROW COLUMN of demo/inventory.csv
csv_cells() { sed -n "$(($1 + 1))p" demo/inventory.csv | sed 's/^"[^"]*",/issuer,/' | tr ',' '\n'; }
serial_of() { cell "$1" 2; }
sha_of() { cell "$1" 7; }
is() { # is KEY VALUE TEXT: of the JSON in out
    [ "$(field out "$1")" = "$2" ]
    verdict $? "$3"
    [ "$(field out "$1")" = "$2" ] || echo "    $1 is '$(field out "$1")', not '$2'"
}

# ---- forms ----
sed -n 1,3p demo/index.txt >index.txt
printf 'R\t270205201034Z\t260101000000Z,superseded\t0A0B0C\tunknown\t/CN=gone #1\nE\t260101000000Z\t\t0A0B0D\tunknown\t/CN=old\n' >>index.txt
printf 'X\t270205201034Z\t\t0A0B0E\tunknown\t/CN=x\n' >>index.txt
ends 8 "an index of openssl ca" import --json index.txt
is accepted 5 "valid, revoked and expired rows alike"
is rejected 1 "a row of another kind is not"
says out '"line": 6' "and is named by line"
is orphans 2 "two of them are in no inventory"

{ echo "https://crt.sh/?sha256=$(sha_of 4)"; echo "# a remark"; echo "crt.sh/?q=$(sha_of 5 | tr a-f A-F)"
  echo "$(sha_of 4)"; echo 'https://crt.sh/?id=12345'; echo 'https://crt.sh/?q=example.com'
  echo 'https://crt.sh/?sha256=00000000000000000000000000000000000000000000000000000000000000ff'; } >links.txt
ends 8 "crt.sh links" import --json links.txt
is in 6 "six links count"
is accepted 2 "two are found by their SHA-256"
is duplicate 1 "one twice"
is rejected 3 "three are not"
says out 'says nothing outside crt.sh' "a crt.sh number is refused with the remedy"
says out 'in the inventory has this SHA-256' "an unknown SHA-256 is refused with the reason"

{ echo 'Fingerprint SHA-256;note'; echo "$(sha_of 6 | sed 's/../&:/g; s/:$//');x"; } >hashes.csv
ends 0 "a CSV of hashes alone" import --json hashes.csv
is added 1 "the certificate is found"
{ head -n 1 "$here/test_lists.sh" >/dev/null; printf 'Precertificate SHA-256 hash,Certificate SHA-256 hash,Subject,Issuer,Not before,'
  printf 'Not after,Serial #,dNSNames,Is revoked?,Revocation date,Revocation reason\r\n'
  printf 'N/A,%s,N/A,N/A,N/A,N/A,N/A,N/A,Planned,N/A,superseded\r\n' "$(sha_of 7)"; } >ccadb.csv
ends 0 "a CCADB row without a serial" import --json ccadb.csv
is added 1 "is found by its hash"
ends 1 "a table that names no certificate" import --json <(printf 'name,host\na,b\n')
says err "'serial' or 'sha256'" "and the remedy is said"
ends 2 "a format nobody knows" import --format xml index.txt
says err 'index, links' "all are named"

# ---- certificates ----
sed -n '1p;9p' demo/inventory.csv | sed 's/^\("[^"]*",[0-9A-F]*,[^,]*\),.*/\1,,,,,,,,,,,/; 1s/.*/issuer,serial,subscriber,subject,not_before,not_after,cert_sha256,precert_sha256,spki_sha256,dns_names,type,cdp,ocsp,certificate_file/' >bare.csv
ends 0 "an inventory that knows next to nothing" inventory bare.csv
{ echo 'Remarks before'; cat demo/newcerts/"$(serial_of 8)".pem; echo '-----BEGIN CERTIFICATE-----'; echo 'AAAA'
  cat demo/newcerts/"$(serial_of 9)".pem; echo '-----BEGIN PKCS7-----'; echo 'AAAA'; echo '-----END PKCS7-----'
  cat demo/private/ca.key; } >bundle.pem
ends 8 "a bundle with a broken certificate in the middle" import --json bundle.pem
is accepted 2 "the one behind the broken one is read"
is rejected 2 "the broken one and a PKCS #7 are named"
ends 0 "the inventory has learned" find --json "$(sha_of 8)"
says out "\"subscriber\": \"$(cell 8 3)\"" "without losing the subscriber"
says out "$(cell 8 10 | cut -d' ' -f1)" "and knows the names now"
ends 1 "a CA certificate" import --json demo/ca.pem
says out '4.9.1.2' "is told why it is refused"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout pre.key -subj /CN=pre.example -out pre.csr 2>/dev/null
printf 'subjectAltName=DNS:pre.example\n1.3.6.1.4.1.11129.2.4.3=critical,ASN1:NULL\n' >pre.ext
openssl x509 -req -in pre.csr -CA demo/ca.pem -CAkey demo/private/ca.key -set_serial 0x4d2 -days 30 -extfile pre.ext -out pre.pem 2>/dev/null
ends 0 "a precertificate" import --json pre.pem
is precertificates 1 "is accepted and marked"
ends 0 "find by its hash" find --json "$(openssl x509 -in pre.pem -noout -fingerprint -sha256 | sed 's/.*=//')"
says out '"serial": "04D2"' "finds its serial"
printf -- '-----BEGIN CERTIFICATE-----\n' | cat - <(head -c 3000 /dev/urandom) >noise.pem
ends 1 "noise in PEM's clothes" import --json --format pem noise.pem
is rejected 1 "is one rejected line"

# ---- a query as the list ----
m db status --json >out
folder=$(field out folder)
socket=$(cd "$folder/data" && cd "$(sed -n 5p postmaster.pid)" && pwd)
conninfo="host='$socket' dbname=postgres user=massrevoke"
ask="SELECT serial, (SELECT subject FROM massrevoke.issuer) AS issuer FROM massrevoke.inventory ORDER BY 1 LIMIT 30;"
ends 0 "a query" import --json --conninfo "$conninfo" --query "$ask"
is accepted 30 "thirty rows"
ends 1 "a query that writes" import --conninfo "$conninfo" --query 'DELETE FROM massrevoke.inventory RETURNING serial'
says err 'refused' "is refused"
ends 7 "a database that is not there" import --conninfo 'host=/nowhere' --query "$ask"
says err 'pgpass' "with a hint"
ends 2 "half of it" import --query "$ask"
ends 2 "two lists" import --conninfo "$conninfo" --query "$ask" index.txt
ends 2 "no list" import

# ---- versions and re-runs ----
ends 0 "what changed since version 1" reconcile --since 1
says out 'index.txt' "the versions name their source"
ends 0 "since the newest" reconcile --since 0 --json
before=$(waiting)
m reconcile --since 0 --json >out && stored=$(field out added)
m find "$(serial_of 1)" >/dev/null
ends 0 "the list of what is there" reconcile --json --conninfo "$conninfo" --query 'SELECT serial FROM massrevoke.certificate'
is same "$stored" "is equal, exit 0"
psql_list="SELECT serial FROM massrevoke.certificate ORDER BY serial OFFSET 2"
{ echo serial; serial_of 59; serial_of 60; } >tail.csv
ends 8 "a re-run that lost two" reconcile --json --conninfo "$conninfo" --query "$psql_list"
is dropped 2 "both are named"
says out '"change": "dropped"' "as dropped"
[ "$(waiting)" = "$before" ]
verdict $? "and nothing is written"
ends 1 "a re-run with a wrong line is not applied" reconcile --apply <(printf 'serial\nzz\n0A0B0C\n')
says err 'nothing was applied' "and says so"
ends 1 "an empty re-run is not applied" reconcile --apply <(printf 'serial\n')
ends 0 "applied" reconcile --json --apply --heuristic 'looked again' --conninfo "$conninfo" --query "$psql_list"
is withdrawn 2 "two are withdrawn"
ends 0 "then they are equal" reconcile --conninfo "$conninfo" --query "SELECT serial FROM massrevoke.certificate WHERE NOT withdrawn"
ends 8 "new ones are seen" reconcile --json --serials hex tail.csv
ends 2 "since takes no list" reconcile --since 1 tail.csv
ends 1 "a version that is not there" reconcile --since 999
says err 'newest' "and the newest is named"

# ---- whom to tell ----
{ head -n 1 demo/contacts.csv; grep '^sub-0001,' demo/contacts.csv; grep '^sub-0002,primary' demo/contacts.csv
  echo 'sub-0003,backup,0,B,b@c.example,,,,'; echo 'sub-0004,partner,0,P,p@c.example,,,,'
  echo 'sub-0005,primary,0,X,not an address,,,,'; } >contacts.csv
ends 0 "contacts" contacts --json contacts.csv
is primary_and_backup 1 "one has both"
is primary_only 1 "one a primary only"
is backup_only 1 "one a backup only"
is partner_only 1 "one a partner only"
says out '"line": ' "a bad address is named by line"
ends 0 "who has no backup" contacts --missing backup
says out 'sub-0002' "is answered"
lacks out 'sub-0001  ' "by those alone"
ends 2 "missing what" contacts --missing friends

# ---- who is where ----
host=$(cell 10 10 | cut -d' ' -f1)
ends 0 "find a host" find "$host"
says out "$(serial_of 10)" "names the certificate"
ends 0 "find by decimal" find --json "$(python3 -c "print(int('$(serial_of 10)', 16))" 2>/dev/null || serial_of 10)"
says out '"padded"' "with other spellings"
ends 0 "find a subscriber" find SUB-0003
says out 'sub-0003' "in either case"
ends 1 "find nothing" find nobody.at.all.example
ends 2 "find one letter" find a
ends 0 "a key" find --json "$(cell 11 9)"
says out '"why": "key"' "is found as a key"

# ---- key compromise: keys come along, and can be blocked ----
openssl req -new -key pre.key -subj /CN=two.example -out two.csr 2>/dev/null
for n in 0x5001 0x5002; do
    openssl x509 -req -in two.csr -CA demo/ca.pem -CAkey demo/private/ca.key -set_serial $n -days 30 -out $n.pem 2>/dev/null
done
m open keys --rule 4.9.1.1-3 --received "$(ago '1 hour')" >/dev/null
export MASSREVOKE_CAMPAIGN=keys
ends 0 "one certificate of a key, narrowly" import --json --no-expand 'only this one was found' 0x5001.pem
is added 1 "is one"
ends 0 "the other of that key" import --json 0x5002.pem
is expanded 1 "brings the third along"
ends 0 "its decision is kept" reconcile --since 0
says out 'only this one was found' "with the version"
ends 0 "the keys" export --blocklist -
[ "$(grep -vc '^#' out)" = 1 ] && grep -qx '[0-9a-f]\{64\}' out
verdict $? "one key, in lower case"
ends 0 "the keys in a file" export --blocklist keys.txt
says keys.txt 'SubjectPublicKeyInfo' "with remarks"
export MASSREVOKE_CAMPAIGN=intake
ends 2 "nothing expands under item 12" import --no-expand why index.txt

# ---- a re-run after the start: late ones form a cohort, what is revoked stays ----
m open late --rule 4.9.1.1-12 --received "$(ago '2 hours')" --profile immediate >/dev/null
export MASSREVOKE_CAMPAIGN=late
serials demo 20 6 >first.txt
m import --serials hex first.txt >/dev/null && m plan >/dev/null
m approve --key demo/approvers/bob.key --cert demo/approvers/bob.crt >/dev/null && m start --confirm late >/dev/null
timeout 60 "$program" run >run.out 2>&1 </dev/null
{ sed 1,2d first.txt; serials demo 30 2; } >second.txt
ends 8 "a re-run after the start, looked at" reconcile --json --serials hex second.txt
is added 2 "two are new"
says out '"state": "published"' "what would go is revoked already"
ends 2 "applied without the name" reconcile --apply --serials hex second.txt
ends 8 "applied" reconcile --json --apply --confirm late --serials hex second.txt
is too_late 2 "two are too late"
is cohort 2 "the new ones are a cohort of their own"
ends 0 "the version before" reconcile --since 1 --json
is added 2 "names what came"
finish
