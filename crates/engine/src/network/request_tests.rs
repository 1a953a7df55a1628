use std::collections::HashMap;

use bollard_stubs::models::{EndpointIpamConfig, NetworkingConfig, PortBinding};

use super::*;

fn body(mode: &str) -> ContainerCreateBody {
    ContainerCreateBody {
        host_config: Some(HostConfig {
            network_mode: Some(mode.to_owned()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

fn endpoint(mode: &str, network: &str, settings: EndpointSettings) -> ContainerCreateBody {
    ContainerCreateBody {
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(network.to_owned(), settings)])),
        }),
        ..body(mode)
    }
}

fn ports() -> Option<bollard_stubs::models::PortMap> {
    Some(HashMap::from([(
        "80/tcp".to_owned(),
        Some(vec![PortBinding::default()]),
    )]))
}

fn refusal(body: &ContainerCreateBody) -> String {
    check_conflicts(body)
        .and_then(|()| Request::of(body).map(drop))
        .expect_err("a refusal")
        .to_string()
}

#[test]
fn what_clients_always_send_is_taken() {
    for (mode, network) in [
        ("default", "default"),
        ("bridge", "bridge"),
        ("host", "host"),
        ("none", "none"),
        ("container:c", "container:c"),
    ] {
        let settings = EndpointSettings {
            mac_address: Some(String::new()),
            aliases: Some(Vec::new()),
            ipam_config: Some(EndpointIpamConfig::default()),
            ..EndpointSettings::default()
        };
        let body = endpoint(mode, network, settings);
        check_conflicts(&body).expect("no conflict");
        Request::of(&body).expect("a request");
    }
}

type Change = fn(&mut ContainerCreateBody, &mut HostConfig);

#[test]
fn another_containers_network_has_its_own_settings() {
    let changes: [(&str, Change); 6] = [
        ("hostname and the network mode", |body, _| {
            body.hostname = Some("box".to_owned());
        }),
        ("dns and the network mode", |_, config| {
            config.dns = Some(vec!["1.1.1.1".to_owned()]);
        }),
        (
            "custom host-to-IP mapping and the network mode",
            |_, config| {
                config.extra_hosts = Some(vec!["a:1.1.1.1".to_owned()]);
            },
        ),
        (
            "port publishing and the container type network mode",
            |_, config| config.port_bindings = ports(),
        ),
        (
            "port publishing and the container type network mode",
            |_, config| config.publish_all_ports = Some(true),
        ),
        (
            "port exposing and the container type network mode",
            |body, _| body.exposed_ports = Some(vec!["80/tcp".to_owned()]),
        ),
    ];
    for (message, change) in changes {
        let mut body = body("container:other");
        let mut config = body.host_config.take().expect("a configuration");
        change(&mut body, &mut config);
        body.host_config = Some(config);
        assert_eq!(refusal(&body), format!("conflicting options: {message}"));
    }
}

#[test]
fn only_the_bridge_has_hardware_addresses() {
    let settings = EndpointSettings {
        mac_address: Some("02:00:00:00:00:01".to_owned()),
        ..EndpointSettings::default()
    };
    let request = Request::of(&endpoint("bridge", "default", settings.clone())).expect("a request");
    assert_eq!(
        request.mac.map(|mac| mac.to_string()).as_deref(),
        Some("02:00:00:00:00:01")
    );
    for mode in ["host", "none", "container:c"] {
        assert_eq!(
            refusal(&endpoint(mode, mode, settings.clone())),
            "conflicting options: mac-address and the network mode"
        );
    }
}

#[test]
fn what_belongs_to_networks_of_the_users_own_is_refused() {
    let alias = EndpointSettings {
        aliases: Some(vec!["db".to_owned()]),
        ..EndpointSettings::default()
    };
    assert!(refusal(&endpoint("bridge", "bridge", alias)).contains("network-scoped aliases"));
    let address = EndpointSettings {
        ipam_config: Some(EndpointIpamConfig {
            ipv4_address: Some("172.29.0.9".to_owned()),
            ..EndpointIpamConfig::default()
        }),
        ..EndpointSettings::default()
    };
    assert!(
        refusal(&endpoint("bridge", "bridge", address))
            .contains("user specified IP address is supported on user defined networks only")
    );
    assert!(
        refusal(&endpoint("bridge", "front", EndpointSettings::default()))
            .starts_with("network front not found")
    );
    let mut two = endpoint("bridge", "bridge", EndpointSettings::default());
    two.networking_config
        .as_mut()
        .and_then(|config| config.endpoints_config.as_mut())
        .expect("endpoints")
        .insert("none".to_owned(), EndpointSettings::default());
    assert!(refusal(&two).contains("to one network"));
}

#[test]
fn ports_without_a_network_of_their_own_are_warned_of() {
    let mut body = body("host");
    body.host_config
        .as_mut()
        .expect("a configuration")
        .port_bindings = ports();
    assert_eq!(
        Request::of(&body).expect("a request").warnings,
        ["Published ports are discarded when using host network mode"]
    );
}
