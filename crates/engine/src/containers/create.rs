//! Making a container: everything about it is decided and written down, and nothing of it runs.

use bollard_stubs::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};

use super::name::{made_up, new_id};
use super::{Container, NewContainer, refuse, rootfs};
use crate::cgroup::{Host, Limits};
use crate::configuration::Configuration;
use crate::image::{Image, Platform};
use crate::spec::{self, ImageDefaults, MountKind, MountPoint};
use crate::state::{Moment, Record, Rootfs, Store, check_name};
use crate::{Engine, Error, ErrorKind, Result, check, network, volume};

/// How often a name is made up before it is given up.
const ATTEMPTS: usize = 10;

/// The size of `/dev/shm` that a container has unless another one is asked for, in bytes.
const SHM_SIZE: i64 = 64 << 20;

/// A container that was made.
#[derive(Clone, Debug)]
pub(crate) struct Created {
    /// Its full id.
    pub(crate) id: String,
    /// What the user should know, in whole sentences.
    pub(crate) warnings: Vec<String>,
}

/// Makes a container.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] if there is no such image, [`ErrorKind::Conflict`] if the name is taken,
/// [`ErrorKind::InvalidParameter`] for what makes no sense and [`ErrorKind::NotImplemented`] for what this engine does
/// not do.
pub(crate) fn create(engine: &Engine, new: NewContainer) -> Result<Created> {
    if !new.name.is_empty() {
        check_name(&new.name)?;
    }
    // What the image says of ports and hosts is not the client's doing.
    let network_warnings = network::check_request(&new.body)?;
    // While the image is held, nobody removes its layers.
    let files = Files::of(engine, &new)?;
    let mut body = new.body;
    spec::merge(&mut body, &files.defaults())?;
    let id = new_id()?;
    set_defaults(engine, &mut body, &id, &new.name)?;

    let host = Host::detect()?;
    let mut warnings = refuse::check(&body, host.is_unified())?;
    warnings.extend(network_warnings);
    if new.platform.is_empty() {
        warnings.extend(files.other_platform()?);
    }
    if let Some(host_config) = &body.host_config {
        Limits::of(host_config, &host, &mut warnings)?;
    }
    let (inherited, inherited_anonymous) = inherited(engine, &body)?;
    let platform = files.platform()?;
    let mut mounts = spec::mount_points(&body, inherited)?;
    if new.has_shallow_read_only {
        for point in mounts
            .iter_mut()
            .filter(|point| point.kind == MountKind::Bind && point.read_only)
        {
            point.read_only_non_recursive = true;
        }
    }
    let volumes = volume::Store::new(engine.layout());
    if let Err(error) = check::sweep(engine.layout()) {
        // That is no reason not to make this one.
        log::warn!("{error}");
    }
    let store = Store::new(engine.layout());
    if mounts.iter().any(|point| point.kind == MountKind::Volume) {
        store.begin(&id)?;
    }
    let taken = volumes.take(&id, &mut mounts);
    let made_up = taken.inspect_err(|_| store.abandon(&id))?;
    // As with Docker, they go with the last container that has them and is removed with its volumes.
    let mut anonymous_volumes = made_up.clone();
    anonymous_volumes.extend(
        mounts
            .iter()
            .filter(|point| point.kind == MountKind::Volume)
            .map(|point| point.name.clone())
            .filter(|name| inherited_anonymous.contains(name)),
    );

    let mut record = Record {
        id,
        name: String::new(),
        created: Moment::now(),
        body,
        image: files.image_id(),
        rootfs: files.rootfs(),
        platform,
        mounts,
        anonymous_volumes,
    };
    if let Err(error) = write(engine, &mut record, &new.name) {
        // The first failure is the one to tell.
        let _ = volumes.release(&record.id, &record.mounts, &made_up);
        return Err(error);
    }
    Ok(Created {
        id: record.id,
        warnings,
    })
}

/// Where the container's files come from.
enum Files {
    Image(Box<Image>),
    Directory(Rootfs),
}

