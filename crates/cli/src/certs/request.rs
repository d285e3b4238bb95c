//! `twinlock certs request`

use clap::Args;
use twinlock_wallet::issue;

use super::authority::{SubjectArgs, TermsArgs};
use crate::wallet::place::Place;
use crate::wallet::{Failure, output};

/// Make a private key in the wallet and print the request for its certificate
#[derive(Args, Debug)]
pub(crate) struct Request {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    terms: TermsArgs,
}

impl Request {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let key = self.subject.new_key()?;
        let request = issue::request(&self.subject.template(&self.terms), &key)?;
        self.place.edit(|wallet| Ok(wallet.add_request(key, request.clone())?))?;
        output::write_all(&request.to_pem())
    }
}
