//! Oracle-format wallets: read, write, issue, renew.
