# lib.bash - what the scripts of this folder share: a state of their own, checks that print "ok" or "not ok", a demo
# CA. Sourced by test_*.sh.
# shellcheck shell=bash disable=SC2034
set -u
umask 022
program=${MASSREVOKE:-${1:-$PWD/build/massrevoke}}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/cli.XXXXXX") || exit 1
chmod 711 "$work"
export MASSREVOKE_STATE=$work/state
unset MASSREVOKE_CAMPAIGN MASSREVOKE_CONFIG SUDO_USER
cd "$work" || exit 1
failed=0
background=()

# Ends what was started here, and the databases made here.
tidy() {
    local pid
    for pid in ${background[@]+"${background[@]}"}; do kill "$pid" 2>/dev/null; done
    wait
    "$program" db stop >/dev/null 2>&1
    cd / && rm -rf -- "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM

verdict() { # verdict STATUS TEXT
    if [ "$1" = 0 ]; then echo "ok - $2"; else echo "not ok - $2"; failed=1; fi
}

finish() { exit $failed; }

m() { "$program" "$@" </dev/null; }

# ends CODE TEXT WORDS...: the program's exit code; its output is in $work/out and $work/err.
ends() {
    local want=$1 text=$2 got
    shift 2
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    [ $got = "$want" ]
    verdict $? "$text (exit $want)"
    [ $got = "$want" ] || { echo "    exit $got of: $*"; head -n 5 "$work/out" "$work/err" | sed 's/^/    /'; }
}

# says FILE TEXT WHAT: FILE (out, err, or a path) holds the fixed text.
says() {
    grep -qF -- "$2" "$1"
    verdict $? "$3"
    grep -qF -- "$2" "$1" || { echo "    no '$2' in:"; head -n 8 "$1" | sed 's/^/    /'; }
}
lacks() {
    ! grep -qF -- "$2" "$1"
    verdict $? "$3"
}

# field FILE KEY: a number or word of a JSON object, by its key.
field() { sed -n "s/^ *\"$2\": \"\\{0,1\\}\\([^\",]*\\).*/\\1/p" "$1" | head -n 1; }

# ago LENGTH: that long before now, as the program takes it ("1 hour").
ago() { date -u -d "-$1" +%FT%TZ; }

# demo DIR COUNT SUBSCRIBERS MORE...: a demo CA, and its configuration in the environment.
demo() {
    "$program" ca new "$@" >/dev/null 2>&1 || { echo "not ok - ca new $*"; exit 1; }
    export MASSREVOKE_CONFIG=$work/$1/massrevoke.cfg
}
new_ca() { local dir=$1; shift; demo "$dir" --count "$1" --subscribers "$2" "${@:3}"; }

# signer NAME: NAME.key and NAME.crt here, of one more person who may approve.
signer() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.crt" -subj "/CN=$1" -days 30 \
        -addext keyUsage=digitalSignature -addext extendedKeyUsage=emailProtection 2>/dev/null
}

# serials DIR FIRST COUNT: serials of a demo CA, from its index.
serials() { cut -f 4 "$1/index.txt" | tail -n "+$2" | head -n "$3"; }

# waiting: how many certificates of the only cohort a plan would hold now.
waiting() { m plan --dry-run --json 2>/dev/null >"$work/plan" && field "$work/plan" certificates || echo 0; }

# ready CAMPAIGN DIR...: lists and inventories of these demo CAs, whose CRLs are at crl-DIR.demo-ca.example, in a campaign
# that is open; planned, signed by the first one's bob, started.
ready() {
    local name=$1 first=$2 ca
    shift
    for ca; do
        serials "$ca" 1 9999 >"$ca.txt"
        ends 0 "the list of $ca" import "$ca.txt" --serials hex --issuer "$ca/ca.pem"
        sed "s/^\"[^\"]*\",//; 1s/^issuer,//; s|crl.demo-ca|crl-$ca.demo-ca|" "$ca/inventory.csv" >"$ca.csv"
        ends 0 "the inventory of $ca" inventory "$ca.csv" --issuer "$ca/ca.pem"
    done
    ends 0 "plan" plan
    ends 0 "approve" approve --key "$first/approvers/bob.key" --cert "$first/approvers/bob.crt"
    ends 0 "start" start --confirm "$name"
}

# sql TEXT: in the database certdb, or $db, of the private server.
sql() { psql -X -q -At -v ON_ERROR_STOP=1 -h "$base" -U massrevoke -d "${db:-certdb}" -c "$1"; }

# certdb: makes cfssl's tables there; $base is the server's socket folder, hex(serial) the number in SQL.
certdb() {
    ends 0 "the database" db start
    base=$(m db status | sed -n 's/^Private cluster: .* in \(.*\), running\.$/\1/p')/socket
    db=postgres sql "CREATE DATABASE certdb"
    sql "CREATE TABLE certificates (serial_number text, authority_key_identifier text, ca_label text, status text, reason int,
         expiry timestamptz, revoked_at timestamptz, pem text, PRIMARY KEY (serial_number, authority_key_identifier))"
    sql "CREATE FUNCTION hex(h text) RETURNS text LANGUAGE plpgsql AS \$\$ DECLARE n numeric := 0; BEGIN
         FOR i IN 1 .. length(h) LOOP n := n * 16 + strpos('123456789ABCDEF', substr(h, i, 1)); END LOOP; RETURN n::text; END \$\$"
}

# issued AKI: good rows for the serials on standard input.
issued() {
    sql "$(while read -r serial; do
        echo "INSERT INTO certificates VALUES (hex('$serial'), '$1', '', 'good', 0, now() + interval '1 year', NULL, '-');"
    done)"
}
