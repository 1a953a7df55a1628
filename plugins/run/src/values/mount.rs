//! Mounts, as in `--mount type=bind,source=/src,target=/dst,readonly`.

mod fields;

use std::path::Path;

use engine_client::MountWords;
use engine_client::models::Mount;
use fields::Fields;

use super::{InvalidValue, csv, path};

/// A mount as the Engine API has it, and its words that the API does not list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewMount {
    /// A source that starts with `.` stands as it was given.
    mount: Mount,
    pub(crate) words: MountWords,
}

/// Parses comma-separated fields `KEY=VALUE` or `KEY`, keys in any case. The type is `volume` unless it is given; types
/// and propagations that are not known are the engine's to refuse, or to know.
pub(crate) fn parse(text: &str) -> Result<NewMount, InvalidValue> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InvalidValue::new("value is empty"));
    }
    let mut fields = Fields::default();
    for field in csv::record(text)? {
        fields.read(&field)?;
    }
    fields.finish()
}

impl NewMount {
    /// Whether the source is a path relative to the client's directory.
    pub(crate) fn is_relative(&self) -> bool {
        self.source().starts_with('.')
    }

    /// The mount, with a relative source made absolute against a directory.
    pub(crate) fn within(&self, directory: &Path) -> Result<Mount, InvalidValue> {
        let mut mount = self.mount.clone();
        if self.is_relative() {
            let absolute = path::absolute(self.source(), directory);
            let Some(source) = absolute.to_str() else {
                return Err(InvalidValue::new(format!(
                    "{absolute:?} is not valid UTF-8"
                )));
            };
            mount.source = Some(source.to_owned());
        }
        Ok(mount)
    }

    /// What the mount asks for that old engines would not refuse, but leave out: they would mount something else.
    pub(crate) fn features(&self) -> Vec<Feature> {
        let Mount {
            bind_options,
            volume_options,
            ..
        } = &self.mount;
        let bind = bind_options.clone().unwrap_or_default();
        let volume = volume_options.clone().unwrap_or_default();
        [
            (
                bind.read_only_force_recursive == Some(true),
                Feature::RecursivelyReadOnly,
            ),
            (volume.subpath.is_some(), Feature::VolumeSubpath),
        ]
        .into_iter()
        .filter_map(|(is_used, feature)| is_used.then_some(feature))
        .collect()
    }

    fn source(&self) -> &str {
        self.mount.source.as_deref().unwrap_or_default()
    }
}

/// Something that a mount can ask for and old engines do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// `bind-recursive=readonly`
    RecursivelyReadOnly,
    /// `volume-subpath`
    VolumeSubpath,
}

#[cfg(test)]
mod tests {
    use engine_client::models::{MountBindOptionsPropagationEnum, MountType};
    use serde_json::{Value, json};

    use super::*;

    fn sent(text: &str) -> Value {
        let mount = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        serde_json::to_value(mount.within(Path::new("/home/dir")).unwrap()).unwrap()
    }

