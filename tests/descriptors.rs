//! What a child gets of our descriptors: exactly what it was given, where it was put, and nothing else.

#![deny(unsafe_code)]

mod common;

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd};

use common::*;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use procsup::{Status, Stdio};

/// A file that tells itself from others by its content, not close-on-exec, as a careless host has them.
fn careless(content: &str) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file.rewind().unwrap();
    fcntl(&file, FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    file
}

fn content_of(mut file: File) -> String {
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn p13_nothing_else_is_inherited() {
    let careless: Vec<File> = (0..40).map(|_| careless("")).collect();
    let (child, _input, _output) = spawn_echoing(&echoing());
    assert_eq!(descriptor_numbers(child.pid()), [0, 1, 2]);
    drop(careless);
    child.terminate(-1).unwrap();
}

#[test]
fn pass_fd_lands_on_its_number() {
    let (low, high) = (careless("low"), careless("high"));
    let mut command = sh("cat <&5; cat <&200");
    command.pass_fd(low.as_raw_fd(), 5).unwrap().pass_fd(high.as_raw_fd(), 200).unwrap();
    assert_eq!(output_of(&mut sh("true")), "");
    // dash takes one digit in a redirection only.
    let mut shown = echoing();
    shown.pass_fd(low.as_raw_fd(), 5).unwrap().pass_fd(high.as_raw_fd(), 200).unwrap();
    let (child, _input, _output) = spawn_echoing(&shown);
    assert_eq!(descriptor_numbers(child.pid()), [0, 1, 2, 5, 200]);
    child.terminate(-1).unwrap();
    let mut command = sh("cat <&5");
    command.pass_fd(low.as_raw_fd(), 5).unwrap();
    assert_eq!(output_of(&mut command), "low");
}

/// One to the place of the other and the other way round: a copy in order would give both the same.
#[test]
fn pass_fd_can_exchange_and_rotate() {
    let files = [careless("a"), careless("b"), careless("c")];
    let [a, b, c] = [3, 4, 5];
    for rotation in 1..3 {
        let (child_fds, mut command) = ([a, b, c], sh("cat <&3; cat <&4; cat <&5"));
        for (index, file) in files.iter().enumerate() {
            file.try_clone().unwrap().rewind().unwrap();
            command.pass_fd(file.as_raw_fd(), child_fds[(index + rotation) % 3]).unwrap();
        }
        let expected = if rotation == 1 { "cab" } else { "bca" };
        assert_eq!(output_of(&mut command), expected);
    }
    // The very numbers that the host has them under.
    let [x, y] = [files[0].as_raw_fd(), files[1].as_raw_fd()];
    let mut command = echoing();
    command.pass_fd(x, y).unwrap().pass_fd(y, x).unwrap();
    let (child, _input, _output) = spawn_echoing(&command);
    let ours = descriptors(std::process::id() as i32);
    let theirs = descriptors(child.pid());
    let at = |list: &[(i32, String)], fd| list.iter().find(|(number, _)| *number == fd).unwrap().1.clone();
    assert_eq!((at(&theirs, x), at(&theirs, y)), (at(&ours, y), at(&ours, x)));
    assert_eq!(theirs.len(), 5);
    child.terminate(-1).unwrap();
}

/// On the number that it has already there is nothing to move, but its close-on-exec must go.
#[test]
fn pass_fd_in_place_survives_the_exec() {
    let file = tempfile::tempfile().unwrap();
    let number = file.as_raw_fd();
    let mut command = echoing();
    command.pass_fd(number, number).unwrap();
    let (child, _input, _output) = spawn_echoing(&command);
    assert_eq!(descriptor_numbers(child.pid()), [0, 1, 2, number]);
    assert_eq!(fcntl(&file, FcntlArg::F_GETFD).unwrap(), libc::FD_CLOEXEC, "the host's own is as it was");
    child.terminate(-1).unwrap();
}

/// More than there are landing places.
#[test]
fn pass_fd_twenty_at_once() {
    let files: Vec<File> = (0..20).map(|i| careless(&i.to_string())).collect();
    let mut command = echoing();
    for (i, file) in files.iter().enumerate() {
        command.pass_fd(file.as_raw_fd(), 3 + i as i32).unwrap();
    }
    let (child, _input, _output) = spawn_echoing(&command);
    assert_eq!(descriptor_numbers(child.pid()), (0..23).collect::<Vec<i32>>());
    let (ours, theirs) = (descriptors(std::process::id() as i32), descriptors(child.pid()));
    for (i, file) in files.iter().enumerate() {
        let source = ours.iter().find(|(fd, _)| *fd == file.as_raw_fd()).unwrap();
        assert_eq!(theirs[3 + i].1, source.1);
    }
    child.terminate(-1).unwrap();
}

#[test]
fn pass_fd_one_that_is_closed_since_spawns_nothing() {
    let file = careless("");
    let mut command = command("true", &[]);
    // A number that no other thread of this test program gets meanwhile.
    let high = fcntl(&file, FcntlArg::F_DUPFD_CLOEXEC(900)).unwrap();
    command.pass_fd(high, 3).unwrap();
    nix::unistd::close(high).unwrap();
    let error = procsup::spawn(&command).unwrap_err();
    assert_eq!((error.status, error.errno), (Status::InvalidArgument, Some(Errno::EBADF)));
}

#[test]
fn pass_fd_takes_the_place_of_a_stream() {
    let file = careless("");
    let mut command = command("echo", &["so"]);
    command.pass_fd(file.as_raw_fd(), 1).unwrap();
    assert!(run(&command).success());
    assert_eq!(content_of(file), "so\n");
}

/// Standard error follows standard output wherever that comes from.
#[test]
fn pass_fd_as_standard_output_takes_merged_errors_too() {
    let file = careless("");
    let mut command = sh("echo out; echo err >&2");
    command.stdio(2, Stdio::Merge).unwrap().pass_fd(file.as_raw_fd(), 1).unwrap();
    assert!(run(&command).success());
    assert_eq!(content_of(file), "out\nerr\n");
}

#[test]
fn pass_fd_conflicts_are_refused() {
    let file = careless("");
    let mut command = command("true", &[]);
    command.pass_fd(file.as_raw_fd(), 7).unwrap();
    assert_eq!(command.pass_fd(file.as_raw_fd(), 7).unwrap_err().status, Status::InvalidArgument);
    command.pass_fd(file.as_raw_fd(), 0).unwrap();
    assert_eq!(procsup::spawn(&command).unwrap_err().status, Status::InvalidArgument, "stdin is /dev/null already");
}

#[test]
fn stdio_pipes_carry_both_ways_and_are_ours_alone() {
    let mut command = sh("cat; echo error >&2");
    for stream in 0..3 {
        command.stdio(stream, Stdio::Pipe).unwrap();
    }
    let child = procsup::spawn(&command).unwrap();
    let [input, output, errors] = [0, 1, 2].map(|stream| child.take_stream(stream).unwrap());
    for end in [&input, &output, &errors] {
        assert_eq!(fcntl(end, FcntlArg::F_GETFD).unwrap(), libc::FD_CLOEXEC);
        assert_eq!(fcntl(end, FcntlArg::F_GETFL).unwrap() & OFlag::O_NONBLOCK.bits(), 0, "blocking");
    }
    assert_eq!(child.take_stream(1).unwrap_err().status, Status::NotFound, "taken already");
    assert_eq!(child.take_stream(3).unwrap_err().status, Status::InvalidArgument);
    File::from(input).write_all(b"hello").unwrap();
    assert_eq!(read_to_end(output), b"hello");
    assert_eq!(read_to_end(errors), b"error\n");
    assert!(child.reap(patience()).unwrap().success());
}

#[test]
fn stdio_null_is_dev_null() {
    let mut command = sh("cat; echo lost; echo lost >&2");
    for stream in 0..3 {
        command.stdio(stream, Stdio::Null).unwrap();
    }
    assert!(run(&command).success());
    let mut pausing = pausing();
    pausing.stdio(1, Stdio::Null).unwrap();
    let child = procsup::spawn(&pausing).unwrap();
    assert!(descriptors(child.pid()).iter().take(3).all(|(_, target)| target == "/dev/null"));
    child.terminate(-1).unwrap();
}

#[test]
fn stdio_is_inherited_when_nothing_is_said() {
    let mut command = procsup::Command::new("sleep").unwrap();
    command.arg("100").unwrap();
    let child = procsup::spawn(&command).unwrap();
    let (ours, theirs) = (descriptors(std::process::id() as i32), descriptors(child.pid()));
    assert_eq!(theirs[..3], ours[..3]);
    child.terminate(-1).unwrap();
}

#[test]
fn stdio_descriptors_of_the_caller() {
    let (input, output) = (careless("from here"), careless(""));
    let mut command = command("cat", &[]);
    command.stdio(0, Stdio::Fd(input.as_raw_fd())).unwrap().stdio(1, Stdio::Fd(output.as_raw_fd())).unwrap();
    assert!(run(&command).success());
    assert_eq!(content_of(output), "from here");
}

#[test]
fn stdio_merge_puts_errors_into_the_output() {
    let mut command = sh("echo out; echo err >&2; echo out");
    command.stdio(2, Stdio::Merge).unwrap();
    assert_eq!(output_of(&mut command), "out\nerr\nout\n");
    for stream in [0, 1] {
        assert_eq!(command.stdio(stream, Stdio::Merge).unwrap_err().status, Status::InvalidArgument);
    }
}

/// A sibling that inherited the writing end would keep the pipe open after the writer's end.
#[test]
fn law13_pipes_do_not_leak_into_siblings() {
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let mut writer = command("echo", &["x"]);
                    writer.stdio(1, Stdio::Pipe).unwrap();
                    let writer = procsup::spawn(&writer).unwrap();
                    let sibling = procsup::spawn(&pausing()).unwrap();
                    assert_eq!(read_to_end(writer.take_stream(1).unwrap()), b"x\n");
                    writer.reap(patience()).unwrap();
                    sibling.terminate(-1).unwrap();
                }
            });
        }
    });
}

