//! Provides commands with registry credentials.

use std::io::Write;

use byname::Context;
use engine_client::{ConfigFile, CredentialStore};

/// The user's credentials, once a command asks for them. Nothing is looked up yet, and no helper runs.
pub(crate) fn store(cx: &Context) -> anyhow::Result<CredentialStore> {
    let config = cx.state::<ConfigFile>()?;
    let store = CredentialStore::new(ConfigFile::clone(&config), cx.environment().vars());
    if let Some(warning) = store.warning() {
        // Without a standard error the warning reaches nobody, and that is no reason to fail.
        let _ = writeln!(
            cx.streams().err.clone(),
            "{}",
            terminal::printable_lines(&warning)
        );
    }
    Ok(store)
}
