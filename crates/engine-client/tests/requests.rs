//! What each method sends.

mod wire;

use engine_client::models::ContainerCreateBody;
use engine_client::{
    AttachOptions, CreateContainerOptions, CreateImage, ErrorKind, RemoveOptions, WaitCondition,
};
use wire::{Wire, sent};

const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[test]
fn create() {
    let answer = "HTTP/1.1 201 Created\r\nContent-Length: 12\r\n\r\n{\"Id\":\"abc\"}";
    let request = sent(answer, |client| {
        let options = CreateContainerOptions {
            name: Some("a&b".into()),
            platform: Some("linux/arm64".into()),
        };
        let body = ContainerCreateBody {
            image: Some("busybox".into()),
            tty: Some(true),
            ..Default::default()
        };
        client
            .create_container(&options, &body.into())
            .expect("a container");
    });
    assert_eq!(
        request.line,
        "POST /v1.41/containers/create?name=a%26b&platform=linux%2Farm64"
    );
    assert_eq!(request.header("Content-Type"), Some("application/json"));
    assert_eq!(
        String::from_utf8_lossy(&request.body),
        r#"{"Tty":true,"Image":"busybox"}"#
    );
}

#[test]
fn an_old_engine_is_not_told_the_platform() {
    let wire = Wire::unix(|peer| {
        while let Some(request) = peer.receive() {
            match request.line.contains("/_ping") {
                true => {
                    peer.send("HTTP/1.1 200 OK\r\nApi-Version: 1.40\r\nContent-Length: 0\r\n\r\n")
                }
                false => peer.json(201, r#"{"Id":"abc","Warnings":[]}"#),
            }
        }
    });
    let options = CreateContainerOptions {
        platform: Some("linux/arm64".into()),
        ..Default::default()
    };
    wire.client()
        .create_container(&options, &Default::default())
        .expect("a container");
    assert_eq!(
        wire.requests(),
        ["HEAD /_ping", "POST /v1.40/containers/create"]
    );
}

#[test]
fn a_large_body_arrives_whole() {
    let value = "x".repeat(3 << 20);
    let environment = vec![format!("A={value}")];
    let answer = "HTTP/1.1 201 Created\r\nContent-Length: 12\r\n\r\n{\"Id\":\"abc\"}";
    let request = sent(answer, |client| {
        let body = ContainerCreateBody {
            env: Some(environment.clone()),
            ..Default::default()
        };
        client
            .create_container(&Default::default(), &body.into())
            .expect("a container");
    });
    assert_eq!(
        request.body,
        format!(r#"{{"Env":["A={value}"]}}"#).into_bytes()
    );
}

#[test]
fn start_kill_resize_remove() {
    let request = sent(NO_CONTENT, |client| {
        client.start_container("a b").expect("a start")
    });
    assert_eq!(request.line, "POST /v1.41/containers/a%20b/start");
    assert_eq!(request.header("Content-Length"), Some("0"));

    let request = sent(NO_CONTENT, |client| {
        client.kill_container("a", None).expect("a kill")
    });
    assert_eq!(request.line, "POST /v1.41/containers/a/kill");
    let request = sent(NO_CONTENT, |client| {
        client
            .kill_container("a", Some("SIGRTMIN+1"))
            .expect("a kill")
    });
    assert_eq!(
        request.line,
        "POST /v1.41/containers/a/kill?signal=SIGRTMIN%2B1"
    );

    let request = sent(NO_CONTENT, |client| {
        client.resize_container("a", 50, 132).expect("a resize")
    });
    assert_eq!(request.line, "POST /v1.41/containers/a/resize?h=50&w=132");

    let request = sent(NO_CONTENT, |client| {
        client
            .remove_container("a", &RemoveOptions::default())
            .expect("removed")
    });
    assert_eq!(request.line, "DELETE /v1.41/containers/a");
    let both = RemoveOptions {
        force: true,
        volumes: true,
    };
    let request = sent(NO_CONTENT, |client| {
        client.remove_container("a", &both).expect("removed")
    });
    assert_eq!(request.line, "DELETE /v1.41/containers/a?force=1&v=1");
}

#[test]
fn inspect() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\n{\"Id\":\"abc\",\"State\":{\"Running\": true}}";
    let request = sent(answer, |client| {
        let container = client.inspect_container("abc").expect("a description");
        assert_eq!(container.id.as_deref(), Some("abc"));
        assert_eq!(container.state.and_then(|state| state.running), Some(true));
    });
    assert_eq!(request.line, "GET /v1.41/containers/abc/json");
}

#[test]
fn wait() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"StatusCode\":0}";
    for (condition, name) in [
        (WaitCondition::NotRunning, "not-running"),
        (WaitCondition::NextExit, "next-exit"),
        (WaitCondition::Removed, "removed"),
    ] {
        let request = sent(answer, |client| {
            drop(client.wait_container("a", condition).expect("a wait"))
        });
        assert_eq!(
            request.line,
            format!("POST /v1.41/containers/a/wait?condition={name}")
        );
    }
}

#[test]
fn attach() {
    let request = sent("HTTP/1.1 101 UPGRADED\r\n\r\n", |client| {
        let options = AttachOptions {
            stdin: true,
            stdout: true,
            stderr: true,
            detach_keys: Some("ctrl-a,@".into()),
        };
        client.attach_container("a", &options).expect("a stream");
    });
    assert_eq!(
        request.line,
        "POST /v1.41/containers/a/attach?detachKeys=ctrl-a%2C%40&stderr=1&stdin=1&stdout=1&stream=1"
    );
    assert_eq!(request.header("Connection"), Some("Upgrade"));
    assert_eq!(request.header("Upgrade"), Some("tcp"));
    assert_eq!(request.header("Content-Type"), Some("text/plain"));
}

#[test]
fn pull() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let mut image = CreateImage {
        from_image: "docker.io/library/busybox".into(),
        ..Default::default()
    };
    let request = sent(answer, |client| {
        drop(client.create_image(&image).expect("a pull"))
    });
    assert_eq!(
        request.line,
        "POST /v1.41/images/create?fromImage=docker.io%2Flibrary%2Fbusybox"
    );
    assert_eq!(request.header("X-Registry-Auth"), Some("e30="));
    assert_eq!(request.header("Content-Length"), Some("0"));

    image.tag = Some("sha256:abc".into());
    image.platform = Some("linux/arm/v7".into());
    image.registry_auth = Some("c2VjcmV0".into());
    let request = sent(answer, |client| {
        drop(client.create_image(&image).expect("a pull"))
    });
    assert_eq!(
        request.line,
        "POST /v1.41/images/create?fromImage=docker.io%2Flibrary%2Fbusybox&tag=sha256%3Aabc&platform=linux%2Farm%2Fv7"
    );
    assert_eq!(request.header("X-Registry-Auth"), Some("c2VjcmV0"));
    assert!(
        !format!("{image:?}").contains("c2VjcmV0"),
        "credentials are not printed"
    );
}

