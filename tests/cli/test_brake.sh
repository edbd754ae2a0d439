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
cat >pager <<END
#!/bin/sh
echo "\$MASSREVOKE_ALERT_KIND" >>"$work/paged"
END
chmod +x revoke.sh pager
touch paged
{
    echo 'version = 1;'
    echo 'cas = ( { name = "slow"; backend = "exec"; profile = "lines"; rate = "100/s"; burst = 100;'
    echo "  command = [ \"$work/revoke.sh\", \"$work\" ];"
    echo '  issuers = ( { certificate_file = "ca.pem"; crl = "http://crl.demo-ca.example/ca.crl"; } ); } );'
    echo 'approvals = { quorum = 1; approvers = ( { name = "alice"; certificate_file = "approvers/alice.crt"; },'
    echo '  { name = "bob"; certificate_file = "approvers/bob.crt"; }, { name = "carol"; certificate_file = "../carol.crt"; } ); };'
    echo 'mail = { from = "revocation@ca.example"; spool_dir = "spool"; };'
    echo "alert = { command = [ \"$work/pager\" ]; };"
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

# ---- a hold and a drop of what the CA has been asked for
serials demo 41 2 >late.txt
ends 0 "a further list" import late.txt --serials hex --confirm brake
{ read -r one; read -r two; read -r three; read -r four; } <list.txt
read -r late <late.txt
ends 8 "a court hold" hold --court "order 7" "$one" "$late" "$two"
says out 'binds now: 1 certificates' "counts what it binds"
says out 'It does not bind 2.' "and what it does not"
says out "$one  asked already" "names it, and why"
lacks out "$late" "and not the one that it binds"
ends 8 "a hold as JSON" hold --court "order 8" "$three" "$late" --json
says out '"binds": 1' "tells what it binds"
says out '"not_bound": 1' "and what not"
[ "$(tr -d ' \n' <out)" = '{"hold":2,"binds":1,"not_bound":1,"certificates":[{"serial":"'"$three"'","state":"asked","binds":false},{"serial":"'"$late"'","state":"waiting","binds":true}]}' ]
verdict $? "one by one"
ends 0 "a drop" drop "$four" --reason "not ours" --confirm brake
says out "$four  asked already" "is noted too"
yet() { m status --json >now; echo "$(field now held_yet_revoked) $(field now dropped_yet_revoked)"; }
[ "$(yet)" = "0 0" ]
verdict $? "as yet nothing is revoked that was not to be"

# ---- the CA had been asked: it revokes them all the same
touch go
all_told() { [ "$(yet)" = "3 1" ]; }
until_true all_told
verdict $? "status counts three that are held and one that was dropped"
m status >screen
says screen '3 held, yet revoked' "the screen says so first"
called() { [ "$(grep -cx brake paged)" = 2 ]; }
until_true called || until_true called # causes are looked for every quarter of a minute
verdict $? "an alert calls for each"
m alert list >alerts
says alerts '3 held certificates are revoked: the CA had been asked before' "and says what happened"
says alerts '1 dropped certificates are revoked' "of both"
[ "$(wc -l <screen)" -le 23 ] && [ "$(awk 'length > n { n = length } END { print n }' screen)" -le 80 ]
verdict $? "the screen fits"
ends 8 "a hold that comes when the CA has recorded it" hold --court "order 9" "$(sed -n 9p list.txt)"
says out 'binds now: 0 certificates' "binds nothing"
says out 'too late' "and says why"
[ "$(yet)" = "3 1" ]
verdict $? "that one was told, and is no news later"
finish
