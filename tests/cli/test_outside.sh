#!/bin/bash
# test_outside.sh: what an outsider sees, by two vantage points that are real servers: nginx beside the CA, and nginx as a
# CDN with a stale cache in front of it; `openssl ocsp` behind both. Each failure of publication that incidents knew
# (recorded but not published, stale edges, wrong, expired, absent and mismatched CRLs, entries nobody asked for,
# entries that vanish, a data centre that is gone) is served, named, and moves no certificate further than it may.
# The responder of OpenSSL 3.0 listens on every address: where it is allowed, all of this runs in a network of its own.
if [ -z "${MASSREVOKE_TEST_NET:-}" ] && unshare -n true 2>/dev/null && command -v ip >/dev/null; then
    # shellcheck disable=SC2016
    MASSREVOKE_TEST_NET=1 exec unshare -n sh -c 'ip link set lo up && exec bash "$@"' - "$0" "$@"
fi
. "$(dirname "$0")/lib.bash"
PATH=$PATH:/usr/sbin:/sbin
command -v nginx >/dev/null || { echo "ok - nginx is not installed: not tested"; finish; }
base=$((20000 + $$ % 20000 / 4 * 4))
fra=$base nyc=$((base + 1)) responder=$((base + 2)) sin=$((base + 3)) # nothing listens at sin
new_ca demo 8 2 --ocsp http://ocsp.demo-ca.example
sed -i '/^fetch/d' demo/massrevoke.cfg
cat >>demo/massrevoke.cfg <<END
fetch = { timeout = "5s"; vantage = ( { name = "fra"; address = "127.0.0.1:$fra"; },
                                      { name = "nyc"; address = "127.0.0.1:$nyc"; } ); };
