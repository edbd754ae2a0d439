# live.sh: a demo CA, a private database and a campaign by hand, for the scripts that test the real program. Source it;
# everything lies below a folder of its own that goes away. $MASSREVOKE is the program.
set -u
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." || exit 1
root=$PWD
program=${MASSREVOKE:-$root/build/release/massrevoke}
psql=$(command -v psql || ls /usr/lib/postgresql/*/bin/psql 2>/dev/null | tail -n 1)
work=$(mktemp -d "${TMPDIR:-/dev/shm}/live.XXXXXX") && chmod 711 "$work" || exit 1
export MASSREVOKE_STATE=$work/state
unset MASSREVOKE_CAMPAIGN MASSREVOKE_CONFIG
failed=0
# shellcheck disable=SC2154
# an engine still at work must not keep the database alive
go() {
    code=$?
    local left
    left=$(jobs -p)
    # shellcheck disable=SC2086
    [ -z "$left" ] || { kill -9 $left; wait; } 2>/dev/null
    "$program" db stop >/dev/null 2>&1 || kill -INT "$(postmaster)" 2>/dev/null
    rm -rf "$work"
    exit "$code"
}
trap go EXIT
trap 'exit 130' INT TERM

verdict() { # verdict STATUS TEXT
    if [ "$1" = 0 ]; then echo "ok     $2"; else echo "not ok $2"; failed=1; fi
}
same() { # same TEXT GOT WANT
    [ "$2" = "$3" ]
    verdict $? "$1$([ "$2" = "$3" ] || printf ': %.300s instead of %.300s' "$2" "$3")"
}

cluster() { if [ -e "$MASSREVOKE_STATE/cluster.pointer" ]; then cat "$MASSREVOKE_STATE/cluster.pointer"; else echo "$MASSREVOKE_STATE/cluster"; fi; }
sql() { "$psql" -XAtq "host=$(cluster)/socket port=5432 user=massrevoke dbname=postgres" -v ON_ERROR_STOP=1 \
    -c 'SET search_path TO massrevoke' -c "$1"; }
postmaster() { head -n 1 "$(cluster)/data/postmaster.pid"; }

mr() { "$program" "$@" </dev/null; }
commander() { mr "$@" --as olga; }

# new_ca NAME COUNT [RATE]: a demo CA; the configuration in use from now on.
new_ca() {
    mr ca new "$work/$1" --count "$2" --subscribers 20 --seed 3 >/dev/null 2>&1 || exit 1
    use_ca "$1" "${3:-2000/s}"
}
use_ca() {
    export MASSREVOKE_CONFIG=$work/$1/massrevoke.cfg
    ca=$work/$1
    sed -i '/^    rate = /d; s|^    directory = "."; *$|&\n    rate = "'"$2"'";|' "$MASSREVOKE_CONFIG"
}
serials() { cut -f 4 "$ca/index.txt"; }
# who has been revoked, when and why
revoked() { awk -F '\t' '$1 == "R" { print $4, $3 }' "$ca/index.txt" | sort; }

approve() { mr approve --key "$ca/approvers/alice.key" --cert "$ca/approvers/alice.crt" "$@"; }
moment() { date -u -d "$1" +%FT%TZ; }
# new_campaign NAME PROFILE LIST: received an hour ago and planned as if half an hour ago, so that all is due; ready to run
new_campaign() {
    export MASSREVOKE_CAMPAIGN=$1
    { commander open "$1" --rule 4.9.1.1-12 --received "$(moment '-1 hour')" --profile "$2" &&
        commander import "$3" --serials hex && commander inventory "$ca/inventory.csv" &&
        commander plan --at "$(moment '-30 min')" && approve && commander start --confirm "$1"; } >"$work/log" 2>&1 ||
        { cat "$work/log"; exit 1; }
    id=$(sql "SELECT campaign FROM campaign WHERE name = '$1'")
}

# pages ID: state bytes and counters
pages() {
    sql "SELECT page, encode(states, 'hex'), revoked, pending_publication, not_revoked, held, expired, unknown, withdrawn
           FROM page WHERE campaign = $1 ORDER BY page"
}
# in_order ID: every invariant, and a log without a gap; prints what is wrong
in_order() {
    local file
    for file in sql/invariant/*.sql; do sql "$(sed "s/\$1/$1/g" "$file")"; done
    sql "SELECT 'the log has a gap' FROM log WHERE campaign = $1 AND
           (size, size - 1) <> (SELECT count(*), max(seq) FROM event WHERE campaign = $1)"
}
# twice ID: numbers with more than one answer "revoked now"
twice() {
    sql "SELECT page, o FROM result r, unnest(offsets) WITH ORDINALITY u(o, i)
          WHERE campaign = $1 AND get_byte(outcomes, i::int - 1) = 0 GROUP BY 1, 2 HAVING count(*) > 1"
}
finish() { [ $failed = 0 ] && echo "all good"; exit $failed; }
