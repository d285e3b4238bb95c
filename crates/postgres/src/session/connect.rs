//! Opening a session over the Unix socket.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::task::JoinHandle;
use tokio_postgres::error::DbError;
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

use crate::error::PostgresError;
use crate::instance::Instance;

/// Where to connect and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    data: PathBuf,
    user: String,
    database: String,
    application_name: &'static str,
    options: &'static str,
}

impl Address {
    /// A session whose commits do not wait for a standby.
    pub(crate) fn of(
        instance: &Instance,
        user: &str,
        database: &str,
        application_name: &'static str,
    ) -> Self {
        Self {
            data: instance.data().to_owned(),
            user: user.to_owned(),
            database: database.to_owned(),
            application_name,
            options: "-c synchronous_commit=local",
        }
    }

    /// A session whose commits wait as a client's do.
    pub(crate) fn waiting(self) -> Self {
        Self { options: "-c synchronous_commit=on", ..self }
    }

    /// The running server itself says where its socket is; it may have been started before the port changed.
    fn config(&self) -> Result<(Config, String), PostgresError> {
        let not_running = || PostgresError::NotRunning { data: self.data.clone() };
        let text = std::fs::read_to_string(self.data.join("postmaster.pid")).map_err(|_| not_running())?;
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        let (Some(port), Some(socket)) = (lines.get(3), lines.get(4).filter(|socket| !socket.is_empty()))
        else {
            return Err(not_running());
        };
        let mut config = Config::new();
        config.host_path(socket).port(port.parse().map_err(|_| not_running())?);
        config.user(&self.user).dbname(&self.database);
        config.application_name(self.application_name).options(self.options);
        Ok((config, format!("{socket} port {port}")))
    }
}

/// An open session, driven by a task of its own that ends with it.
#[derive(Debug)]
pub(crate) struct Connection {
    client: Client,
    driver: JoinHandle<()>,
    notices: Arc<Mutex<Vec<DbError>>>,
}

impl Connection {
    pub(crate) async fn open(address: &Address, bound: Duration) -> Result<Self, PostgresError> {
        let (config, place) = address.config()?;
        let connecting = tokio::time::timeout(bound, config.connect(NoTls));
        let (client, mut connection) = match connecting.await {
            Ok(Ok(opened)) => opened,
            Ok(Err(source)) => return Err(PostgresError::Connect { address: place, source }),
            Err(_) => return Err(PostgresError::TimedOut { what: format!("a session at {place}"), bound }),
        };
        let notices = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&notices);
        let driver = tokio::spawn(async move {
            let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
            // An error ends the session; whoever asks next is told so.
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notice(notice) = message {
                    kept.lock().expect("no holder panics").push(notice);
                }
            }
        });
        Ok(Self { client, driver, notices })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Warnings that came since the last call.
    pub(crate) fn take_notices(&self) -> Vec<DbError> {
        std::mem::take(&mut *self.notices.lock().expect("no holder panics"))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
