# OpenBao for one registry, on one node. It unseals itself with the key in openbao-unseal: whoever has that file and
# the volume has the keys. Better is a seal of a hardware module or a cloud, and better still another machine.
storage "raft" {
  path    = "/openbao/file"
  node_id = "registry"
}

seal "static" {
  current_key_id = "1"
  current_key    = "file:///run/secrets/openbao-unseal"
}

listener "tcp" {
  address         = "0.0.0.0:8200"
  cluster_address = "127.0.0.1:8201"
  tls_cert_file   = "/run/secrets/openbao-certificate"
  tls_key_file    = "/run/secrets/openbao-key"
  tls_min_version = "tls13"
}

api_addr     = "https://openbao:8200"
cluster_addr = "https://127.0.0.1:8201"
ui           = false

audit "file" "to-file" {
  options {
    file_path = "/openbao/logs/audit.log"
  }
}