#[test]
fn own_fd_is_closed_after_the_reap_and_not_before() {
    let (read, write) = pipe();
    let mut command = pausing();
    command.own_fd(write).unwrap();
    let child = procsup::spawn(&command).unwrap();
    assert!(!is_readable(&read, 0), "open while the child runs");
    until("a child without a copy (its loader opens files for a moment)", || !descriptors(child.pid()).iter().any(|(fd, _)| *fd > 2));
    child.terminate(-1).unwrap();
    assert_eq!(read_to_end(read), b"", "closed with the reap");
}

/// With many descriptors open a pipe's number is high, and its end is parked on a low one for the time of the spawn.
#[test]
fn law12_a_parked_pipe_end_does_not_stay_open() {
    let crowd: Vec<File> = (0..100).map(|_| tempfile::tempfile().unwrap()).collect();
    for _ in 0..20 {
        assert_eq!(output_of(&mut command("echo", &["x"])), "x\n", "by end of file");
    }
    drop(crowd);
}

/// What the first child took is not the second one's; a failed spawn takes nothing.
#[test]
fn law12_own_fd_stays_with_the_command_when_the_spawn_fails() {
    let (read, write) = pipe();
    let mut failing = command("/nonexistent/program", &[]);
    failing.own_fd(write).unwrap();
    procsup::spawn(&failing).unwrap_err();
    assert!(!is_readable(&read, 0), "still the command's");
    drop(failing);
    assert_eq!(read_to_end(read), b"", "closed with the command");

    let (read, write) = pipe();
    let mut twice = pausing();
    twice.own_fd(write).unwrap();
    let (first, second) = (procsup::spawn(&twice).unwrap(), procsup::spawn(&twice).unwrap());
    second.terminate(-1).unwrap();
    assert!(!is_readable(&read, 0), "the first child's");
    first.terminate(-1).unwrap();
    assert_eq!(read_to_end(read), b"");
}

#[test]
fn listen_fds_have_the_numbers_from_three() {
    let socket = || OwnedFd::from(std::os::unix::net::UnixListener::bind_addr(&abstract_address()).unwrap());
    let sockets = [socket(), socket()];
    let mut command = echoing();
    command.listen_fd(sockets[0].as_raw_fd(), Some(c"http")).unwrap().listen_fd(sockets[1].as_raw_fd(), None).unwrap();
    let (child, _input, _output) = spawn_echoing(&command);
    let (ours, theirs) = (descriptors(std::process::id() as i32), descriptors(child.pid()));
    assert_eq!(theirs.iter().map(|(fd, _)| *fd).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    for (index, socket) in sockets.iter().enumerate() {
        assert!(ours.contains(&(socket.as_raw_fd(), theirs[3 + index].1.clone())));
    }
    child.terminate(-1).unwrap();
}

fn abstract_address() -> std::os::unix::net::SocketAddr {
    use std::os::linux::net::SocketAddrExt;
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("procsup-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    std::os::unix::net::SocketAddr::from_abstract_name(name).unwrap()
}
