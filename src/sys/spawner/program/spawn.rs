//! The engine's rules between clone and exec, and the workers that go by them.

#[path = "../../spawn/birth.rs"]
mod birth;
#[path = "../../spawn/child.rs"]
mod child;
#[path = "../../spawn/orders.rs"]
mod orders;
#[path = "../../spawn/shim.rs"]
mod shim;
#[path = "../../spawn/switch.rs"]
mod switch;
#[path = "../../spawn/terminal.rs"]
mod terminal;

#[path = "request.rs"]
mod request;
#[path = "worker.rs"]
pub mod worker;