    #[test]
    fn every_field_has_its_place() {
        for (text, expected) in [
            ("target=/a", json!({"Type": "volume", "Target": "/a"})),
            ("source=x", json!({"Type": "volume", "Source": "x"})),
            (
                "TYPE=Bind,Source=/A,DST=/B,ReadOnly",
                json!({"Type": "bind", "Source": "/A", "Target": "/B", "ReadOnly": true}),
            ),
            (
                "type=bind,src=./a/../b,destination=/b,ro=0,consistency=Cached",
                json!({"Type": "bind", "Source": "/home/dir/b", "Target": "/b", "ReadOnly": false, "Consistency": "cached"}),
            ),
            (
                "type=bind,src=/a,dst=/b,bind-propagation=RShared,bind-recursive=disabled,bind-create-src=true",
                json!({"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions":
                    {"Propagation": "rshared", "NonRecursive": true, "CreateMountpoint": true}}),
            ),
            (
                "type=bind,src=/a,dst=/b,bind-recursive=enabled",
                json!({"Type": "bind", "Source": "/a", "Target": "/b"}),
            ),
            (
                "type=bind,src=/a,dst=/b,ro,bind-recursive=writable",
                json!({"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true, "BindOptions": {"ReadOnlyNonRecursive": true}}),
            ),
            (
                "type=bind,src=/a,dst=/b,bind-recursive=readonly,bind-propagation=rprivate,readonly=1",
                json!({"Type": "bind", "Source": "/a", "Target": "/b", "ReadOnly": true, "BindOptions":
                    {"Propagation": "rprivate", "ReadOnlyForceRecursive": true}}),
            ),
            (
                "src=v,dst=/a,volume-nocopy,volume-subpath=x/y,volume-driver=d,volume-label=a=b=c,volume-label=e",
                json!({"Type": "volume", "Source": "v", "Target": "/a", "VolumeOptions": {"NoCopy": true, "Subpath": "x/y",
                    "DriverConfig": {"Name": "d"}, "Labels": {"a": "b=c", "e": ""}}}),
            ),
            (
                "dst=/a,\"volume-opt=o=addr=1,rw\",volume-opt=type=nfs,volume-label==x",
                json!({"Type": "volume", "Target": "/a", "VolumeOptions": {"DriverConfig": {"Options": {"o": "addr=1,rw", "type": "nfs"}}}}),
            ),
            (
                "type=tmpfs,dst=/a,tmpfs-size=1.5k,tmpfs-mode=01777",
                json!({"Type": "tmpfs", "Target": "/a", "TmpfsOptions": {"SizeBytes": 1536, "Mode": 1023}}),
            ),
            (
                "type=image,src=busybox,dst=/a,image-subpath=bin",
                json!({"Type": "image", "Source": "busybox", "Target": "/a", "ImageOptions": {"Subpath": "bin"}}),
            ),
            (
                " type=npipe,src=\\\\.\\pipe\\x,dst=y\n",
                json!({"Type": "npipe", "Source": "\\\\.\\pipe\\x", "Target": "y"}),
            ),
        ] {
            assert_eq!(sent(text), expected, "{text}");
        }
    }

    #[test]
    fn words_that_are_not_listed_are_kept() {
        let mount = parse("type=Ramfs,dst=/a").unwrap();
        assert_eq!(mount.words.typ.as_deref(), Some("ramfs"));
        assert_eq!((mount.mount.typ, &mount.words.propagation), (None, &None));
        let mount = parse("type=bind,bind-propagation=Some").unwrap();
        assert_eq!(mount.words.propagation.as_deref(), Some("some"));
        assert_eq!(mount.mount.typ, Some(MountType::BIND));
        let mount = parse("type=bind,bind-propagation=slave").unwrap();
        assert_eq!(mount.words, MountWords::default());
        let propagation = mount.mount.bind_options.and_then(|bind| bind.propagation);
        assert_eq!(propagation, Some(MountBindOptionsPropagationEnum::SLAVE));
    }

    #[test]
    fn features_are_found() {
        for (text, features) in [
            ("dst=/a", vec![]),
            // Engines that do not know these refuse them.
            ("type=image,dst=/a", vec![]),
            ("type=bind,bind-create-src", vec![]),
            ("type=bind,ro,bind-recursive=writable", vec![]),
            (
                "type=bind,ro,bind-recursive=readonly,bind-propagation=rprivate",
                vec![Feature::RecursivelyReadOnly],
            ),
            ("dst=/a,volume-subpath=x", vec![Feature::VolumeSubpath]),
        ] {
            assert_eq!(parse(text).unwrap().features(), features, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("", "value is empty"),
            (" \t", "value is empty"),
            ("type", "invalid field 'type' must be a key=value pair"),
            ("Foo", "invalid field 'Foo' must be a key=value pair"),
            ("dst=/a,", "invalid field '' must be a key=value pair"),
            ("Foo=x", "unknown option 'foo' in 'Foo=x'"),
            ("=x", "unknown option '' in '=x'"),
            ("type=", "invalid value for 'type': value is empty"),
            ("Type= ,dst=/a", "invalid value for 'Type': value is empty"),
            ("ro=", "invalid value for 'ro': value is empty"),
            (
                "type=bind, src=/a",
                "invalid option 'src' in ' src=/a': option should not have whitespace",
            ),
            (
                "type =bind",
                "invalid option 'type' in 'type =bind': option should not have whitespace",
            ),
            (
                "type= bind",
                "invalid value for 'type' in 'type= bind': value should not have whitespace",
            ),
            (
                "RO=yes",
                "invalid value for 'ro': invalid boolean value (\"yes\"): must be one of \"true\", \"1\", \"false\", or \"0\" (default \"true\")",
            ),
            (
                "volume-nocopy=T",
                "invalid value for 'volume-nocopy': invalid boolean value (\"T\"): must be one of \"true\", \"1\", \"false\", or \"0\" (default \"true\")",
            ),
            (
                "bind-nonrecursive",
                "bind-nonrecursive is deprecated, use bind-recursive=disabled instead",
            ),
            (
                "bind-recursive=yes",
                "invalid value for bind-recursive: yes (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")",
            ),
            ("type=tmpfs,tmpfs-size=x", "invalid value for tmpfs-size: x"),
            ("type=tmpfs,tmpfs-mode=8", "invalid value for tmpfs-mode: 8"),
            (
                "type=tmpfs,tmpfs-mode=+7",
                "invalid value for tmpfs-mode: +7",
            ),
            (
                "type=tmpfs,tmpfs-mode=77777777777",
                "invalid value for tmpfs-mode: 77777777777",
            ),
            (
                "type=bind,volume-nocopy",
                "cannot mix 'volume-*' options with mount type 'bind'",
            ),
            (
                "bind-propagation=slave",
                "cannot mix 'bind-*' options with mount type 'volume'",
            ),
            (
                "type=x,image-subpath=a",
                "cannot mix 'image-*' options with mount type 'x'",
            ),
            (
                "type=bind,tmpfs-mode=7",
                "cannot mix 'tmpfs-*' options with mount type 'bind'",
            ),
            (
                "type=bind,bind-recursive=writable",
                "option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction",
            ),
            (
                "type=bind,bind-recursive=readonly",
                "option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction",
            ),
            (
                "type=bind,bind-recursive=readonly,ro",
                "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
            ),
            (
                "type=bind,\"a",
                "parse error on line 1, column 13: extraneous or missing \" in quoted-field",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn source_and_target_pass_verbatim(source in "[a-zA-Z/][a-zA-Z0-9/=]{0,9}", target in "/[a-zA-Z0-9./:]{0,9}") {
            let mount = sent(&format!("src={source},dst={target}"));
            assert_eq!(mount, json!({"Type": "volume", "Source": source, "Target": target}));
        }

        #[test]
        fn options_belong_to_the_type(text in "(type=(bind|volume|tmpfs|image)|ro|bind-create-src|volume-nocopy|image-subpath=a|tmpfs-mode=7|dst=/a|,|\"){0,6}|.*") {
            if let Ok(new) = parse(&text) {
                let typ = new.mount.typ;
                assert!(new.mount.bind_options.is_none() || typ == Some(MountType::BIND));
                assert!(new.mount.volume_options.is_none() || typ == Some(MountType::VOLUME));
                assert!(new.mount.image_options.is_none() || typ == Some(MountType::IMAGE));
                assert!(new.mount.tmpfs_options.is_none() || typ == Some(MountType::TMPFS));
                assert_eq!(typ.is_none(), new.words.typ.is_some());
            }
        }
    }
}
