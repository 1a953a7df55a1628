"""Docker's library for Python on the engine at DOCKER_HOST. The one argument is the name of a function below."""

import io
import os
import socket
import sys
import tarfile
import time
import uuid

import docker


def unique():
    return "docker-py-" + uuid.uuid4().hex[:12]


def until(ask):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError("it did not come to that in time")


def run_returns_what_is_written(client):
    assert client.containers.run("busybox", "echo hello", remove=True) == b"hello\n"
    both = client.containers.run(
        "busybox", ["sh", "-c", "echo out; echo err >&2"], stdout=True, stderr=True, remove=True
    )
    assert sorted(both.splitlines()) == [b"err", b"out"], both
    environment = client.containers.run(
        "busybox",
        ["sh", "-c", "echo $A $PWD $(id -u)"],
        environment={"A": "b"},
        working_dir="/tmp",
        user="nobody",
        network_mode="none",
        remove=True,
    )
    assert environment == b"b /tmp 65534\n", environment


def limits_are_the_containers(client):
    script = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max"
    limit = client.containers.run("busybox", ["sh", "-c", script], mem_limit="64m", remove=True)
    assert limit == b"67108864\n", limit


def an_exec_loses_no_output(client):
    # The library drops what comes in one packet with the head of the answer.
    container = client.containers.run("busybox", ["sleep", "600"], detach=True, network_mode="none", name=unique())
    try:
        for tty in [False, True]:
            for _ in range(30):
                code, output = container.exec_run(["echo", "hello"], tty=tty)
                assert (code, output.split()) == (0, [b"hello"]), (tty, code, output)
                _, stream = container.exec_run(["echo", "hello"], tty=tty, socket=True)
                stream = getattr(stream, "_sock", stream)
                received = b""
                while piece := stream.recv(4096):
                    received += piece
                assert received.endswith(b"hello\r\n" if tty else b"hello\n"), (tty, received)
    finally:
        container.remove(force=True)


def failures_are_exceptions(client):
    try:
        client.containers.run("busybox", ["sh", "-c", "echo no >&2; exit 3"], remove=True)
        raise AssertionError("it succeeded")
    except docker.errors.ContainerError as error:
        assert error.exit_status == 3 and error.stderr == b"no\n", error
    try:
        client.containers.get("no-such-container")
        raise AssertionError("it was found")
    except docker.errors.NotFound as error:
        assert "No such container: no-such-container" in str(error), error
    try:
        client.images.get("no-such-image")
        raise AssertionError("it was found")
    except docker.errors.ImageNotFound:
        pass


def a_container_lives_from_create_to_remove(client):
    name = unique()
    container = client.containers.create(
        "busybox", ["sh", "-c", "trap 'exit 4' TERM; echo up; while :; do sleep 0.05; done"],
        name=name, labels={"suite": name}, hostname="inside",
    )
    try:
        assert container.status == "created"
        container.start()
        until(lambda: container.logs() == b"up\n")
        container.reload()
        assert container.status == "running"
        assert [c.name for c in client.containers.list(filters={"label": "suite=" + name})] == [name]
        assert container.attrs["Config"]["Hostname"] == "inside"
        assert any("sh -c" in " ".join(process) for process in container.top()["Processes"])
        container.stop(timeout=20)
        assert container.wait()["StatusCode"] == 4
        container.restart(timeout=0)
        container.kill()
        assert container.wait()["StatusCode"] == 137
        container.rename(name + "-2")
        container.reload()
        assert container.name == name + "-2"
    finally:
        container.remove(force=True)
    assert client.containers.list(all=True, filters={"label": "suite=" + name}) == []


def a_process_joins_a_container(client):
    container = client.containers.run("busybox", "sleep 1000", detach=True)
    try:
        result = container.exec_run(["sh", "-c", "echo out; exit 5"])
        assert (result.exit_code, result.output) == (5, b"out\n"), result
        result = container.exec_run(["sh", "-c", "echo out; echo err >&2"], demux=True)
        assert result.output == (b"out\n", b"err\n"), result
        chunks = container.exec_run(["sh", "-c", "echo a; echo b"], stream=True).output
        assert b"".join(chunks) == b"a\nb\n"
    finally:
        container.remove(force=True)


def standard_input_is_a_socket(client):
    container = client.containers.create("busybox", "cat", stdin_open=True)
    try:
        attached = container.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
        container.start()
        stream = getattr(attached, "_sock", attached)
        stream.sendall(b"typed\n")
        stream.shutdown(socket.SHUT_WR)
        received = b""
        while True:
            piece = stream.recv(4096)
            if not piece:
                break
            received += piece
        # A frame: which stream, how long, what.
        assert received == b"\x01\0\0\0\0\0\0\x06typed\n", received
    finally:
        container.remove(force=True)


def logs_are_followed_to_the_end(client):
    script = "for i in 1 2 3; do echo $i; sleep 0.05; done"
    container = client.containers.run("busybox", ["sh", "-c", script], detach=True)
    try:
        assert b"".join(container.logs(stream=True, follow=True)) == b"1\n2\n3\n"
        assert container.logs(tail=1) == b"3\n"
        assert container.logs(timestamps=True, tail=1).endswith(b"Z 3\n")
    finally:
        container.remove(force=True)


def images_are_tagged_loaded_and_removed(client):
    name = unique()
    image = client.images.get("busybox")
    assert image.attrs["Os"] == "linux" and "busybox:latest" in image.tags
    assert image.tag(name, "v1")
    assert [i.id for i in client.images.list(name)] == [image.id]
    client.images.remove(name + ":v1")
    assert client.images.list(name) == []
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        data = b"content"
        entry = tarfile.TarInfo("file")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    client.api.import_image_from_data(tar.getvalue(), repository=name, tag="imported")
    client.images.get(name + ":imported")
    client.images.remove(name + ":imported")


def an_image_is_pulled(client):
    image = client.images.pull(os.environ["REFERENCE"])
    try:
        output = client.containers.run(image, "cat /marker", remove=True)
        assert output == b"python", output
    finally:
        client.images.remove(os.environ["REFERENCE"])


def volumes_keep_what_is_in_them(client):
    volume = client.volumes.create(unique(), labels={"a": "b"})
    try:
        mounts = {volume.name: {"bind": "/data", "mode": "rw"}}
        client.containers.run("busybox", ["sh", "-c", "echo kept >/data/f"], volumes=mounts, remove=True)
        output = client.containers.run("busybox", "cat /data/f", volumes=mounts, remove=True)
        assert output == b"kept\n", output
        assert client.volumes.get(volume.name).attrs["Labels"] == {"a": "b"}
        assert volume.name in [v.name for v in client.volumes.list()]
    finally:
        volume.remove()


def the_engine_describes_itself(client):
    assert client.ping()
    assert client.version()["Os"] == "linux"
    assert client.info()["OSType"] == "linux"


globals()[sys.argv[1]](docker.from_env())
