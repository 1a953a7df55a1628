//! `POST /containers/create`: create a container without starting it.

use serde::Deserialize;

use crate::client::Client;
use crate::containers::new_container::NewContainer;
use crate::error::Error;
use crate::models::ContainerCreateResponse;
use crate::request::Request;
use crate::version::ApiVersion;

/// What [`Client::create_container`] says beside the container itself. All of it is left out by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateContainerOptions {
    /// The name; the engine makes one up without it.
    pub name: Option<String>,
    /// The platform of the image, as `OS[/ARCH[/VARIANT]]`. Engines below API 1.41 do not know it and are not told.
    pub platform: Option<String>,
}

/// The answer, without the stubs' insistence on a list of warnings, which not every engine sends.
#[derive(Deserialize)]
struct Created {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Warnings")]
    warnings: Option<Vec<String>>,
}

impl Client {
    /// Creates a container.
    ///
    /// Engine API `POST /containers/create?name=&platform=`.
    ///
    /// # Errors
    /// Status 404 if the image is not there, but also for a network that is not; 409 if the name is taken.
    pub fn create_container(
        &self,
        options: &CreateContainerOptions,
        container: &NewContainer,
    ) -> Result<ContainerCreateResponse, Error> {
        let mut request = Request::new("POST", "/containers/create");
        if let Some(name) = &options.name {
            request = request.query("name", name);
        }
        if let Some(platform) = &options.platform
            && self.version()? >= ApiVersion::new(1, 41)
        {
            request = request.query("platform", platform);
        }
        let request = match container.extended(self.version()?) {
            Ok(Some(extended)) => request.json(&extended)?,
            Ok(None) => request.json(&container.body)?,
            Err(error) => return Err(request.not_json(error)),
        };
        let created: Created = self.call_json(&request)?;
        Ok(ContainerCreateResponse {
            id: created.id,
            warnings: created.warnings.unwrap_or_default(),
        })
    }
}
