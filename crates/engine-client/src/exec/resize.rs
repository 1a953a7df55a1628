//! `POST /exec/{id}/resize`: resize an exec process's terminal.

use crate::client::Client;
use crate::error::Error;
use crate::request::{Request, exec_path};

impl Client {
    /// Sets the size of a process's terminal, in characters.
    ///
    /// Engine API `POST /exec/{id}/resize?h=&w=`.
    ///
    /// # Errors
    /// An error status while the process does not run yet.
    pub fn resize_exec(&self, id: &str, rows: u16, columns: u16) -> Result<(), Error> {
        let request = Request::new("POST", exec_path(id)? + "/resize")
            .query("h", &rows.to_string())
            .query("w", &columns.to_string());
        self.call(&request)
    }
}
