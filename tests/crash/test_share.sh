#!/bin/bash
# test_share.sh: engines of two campaigns, and two of one, at one CA of which nginx counts every request: together they keep
# to its rolling windows; one that comes late, one that is killed and one that is done change nothing about that. When it
# tells one of them to leave it alone, another that comes then does so, too.
. "$(dirname "$(readlink -f "$0")")/../lib/live.sh"
command -v nginx >/dev/null || { echo "ok     nginx is not installed: not tested"; finish; }

window=30 seconds=3 # requests in any so many
away=12             # seconds, when it wants to be left alone
new_ca shared 900
for port in $(shuf -i 20000-29999 -n 50); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break; done
cat >"$work/nginx.conf" <<END
daemon off; pid $work/nginx.pid; error_log $work/nginx.log; worker_processes 1;
events {}
http {
    log_format when '\$msec \$request_uri'; access_log $work/arrivals when; keepalive_requests 100000;
    client_body_temp_path $work/t1; proxy_temp_path $work/t2; fastcgi_temp_path $work/t3; uwsgi_temp_path $work/t4;
    scgi_temp_path $work/t5; default_type application/json;
    server { listen 127.0.0.1:$port;
        location / { if (-f $work/busy) { add_header Retry-After $away always; return 429; } return 200 '{"success":true}'; } }
}
END
nginx -p "$work" -c nginx.conf >"$work/nginx.out" 2>&1 </dev/null &
for _ in $(seq 100); do [ -s "$work/nginx.pid" ] && break; sleep 0.1; done
[ -s "$work/nginx.pid" ]
verdict $? "nginx listens"
cat >"$ca/profile.cfg" <<'END'
version = 1; name = "counted"; keeps_first_date = true; quiet = "5s"; concurrency = 5;
reasons = ( { reason = "superseded"; word = "superseded"; } );
revoke = { method = "POST"; path = "/revoke/{serial.hex}"; body = "{reason.name}";
           answers = ( { http = 200; json = "/success"; is = "true"; outcome = "revoked"; },
                       { http = 429; outcome = "wait"; } ); };
END
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/carol.key" -out "$work/carol.crt" -subj /CN=carol -days 30 \
    -addext keyUsage=digitalSignature -addext extendedKeyUsage=emailProtection 2>/dev/null
cat >"$ca/counted.cfg" <<END
version = 1;
cas = ( { name = "counted"; backend = "http"; profile = "$ca/profile.cfg"; url = "http://127.0.0.1:$port";
  windows = ( { rate = "$window/${seconds}s"; }, { rate = "110/12s"; } );
  issuers = ( { certificate_file = "ca.pem"; crl = "http://crl.demo-ca.example/ca.crl"; } ); } );
approvals = { quorum = 1; approvers = ( { name = "alice"; certificate_file = "approvers/alice.crt"; },
  { name = "bob"; certificate_file = "approvers/bob.crt"; }, { name = "carol"; certificate_file = "../carol.crt"; } ); };
mail = { from = "revocation@ca.example"; spool_dir = "spool"; };
fetch = { map = ( { url = "http://crl.demo-ca.example/"; folder = "pub"; } ); };
END
commander() { mr "$@"; } # no demo: whoever is logged in
MASSREVOKE_CONFIG=$ca/counted.cfg
serials >"$work/all"
sed -n '1,110p' "$work/all" >"$work/one"
sed -n '251,340p' "$work/all" >"$work/two"
sed -n '401,420p' "$work/all" >"$work/three"
new_campaign one immediate "$work/one"
new_campaign two immediate "$work/two"

engine() { "$program" run --campaign "$1" --only execute </dev/null >>"$work/$2.log" 2>&1 & }
sent() { cut -d' ' -f2 "$work/arrivals" 2>/dev/null | sort -u | wc -l; }
until_sent() { for _ in $(seq 300); do [ "$(sent)" -ge "$1" ] && return; sleep 0.3; done; }
engine one first
first=$!
until_sent 40
engine two second
engine one third
until_sent 100
kill -9 $first
wait $first 2>/dev/null
engine one fourth
until_sent 200
same "every certificate was asked for" "$(sent)" 200

# 31 within less than four fifths of three seconds left too early; a busy machine reads some of them late
same "no window ever held more" "$(cut -d' ' -f1 "$work/arrivals" | sort -n | awk -v n=$window -v s=$seconds '
    { at[NR] = $1; if (NR > n && at[NR] - at[NR - n] < 0.8 * s) print at[NR] - at[NR - n] }' | head -n 3)" ""

new_campaign three immediate "$work/three"
: >"$work/arrivals"
touch "$work/busy"
engine three fifth
first=$!
for _ in $(seq 100); do
    mr status --campaign three --json | grep -q 'away: it wants to be left alone until' && break
    sleep 0.1
done
mr status --campaign three | grep -q 'STOPPED *counted'
verdict $? "status tells that the CA wants to be left alone"
asked=$(tail -n 1 "$work/arrivals" | cut -d' ' -f1)
kill -9 $first
wait $first 2>/dev/null
rm "$work/busy"
engine three sixth
for _ in $(seq 100); do [ "$(sent)" -ge 20 ] && break; sleep 0.3; done
same "all of the third campaign were asked for" "$(sent)" 20
same "nothing was before the CA wanted it" "$(cut -d' ' -f1 "$work/arrivals" | awk -v t="$asked" -v s=$away \
    '$1 > t && $1 < t + s - 1' | head -n 3)" ""
for number in first second third fourth fifth sixth; do grep -qi 'error\|internal' "$work/$number.log" && sed 's/^/    /' "$work/$number.log"; done
finish
