//! Templates beside Docker's client: the same template, on the same things of the same engine, has the same text.

use std::fmt::Write as _;

use harness::Program;

use crate::{Container, engine, tool, unique};

/// Options that leave few fields of a container empty.
const OPTIONS: &str = "\
-l a.b=c -l 'other=x y' -e A=b -e \"HTML=<a href='x'>&\" -m 64m --cpu-shares 512 --cpus 0.5 --pids-limit 100 \
--restart on-failure:3 --health-cmd true --health-interval 90s --health-retries 2 --stop-timeout 7 \
--stop-signal SIGINT --workdir /tmp --hostname box --dns 127.0.0.9 --add-host h:127.0.0.8 --tmpfs /scratch:size=1m \
--cap-drop NET_RAW --device /dev/null:/dev/nothing:r --log-opt max-size=1m --user 0:0 --shm-size 8m --expose 80 --network none --read-only";

/// Of `inspect` of a container.
const CONTAINER: &str = r#"
{{.ID}}
{{.Id}}
{{.Name}} {{.Created}} {{.Path}} {{.Args}} {{len .Args}}
{{.State.Status}} {{.State.Running}} {{.State.Pid}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Error}}|
{{.State.StartedAt}} {{.State.FinishedAt}}
{{.State.Health.FailingStreak}} {{len .State.Health.Status}}
{{if .State.Health}}health{{else}}none{{end}}
{{with .State}}{{.Status}}{{end}}
{{json .State.Paused}} {{json .Config.Env}} {{json .Config.Labels}} {{json .Config.ExposedPorts}}
{{json .HostConfig.LogConfig}} {{json .HostConfig.RestartPolicy}} {{json .HostConfig.Devices}}
{{json .HostConfig.NanoCPUs}} {{json .HostConfig.PidsLimit}} {{json .HostConfig.Init}} {{json .HostConfig.Binds}}
{{json .SizeRw}} {{.SizeRw}} {{.SizeRootFs}}
{{json .Nope}}
{{.Nope}}
{{.State.Nope}}
{{.Name.Nope}}
{{.RestartCount}} {{printf "%d" .RestartCount}} {{eq .RestartCount 0}}
{{.HostConfig.CPUShares}} {{.HostConfig.Memory}} {{.HostConfig.NanoCPUs}} {{.HostConfig.PidsLimit}} {{.HostConfig.ShmSize}}
{{.HostConfig.CpuShares}}
{{.HostConfig.NanoCpus}} {{.HostConfig.CpusetCpus}}|
{{.HostConfig.CPUQuota}} {{.HostConfig.CPUPeriod}} {{.HostConfig.CPUCount}} {{.HostConfig.IOMaximumBandwidth}}
{{.HostConfig.DNS}} {{.HostConfig.DNSSearch}} {{.HostConfig.DNSOptions}}
{{.HostConfig.Dns}}
{{.HostConfig.Resources.Memory}}
{{.HostConfig.RestartPolicy}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}
{{.HostConfig.LogConfig}} {{.HostConfig.LogConfig.Type}} {{index .HostConfig.LogConfig.Config "max-size"}}
{{.HostConfig.Binds}} {{.HostConfig.Tmpfs}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} {{.HostConfig.ExtraHosts}}
{{.HostConfig.NetworkMode}} {{.HostConfig.Privileged}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.AutoRemove}}
{{.HostConfig.Init}} {{.HostConfig.OomKillDisable}} {{.HostConfig.MemorySwappiness}}
{{range .HostConfig.Devices}}{{.PathOnHost}}={{.PathInContainer}}:{{.CgroupPermissions}}{{end}}
{{range $k, $v := .HostConfig.Tmpfs}}{{$k}}={{$v}}{{end}}
{{.HostConfig.MaskedPaths}} {{len .HostConfig.ReadonlyPaths}}
{{.Config.Hostname}} {{.Config.Domainname}} {{.Config.User}} {{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.WorkingDir}}
{{.Config.Env}}
{{range .Config.Env}}{{println .}}{{end}}
{{range $i, $e := .Config.Env}}{{$i}}:{{html $e}} {{end}}
{{range .Config.Env}}{{if eq (slice . 0 2) "A="}}{{slice . 2}}{{break}}{{end}}{{end}}
{{range .Config.Env}}{{$p := split . "="}}{{index $p 0}} {{end}}
{{.Config.Cmd}} {{.Config.Entrypoint}} {{join .Config.Cmd " "}} {{json .Config.Cmd}}
{{join .Config.Entrypoint ","}}|{{len .Config.Entrypoint}}
{{.Config.Labels}} {{index .Config.Labels "a.b"}} {{.Config.Labels.other}} {{.Config.Labels.nope}} {{index .Config.Labels "nope"}}|
{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}
{{len .Config.Labels}} {{with index .Config.Labels "a.b"}}<{{.}}>{{end}}
{{.Config.ExposedPorts}} {{range $p, $_ := .Config.ExposedPorts}}{{$p}}{{end}}
{{.Config.Volumes}} {{.Config.OnBuild}} {{.Config.Shell}}
{{.Config.StopSignal}} {{.Config.StopTimeout}} {{json .Config.StopTimeout}}
{{.Config.Healthcheck.Interval}} {{.Config.Healthcheck.Timeout}} {{.Config.Healthcheck.Retries}} {{.Config.Healthcheck.Test}}
{{json .Config.Healthcheck.Interval}} {{json .Config.Healthcheck}} {{printf "%v %s %d" .Config.Healthcheck.Interval .Config.Healthcheck.Interval .Config.Healthcheck.Interval}}
{{.Config.Healthcheck}}
{{.Config.Image}} {{upper .Config.Image}} {{title .Config.Image}} {{pad .Config.Image 2 2}}|{{truncate .Config.Image 4}}
{{printf "%-20s|%5d|%q" .Name .HostConfig.CPUShares .Config.WorkingDir}}
{{printf "%T %T %T %T" .Name .State.Running .Config.Labels .Args}}
{{printf "%s" .State.Running}} {{printf "%d" .Name}} {{printf "%v" .Config.Cmd}} {{printf "%q" .Config.Cmd}}
{{if and .State.Running (not .State.Paused)}}up{{else}}down{{end}}
{{if or .State.Paused .State.Restarting}}a{{else if eq .State.Status "running" "paused"}}b{{else}}c{{end}}
{{if and .State.Health (eq .State.Health.FailingStreak 0)}}well{{end}}
{{gt .HostConfig.Memory 1000}} {{lt .HostConfig.CPUShares 512}} {{le .HostConfig.CPUShares 512}} {{ne .Name "x"}}
{{eq .HostConfig.Memory "67108864"}}
{{eq .HostConfig.BlkioWeight 0}} {{gt .HostConfig.ShmSize .HostConfig.CPUShares}}
{{.NetworkSettings.Ports}} {{len .NetworkSettings.Ports}}
{{range $name, $n := .NetworkSettings.Networks}}{{$name}} {{$n.IPAddress}}|{{$n.IPPrefixLen}} {{$n.NetworkID}}{{end}}
{{.NetworkSettings.Networks.none.Gateway}}|{{.NetworkSettings.Networks.none.GlobalIPv6PrefixLen}}
{{(index .NetworkSettings.Networks "none").EndpointID}}
{{.NetworkSettings.Networks.nope}}
{{.NetworkSettings.Networks.nope.IPAddress}}
{{.NetworkSettings.IPAddress}}|{{.NetworkSettings.MacAddress}}|{{.NetworkSettings.SandboxID}}
{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}
{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}} {{.Propagation}}|{{end}}
{{len .Mounts}} {{(index .Mounts 0).Destination}}
{{(index .Mounts 5).Destination}}
{{index .Args 0}} {{index .Args 1}}
{{index .Args 7}}
{{index .Config "Image"}}
{{len .Name}} {{len .State}}
{{range .Name}}{{end}}
{{range .State}}{{end}}
{{$c := .Config}}{{$c.Image}} {{$.Name}} {{with $c.Labels}}{{.other}}{{$.ID}}{{end}}
{{define "l"}}[{{.}}]{{end}}{{template "l" .Name}}{{range .Args}}{{template "l" .}}{{end}}
{{block "b" .Config}}{{.Image}}{{end}}
{{/* why */}}{{- .Name -}} !
{{.Name}}\t{{.Driver}}\n
{{"\t"}}{{.Name}}{{`\n`}}
{{urlquery (index .Config.Env 1)}} {{js (index .Config.Env 1)}} {{.Name | urlquery}}
{{print .Name .HostConfig.CPUShares .HostConfig.Memory}} {{println .Name 1}}
{{.Name "x"}}
{{.Name | .Driver}}
{{.Driver}} {{.Platform}} {{.ExecIDs}} {{.AppArmorProfile}}|{{.ProcessLabel}}|{{.LogPath}}
{{.Image}} {{.HostnamePath}}
{{call .Name}}
{{nope .Name}}
{{.Name
{{if .Name}}
{{.HostConfig.Isolation}} {{.HostConfig.Cgroup}}|{{.HostConfig.UTSMode}}|{{.HostConfig.ConsoleSize}}
{{range .State.Health.Log}}{{.ExitCode}}{{end}}
"#;

/// Of `inspect` of an image.
const IMAGE: &str = r#"
{{.ID}} {{.RepoTags}} {{.RepoDigests}} {{.Os}}/{{.Architecture}} {{.Size}} {{.Created}}
{{.Id}} {{.VirtualSize}}
{{.Config.Cmd}} {{.Config.Env}} {{.Config.User}}|{{.Config.Labels}} {{.Config.ExposedPorts}} {{.Config.WorkingDir}}|{{.Config.Entrypoint}}
{{.Config.Healthcheck}} {{.Config.Shell}} {{.Config.Volumes}} {{.Config.StopSignal}}|
{{.Config.Nope}}
{{.RootFS.Type}} {{len .RootFS.Layers}} {{json .RootFS}}
{{index .RepoTags 0}} {{range .RepoTags}}{{.}},{{end}} {{index (split (index .RepoTags 0) ":") 0}}
{{.Comment}}|{{.Author}}|{{.Variant}}|{{.OsVersion}}|{{json .Comment}}
{{json .Config.Cmd}} {{json .Config.Healthcheck}} {{json .Config.Labels}}
{{.Config.Cmd | json}} {{gt .Size 1000}} {{printf "%08d" .Size}}
{{.Metadata.LastTagTime.Nope}}
{{if .Config.ExposedPorts}}a{{else}}b{{end}}
"#;

/// Of `inspect` of a volume.
const VOLUME: &str = r#"
{{.Name}} {{.Driver}} {{.Scope}} {{.Mountpoint}} {{.CreatedAt}}
{{.Labels}} {{.Options}} {{.Status}} {{.UsageData}} {{.ClusterVolume}}
{{json .Labels}} {{json .Options}} {{json .UsageData}} {{json .Status}}
{{json .}}
{{index .Labels "k"}} {{index .Labels "nope"}}|{{.Labels.k}} {{.Labels.nope}}
{{.UsageData.Size}}
{{with .UsageData}}a{{else}}b{{end}}
{{.Nope}}
"#;

/// Of `ps`.
const PS: &str = r#"
{{.ID}} {{.Names}} {{.Image}} {{.Command}} {{.State}} {{.Ports}}|{{.LocalVolumes}} {{.Networks}} {{.CreatedAt}}
{{.Mounts}} {{.Labels}}
{{.Label "a.b"}} {{.Label "nope"}}|{{if .Label "other"}}x{{end}} {{eq (.Label "a.b") "c"}}
{{.Label}}
{{.Label "a" "b"}}
{{.Nope}}
{{json .Names}} {{json .Labels}}
{{json .ID}}
table {{.ID}}\t{{.Names}}\t{{.State}}
table {{upper .Names}}\t{{lower .ID}}\t{{title .State}}\t{{json .Image}}\t{{truncate .ID 3}}
table {{.Names}}\t{{pad .State 1 1}}|{{.Label "a.b-c_d"}}\t{{.Label "other"}}
table {{.Names}}\t{{printf "%.4s" .State}}\t{{slice .ID 0}}
table {{if .Names}}{{.Names}}{{else}}none{{end}}\t{{len .State}}
table {{split .Image ":"}}
table {{with .Names}}{{.}}{{end}}\t{{range $i := 2}}{{$i}}{{end}}
{{.Names}}\t{{.ID}}\n.
{{range $i, $l := split .Labels ","}}{{$i}}={{$l}};{{end}}
{{$n := .Names}}{{printf "%s/%s" $n .State | upper}}
{{println .ID .Names}}
{{define "a"}}<{{.Names}}>{{end}}{{template "a" .}}
{{if eq .State "running"}}up{{end}}{{with .Nope}}{{end}}
{{slice .ID 0}}-{{index (split .Names "-") 0}}
{{.Names | printf "%-30s|"}}
{{nope .ID}}
{{.ID
"#;

/// Of `images`.
const IMAGES: &str = r#"
{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}} {{.CreatedAt}} {{.Containers}} {{.SharedSize}} {{.UniqueSize}}
{{.Digest}}
{{json .Repository}}
table {{.Repository}}\t{{.Tag}}\t{{.ID}}
table {{upper .Repository}}\t{{.Size}}\t{{.SharedSize}}
{{.Repository}}{{if .Tag}}:{{.Tag}}{{end}}
{{.Nope}}
{{.Label "x"}}
raw
"#;

/// Of `volume ls`.
const VOLUMES: &str = r#"
{{.Name}} {{.Driver}} {{.Scope}} {{.Mountpoint}} {{.Labels}} {{.Links}} {{.Size}} {{.Group}} {{.Availability}} {{.Status}}
{{.Label "k"}} {{.Label "x"}}|
{{json .}}
json
table {{.Name}}\t{{.Label "k"}}\t{{.Links}}
{{.Nope}}
raw
"#;

/// Of `version`, of which the client's part is ours.
const VERSION: &str = r#"
{{.Server.Version}} {{.Server.APIVersion}} {{.Server.MinAPIVersion}} {{.Server.Os}}/{{.Server.Arch}} {{.Server.GitCommit}} {{.Server.GoVersion}}
{{.Server.KernelVersion}} {{.Server.Experimental}} {{.Server.BuildTime}}
{{.Server.Platform}} {{.Server.Platform.Name}}|
{{.Client.Os}} {{.Client.Arch}} {{.Client.Platform}}
{{range .Server.Components}}{{.Name}} {{.Version}} {{.Details.GitCommit}};{{end}}
{{json .Server.Platform}} {{json .Server.Version}}
{{if ne .Server nil}}server{{end}}{{if ge .Server.APIVersion "1.40"}} new{{end}}
{{.Server.Nope}}
{{.Nope}}
"#;

/// Of `info`.
const INFO: &str = r#"
{{len .ID}} {{.Name}} {{.Driver}} {{.OSType}}/{{.Architecture}} {{.NCPU}} {{.MemTotal}} {{.ServerVersion}} {{.CgroupDriver}} {{.CgroupVersion}}
{{.CPUShares}} {{.CPUCfsQuota}} {{.CPUSet}} {{.HTTPProxy}}|{{.NoProxy}}|{{.Labels}} {{.LiveRestoreEnabled}} {{.DockerRootDir}}
{{.Plugins.Volume}} {{.Plugins.Authorization}} {{json .Plugins.Volume}} {{len .Plugins.Network}}
{{range .SecurityOptions}}{{.}} {{end}} {{.DefaultRuntime}} {{.Swarm.LocalNodeState}} {{.Swarm.Nodes}} {{.Isolation}}|{{.InitBinary}}
{{len .DriverStatus}} {{range .DriverStatus}}{{len .}}{{end}}
{{range $k, $v := .Runtimes}}{{$k}} {{end}} {{.Swarm.ControlAvailable}}
{{.ClientInfo.Debug}} {{.ClientInfo.Os}}
{{.ProductLicense}}|{{.SystemStatus}}
{{.Nope}}
"#;

/// The text of each template, with both clients, where they differ.
fn compare(
    docker: &Program,
    tool: &Program,
    before: &[&str],
    templates: &str,
    after: &[&str],
) -> String {
    let mut different = String::new();
    for template in templates.lines().filter(|line| !line.is_empty()) {
        let run = |program: &Program| {
            let words = before.iter().chain([&"--format", &template]).chain(after);
            let outcome = program.run(words.copied());
            let out = outcome.out();
            // Of a template that fails, Docker's client leaves what it had of it, or an empty line.
            let text = match outcome.code {
                Some(0) => out,
                _ => out.trim_end().to_owned(),
            };
            (outcome.code, text)
        };
        let (theirs, ours) = (run(docker), run(tool));
        if theirs != ours {
            let command = before.join(" ");
            // Writing to a string does not fail.
            let _ = writeln!(
                different,
                "{command} {template}\n  docker: {theirs:?}\n  tool:   {ours:?}"
            );
        }
    }
    different
}

#[test]
fn templates_say_what_dockers_client_makes_of_them() {
    let engine = engine!();
    if harness::find_program("docker").is_none() {
        let test = "templates::templates_say_what_dockers_client_makes_of_them";
        let left_out: Option<()> = harness::left_out(test, "a Docker client (Debian: docker.io)");
        return left_out.unwrap_or_default();
    }
    // An engine answers each by the version that it asks for.
    let version = "1.41";
    let docker = Program::new("docker")
        .with_env("DOCKER_HOST", engine.host())
        .with_env("DOCKER_API_VERSION", version);
    let tool = tool(engine).with_env("DOCKER_API_VERSION", version);
    let volume = unique("templates");
    tool.run(["volume", "create", "--label", "k=v", &volume]);
    let mount = format!("{volume}:/data");
    let options = shlex::split(OPTIONS).expect("options that a shell reads");
    let words: Vec<&str> = options
        .iter()
        .map(String::as_str)
        .chain(["-v", &mount, "busybox", "sleep", "1000"])
        .collect();
    let container = Container::run(engine, &words);
    let name = container.name.as_str();
    let filter = format!("name={name}");
    let volumes = format!("name={volume}");
    let both = |before: &[&str], templates: &str, after: &[&str]| {
        compare(&docker, &tool, before, templates, after)
    };
    let different = [
        both(&["inspect"], CONTAINER, &[name]),
        both(&["container", "inspect"], "{{.ID}}", &[name, name]),
        both(&["inspect"], "{{.Id}}\n{{.Nope}}", &[name, "no-such"]),
        both(&["inspect"], "{{.Id}}\n{{.Nope}}\njson", &["no-such"]),
        both(&["volume", "inspect"], "json", &[&volume, &volume]),
        both(&["inspect"], "json", &[&volume, "no-such"]),
        both(&["image", "inspect"], IMAGE, &["busybox"]),
        both(&["volume", "inspect"], VOLUME, &[&volume]),
        both(&["ps", "-f", &filter], PS, &[]),
        both(
            &["ps", "-f", &filter, "--no-trunc"],
            "{{.ID}} {{.Command}} {{.Mounts}}",
            &[],
        ),
        both(&["images"], IMAGES, &["busybox"]),
        both(&["images", "--digests"], "raw\ntable {{.ID}}", &["busybox"]),
        both(&["images", "-q"], "raw\ntable\n{{.Tag}}", &["busybox"]),
        both(&["volume", "ls", "-f", &volumes], VOLUMES, &[]),
        both(
            &["volume", "ls", "-q", "-f", &volumes],
            "raw\ntable\n{{.Driver}}",
            &[],
        ),
        both(&["version"], VERSION, &[]),
        both(&["info"], INFO, &[]),
    ]
    .concat();
    drop(container);
    tool.run(["volume", "rm", &volume]);
    assert!(different.is_empty(), "{different}");
}

#[test]
fn a_configuration_file_says_how_lists_are_printed() {
    let engine = engine!();
    let tool = tool(engine);
    let config = r#"{"psFormat": "ps {{.Names}}", "imagesFormat": "image {{.Repository}}", "volumesFormat": "volume {{.Name}}"}"#;
    let file = tool.file("configured/config.json", config);
    let directory = file.parent().expect("a directory").as_os_str();
    let volume = unique("configured");
    tool.run(["volume", "create", &volume]);
    let container = Container::idle(engine);
    let name = container.name.as_str();
    let short = &container.id[..12];
    let (ps, volumes) = (format!("name={name}"), format!("name={volume}"));
    let docker = harness::find_program("docker")
        .map(|_| Program::new("docker").with_env("DOCKER_HOST", engine.host()));
    for program in docker.into_iter().chain([crate::tool(engine)]) {
        let program = program.with_env("DOCKER_CONFIG", directory);
        for (words, expected) in [
            (vec!["ps", "-f", &ps], format!("ps {name}")),
            (vec!["ps", "-f", &ps, "--format", ""], format!("ps {name}")),
            (
                vec!["ps", "-f", &ps, "--format", "{{.ID}}"],
                short.to_owned(),
            ),
            (vec!["ps", "-q", "-f", &ps], short.to_owned()),
            (vec!["images", "busybox"], "image busybox".to_owned()),
            (
                vec!["volume", "ls", "-f", &volumes],
                format!("volume {volume}"),
            ),
            (vec!["volume", "ls", "-q", "-f", &volumes], volume.clone()),
        ] {
            program.run(words).assert(0, &format!("{expected}\n"), "");
        }
    }
    drop(container);
    tool.run(["volume", "rm", &volume]);
}

#[test]
fn recorded_templates_are_dockers() {
    let engine = engine!();
    if harness::find_program("docker").is_none() {
        let test = "templates::recorded_templates_are_dockers";
        let left_out: Option<()> = harness::left_out(test, "a Docker client (Debian: docker.io)");
        return left_out.unwrap_or_default();
    }
    let docker = Program::new("docker").with_env("DOCKER_HOST", engine.host());
    let mut different = String::new();
    for line in include_str!("../../crates/listing/tests/templates.jsonl").lines() {
        let (template, expected): (String, Option<String>) =
            serde_json::from_str(line).expect("a template and its text");
        let outcome = docker.run(["version", "--format", &template]);
        let text = (outcome.code == Some(0)).then(|| outcome.out());
        let expected = expected.map(|text| text + "\n");
        if text != expected {
            let _ = writeln!(
                different,
                "{template}\n  docker: {text:?}\n  file:   {expected:?}"
            );
        }
    }
    assert!(different.is_empty(), "{different}");
}
