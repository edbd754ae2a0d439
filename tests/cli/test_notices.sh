#!/bin/bash
# test_notices.sh: who is told what and when: one message a contact with all its certificates, the backups after
# silence or a refused address, nobody after an answer.
if [ -z "${MASSREVOKE_TEST_NET:-}" ] && unshare -n true 2>/dev/null && command -v ip >/dev/null; then
    # shellcheck disable=SC2016
    MASSREVOKE_TEST_NET=1 exec unshare -n sh -c 'ip link set lo up && exec bash "$@"' - "$0" "$@"
fi
. "$(dirname "$0")/lib.bash"
new_ca demo 20 4
sed 's/^name = .*/name = "quick";/; s/^backup_after = "[^"]*"/backup_after = "8s"/' "$here/../../plans/profiles/tls-5-day.cfg" >quick.cfg
alice="--key demo/approvers/alice.key --cert demo/approvers/alice.crt"
all() { serials demo 1 20; }
of() { sed -n "s/^\"[^\"]*\",\\([0-9A-F]*\\),$1,.*/\\1/p" demo/inventory.csv; }
to() { grep -l -- "^To:.*<$1>\|^To: $1" "$spool"/*.eml 2>/dev/null; }
told() { to "$1" | wc -l; }
header='subscriber,role,tier,name,email,language,timezone,phone,class'

# campaign NAME CONTACTS [AGE]: started, with the quick profile
campaign() {
    m open "$1" --rule 4.9.1.1-12 --received "$(ago "${3:-1 hour}")" --profile ./quick.cfg >out
    all | "$program" import -c "$1" --serials hex - >out 2>&1
    m inventory -c "$1" demo/inventory.csv >out
    m contacts -c "$1" "$2" >out
    m plan -c "$1" >out 2>&1
    # shellcheck disable=SC2086
    m approve -c "$1" $alice >out
    m start -c "$1" --confirm "$1" >out
}

# ---- to the spool: 1 silent, 2 answers, 3 has nobody, 4 has two primary contacts
spool=$work/demo/spool
{ echo "$header"
  echo 'sub-0001,primary,0,One,one@a.example,en,UTC,,'
  echo 'sub-0001,backup,0,One B,one-b@a.example,en,UTC,,'
  echo 'sub-0002,primary,0,Two,two@b.example,en,UTC,,'
  echo 'sub-0002,backup,0,Two B,two-b@b.example,en,UTC,,'
  echo 'sub-0004,primary,0,Vier Ä,four@d.example,en,UTC,,'
  echo 'sub-0004,primary,1,Four Two,four-2@d.example,en,UTC,,'; } >contacts.csv
m open early --rule 4.9.1.1-12 --received "$(ago '1 hour')" >out
all | "$program" import -c early --serials hex - >out 2>&1
m inventory -c early demo/inventory.csv >out
m contacts -c early contacts.csv >out
ends 8 "a heads-up rendered only" notify -c early --dry-run --json
[ "$(field out messages) $(field out unreachable) $(find "$spool" -type f | wc -l)" = "4 1 0" ]
verdict $? "four messages, one subscriber without contact, none sent"
ends 8 "a heads-up needs no plan" notify -c early
[ "$(told one@a.example) $(told two@b.example) $(told four@d.example) $(told four-2@d.example) $(told one-b@a.example)" = "1 1 1 1 0" ]
verdict $? "each primary contact has one message, no backup has any"
ends 2 "a kind that is not there" notify -c early --kind rumour
rm -f "$spool"/*.eml

campaign spool contacts.csv
ends 0 "run --once" run -c spool --once
[ "$(told one@a.example) $(told two@b.example) $(told four@d.example) $(told four-2@d.example) $(told one-b@a.example)" = "1 1 1 1 0" ]
verdict $? "first notices: one message a primary contact"
[ "$(find "$spool" -type f ! -perm 600 | wc -l) $(find "$spool" -name '*.tmp' | wc -l)" = "0 0" ]
verdict $? "spool files are 0600 and complete"
letter=$(to one@a.example)
missing=0
tr -d '\r' <"$letter" | sed ':a; /=$/ { N; s/=\n//; ba }' >letter.txt
{ cat letter.txt; sed -n '/certificates.csv/,$p' letter.txt | grep -E '^[A-Za-z0-9+/]{20,}={0,2}$' | base64 -d 2>/dev/null; } >whole.txt
for serial in $(of sub-0001); do grep -q "$serial" whole.txt || missing=1; done
for serial in $(of sub-0002); do ! grep -q "$serial" whole.txt || missing=1; done
[ $missing = 0 ] && [ "$(of sub-0001 | wc -l)" -gt 1 ]
verdict $? "it holds all certificates of its subscriber and nobody else's"
ends 0 "an answer" ack -c spool sub-0002
ends 0 "a second answer" ack -c spool sub-0002
ends 1 "an answer of nobody" ack -c spool sub-9999
ends 0 "run --once again" run -c spool --once
[ "$(find "$spool" -type f | wc -l)" = 4 ]
verdict $? "nobody is told twice"
sleep 8.5 # longer than backup_after, which is long enough for a busy machine to come here first
ends 0 "pause notify" pause -c spool notify
says out 'Notices that are not sent: 1, due within an hour: 1.' "says what the pause keeps back"
lacks out 'is dealt' "and nothing of what goes on"
by=$(sed -n 's/^Notices must go on by \([^ ]*\) (within .*), and none comes later than its milestone or hour\.$/\1/p' out)
# receipt an hour ago, the latest first notice 12 h after it, silence of 8 s
late=$(($(date -d "$by" +%s) - $(date +%s)))
[ $late -gt $((10 * 3600)) ] && [ $late -le $((11 * 3600)) ]
verdict $? "and by when it must end for the backup's milestone ($late s from now)"
ends 0 "run --once while notices are paused" run -c spool --once
[ "$(find "$spool" -type f | wc -l)" = 4 ]
verdict $? "a pause of notices is a pause"
ends 0 "resume" resume -c spool --confirm spool
ends 0 "run --once after the silence" run -c spool --once
[ "$(told one-b@a.example)" = 1 ]
verdict $? "silence leads to the backup"
campaign behind contacts.csv '20 hours'
ends 0 "pause of what should have been sent" pause -c behind notify
says out 'Notices that are not sent: 4, due within an hour: 4.' "counts it"
says out 'Too late already: 4, and later each hour.' "and says that it is late"
lacks out 'must go on by' "no time is left to go on by"
[ "$(told two-b@b.example)" = 0 ]
verdict $? "an answer does not"

# ---- through a relay that refuses one address and puts off another
postfix=/usr/sbin/postfix
if [ "$(id -u)" != 0 ] || [ ! -x $postfix ] || ! id postfix >/dev/null 2>&1; then
    echo "skip - the relay: needs root and postfix"
    finish
fi
mail=$(mktemp -d /tmp/massrevoke-postfix-XXXXXX)
chmod 755 "$mail"
mkdir "$mail"/{queue,data,mail}
chown postfix: "$mail"/data "$mail"/mail
port=$((20000 + $$ % 20000))
cat >"$mail/master.cf" <<END
127.0.0.1:$port inet n - n - 10 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - n n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - 10 virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
END
cat >"$mail/main.cf" <<END
compatibility_level = 3.6
queue_directory = $mail/queue
data_directory = $mail/data
maillog_file = $mail/log
maillog_file_prefixes = $mail
myhostname = relay.ca.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
local_recipient_maps =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access inline:{ { gone@c.example = 550 5.1.1 no such person } }, permit_mynetworks, reject
virtual_mailbox_domains = a.example b.example c.example
virtual_mailbox_base = $mail/mail
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:$(id -u postfix)
virtual_gid_maps = static:$(id -g postfix)
disable_dns_lookups = yes
END
relay_end() {
    $postfix -c "$mail" stop >/dev/null 2>&1
    rm -rf -- "$mail"
    tidy
}
trap relay_end EXIT
if ! $postfix -c "$mail" start >"$mail/start" 2>&1; then
    echo "skip - the relay did not start: $(tail -n 1 "$mail/start")"
    finish
fi
for _ in $(seq 100); do (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.05; done
sed "s|spool_dir = \"spool\"|relay_url = \"smtp://127.0.0.1:$port\"|" demo/massrevoke.cfg >demo/relay.cfg
export MASSREVOKE_CONFIG=$work/demo/relay.cfg
{ echo "$header"
  echo 'sub-0001,primary,0,One,one@a.example,en,UTC,,'
  echo 'sub-0001,backup,0,One B,one-b@a.example,en,UTC,,'
  echo 'sub-0002,primary,0,Gone,gone@c.example,en,UTC,,'
  echo 'sub-0002,backup,0,There,there@c.example,en,UTC,,'; } >relay.csv
campaign relay relay.csv
timeout 20 "$program" run -c relay --once >out 2>err </dev/null
verdict $? "run --once through the relay"
inbox() { grep -lr -- "$1" "$mail/mail" 2>/dev/null | wc -l; }
for _ in $(seq 60); do [ "$(inbox '^Delivered-To: there@c.example')" = 1 ] && break; sleep 0.1; done
[ "$(inbox '^Delivered-To: one@a.example') $(inbox '^Delivered-To: there@c.example')" = "1 1" ]
verdict $? "a refused address leads to the backup at once"
[ "$(inbox '^Delivered-To: one-b@a.example')" = 0 ]
verdict $? "a taken one does not"
finish
