"""Fields with special treatment by redaction: they name a Secret, contain names, or contain a value."""

from __future__ import annotations

from stagegate.difference.secret_names import word_set

# They only name a Secret, or a key in it.
NAMES_ONE = word_set(
    "secretName secretNamespace existingSecret imagePullSecret credentialName secretKey tlsSecret caSecret "
    "certSecret certificateSecret registrySecret secretProviderClass tokenExpirationSeconds "
    "serviceAccountToken nginx.ingress.kubernetes.io/auth-secret nginx.ingress.kubernetes.io/auth-tls-secret "
    "nginx.ingress.kubernetes.io/proxy-ssl-secret"
)
# What lies below them is judged by its own names.
HOLDS_NAMES = word_set(
    "secret secrets secretKeyRef secretRef secretRefs imagePullSecrets serviceAccountToken cookie "
    "tokenRequests secretStoreRef nodePublishSecretRef privateKeySecretRef privateKey secretTemplate "
    "secretObjects tokenReviewer authorization auth jwt"
)
SELECTOR = word_set("name key optional namespace")  # of a key in a Secret
# A mapping with one of each is a pair of name and value. Written in small letters, without - and _.
NAME_KEYS = word_set(
    "name key path id variable var env header field property parameter option attribute setting"
)
VALUE_KEYS = word_set(
    "value values val default defaultvalue stringvalue currentvalue content contents data text plaintext "
    "literal string secret initial example valuestring"
)
OF_WEB_KEY = word_set("k d p q dp dq qi oth")  # the private parts of a JSON web key, RFC 7518
PROSE = word_set("description message summary title")
OPEN_OF_SECRET = word_set("apiVersion kind metadata type immutable")
# Kinds whose names end with Secret, but which only say where one comes from.
SOURCES = word_set("ExternalSecret ClusterExternalSecret PushSecret ClusterPushSecret")
OPEN_OF_SOURCE = word_set(
    "mount path refreshafter refreshinterval create overwrite destination rolloutrestarttargets vaultauthref"
)
