#!/bin/bash
# test_lists.sh: the affected list as a person might bring it. Every line is accounted for, and a list is taken whole
# or not at all.
. "$(dirname "$0")/lib.bash"
new_ca demo 60 6
new_ca other 4 1 --seed 9
MASSREVOKE_CONFIG=$work/demo/massrevoke.cfg
m open lists --rule 4.9.1.1-12 --received "$(ago '1 hour')" >/dev/null
stored=0

# counts TEXT EXIT IN ACCEPTED DUPLICATE REJECTED GROWTH WORDS...: an import --json, and what the store holds then
counts() {
    local text=$1 code=$2 in=$3 accepted=$4 duplicate=$5 rejected=$6 growth=$7
    shift 7
    ends "$code" "$text" import --json --serials hex "$@"
    counted "$text" "$in" "$accepted" "$duplicate" "$rejected" "$growth"
}
counted() {
    [ "$(field out in) $(field out accepted) $(field out duplicate) $(field out rejected)" = "$2 $3 $4 $5" ]
    verdict $? "$1: in $2 = accepted $3 + duplicate $4 + rejected $5"
    stored=$((stored + $6))
    [ "$(waiting)" = $stored ]
    verdict $? "$1: the store holds $stored"
}

: >empty.txt
counts "an empty list" 0 0 0 0 0 0 empty.txt
printf '\n\n# nothing\n   \n' >blank.txt
counts "blank lines and remarks" 0 0 0 0 0 0 blank.txt
printf 'zz\n12 34 xy\n' >wrong.txt
counts "only wrong hex" 1 2 0 0 2 0 wrong.txt
says out '"line": 2' "the second wrong line is named by number"

serials demo 1 2 >twice.txt
serials demo 1 1 | tr A-F a-f | sed 's/^/0x/' >>twice.txt
counts "a list with a duplicate, written otherwise" 0 3 2 1 0 2 twice.txt
counts "the same list again" 0 3 2 1 0 0 twice.txt

{ serials demo 3 1; echo 'not-hex'; echo '0102030405060708090a0b0c0d0e0f101112131415'; } >mixed.txt
counts "one good, one wrong, one of 21 octets" 8 3 1 0 2 1 mixed.txt
says out '"line": 3' "the serial of 21 significant octets is named by line"
says out '"file": "mixed.txt"' "and by file"
lacks err 'no certificate' "nothing else is said"

echo 00112233445566778899 >absent.txt
counts "absent from the inventory: accepted all the same" 0 1 1 0 0 1 absent.txt

printf '12345678901234567890\n' >digits.txt
ends 1 "all digits without a base" import --json digits.txt
says out '--serials hex' "the hint names both bases"
counted "all digits without a base" 1 0 0 1 0
ends 0 "all digits, declared decimal" import --json --serials decimal digits.txt
counted "all digits, declared decimal" 1 1 0 0 1

serials demo 4 2 | sed 's/$/\r/' >crlf.txt
counts "CRLF" 0 2 2 0 0 2 crlf.txt
{ printf '\xef\xbb\xbf'; serials demo 6 1; } >bom.txt
counts "BOM" 0 1 1 0 0 1 bom.txt
{ serials demo 7 1; printf 'AB\0CD\n'; } >nul.txt
counts "a NUL inside" 8 2 1 0 1 1 nul.txt
{ serials demo 8 1; head -c 100000000 /dev/zero | tr '\0' A; echo; serials demo 9 1; } >long.txt
counts "a line of 100 MB" 8 3 2 0 1 2 long.txt
says out '"line": 2' "the long line is named"
rm long.txt

{ echo 'issuer,serial'; sed -n 's/^\("[^"]*",[0-9A-F]*\),.*/\1/p' demo/inventory.csv | sed -n 10,11p
  echo '"CN=Somebody Else,O=Elsewhere",0A0B0C'; } >issuers.csv
counts "a CSV with a row of another issuer" 8 3 2 0 1 2 issuers.csv
says out 'not configured' "the row of another issuer is rejected by name"

ends 1 "a missing file" import --json nowhere.txt
says err 'nowhere.txt' "and it is named"
ends 1 "a header without a serial column" import --json <(printf 'issuer,name\na,b\n')
mkdir nothing
counts "an empty folder" 0 0 0 0 0 0 nothing