#[test]
fn put_archive() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let request = sent(answer, |client| {
        let archive = b"not looked at".to_vec();
        client.put_archive("abc", "/a b", archive).expect("success");
    });
    assert_eq!(
        request.line,
        "PUT /v1.41/containers/abc/archive?path=%2Fa%20b&noOverwriteDirNonDir=true"
    );
    assert_eq!(request.header("Content-Type"), Some("application/x-tar"));
    assert_eq!(String::from_utf8_lossy(&request.body), "not looked at");
}

#[test]
fn a_name_that_would_change_the_request_is_not_sent() {
    let wire = Wire::answering(NO_CONTENT);
    let client = wire.client();
    for id in ["../images/x", "", "..", "a/b"] {
        let errors = [
            client.start_container(id).expect_err(id),
            client.kill_container(id, None).expect_err(id),
            client.resize_container(id, 1, 1).expect_err(id),
            client
                .remove_container(id, &RemoveOptions::default())
                .expect_err(id),
            client.inspect_container(id).expect_err(id),
            client.put_archive(id, "/", Vec::new()).expect_err(id),
            client
                .wait_container(id, WaitCondition::NextExit)
                .expect_err(id),
            client
                .attach_container(id, &AttachOptions::default())
                .expect_err(id),
        ];
        assert!(errors.iter().all(|error| error.kind() == ErrorKind::Input));
    }
    assert_eq!(wire.connections(), 0);
}

#[test]
fn credentials_that_can_not_be_a_header_are_not_sent() {
    let wire = Wire::answering(NO_CONTENT);
    let image = CreateImage {
        registry_auth: Some("a\r\nX: secret".into()),
        ..Default::default()
    };
    let error = wire.client().create_image(&image).expect_err("no header");
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(wire.requests(), ["HEAD /_ping"]);
}