END
mkdir fra cache
cp demo/pub/ca.crl fra/
cat >nginx.conf <<END
daemon off; pid $work/nginx.pid; error_log $work/nginx.log; worker_processes 1; user root;
events {}
http {
    access_log off; merge_slashes off; proxy_http_version 1.0;
    client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3; uwsgi_temp_path $work/t4;
    scgi_temp_path $work/t5; proxy_cache_path $work/cache keys_zone=cdn:1m;
    server { listen 127.0.0.1:$fra; server_name crl.demo-ca.example; root $work/fra;
             if (-f $work/fra.down) { return 444; } }
    server { listen 127.0.0.1:$fra; server_name ocsp.demo-ca.example;
             if (-f $work/fra.later) { rewrite ^ /later.der last; }
             location = /later.der { root $work; }
             location / { limit_except GET { deny all; } proxy_pass http://127.0.0.1:$responder; } }
    server { listen 127.0.0.1:$nyc; server_name crl.demo-ca.example;
             location / { proxy_pass http://127.0.0.1:$fra; proxy_set_header Host crl.demo-ca.example;
                          proxy_cache cdn; proxy_cache_valid 200 1h; proxy_cache_valid 404 0;
                          add_header Age 7200; add_header Cache-Control max-age=3600; } }
    server { listen 127.0.0.1:$nyc; server_name ocsp.demo-ca.example;
             location / { proxy_pass http://127.0.0.1:$responder; proxy_cache cdn; proxy_cache_valid 200 1h; } }
}
END
[ "$(id -u)" = 0 ] || sed -i 's/ user root;//' nginx.conf
nginx -p "$work" -c nginx.conf >nginx.out 2>&1 </dev/null &
background+=($!)
openssl ocsp -index demo/index.txt -CA demo/ca.pem -rsigner demo/ca.pem -rkey demo/private/ca.key -ndays 1 \
    -port "$responder" >responder.log 2>&1 </dev/null &
background+=($!)

# get PORT HOST PATH: as a client of the CDN would, so that its cache holds it.
get() {
    exec 3<>"/dev/tcp/127.0.0.1/$1" || return
    printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$3" "$2" >&3
    cat <&3 >got
    exec 3>&-
}
purge() { rm -rf cache/*; }
for _ in $(seq 50); do get "$nyc" crl.demo-ca.example /ca.crl 2>/dev/null && grep -qa '200 OK' got && break; sleep 0.1; done
first=$(serials demo 1 1)
openssl ocsp -issuer demo/ca.pem -serial "0x$first" -no_nonce -reqout req.der >/dev/null 2>&1
request=$(base64 -w 0 req.der | sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g')
for _ in $(seq 50); do get "$nyc" ocsp.demo-ca.example "/$request" && grep -qa '200 OK' got && break; sleep 0.1; done
grep -qa '200 OK' got
verdict $? "the CDN holds the answer of before the revocation"

count() { m status --json >status.json 2>/dev/null; field status.json "$1"; }
look() { m verify --json >out 2>err; }
# stands REVOKED PENDING TEXT: the public counts.
stands() {
    local revoked pending
    revoked=$(count revoked) pending=$(field status.json pending_publication)
    [ "$revoked" = "$1" ] && [ "$pending" = "$2" ]
    verdict $? "$3"
    [ "$revoked" = "$1" ] && [ "$pending" = "$2" ] || echo "    revoked $revoked, pending $pending"
}
serials demo 1 4 >list.txt
m open live --rule 4.9.1.1-12 --received "$(ago '2 hours')" --profile immediate --bug 1 >out
m import --serials hex list.txt >out
m inventory demo/inventory.csv >out
m plan >out
m approve --key demo/approvers/bob.key --cert demo/approvers/bob.crt >out
m start --confirm live >out
for _ in 1 2 3; do m run --once >out 2>err; done
[ "$(grep -c '^R' demo/index.txt)" = 4 ]
verdict $? "the CA revoked four"

# recorded, signed, and not where the certificates point to
look
stands 0 4 "recorded is not published"
cp demo/pub/ca.crl fra/
sleep 1
look # the responder's first answer after a change is the old one
look
stands 0 4 "while one edge serves what was before, nothing is published"
for what in edge_differs edge_older edge_cache ocsp_good_before; do says out "$what" "it is named: $what"; done
says out '"Age": "7200"' "the cache's headers stand beside"
says out '"vantage": "nyc"' "both vantage points are there"
m verify >text 2>err
says text 'CRL  nyc' "also for people"
purge
look
look
stands 4 0 "published when every edge shows it"
says out '"median_seconds"' "time to publication is told"
m verify --format csv >rows
[ "$(grep -c ',published,.*Z,.*Z,[0-9]' rows)" = 4 ]
verdict $? "also for each certificate"
m evidence export ev >out 2>err
grep -q '"type":"finding"' ev/events.jsonl 2>/dev/null || grep -rq '"type":"finding"' ev
verdict $? "what was found is in the log"

look
says out ocsp_post "GET decides, and that POST is refused at one edge is told"
ends 0 "status" status --json
says out '"odd": 0' "nothing is odd"

# a responder that asks for patience says nothing
printf '\x30\x03\x0a\x01\x03' >later.der
touch fra.later
ends 0 "a responder is busy" verify --json
says out 'ocsp_status' "it is named"
stands 4 0 "and moves nothing"
rm fra.later

# an edge that is not there alarms and does not decide
touch fra.down
ends 0 "a data centre is gone" verify --json
says out edge_unreachable "it is named"
stands 4 0 "the other edge answers: nothing changes"
rm fra.down
sed -i "s/address = \"127.0.0.1:$fra\"/address = \"127.0.0.1:$sin\"/" demo/massrevoke.cfg
ends 0 "an address where nobody listens" verify --json
says out edge_unreachable "it is named, too"
sed -i "s/address = \"127.0.0.1:$sin\"/address = \"127.0.0.1:$fra\"/" demo/massrevoke.cfg

# CRLs as they must not be, one after the other
stock() { (cd demo && openssl ca -config "${config:-openssl.cnf}" -gencrl "$@" -out ../new.pem) >stock.log 2>&1 &&
    openssl crl -in new.pem -outform DER -out new.der; }
# serve FILE FINDING TEXT: at both edges; what was published stays so.
serve() {
    cp "$1" fra/ca.crl
    touch -d "$((served += 1)) seconds" fra/ca.crl # another Last-Modified
    purge
    look
    says out "$2" "$3: $2"
    stands 4 0 "and nothing moves"
}
served=0
flip() { # the last byte, of the signature
    head -c -1 "$1"
    # shellcheck disable=SC2059
    printf "\\x$(printf %02x $((0x$(tail -c 1 "$1" | od -An -tx1 | tr -d ' ') ^ 1)))"
}
subject=$(openssl x509 -in demo/ca.pem -noout -subject -nameopt compat,sep_comma_plus_space | sed 's/^subject=//')
openssl req -x509 -new -key demo/private/ca.key -subj "/O=${subject##*O=}/CN=massrevoke demo CA 1" -days 30 \
    -out reversed.pem >/dev/null 2>&1
openssl req -x509 -new -key demo/private/ca.key -subj "/CN=massrevoke demo CA 1/O=Demo Trust Services" -days 30 \
    -out straight.pem >/dev/null 2>&1
mine=$(openssl x509 -in demo/ca.pem -noout -subject_hash_old)
other=reversed.pem
[ "$(openssl x509 -in reversed.pem -noout -subject_hash_old)" = "$mine" ] && other=straight.pem
stock -cert "../$other"
serve new.der crl_issuer "the issuer's names in another order"
stock
flip new.der >bad.der
serve bad.der signature "a signature that does not verify"
stock -crl_lastupdate 20250101000000Z -crl_nextupdate 20250108000000Z
serve new.der expired "a CRL of last year"
cat demo/openssl.cnf - >demo/shard.cnf <<'END'
[ shard ]
authorityKeyIdentifier = keyid:always
issuingDistributionPoint = critical,@point
[ point ]
fullname = URI:http://crl.demo-ca.example/another.crl
END
config=shard.cnf stock -crlexts shard
serve new.der crl_idp_url "another shard's CRL"
printf '<html>' >page
serve page unparsable "a page instead of a CRL"
rm fra/ca.crl
purge
look
says out 'HTTP status 404' "no CRL at all"
stands 4 0 "and nothing moves"

# an empty revokedCertificates: the list before its extensions, signed anew
: >demo/none.txt
sed 's/index.txt/none.txt/' demo/openssl.cnf >demo/none.cnf
config=none.cnf stock
hex() { od -An -v -tx1 "$@" | tr -d ' \n'; }
der() { # der TAG HEX: one element
    local n=$((${#2} / 2))
    if [ $n -lt 128 ]; then printf '%s%02x%s' "$1" $n "$2"; elif [ $n -lt 256 ]; then printf '%s81%02x%s' "$1" $n "$2"
    else printf '%s82%04x%s' "$1" $n "$2"; fi
}
bytes() { sed 's/../\\x&/g' | { read -r text; printf '%b' "$text"; }; }
# place FILE DEPTH TYPE NTH: offset, header and length of the NTH element of that kind
place() {
    openssl asn1parse -inform DER -in "$1" | sed -n "s/^ *\([0-9]*\):d=$2 *hl=\([0-9]*\) *l= *\([0-9]*\) .*$3.*/\1 \2 \3/p" |
        sed -n "$4p"
}
read -r from _ _ < <(place new.der 1 SEQUENCE 1)
openssl asn1parse -inform DER -in new.der -strparse "$from" -noout -out tbs.der >/dev/null 2>&1
whole=$(hex tbs.der)
read -r _ header _ < <(place tbs.der 0 SEQUENCE 1)
read -r from long length < <(place tbs.der 1 SEQUENCE 1)
read -r at _ _ < <(place tbs.der 1 'cont \[ 0 \]' 1)
tbs=$(der 30 "${whole:$((2 * header)):$((2 * (at - header)))}3000${whole:$((2 * at))}")
echo "$tbs" | bytes >tbs.new
openssl dgst -sha256 -sign demo/private/ca.key -out sig tbs.new
der 30 "$tbs${whole:$((2 * from)):$((2 * (long + length)))}$(der 03 "00$(hex sig)")" | bytes >empty.der
openssl crl -inform DER -in empty.der -CAfile demo/ca.pem -noout 2>verify.txt
says verify.txt 'verify OK' "an empty list, well signed"
cp empty.der fra/ca.crl
touch -d "$((served += 1)) seconds" fra/ca.crl
purge
m verify --json >out 2>err
says out crl_empty_list "it is named"
says out entry_vanished "and that it lacks what was there"
stands 0 4 "so they are not published any more"

# back again, with an entry that nobody asked for, and then the same number twice
neighbour=$(serials demo 8 1)
(cd demo && openssl ca -config openssl.cnf -revoke "newcerts/$neighbour.pem" -crl_reason superseded) >stock.log 2>&1
stock
serve new.der entry_unasked "an entry of the inventory that no campaign asks for"
openssl crl -inform DER -in new.der -noout -crlnumber | sed 's/.*=//; s/^0x//' >demo/crlnumber
stock -crldays 6
serve new.der crl_number_grows "another CRL with the same number"

# entries that vanish
sed -i "/$(sed -n 2p list.txt)/s/^R\([^\t]*\t[^\t]*\)\t[^\t]*/V\1\t/" demo/index.txt
stock
cp new.der fra/ca.crl
touch -d "$((served += 1)) seconds" fra/ca.crl
purge
ends 10 "an entry vanished" verify --json
says out entry_vanished "it is named"
stands 3 1 "and is not published any more"

# nothing outside can prove it: neither is it in an inventory nor has its issuer a CRL here
new_ca dark 8 2
sed -i 's/; crl = "[^"]*"//' dark/massrevoke.cfg
export MASSREVOKE_CONFIG=$work/dark/massrevoke.cfg MASSREVOKE_CAMPAIGN=dark
m open dark --rule 4.9.1.1-12 --received "$(ago '2 hours')" --profile immediate --bug 2 >out
serials dark 1 2 >dark.txt
m import --serials hex dark.txt >out
m plan >out
m approve --key dark/approvers/bob.key --cert dark/approvers/bob.crt >out
m start --confirm dark >out
ends 8 "what cannot be checked is left" run
m verify --json >out 2>err
says out '"not_checkable": 2' "it is counted"
says out 'it is not in the inventory, and no CRL is configured for its issuer' "and the reason told"
finish
