//! Containers on a real engine, over each transport.

use std::io::{Read, Write};
use std::thread;

use engine_client::models::ContainerCreateBody;
use engine_client::{AttachOptions, Client, WaitCondition};

/// Sends megabytes through a container that sends them back, in both directions at once: neither side waits for the
/// other to be done, and a direction that blocked the other would hang.
pub(crate) fn megabytes_pass_both_ways(client: &Client) {
    const SIZE: usize = 24 << 20;
    let text = |text: &str| Some(text.to_owned());
    let body = ContainerCreateBody {
        image: text(harness::BUSYBOX),
        cmd: Some(vec!["cat".to_owned()]),
        open_stdin: Some(true),
        stdin_once: Some(true),
        ..ContainerCreateBody::default()
    };
    let container = client
        .create_container(&Default::default(), &body.into())
        .expect("a container");
    let options = AttachOptions {
        stdin: true,
        stdout: true,
        ..AttachOptions::default()
    };
    let attached = client
        .attach_container(&container.id, &options)
        .expect("a stream");
    let waiting = client
        .wait_container(&container.id, WaitCondition::NextExit)
        .expect("a wait");
    client.start_container(&container.id).expect("a start");

    let (reader, mut writer) = attached.split();
    let sent: Vec<u8> = (0..SIZE).map(|at| (at / 7 % 251) as u8).collect();
    let expected = sent.clone();
    let sending = thread::spawn(move || {
        writer.write_all(&sent).expect("room");
        writer.close_write().expect("a half-close");
        writer
    });
    let mut received = Vec::new();
    let mut frames = engine_client::Demultiplexer::new(reader);
    let mut payload = Vec::new();
    while frames.next_frame(&mut payload).expect("a frame").is_some() {
        received.append(&mut payload);
    }
    assert_eq!(received.len(), SIZE);
    assert!(received == expected, "the bytes are the same");
    sending.join().expect("no panic");
    assert_eq!(waiting.status().expect("a status").status_code, 0);
    client
        .remove_container(&container.id, &Default::default())
        .expect("no container");
}

/// Reads a container's output to its end, which is the engine closing the stream.
pub(crate) fn output_ends(client: &Client) {
    let body = ContainerCreateBody {
        image: Some(harness::BUSYBOX.to_owned()),
        cmd: Some(["echo", "hello"].map(str::to_owned).to_vec()),
        tty: Some(true),
        ..ContainerCreateBody::default()
    };
    let container = client
        .create_container(&Default::default(), &body.into())
        .expect("a container");
    let options = AttachOptions {
        stdout: true,
        ..AttachOptions::default()
    };
    let attached = client
        .attach_container(&container.id, &options)
        .expect("a stream");
    client.start_container(&container.id).expect("a start");
    let (mut reader, _writer) = attached.split();
    let mut output = String::new();
    reader.read_to_string(&mut output).expect("the end");
    assert_eq!(output, "hello\r\n");
    client
        .remove_container(&container.id, &Default::default())
        .expect("no container");
}

/// Ends a stream that says nothing while a thread reads it, and leaves the container alone.
pub(crate) fn a_shutdown_ends_the_stream(client: &Client) {
    let body = ContainerCreateBody {
        image: Some(harness::BUSYBOX.to_owned()),
        cmd: Some(["sleep", "1000"].map(str::to_owned).to_vec()),
        ..ContainerCreateBody::default()
    };
    let container = client
        .create_container(&Default::default(), &body.into())
        .expect("a container");
    client.start_container(&container.id).expect("a start");
    let options = AttachOptions {
        stdout: true,
        ..AttachOptions::default()
    };
    let attached = client
        .attach_container(&container.id, &options)
        .expect("a stream");
    let handle = attached.shutdown_handle();
    let (mut reader, writer) = attached.split();
    let reading = thread::spawn(move || reader.read(&mut [0; 16]));
    thread::sleep(std::time::Duration::from_millis(50));
    let start = std::time::Instant::now();
    handle.shutdown();
    // Whether this is the end or an error is of no interest to who ended it.
    let _ = reading.join().expect("no panic");
    let took = start.elapsed();
    assert!(took < std::time::Duration::from_secs(1), "{took:?}");
    drop(writer);
    client
        .kill_container(&container.id, Some("KILL"))
        .expect("it runs");
    let force = engine_client::RemoveOptions {
        force: true,
        ..Default::default()
    };
    client
        .remove_container(&container.id, &force)
        .expect("no container");
}
