//! What Oracle's tools keep as named secrets, typed.

pub(crate) mod connect;
pub(crate) mod master_key;
pub(crate) mod secret;
