#!/bin/bash
# test_calls.sh: a CA's program is given at most ten seconds' worth of the CA's rate at a time, and a brake binds before
# its next call: what no call was given is not revoked, and goes later, once.
. "$(dirname "$0")/lib.bash"
new_ca demo 60 3
signer carol
# It takes the serials, writes down how many, and answers when the file "go" is there; one such file a call.
cat >revoke.sh <<'END'
#!/bin/sh
# revoke.sh FOLDER revoke REASON: serials on standard input
cd "$1" || exit 9
cat >given
cat given >>asked
wc -l <given >>calls
while [ ! -e go ] && [ ! -e free ]; do sleep 0.1; done
rm -f go
sed 's/$/\trevoked/' given
END
chmod +x revoke.sh

# configure RATE BURST: writes the configuration
configure() {
    {
        echo 'version = 1;'
        echo "cas = ( { name = \"program\"; backend = \"exec\"; profile = \"lines\"; rate = \"$1\"; burst = $2;"
        echo "  command = [ \"$work/revoke.sh\", \"$work\" ];"
        echo '  issuers = ( { certificate_file = "ca.pem"; crl = "http://crl.demo-ca.example/ca.crl"; } ); } );'
        echo 'approvals = { quorum = 1; approvers = ( { name = "alice"; certificate_file = "approvers/alice.crt"; },'
        echo '  { name = "bob"; certificate_file = "approvers/bob.crt"; }, { name = "carol"; certificate_file = "../carol.crt"; } ); };'
        echo 'mail = { from = "revocation@ca.example"; spool_dir = "spool"; };'
        echo 'fetch = { map = ( { url = "http://crl.demo-ca.example/"; folder = "pub"; } ); };'
    } >demo/calls.cfg
}
export MASSREVOKE_CONFIG=$work/demo/calls.cfg

# until_true COMMAND...: waits up to 30 s for it to be true
until_true() {
    for _ in $(seq 300); do "$@" && return; sleep 0.1; done
    return 1
}
calls_are() { [ "$(wc -l <calls)" -ge "$1" ]; }
count() { m status --json >now; field now "$1"; }
pending_is() { [ "$(count pending_publication)" = "$1" ]; }
called() { awk '{ n += $1 } END { print n + 0 }' calls; }

# pauses COUNT TEXT: a brake while the program works, which then answers; it has been called COUNT times, no more.
pauses() {
    ends 0 "pause $2" pause revoke --reason "a doubt"
    before=$(called)
    touch go
    until_true pending_is "$before"
    verdict $? "what it was given is recorded: $before"
    touch free
    sleep 3
    [ "$(called)" = "$before" ] && [ "$(wc -l <calls)" = "$1" ]
    verdict $? "and there is no further call"
    [ "$(count not_revoked)" = $((50 - before)) ]
    verdict $? "the rest is not revoked"
    rm free
}

# ---- two reasons, each in one chunk, as a faster CA was planned
configure 2000/s 100
touch calls
serials demo 1 6 >few.txt
serials demo 7 44 >many.txt
ends 0 "open" open calls --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate
ends 0 "inventory" inventory demo/inventory.csv
ends 0 "import" import few.txt --serials hex --rule 4.9.1.1-7
ends 0 "import more" import many.txt --serials hex --rule 4.9.1.1-12
for cohort in 1 2; do
    ends 0 "plan $cohort" plan --cohort $cohort
    ends 0 "approve $cohort" approve --key demo/approvers/bob.key --cert demo/approvers/bob.crt
done
for cohort in 1 2; do ends 0 "start $cohort" start --cohort $cohort --confirm calls; done

# ---- two a second, though the burst lets 50 go at once
configure 2/s 50
"$program" run >run.log 2>&1 </dev/null &
background+=($!)
until_true calls_are 1
verdict $? "the program is called"
[ "$(cat calls)" = 6 ]
verdict $? "with what has the first reason"
pauses 1 "while it works, and others wait that have another"
ends 0 "resume" resume --confirm calls
until_true calls_are 2
verdict $? "it is called again"
[ "$(tail -n 1 calls)" = 20 ]
verdict $? "with twenty: ten seconds' worth"
touch go
until_true calls_are 3
verdict $? "and again when it has answered"
sleep 2
pauses 3 "while it works"
touch free
ends 0 "resume" resume --confirm calls
until_true pending_is 50
verdict $? "after the pause the rest follows"
[ "$(sort asked | uniq -d | wc -l)" = 0 ] && [ "$(called)" = 50 ]
verdict $? "each certificate was given once"
[ "$(sort -n calls | tail -n 1)" -le 20 ]
verdict $? "and never more than twenty at a time"
finish
