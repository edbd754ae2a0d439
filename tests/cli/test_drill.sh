#!/bin/sh
# test_drill.sh [PROGRAM]: the shipped drill meets its expectations, twice the same; sabotaged it does not, and says
# which; wrong scenarios and folders are refused. PROGRAM: else $MASSREVOKE.
set -u
program=${1:-$MASSREVOKE}
root=$(cd "$(dirname "$0")/../.." && pwd)
scenario=$root/plans/drills/cfca-2098.cfg
work=$(mktemp -d)
chmod 711 "$work"
MASSREVOKE_STATE=${MASSREVOKE_STATE:-$work/state}
export MASSREVOKE_STATE
trap '"$program" db stop >/dev/null 2>&1; rm -rf "$work"' EXIT
unset MASSREVOKE_CONFIG MASSREVOKE_CAMPAIGN
failed=0

verdict() { # verdict STATUS TEXT
    if [ "$1" = 0 ]; then echo "ok     $2"; else echo "not ok $2"; failed=1; fi
}

drill() { # drill CODE FILE OUT OPTIONS...: the exit code
    want=$1 file=$2 out=$3
    shift 3
    "$program" drill "$file" --out "$out" "$@" >"$work/out" 2>"$work/err"
    got=$?
    [ $got = "$want" ] || { tail -n 5 "$work/err"; false; }
    verdict $? "drill $(basename "$file") $* ends $want (got $got)"
}

names() { # names ID: standard error and the after-action report name a failed expectation
    grep -q "^NOT MET  $1: " "$work/err" && grep -q "| $1 | .*NOT MET" "$2/after-action.md"
    verdict $? "$1 is named"
}

wrong() { # wrong CODE TEXT SED: a changed scenario ends CODE, its message holds TEXT, nothing is made
    sed "$3" "$scenario" >"$work/wrong.cfg"
    ! cmp -s "$scenario" "$work/wrong.cfg"
    verdict $? "the change '$3' takes"
    drill "$1" "$work/wrong.cfg" "$work/none"
    grep -q "$2" "$work/err" && [ ! -e "$work/none" ]
    verdict $? "it says '$2' and makes nothing"
}

# the same drill twice: 0, and the same but for hashes
drill 0 "$scenario" "$work/a"
drill 0 "$scenario" "$work/b"
for file in progress.md full.md affected.csv schedule.csv timeline.csv after-action.md status.json evidence/events.jsonl; do
    sed -E 's/\b([0-9a-f]{64}|[0-9A-F]{64})\b/HASH/g' "$work/a/$file" >"$work/a.masked"
    sed -E 's/\b([0-9a-f]{64}|[0-9A-F]{64})\b/HASH/g' "$work/b/$file" >"$work/b.masked"
    [ -s "$work/a.masked" ] && cmp -s "$work/a.masked" "$work/b.masked"
    verdict $? "$file is the same twice, but for hashes"
done
(cd "$work/a/spool" && ls) >"$work/a.masked"
(cd "$work/b/spool" && ls) >"$work/b.masked"
cmp -s "$work/a.masked" "$work/b.masked" && [ "$(wc -l <"$work/a.masked")" -ge 160 ]
verdict $? "the same messages lie in the spool"
(cd "$work/a/evidence" && sha256sum --quiet -c SHA256SUMS)
verdict $? "the evidence folder's sums are right"

# what it says is what a stranger finds in the CRL
openssl crl -inform DER -in "$work/a/pub/ca.crl" -CAfile "$work/a/ca/ca.pem" -noout -text 2>&1 >"$work/crl" | grep -q 'verify OK'
verdict $? "openssl verifies the CRL at the distribution point"
[ "$(grep -c 'Serial Number:' "$work/crl")" = 2070 ] && [ "$(grep -c Superseded "$work/crl")" = 2070 ]
verdict $? "it lists 2,070 certificates as superseded"
sed -n 's/^ *Serial Number: //p' "$work/crl" | sort >"$work/crl.serials"
tail -n +2 "$work/a/affected.csv" | grep -c ',Yes,' | grep -qx 2070
verdict $? "the affected list says Yes 2,070 times"

# sabotage: the live code notices. With fewer certificates, for this one never ends early
sed 's/kind = "crl_late"; lasts = "4h";/kind = "crl_issuer_flip";/
     s/certificates = 2098; /certificates = 300; /; s/"2098"/"300"/; s/"2070"/"272"/' "$scenario" >"$work/flip.cfg"
drill 8 "$work/flip.cfg" "$work/flip"
names complete "$work/flip"
names in-time "$work/flip"
grep -q '^NOT MET  all-counted' "$work/err"
[ $? = 1 ]
verdict $? "they are counted all the same"
sed 's,^// profile_changes,profile_changes,' "$scenario" >"$work/nobackup.cfg"
drill 8 "$work/nobackup.cfg" "$work/nobackup"
names backups "$work/nobackup"
names answers "$work/nobackup"
grep -q '^NOT MET  complete' "$work/err"
[ $? = 1 ]
verdict $? "what does not depend on it is met all the same"

# refusals
wrong 3 'wrong.cfg:[0-9]*: populatoin' 's/^population/populatoin/'
wrong 3 'shares add up to 99' 's/share = 55/share = 54/'
wrong 3 'lies before the inject above' 's/at = "20h"/at = "200m"/'
wrong 3 'required for drop' 's/kind = "pause"/kind = "drop"/'
wrong 3 "no profile 'tls-5-days', did you mean tls-5-day" 's/"tls-5-day"/"tls-5-days"/'
wrong 3 "'many' is no number" 's/value = "2070"/value = "many"/'
mkdir "$work/full"
echo mine >"$work/full/file"
drill 6 "$scenario" "$work/full"
[ "$(cat "$work/full/file")" = mine ] && [ "$(ls "$work/full")" = file ]
verdict $? "the folder is untouched"
drill 3 "$work/missing.cfg" "$work/none"
"$program" drill "$scenario" >/dev/null 2>&1
[ $? = 2 ]
verdict $? "without --out it ends 2"

[ $failed = 0 ]
