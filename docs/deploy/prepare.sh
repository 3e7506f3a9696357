#!/bin/sh
# Makes what docker-compose.yml mounts: secrets/ and config.toml, beside it. As root, once:  sh docs/deploy/prepare.sh
# Needs openssl. Changes nothing that is there.
set -eu
umask 077
registry=10001:10001 postgres=999:999 openbao=100:1000 # users of the containers
from=$(dirname "$0")
[ ! -e secrets ] || { echo "secrets/ is there already; nothing was changed" >&2; exit 2; }
new=secrets.unfinished
rm -rf "$new"
mkdir "$new"

# give USER NAME: a secret for one user alone
give() {
  chmod 400 "$new/$2"
  chown "$1" "$new/$2"
}

random() {
  openssl rand -hex 24 | tr -d '\n'
}

# An authority for these two certificates; its key is thrown away.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 1825 -subj "/CN=registry deployment" \
  -addext keyUsage=critical,keyCertSign -keyout "$new/ca-key" -out "$new/ca" 2>/dev/null
for name in postgres openbao; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=$name" \
    -keyout "$new/$name-key" -out "$new/request" 2>/dev/null
  printf 'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' "$name" > "$new/names"
  openssl x509 -req -in "$new/request" -CA "$new/ca" -CAkey "$new/ca-key" -days 1825 -extfile "$new/names" \
    -out "$new/$name-certificate" 2>/dev/null
done
rm "$new/ca-key" "$new/request" "$new/names"
chmod 444 "$new/ca"

random > "$new/postgres-password"
for account in owner server; do
  random > "$new/$account-password"
  printf '*:*:registry:registry_%s:%s\n' "$account" "$(cat "$new/$account-password")" > "$new/$account-pgpass"
  give $postgres "$account-password"
  give $registry "$account-pgpass"
done
openssl rand 32 > "$new/openbao-unseal"
: > "$new/openbao-secret-id" # to be filled: see README.md
give $registry openbao-secret-id
for name in postgres-password postgres-certificate postgres-key; do give $postgres $name; done
for name in openbao-certificate openbao-key openbao-unseal; do give $openbao $name; done

chmod 711 "$new"
mv "$new" secrets
[ -e config.toml ] || install -m 444 "$from/config.toml" config.toml
