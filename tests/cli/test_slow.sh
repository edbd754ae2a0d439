#!/bin/bash
# test_slow.sh: a CA that takes a second for each certificate keeps the other CA of the campaign from nothing: that one
# goes at its own pace, to the second.
. "$(dirname "$0")/lib.bash"
new_ca fast 100 3 --seed 1
"$program" ca new slow --count 20 --subscribers 3 --seed 2 >/dev/null 2>&1 || exit 1
cat >revoke.sh <<'END'
#!/bin/sh
# revoke.sh SECONDS LOG revoke REASON: serials on standard input
while read -r serial; do
    sleep "$1"
    echo "$(date +%s) $serial" >>"$2"
    printf '%s\trevoked\n' "$serial"
done
END
chmod +x revoke.sh
ca() { # NAME SECONDS MORE
    echo "{ name = \"$1\"; backend = \"exec\"; profile = \"lines\"; command = [ \"$work/revoke.sh\", \"$2\", \"$work/$1.log\" ]; $3"
    echo "  issuers = ( { certificate_file = \"../$1/ca.pem\"; crl = \"http://crl-$1.demo-ca.example/ca.crl\"; } ); }"
}
{
    echo 'version = 1;'
    echo "cas = ( $(ca slow 1 'rate = "20/s";'), $(ca fast 0 'rate = "20/s"; burst = 20;') );"
    echo 'approvals = { quorum = 1; approvers = ( { name = "alice"; certificate_file = "approvers/alice.crt"; },'
    echo '  { name = "bob"; certificate_file = "approvers/bob.crt"; }, { name = "carol"; certificate_file = "../slow/approvers/alice.crt"; } ); };'
    echo 'mail = { from = "revocation@ca.example"; spool_dir = "spool"; };'
    echo 'fetch = { map = ( { url = "http://crl-slow.demo-ca.example/"; folder = "../slow/pub"; },'
    echo '  { url = "http://crl-fast.demo-ca.example/"; folder = "pub"; } ); };'
} >fast/both.cfg
export MASSREVOKE_CONFIG=$work/fast/both.cfg
ends 0 "the configuration" config check
ends 0 "open" open both --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate
ready both fast slow
"$program" run >run.log 2>&1 </dev/null &
runner=$!
background+=($runner)
for _ in $(seq 150); do
    [ "$(cat fast.log 2>/dev/null | wc -l)" = 100 ] && break
    sleep 0.2
done
asked=$(wc -l <slow.log)
[ "$(wc -l <fast.log)" = 100 ] && [ "$asked" -lt 20 ]
verdict $? "the fast CA has revoked its hundred while the slow one is at $asked of 20"
took=$(($(tail -n 1 fast.log | cut -d' ' -f1) - $(head -n 1 fast.log | cut -d' ' -f1)))
# twenty at once, then twenty a second: four seconds
[ "$took" -ge 3 ] && [ "$took" -le 8 ]
verdict $? "at its own pace ($took s)"
for _ in $(seq 150); do
    [ "$(wc -l <slow.log)" = 20 ] && break
    sleep 0.2
done
kill -INT $runner
wait $runner
[ $? = 130 ]
verdict $? "the engine ends 130 when it is interrupted"
[ "$(cut -d' ' -f2 slow.log fast.log | sort -u | wc -l) $(cat slow.log fast.log | wc -l)" = "120 120" ]
verdict $? "each was asked for once"
finish
