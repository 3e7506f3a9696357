"""A PKCS#11 token (an HSM, a smart card) as the key service. See ../README.md."""
