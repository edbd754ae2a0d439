#!/bin/bash
# test_publishers.sh: CRLs and OCSP answers of cfssl, judged by `verify` alone: what it signs is read, answers of its own
# responder count, and what its CRLs lack is named with its section.
. "$(dirname "$(readlink -f "$0")")/../cli/lib.bash"
command -v cfssl >/dev/null || { echo "ok - cfssl is not installed: not tested"; finish; }
command -v jq >/dev/null || { echo "ok - jq is not installed: not tested"; finish; }
export MASSREVOKE_STATE=/proc/nowhere

# A CA that names itself in PrintableString, as Go writes names, and one in UTF8String, which Go writes anew.
authority() { # authority DIR MASK
    mkdir "$1"
    printf '[req]\nstring_mask = %s\ndistinguished_name = d\nx509_extensions = x\nprompt = no\n[d]\nO = Demo Trust\nCN = %s\n' \
        "$2" "$1" >"$1/ca.cnf"
    printf '[x]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n%s\n' \
        'subjectKeyIdentifier = hash' >>"$1/ca.cnf"
    openssl ecparam -name prime256v1 -genkey -noout -out "$1/ca.key"
    openssl req -x509 -new -key "$1/ca.key" -config "$1/ca.cnf" -days 30 -out "$1/ca.pem"
}
authority plain nombstr
authority utf8 utf8only
issue() { # issue NAME SERIAL EXTENSIONS: a certificate of the plain CA
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"
    openssl req -new -key "$1.key" -subj "/CN=$1" -out "$1.csr"
    printf '%b' "$3" >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA plain/ca.pem -CAkey plain/ca.key -set_serial "0x$2" -days 20 -extfile "$1.ext" \
        -out "$1.pem" >/dev/null 2>&1
}
issue leaf 1C01 'keyUsage=critical,digitalSignature\n'
issue good 1C02 'keyUsage=critical,digitalSignature\n'
issue responder 1C03 'keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\nnoCheck=ignored\n'
issue stranger 1C04 'keyUsage=critical,digitalSignature\n'

printf '7169\n7171\n' >serials # 1C01, 1C03
for ca in plain utf8; do
    cfssl gencrl serials $ca/ca.pem $ca/ca.key 2>err | base64 -d >$ca.crl
    ends 10 "cfssl's CRL by $ca" verify --crl $ca.crl --issuer $ca/ca.pem --json
    says out '"id": "crl_number"' "its missing number is named"
    says out '"section": "BR 7.2.2, RFC 5280 5.2.3"' "with its section"
done
says out '"id": "crl_issuer"' "a name written anew is another issuer"
ends 10 "the other once more" verify --crl plain.crl --issuer plain/ca.pem --json
[ "$(grep -c '"severity": "error"' out)" = 1 ]
verdict $? "it has no other error"

answer() { # answer NAME STATUS: what `cfssl ocspserve` is to serve
    cfssl ocspsign -ca plain/ca.pem -responder "${4:-responder.pem}" -responder-key "${5:-responder.key}" -cert "$1.pem" \
        -status "$2" -reason "${3:-0}" -revoked-at "$(date -u -d yesterday +%F)" -interval 48h 2>err | jq -r .ocspResponse
}
answer leaf revoked 4 >answers
answer good good >>answers
port=$((20000 + $$ % 20000))
cfssl ocspserve -address 127.0.0.1 -port $port -responses answers >serve.log 2>&1 </dev/null &
background+=($!)
# By POST: Debian's cfssl reads a + in the base64 of a GET as a blank, so by GET it answers only some.
ask() { # ask SERIAL
    openssl ocsp -issuer plain/ca.pem -serial "0x$1" -no_nonce -reqout req.der >/dev/null 2>&1
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf 'POST / HTTP/1.0\r\nHost: x\r\nContent-Type: application/ocsp-request\r\nContent-Length: %s\r\n\r\n' \
        "$(stat -c %s req.der)" >&3
    cat req.der >&3
    LC_ALL=C sed '1,/^\r$/d' <&3 >answer.der
    exec 3>&-
}
for _ in $(seq 50); do ask 1C01 2>/dev/null && break; sleep 0.1; done
ends 0 "its responder's answer for a revoked one" verify --ocsp answer.der --serial 1C01 --issuer plain/ca.pem --json
lacks out '"severity": "error"' "without an error"
ask 1C02
ends 0 "and for a good one" verify --ocsp answer.der --serial 1C02 --issuer plain/ca.pem --json
ends 10 "which says nothing of another serial" verify --ocsp answer.der --serial 1C01 --issuer plain/ca.pem --json
says out '"id": "ocsp_match"' "by name"
ask 1C99
ends 10 "a serial it does not know" verify --ocsp answer.der --serial 1C99 --issuer plain/ca.pem --json
says out 'unauthorized (6)' "it is not authorized to answer"
answer leaf revoked 6 | base64 -d >held.der
ends 10 "certificateHold" verify --ocsp held.der --serial 1C01 --issuer plain/ca.pem --json
says out '"id": "ocsp_reason"' "which BR forbids"
answer leaf revoked 4 stranger.pem stranger.key | base64 -d >forged.der
ends 10 "a signer that is no responder" verify --ocsp forged.der --serial 1C01 --issuer plain/ca.pem --json
says out '"id": "signature"' "is not believed"
finish
