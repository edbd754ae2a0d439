#!/bin/bash
# test_brake.sh: what brakes say while an engine has everything claimed and a slow CA works on it: what a pause costs,
# what a hold no longer binds, and who hears of it when that one is revoked all the same.
. "$(dirname "$0")/lib.bash"
new_ca demo 60 3
signer carol
# It takes the serials and answers when the file "go" is there.
cat >revoke.sh <<'END'
#!/bin/sh
# revoke.sh FOLDER revoke REASON: serials on standard input
cat >>"$1/asked"
while [ ! -e "$1/go" ]; do sleep 0.1; done
sed 's/$/\trevoked/' "$1/asked"
END
chmod +x revoke.sh
{
    echo 'version = 1;'
    echo 'cas = ( { name = "slow"; backend = "exec"; profile = "lines"; rate = "100/s"; burst = 100;'
    echo "  command = [ \"$work/revoke.sh\", \"$work\" ];"
    echo '  issuers = ( { certificate_file = "ca.pem"; crl = "http://crl.demo-ca.example/ca.crl"; } ); } );'
    echo 'approvals = { quorum = 1; approvers = ( { name = "alice"; certificate_file = "approvers/alice.crt"; },'
    echo '  { name = "bob"; certificate_file = "approvers/bob.crt"; }, { name = "carol"; certificate_file = "../carol.crt"; } ); };'
    echo 'mail = { from = "revocation@ca.example"; spool_dir = "spool"; };'
    echo 'fetch = { map = ( { url = "http://crl.demo-ca.example/"; folder = "pub"; } ); };'
} >demo/slow.cfg
export MASSREVOKE_CONFIG=$work/demo/slow.cfg

# until_true COMMAND...: waits up to 20 s for it to be true
until_true() {
    for _ in $(seq 200); do "$@" && return; sleep 0.1; done
    return 1
}

serials demo 1 40 >list.txt
ends 0 "open" open brake --rule 4.9.1.1-12 --received "$(ago '1 hour')" --profile immediate
ends 0 "import" import list.txt --serials hex
ends 0 "inventory" inventory demo/inventory.csv
ends 0 "plan" plan
ends 0 "approve" approve --key demo/approvers/bob.key --cert demo/approvers/bob.crt
ends 0 "start" start --confirm brake
"$program" run >run.log 2>&1 </dev/null &
runner=$!
background+=($runner)
until_true test -s asked
verdict $? "the CA has been asked, and takes its time"

# ---- a pause
ends 0 "pause" pause --reason "phones melt"
says out 'Resume by 20' "it names the moment to resume by, though all is claimed"
lacks out 'waiting costs nothing' "and does not say that nothing is left"
ends 0 "resume" resume --confirm brake
says out 'It must go on by 20' "resume says it too"
touch go
finish
