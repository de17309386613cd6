//! Cases of `deploy-lock`.
