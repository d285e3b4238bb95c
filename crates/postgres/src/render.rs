//! PostgreSQL's configuration files as text: pure functions of what is wanted.

mod access;
mod conninfo;
mod openssl;
mod quote;
mod server;

pub(crate) use access::{hba, ident};
pub(crate) use conninfo::{ConnectionFiles, Use, connection_string};
pub(crate) use openssl::openssl_conf;
pub(crate) use quote::{assignment, sql_identifier, sql_literal, usable_name};
pub use server::is_owned;
pub(crate) use server::{dormant_conf, dormant_hba, postgresql_conf, standby_conf, synchronous_conf};
