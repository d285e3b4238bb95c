//! What users declare: YAML in, typed and validated out.
//!
//! A manifest says which pairs should exist; metadata files (`db.ini`, `adminUser`, `schema.sql`,
//! `replicationWallet`) say what is in them. This crate turns both into types, and gives the words in which
//! the state of a pair is told. It is pure: it reads no file, no clock and no environment, so the same code
//! validates on one machine and on a cluster.
//!
//! - [`documents::parse`]: the text of a manifest file → [`documents::Document`]s.
//! - [`metadata::MetadataFiles::resolve`]: the files a manifest refers to → [`metadata::Metadata`].
//! - [`change::diff`]: what applying a changed manifest does, or which field cannot change.
//! - [`state`]: the words for states and events.

pub mod change;
pub mod cipher;
mod decode;
pub mod documents;
mod error;
pub mod metadata;
mod name;
pub mod quantity;
pub mod secret;
pub mod spec;
pub mod state;
mod suggest;
mod yaml;

pub use cipher::CipherSuite;
pub use documents::{Document, Ignored, ManifestSource, PairManifest};
pub use error::{ManifestError, Place};
pub use spec::PairSpec;
