//! Which standby commits wait for, and telling a running server that its files changed.

use rustix::process::Signal;

use crate::configure::SYNCHRONOUS_CONF;
use crate::error::PostgresError;
use crate::files::replace;
use crate::instance::Instance;
use crate::render::synchronous_conf;
use crate::settings::Synchronous;

impl Instance {
    /// Tells the running server which standby its commits wait for.
    ///
    /// That the server was told does not mean that commits wait: see [`crate::admission`].
    ///
    /// # Errors
    /// When the name cannot be used, the file cannot be written or no server runs.
    pub fn set_synchronous(&self, names: &Synchronous) -> Result<(), PostgresError> {
        self.write_synchronous(names)?;
        self.reload()
    }

    /// Tells the running server to read its files again.
    ///
    /// # Errors
    /// [`PostgresError::NotRunning`] when there is none.
    pub fn reload(&self) -> Result<(), PostgresError> {
        match self.adopt()? {
            Some(running) => running.signal(Signal::HUP),
            None => Err(PostgresError::NotRunning { data: self.data().to_owned() }),
        }
    }

    pub(crate) fn write_synchronous(&self, names: &Synchronous) -> Result<(), PostgresError> {
        replace(&self.directories().conf().join(SYNCHRONOUS_CONF), synchronous_conf(names)?.as_bytes())
    }
}
