//! A preloader, as its client has it: started when it is needed, asked for workers, one command at a time, and stopped.

pub mod answer;
pub mod machine;

#[cfg(test)]
mod explorer;
