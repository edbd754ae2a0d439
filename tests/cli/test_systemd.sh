#!/bin/bash
# test_systemd.sh: are the units in scripts/systemd right (systemd-analyze verify, which starts nothing), kept as tight as
# they can be, and do they name commands that there are?
. "$(dirname "$0")/lib.bash"
command -v systemd-analyze >/dev/null || { echo "no systemd-analyze here"; exit 77; }
units=$here/../../scripts/systemd
mkdir root
for unit in "$units"/*.service; do
    sed "s|/usr/local/bin/massrevoke|$(readlink -f "$program")|; s|^User=.*|User=root|; s|^Group=.*|Group=root|" "$unit" >"root/${unit##*/}"
done
cd root || exit 1
for unit in *.service; do
    name=$unit
    [ "$unit" = massrevoke@.service ] && name=massrevoke@2026-11-rdn.service && cp "$unit" "$name"
    SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no --recursive-errors=no "./$name" >../out 2>&1
    verdict $? "$unit is right"
    # about other units of the machine nothing is asked
    ! grep -F "$name" ../out
    verdict $? "and nothing is said about it"
    SYSTEMD_LOG_LEVEL=err systemd-analyze security --offline=true --threshold=25 "./$name" >../out 2>&1
    verdict $? "$unit is exposed at 2.5 of 10 at most: $(tail -n 1 ../out | tr -dc '0-9. ' | sed 's/^ *//; s/ *$//')"
done
# what would not be seen proves nothing
sed 's|^ExecStart=.*|ExecStart=/nonexistent/massrevoke|' massrevoke-db.service >broken.service
! systemd-analyze verify --man=no --recursive-errors=no ./broken.service >/dev/null 2>&1
verdict $? "a unit without its program is not"
sed -n 's|^Exec[A-Za-z]*=/usr/local/bin/massrevoke ||p' "$units"/*.service >commands
[ "$(wc -l <commands)" = 3 ]
verdict $? "three commands"
while read -r line; do
    words=$(echo "$line" | sed 's/--campaign %i //')
    # shellcheck disable=SC2086
    "$program" $words --help >/dev/null 2>&1
    verdict $? "massrevoke $words is a command"
done <commands
! sed '/^ *#/d' "$units"/*.service | grep -q 'Restart=always\|Type=notify'
verdict $? "nothing is promised that run does not do"
finish