for i in 12 13; do cp "demo/newcerts/$(serials demo $i 1).pem" "$i.pem"; done
cat 12.pem 13.pem 12.pem >bundle.pem
counts "a PEM bundle with a duplicate" 0 3 2 1 0 2 bundle.pem
openssl x509 -in "demo/newcerts/$(serials demo 14 1).pem" -outform DER -out one.der
counts "a DER certificate" 0 1 1 0 0 1 one.der
cat demo/newcerts/"$(serials demo 15 1)".pem other/newcerts/*.pem >foreign.pem
counts "certificates of another CA" 8 5 1 0 4 1 foreign.pem
mkdir folder
for i in 16 17 18; do cp "demo/newcerts/$(serials demo $i 1).pem" "folder/$i.pem"; done
counts "a folder" 0 3 3 0 0 3 folder
{ cat 12.pem; echo '-----BEGIN CERTIFICATE-----'; echo 'AAAA'; } >broken.pem
counts "a bundle that ends inside a certificate" 8 2 1 0 1 0 broken.pem

# standard input: redirected and through a pipe, text and certificates
serials demo 19 1 >in.txt
"$program" import --json --serials hex - <in.txt >out 2>err
verdict $? "standard input from a file"
counted "standard input from a file" 1 1 0 0 1
serials demo 20 1 | "$program" import --json --serials hex - >out 2>err
verdict $? "standard input through a pipe"
counted "standard input through a pipe" 1 1 0 0 1
"$program" import --json - <"demo/newcerts/$(serials demo 21 1).pem" >out 2>err
verdict $? "a certificate on standard input"
counted "a certificate on standard input" 1 1 0 0 1
# shellcheck disable=SC2002
cat "demo/newcerts/$(serials demo 22 1).pem" | "$program" import --json - >out 2>err
verdict $? "a certificate through a pipe"
counted "a certificate through a pipe" 1 1 0 0 1

# the 11 columns of CCADB: hex without being told, the issuer by its name
{ printf 'Precertificate SHA-256 hash,Certificate SHA-256 hash,Subject,Issuer,Not before,Not after,Serial #,dNSNames,'
  printf 'Is revoked?,Revocation date,Revocation reason\r\n'
  printf 'N/A,N/A,CN=a,"CN=massrevoke demo CA 1,O=Demo Trust Services",2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,'
  printf '1234567890,a.example b.example,Planned,N/A,superseded\r\n'; } >ccadb.csv
ends 0 "the CCADB table" import --json ccadb.csv
counted "the CCADB table" 1 1 0 0 1

serials demo 30 1 >text.txt
ends 0 "an import for people" import --serials hex text.txt
says err 'CN=massrevoke demo CA 1' "the only issuer is taken and named"
ends 2 "an unknown base" import --serials octal text.txt
ends 2 "an unknown format" import --format xml text.txt

# several issuers: a list without one is refused, nothing is stored
sed 's/^ca = {/cas = ( {/; s/^};$/}, { name = "b"; backend = "ca_openssl"; directory = "..\/other"; issuers = ( { certificate_file = "..\/other\/ca.pem"; } ); } );/;' \
    demo/massrevoke.cfg | awk '/^approvals/ { inside = 1 } inside && /^},/ { sub(/^}.*/, "};"); inside = 0 } { print }' >demo/two.cfg
serials demo 40 2 >plain.txt
before=$(waiting)
ends 2 "two issuers and a list without one" import --config demo/two.cfg --serials hex plain.txt
says err '--issuer' "the hint is --issuer"
[ "$(waiting)" = "$before" ]
verdict $? "and nothing is stored"
ends 0 "two issuers, one named" import --config demo/two.cfg --serials hex --issuer demo/ca.pem plain.txt
ends 2 "an issuer that is not configured" import --serials hex --issuer other/ca.pem plain.txt
printf 'version = 1; demo = true;\n' >none.cfg
before=$(waiting)
ends 2 "no issuer configured" import --config none.cfg --serials hex plain.txt
[ "$(waiting)" = "$before" ]
verdict $? "and nothing is stored either"

# inventory and contacts: bad rows are named, the rest is taken
{ head -n 1 demo/inventory.csv; sed -n 2,3p demo/inventory.csv; sed -n 4p demo/inventory.csv | sed 's/,[0-9A-F]*,sub/,XYZ,sub/'; } >inv.csv
ends 8 "an inventory with a wrong row" inventory --json inv.csv
[ "$(field out in) $(field out accepted) $(field out rejected)" = "3 2 1" ]
verdict $? "two of three rows are taken"
ends 1 "an inventory without header" inventory 12.pem
ends 0 "contacts" contacts --json demo/contacts.csv
ends 1 "contacts that are not there" contacts nowhere.csv
finish
