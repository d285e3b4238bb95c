//! `twinlock compat install`

use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Tool;
use crate::wallet::{Failure, output};

/// Make links by which this program answers to ttCreateCerts, mkstore and orapki
#[derive(Args, Debug)]
pub(crate) struct Install {
    /// Directory for the links
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Install {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::new("the system does not tell where this program is").because(error))?;
        let links = Tool::ALL.map(|tool| self.directory.join(tool.name()));
        for link in &links {
            refuse_foreign(link, &program)?;
        }
        for link in &links {
            make(link, &program)?;
            output::line(link.display().to_string())?;
        }
        Ok(())
    }
}

/// Oracle's own tools are not replaced by ours.
fn refuse_foreign(link: &Path, program: &Path) -> Result<(), Failure> {
    match std::fs::read_link(link) {
        Ok(target) if target == program => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        _ => {
            Err(Failure::new(format!("{} exists already and is not a link to this program", link.display()))
                .hint("nothing was changed; choose another directory, or remove it"))
        }
    }
}

fn make(link: &Path, program: &Path) -> Result<(), Failure> {
    match symlink(program, link) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(Failure::new(format!("cannot make the link {}", link.display())).because(error))
        }
        _ => Ok(()),
    }
}
