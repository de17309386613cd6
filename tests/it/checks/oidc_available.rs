//! Cases of `oidc-available`.
