use bollard_stubs::models::{HostConfig, MountBindOptions, MountTmpfsOptions, MountVolumeOptions};

use super::*;

fn points(host_config: HostConfig) -> Result<Vec<MountPoint>> {
    let body = ContainerCreateBody {
        host_config: Some(host_config),
        volumes: Some(vec!["/image/".to_owned(), "/a".to_owned()]),
        ..ContainerCreateBody::default()
    };
    mount_points(&body, Vec::new())
}

fn bound(binds: &[&str]) -> Result<Vec<MountPoint>> {
    points(HostConfig {
        binds: Some(binds.iter().map(|&bind| bind.to_owned()).collect()),
        ..HostConfig::default()
    })
}

fn mounted(mount: Mount) -> Result<MountPoint> {
    let mut points = points(HostConfig {
        mounts: Some(vec![mount]),
        ..HostConfig::default()
    })?;
    Ok(points.remove(0))
}

fn mount(kind: MountType, source: &str, target: &str) -> Mount {
    Mount {
        typ: Some(kind),
        source: Some(source.to_owned()),
        target: Some(target.to_owned()),
        ..Mount::default()
    }
}

#[test]
fn binds_are_read() {
    let points = bound(&["/srv/../src:/a/./b:ro,rslave", "name:/c:nocopy", "/d"]).expect("mounts");
    assert_eq!(points.len(), 5);
    assert_eq!(
        (points[0].kind, points[0].destination.as_str()),
        (MountKind::Bind, "/a/b")
    );
    assert_eq!(points[0].source, Path::new("/src"));
    assert!(points[0].read_only && points[0].create_source);
    assert_eq!(points[0].propagation, Propagation::Rslave);
    assert_eq!(
        (points[1].kind, points[1].name.as_str(), points[1].no_copy),
        (MountKind::Volume, "name", true)
    );
    assert_eq!(
        (points[2].kind, points[2].name.as_str()),
        (MountKind::Volume, "")
    );
    assert_eq!(points[3].destination, "/image");
}

#[test]
fn a_place_is_taken_once() {
    // The image's volume gives way, another mount of the request does not.
    assert_eq!(bound(&["/src:/a"]).expect("mounts").len(), 2);
    let error = bound(&["/src:/a", "name:/a/"]).expect_err("two");
    assert_eq!(error.to_string(), "Duplicate mount point: /a");
    let error = points(HostConfig {
        binds: Some(vec!["/src:/a".to_owned()]),
        tmpfs: Some(HashMap::from([("/a/".to_owned(), String::new())])),
        ..HostConfig::default()
    })
    .expect_err("two");
    assert_eq!(error.to_string(), "Duplicate mount point: /a");
}

#[test]
fn inherited_mounts_give_way() {
    let body = ContainerCreateBody {
        host_config: Some(HostConfig {
            binds: Some(vec!["/src:/a".to_owned()]),
            ..HostConfig::default()
        }),
        volumes: Some(vec!["/b".to_owned()]),
        ..ContainerCreateBody::default()
    };
    let inherited = ["/a", "/b"].map(|place| MountPoint {
        name: "other".to_owned(),
        ..MountPoint::anonymous_volume(place)
    });
    let points = mount_points(&body, inherited.to_vec()).expect("mounts");
    assert_eq!(points.len(), 2);
    assert_eq!(points[0].kind, MountKind::Bind);
    assert_eq!(points[1].name, "other");
}

#[test]
fn wrong_binds_are_named() {
    for (bind, message) in [
        ("", "invalid volume specification: ''"),
        (":/a", "invalid volume specification: ':/a'"),
        ("/a:", "invalid volume specification: '/a:'"),
        ("/a:/b:ro:x", "invalid volume specification: '/a:/b:ro:x'"),
        ("/a:/b:rx", "invalid mode: rx"),
        ("/a:/b:ro,rw", "invalid mode: ro,rw"),
        (
            "/a:/b:nocopy",
            "invalid volume specification: '/a:/b:nocopy': invalid mount config for type \"bind\": field VolumeOptions must not be specified",
        ),
        (
            "a:/b:rslave",
            "invalid volume specification: 'a:/b:rslave': invalid mount config for type \"volume\": field BindOptions must not be specified",
        ),
        (
            "/a:b",
            "invalid volume specification: '/a:b': invalid mount config for type \"bind\": invalid mount path: 'b' mount path must be absolute",
        ),
        (
            "/a:/b/..",
            "invalid volume specification: '/a:/b/..': invalid mount config for type \"bind\": invalid specification: destination can't be '/'",
        ),
    ] {
        assert_eq!(bound(&[bind]).expect_err(bind).to_string(), message);
    }
}

#[test]
fn mounts_are_read() {
    let point = mounted(Mount {
        read_only: Some(true),
        bind_options: Some(MountBindOptions {
            propagation: Some(MountBindOptionsPropagationEnum::SHARED),
            non_recursive: Some(true),
            ..MountBindOptions::default()
        }),
        ..mount(MountType::BIND, "/", "/host")
    })
    .expect("a bind");
    assert!(point.read_only && point.non_recursive && !point.create_source);
    assert_eq!(point.propagation, Propagation::Shared);

    let point = mounted(Mount {
        tmpfs_options: Some(MountTmpfsOptions {
            size_bytes: Some(4096),
            mode: Some(0o1750),
            options: Some(vec![vec!["exec".to_owned()]]),
        }),
        ..mount(MountType::TMPFS, "", "/t")
    })
    .expect("a tmpfs");
    assert_eq!(
        point.tmpfs_options.join(","),
        "nosuid,nodev,size=4096,mode=1750,exec"
    );
}

#[test]
fn wrong_mounts_are_named() {
    let subpath = |subpath: &str| Mount {
        volume_options: Some(MountVolumeOptions {
            subpath: Some(subpath.to_owned()),
            ..MountVolumeOptions::default()
        }),
        ..mount(MountType::VOLUME, "name", "/v")
    };
    for (mount, message) in [
        (
            mount(MountType::BIND, "", "/a"),
            "field Source must not be empty",
        ),
        (
            mount(MountType::BIND, "a", "/a"),
            "invalid mount path: 'a' mount path must be absolute",
        ),
        (
            mount(MountType::BIND, "/a", ""),
            "field Target must not be empty",
        ),
        (
            mount(MountType::BIND, "/a", "/."),
            "invalid specification: destination can't be '/'",
        ),
        (
            mount(MountType::BIND, "/does/not/exist", "/a"),
            "bind source path does not exist: /does/not/exist",
        ),
        (
            mount(MountType::TMPFS, "/a", "/a"),
            "field Source must not be specified",
        ),
        (
            Mount {
                bind_options: Some(MountBindOptions::default()),
                ..mount(MountType::VOLUME, "name", "/a")
            },
            "field BindOptions must not be specified",
        ),
        (
            subpath("../x"),
            "subpath '../x' must be a relative path within the volume",
        ),
        (
            subpath("/x"),
            "subpath '/x' must be a relative path within the volume",
        ),
    ] {
        let error = mounted(mount.clone()).expect_err(message);
        let kind = mount.typ.expect("a type");
        assert_eq!(
            error.to_string(),
            format!("invalid mount config for type \"{kind}\": {message}")
        );
        assert_eq!(error.status(), 400);
    }
    let error = mounted(mount(MountType::IMAGE, "alpine", "/a")).expect_err("no images");
    assert_eq!(error.status(), 501);
}

proptest::proptest! {
    #[test]
    fn any_bind_is_survived(text in "[/.ab:,ro]{0,12}") {
        fuzz(text.as_bytes());
    }
}