impl Files {
    fn of(engine: &Engine, new: &NewContainer) -> Result<Files> {
        let image = new.body.image.as_deref().unwrap_or_default();
        match &new.rootfs {
            Some(_) if !image.is_empty() => Err(Error::invalid(
                "an image and a Rootfs cannot both be the container's root file system",
            )),
            Some(_) if !new.platform.is_empty() => Err(Error::invalid(
                "--platform chooses among images, and a rootfs is none",
            )),
            Some(text) => rootfs::of_directory(text).map(Files::Directory),
            None if image.is_empty() => Err(Error::invalid("no image specified")),
            None => {
                let platform = Some(new.platform.as_str()).filter(|name| !name.is_empty());
                let image = engine.images().resolve(image, platform)?;
                Ok(Files::Image(Box::new(image)))
            }
        }
    }

    fn defaults(&self) -> ImageDefaults {
        match self {
            Files::Image(image) => image.defaults(),
            Files::Directory(_) => ImageDefaults::default(),
        }
    }

    fn image_id(&self) -> String {
        match self {
            Files::Image(image) => image.id().to_string(),
            Files::Directory(_) => String::new(),
        }
    }

    fn rootfs(&self) -> Rootfs {
        match self {
            Files::Image(image) => Rootfs::Layers(
                image
                    .layers()
                    .iter()
                    .map(|layer| layer.directory.clone())
                    .collect(),
            ),
            Files::Directory(rootfs) => rootfs.clone(),
        }
    }

    /// A warning if the image is of a platform whose programs do not run here, where nobody asked for that.
    fn other_platform(&self) -> Result<Option<String>> {
        let Files::Image(image) = self else {
            return Ok(None);
        };
        let (own, platform) = (Platform::own()?, image.config().platform());
        Ok(own.rank(&platform).is_none().then(|| {
            format!(
                "The requested image's platform ({platform}) does not match the detected host platform ({own}) and no \
                 specific platform was requested"
            )
        }))
    }

    fn platform(&self) -> Result<String> {
        Ok(match self {
            Files::Image(image) => image.config().platform().to_string(),
            Files::Directory(_) => Platform::own()?.to_string(),
        })
    }
}

/// Fills in what neither the request nor the image said, as `inspect` shows it later.
fn set_defaults(
    engine: &Engine,
    body: &mut ContainerCreateBody,
    id: &str,
    name: &str,
) -> Result<()> {
    let host_config = body.host_config.get_or_insert_default();
    if host_config.shm_size.unwrap_or(0) == 0 {
        host_config.shm_size = Some(SHM_SIZE);
    }
    let log = host_config
        .log_config
        .get_or_insert_with(HostConfigLogConfig::default);
    if log.typ.as_deref().unwrap_or_default().is_empty() {
        log.typ = Some("json-file".to_owned());
    }
    let options = log.config.get_or_insert_default();
    if log.typ.as_deref() == Some("json-file") {
        for (name, value) in Configuration::of(engine.layout())?.log_opts {
            options.entry(name).or_insert(value);
        }
    }
    let memory = host_config.memory.unwrap_or(0);
    if memory > 0 && host_config.memory_swap.unwrap_or(0) == 0 {
        host_config.memory_swap = Some(memory.saturating_mul(2));
    }
    host_config.memory_swappiness = host_config
        .memory_swappiness
        .filter(|&swappiness| swappiness != -1);
    join_others(engine, host_config, name)?;
    if body.hostname.as_deref().unwrap_or_default().is_empty() {
        body.hostname = Some(hostname(engine, body.host_config.as_ref(), id)?);
    }
    Ok(())
}

/// Where another container's namespaces are to be joined, its name becomes its id: a name may be another one's tomorrow.
/// `name` is the new container's own, or empty.
fn join_others(engine: &Engine, host_config: &mut HostConfig, name: &str) -> Result<()> {
    let store = Store::new(engine.layout());
    let own = name.trim_start_matches('/');
    if !own.is_empty() && joined(host_config.network_mode.as_deref()) == Some(own) {
        // If the name is another one's, that is the error, and it comes when the name is taken.
        let other = store.find(own).and_then(|id| store.record(&id));
        if !other.is_ok_and(|other| other.name == own) {
            return Err(Error::invalid("cannot join own network"));
        }
    }
    for mode in [
        &mut host_config.network_mode,
        &mut host_config.pid_mode,
        &mut host_config.ipc_mode,
    ] {
        let Some(other) = joined(mode.as_deref()) else {
            continue;
        };
        let id = store.find(other).map_err(not_the_image)?;
        *mode = Some(format!("container:{id}"));
    }
    Ok(())
}

