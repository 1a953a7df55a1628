//! What other engines that speak the API cannot do, by the tests that are left out for it. The book's page about engines is
//! printed from this.

use harness::Kind;

/// Something that an engine lacks.
pub(crate) struct Lack {
    /// A sentence for the book.
    pub(crate) what: &'static str,
    /// The tests that would need it, as `module::test`.
    pub(crate) tests: &'static [&'static str],
}

/// What an engine lacks; nothing for Docker's, which is what the others are measured by.
pub(crate) fn of(kind: Kind) -> impl Iterator<Item = &'static Lack> {
    let (lacks, more): (&[Lack], &[Lack]) = match kind {
        Kind::Dockerd => (&[], &[]),
        Kind::Podman => (PODMAN, &[]),
        Kind::Embedded => (EMBEDDED, &[]),
        Kind::Rootless => (EMBEDDED, ROOTLESS),
    };
    lacks.iter().chain(more)
}

/// Podman 4.3, as Debian 12 has it, with runc and CNI.
const PODMAN: &[Lack] = &[
    Lack {
        what: "`--link` is refused.",
        tests: &["network::a_link_is_the_engines"],
    },
    Lack {
        what: "Requests are refused in other words than Docker's.",
        tests: &["refusals::refusals_have_dockers_words"],
    },
    Lack {
        what: "`--device-cgroup-rule` and `--isolation` are ignored.",
        tests: &[
            "device::a_rule_allows_what_is_made_inside",
            "device::a_device_that_is_none_creates_nothing",
        ],
    },
    Lack {
        what: "`--security-opt seccomp=FILE` is refused: the profile's text, which the API asks for, is taken for a path.",
        tests: &["status::security_options_are_the_containers"],
    },
    Lack {
        what: "`--mount type=bind` of a directory whose name has a comma is refused.",
        tests: &["mount::a_comma_in_a_path_needs_quotes"],
    },
    Lack {
        what: "`--mount type=bind` makes a directory that is not there, as `-v` does, instead of refusing.",
        tests: &["mount::what_cannot_be_mounted_creates_nothing"],
    },
    Lack {
        what: "`rshared` and `rslave` are taken for a mount that is not shared, and do nothing there.",
        tests: &["mount::sharing_takes_a_mount_that_is_shared"],
    },
    Lack {
        what: "In `/etc/hosts` a container goes by the container's name, too.",
        tests: &["namespaces::a_long_name_has_a_short_one_beside_it"],
    },
    Lack {
        what: "`--mount volume-label=` is ignored.",
        tests: &["mount::a_volume_is_made_with_its_labels_and_not_copied_into"],
    },
    Lack {
        what: "`container inspect` names the wrong devices for `--device-read-bps` and its like.",
        tests: &["device::limits_of_block_devices_are_on_the_container"],
    },
    Lack {
        what: "Options for Windows engines are ignored: the engine does not tell which operating system it is for.",
        tests: &["device::what_this_engine_does_not_know_creates_nothing"],
    },
    Lack {
        what: "`--platform` takes an image that is there already, whatever its platform.",
        tests: &["pull::the_platform_chooses_among_those_of_an_index"],
    },
    Lack {
        what: "A pull shows its layers, but neither the digest nor whether the image is new.",
        tests: &[
            "pull::a_missing_image_is_pulled_with_a_message_on_standard_error",
            "pull::never_pulls_nothing_and_always_pulls_what_is_there",
            "pull::on_a_terminal_every_layer_has_its_line",
        ],
    },
    Lack {
        what: "Published ports and networks of one's own work, but are not tried: they would need the machine's own firewall.",
        tests: &[
            "network::a_published_port_answers",
            "network::an_endpoint_is_as_its_fields_or_options_say",
            "network::a_hardware_address_is_the_containers",
            "network::a_hardware_address_is_that_of_a_network",
        ],
    },
];

/// The engine inside of `tool`, whoever's.
const EMBEDDED: &[Lack] = &[
    Lack {
        what: "`--network` takes `none`, `host`, `container:NAME` and `bridge`; other networks, and with them `--link`, `--ip` and aliases, are refused.",
        tests: &[
            "network::a_link_is_the_engines",
            "network::an_endpoint_is_as_its_fields_or_options_say",
            "network::a_hardware_address_is_that_of_a_network",
        ],
    },
    Lack {
        what: "`pull --all-tags` is refused: name a tag.",
        tests: &["images::all_tags_are_pulled_at_once"],
    },
    Lack {
        what: "`--use-api-socket` is refused: the engine has no socket of its own.",
        tests: &["api_socket::the_container_pulls_from_a_registry_with_its_users_login"],
    },
];

/// What it does not do either for an ordinary user.
pub(crate) const ROOTLESS: &[Lack] = &[
    Lack {
        what: "Limits (`--memory`, `--cpus`, `--pids-limit` ...) take cgroup v2 and a tree of it that is delegated to the user; elsewhere they are refused.",
        tests: &[
            "device::limits_of_block_devices_are_on_the_container",
            "docker_py::limits_are_the_containers",
            "keys::a_container_has_the_limits_that_keys_in_another_case_give_it",
            "templates::templates_say_what_dockers_client_makes_of_them",
        ],
    },
    Lack {
        what: "`--sysctl` of a single interface is refused.",
        tests: &["network::parameters_of_an_interface_are_set_when_it_is_there"],
    },
    Lack {
        what: "`--device-cgroup-rule` and a `--device` that may only be read or only be written are refused: rules about devices are root's.",
        tests: &[
            "device::a_device_is_there_and_may_be_used_as_far_as_permitted",
            "device::a_rule_allows_what_is_made_inside",
        ],
    },
];
