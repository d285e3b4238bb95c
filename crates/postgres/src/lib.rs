//! One PostgreSQL instance: init, configure, start, base backup, promote, rewind, stop.