/// Clients take 404 for a missing image, and pull it.
fn not_the_image(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::invalid(error.to_string()).with_source(error),
        _ => error,
    }
}

fn joined(mode: Option<&str>) -> Option<&str> {
    mode.and_then(|mode| mode.strip_prefix("container:"))
}

/// A container in another's network has its host name, too.
fn hostname(engine: &Engine, host_config: Option<&HostConfig>, id: &str) -> Result<String> {
    let mode = host_config.and_then(|config| config.network_mode.as_deref());
    if let Some(other) = joined(mode) {
        let record = Store::new(engine.layout()).record(other)?;
        return Ok(record.body.hostname.unwrap_or_default());
    }
    Ok(spec::default_hostname(id, host_config))
}

/// The mounts of the containers that `--volumes-from` names, and those of their volumes that nobody named.
fn inherited(
    engine: &Engine,
    body: &ContainerCreateBody,
) -> Result<(Vec<MountPoint>, Vec<String>)> {
    let none = HostConfig::default();
    let host_config = body.host_config.as_ref().unwrap_or(&none);
    let mut points: Vec<MountPoint> = Vec::new();
    let mut anonymous = Vec::new();
    for word in host_config.volumes_from.iter().flatten() {
        let (reference, read_only) = spec::volumes_from(word)?;
        let other = Container::find(engine, reference).map_err(not_the_image)?;
        anonymous.extend(other.record.anonymous_volumes);
        for mut point in other.record.mounts {
            point.read_only |= read_only;
            points.retain(|earlier| earlier.destination != point.destination);
            points.push(point);
        }
    }
    Ok((points, anonymous))
}

/// Writes the container down under the name that is wanted, or under one that nobody has.
fn write(engine: &Engine, record: &mut Record, name: &str) -> Result<()> {
    let store = Store::new(engine.layout());
    if !name.is_empty() {
        check_name(name)?.clone_into(&mut record.name);
        return store.create(record);
    }
    for attempt in 0..ATTEMPTS {
        record.name = made_up(attempt)?;
        match store.create(record) {
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            created => return created,
        }
    }
    Err(Error::system("there is no name left for the container"))
}

/// The body of this module's fuzz target: whatever a request asks for, it is read to its end or refused, and not with the
/// engine's own failure.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let Ok(new) = NewContainer::from_json(data) else {
        return;
    };
    if let Err(error) = decide(new) {
        assert!(matches!(error.status(), 400 | 404 | 409 | 501), "{error}");
    }
}

/// All that is decided about a container from its request alone, and from how this machine is.
#[cfg(any(test, feature = "fuzzing"))]
fn decide(new: NewContainer) -> Result<()> {
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::path::Path;

    network::check_request(&new.body)?;
    let mut body = new.body;
    spec::merge(&mut body, &ImageDefaults::default())?;
    body.hostname.get_or_insert_default();
    let host = Host::detect()?;
    refuse::check(&body, host.is_unified())?;
    if let Some(host_config) = &body.host_config {
        Limits::of(host_config, &host, &mut Vec::new())?;
    }
    let mut mounts = spec::mount_points(&body, Vec::new())?;
    for volume in mounts
        .iter_mut()
        .filter(|point| point.kind == spec::MountKind::Volume)
    {
        volume.source = "/volume".into();
    }
    crate::monitor::log::LogOptions::of(&body)?;
    network::settings_of_stopped(&body)?;
    // Only users are looked up in it.
    let root = File::open("/sys").map_err(|error| Error::io("open /sys", error))?;
    spec::build(&spec::Input {
        body: &body,
        rootfs: Path::new("/rootfs"),
        root: root.as_fd(),
        mounts: &mounts,
        files: &spec::NetworkFiles::default(),
        existing: &spec::Existing::default(),
        cgroup: true,
        unified: true,
        shm: None,
        init: Some(Path::new("/init")),
        ids: None,
        owns_network: true,
        available: spec::Capabilities::all(),
        may_raise_limits: true,
    })
    .map(drop)
}
