//! A host that runs without 0, 1 and 2: new pipes get those numbers, and must not be overwritten on their way.

#![deny(unsafe_code)]

mod common;

use common::*;
use procsup::Stdio;

#[test]
fn stdio_works_with_closed_standard_streams() {
    for closed in [&[0][..], &[1], &[2], &[0, 1, 2]] {
        in_forked_copy(|| {
            for fd in closed {
                nix::unistd::close(*fd).unwrap();
            }
            let mut command = sh("cat; echo error >&2");
            for stream in 0..3 {
                command.stdio(stream, Stdio::Pipe).unwrap();
            }
            let child = procsup::spawn(&command).unwrap();
            let [input, output, errors] = [0, 1, 2].map(|stream| child.take_stream(stream).unwrap());
            nix::unistd::write(&input, b"through").unwrap();
            drop(input);
            assert_eq!(read_to_end(output), b"through");
            assert_eq!(read_to_end(errors), b"error\n");
            assert!(child.reap(patience()).unwrap().success());
        });
    }
}
