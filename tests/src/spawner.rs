//! The thread that starts every child process. A child is killed when its parent *thread* ends
//! (`setpriv --pdeathsig`), so that nothing survives a killed test run; test threads are
//! short-lived, this one lives as long as the process.

use std::io;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

type Order = (Command, Sender<io::Result<Child>>);

static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();

pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        thread::Builder::new()
            .name("spawner".into())
            .spawn(move || {
                for (mut command, reply) in inbox {
                    let _ = reply.send(command.spawn());
                }
            })
            .expect("a thread for the spawner");
        orders
    });
    let (reply, answer) = channel();
    spawner.send((command, reply)).expect("the spawner lives");
    answer.recv().expect("the spawner answers")
}
